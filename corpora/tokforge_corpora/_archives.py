"""Members of package files, read in memory: zip (wheels, jars, Go modules), tar (crates, npm), .deb.

Invariants: nothing is ever written to disk. A member's name is relative, without ``..``, backslash or drive,
or the whole archive is refused. Links and devices are skipped and counted. No member is larger than
MAX_MEMBER_BYTES, and all together are no more than MAX_RATIO times the archive.
Source: Debian policy's deb(5) for the ar layout; PEP 706 for what an archive may try.
"""

import bz2
import gzip
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

from tokforge.errors import InputError

MAX_MEMBER_BYTES = 256 << 20
MAX_RATIO = 200
MIN_TOTAL_BYTES = 1 << 20  # a tiny archive of zeros compresses better than any honest large one

Wanted = Callable[[str], bool]
Members = Iterator[tuple[str, bytes]]

_DECOMPRESSORS: dict[str, Callable[[Any], Any]] = {
    ".gz": lambda stream: gzip.GzipFile(fileobj=stream),
    ".tgz": lambda stream: gzip.GzipFile(fileobj=stream),
    ".crate": lambda stream: gzip.GzipFile(fileobj=stream),
    ".xz": lzma.LZMAFile,
    ".bz2": bz2.BZ2File,
    ".tar": lambda stream: stream,
}
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
)


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Budget:
    """Refuses an archive once its members add up to more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise InputError(f"it unpacks to more than {MAX_RATIO} times its size", "distrust this archive")


class _Spending:
    """A decompressed stream that is charged to the budget as it is read, so that a bomb stops early."""

    def __init__(self, stream: _Readable, budget: _Budget) -> None:
        self._stream, self._budget = stream, budget

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._budget.spend(len(data))
        return data


def read_members(
    stream: BinaryIO, file: str, wanted: Wanted, skipped: Counter[str], inner: str | None = None
) -> Members:
    """Yields ``(name, bytes)`` of the wanted members of an archive, in the archive's order.

    ``stream`` is the open archive and ``file`` its name, whose suffix tells its kind. ``inner`` names a tar
    inside it whose members are meant. ``skipped`` counts what was passed over, by reason.

    Raises InputError for a malformed or hostile archive.
    """
    size = stream.seek(0, 2)
    stream.seek(0)
    budget = _Budget(max(MIN_TOTAL_BYTES, MAX_RATIO * size))
    try:
        if file.endswith((".whl", ".jar", ".zip")):
            yield from _zip_members(stream, wanted, skipped, budget)
        elif file.endswith(".deb"):
            name, data = _deb_data(stream)
            yield from _tar_members(_decompressed(data, name), wanted, skipped, budget, inner)
        else:
            yield from _tar_members(_decompressed(stream, file), wanted, skipped, budget, inner)
    except InputError as error:
        raise InputError(error.problem, error.hint, file) from error
    except _BROKEN as error:
        raise InputError(
            f"the archive is malformed: {error}", "remove it from the cache, fetch again", file
        ) from error


def _decompressed(stream: _Readable, file: str) -> _Readable:
    for suffix, opener in _DECOMPRESSORS.items():
        if file.endswith(suffix):
            opened: _Readable = opener(stream)
            return opened
    raise InputError(f"{file} is no archive that can be read", f"use one of: {', '.join(_DECOMPRESSORS)}")


def _tar_members(
    stream: _Readable, wanted: Wanted, skipped: Counter[str], budget: _Budget, inner: str | None
) -> Members:
    seen_inner = False
    # Stream mode: members come in order, once, and nothing is kept of those not wanted.
    with tarfile.open(fileobj=_Spending(stream, budget), mode="r|") as archive:  # type: ignore[call-overload]
        for info in archive:
            name = safe_name(info.name)
            if not info.isfile():
                skipped["links"] += not info.isdir()
                continue
            content = archive.extractfile(info)
            if name == inner:
                seen_inner = True
                yield from _tar_members(_decompressed(content, name), wanted, skipped, budget, None)
            elif inner is None and wanted(name):
                _check_size(name, info.size)
                yield name, content.read()
    if inner and not seen_inner:
        raise InputError(f"it has no member {inner}", "correct the manifest's inner")


def _zip_members(stream: BinaryIO, wanted: Wanted, skipped: Counter[str], budget: _Budget) -> Members:
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            # The constructor hides what follows a NUL and turns the system's separator into "/".
            name = safe_name(info.orig_filename)
            if info.is_dir():
                continue
            if stat.S_ISLNK(info.external_attr >> 16):
                skipped["links"] += 1
            elif wanted(name):
                _check_size(name, info.file_size)
                budget.spend(info.file_size)  # zipfile reads no more than this, whatever the data says
                yield name, _zip_read(archive, info)


def _zip_read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(info)
    except RuntimeError as error:  # encrypted
        raise InputError(f"{info.filename} cannot be read: {error}", "distrust this archive") from error


def _check_size(name: str, size: int) -> None:
    if size > MAX_MEMBER_BYTES:
        raise InputError(
            f"{name} has {size} bytes, more than {MAX_MEMBER_BYTES}", "exclude it in the manifest"
        )


def safe_name(name: str) -> str:
    """Returns a member's name without a leading ``./``; raises InputError if it could leave its folder."""
    plain = name.removeprefix("./")
    if re.search(r"[\x00-\x1f\\]|^/|^[A-Za-z]:", plain) or ".." in plain.split("/"):
        raise InputError(f"it has a member named {name!r}", "distrust this archive")
    return plain


def _deb_data(stream: BinaryIO) -> tuple[str, BinaryIO]:
    """Returns the name of a .deb's ``data.tar*`` and the stream, standing at its first byte.

    The data is the last member of a .deb, so reading to the end of the file is reading to its end.
    """
    if stream.read(8) != b"!<arch>\n":
        raise InputError("it is no .deb: the ar magic is missing", "remove it from the cache, fetch again")
    while len(header := stream.read(60)) == 60 and header[58:] == b"`\n" and header[48:58].strip().isdigit():
        name = header[:16].decode("latin-1").rstrip(" /")
        if name.startswith("data.tar"):
            return name, stream
        size = int(header[48:58])
        stream.seek(size + size % 2, 1)  # members are padded to even offsets
    raise InputError("it is no .deb: it has no data.tar", "remove it from the cache, fetch again")
