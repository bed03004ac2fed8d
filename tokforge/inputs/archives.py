"""Members of archives, read in memory: zip (wheel, jar, AAR, APK), tar, ar (.deb, .a), and archives within.

Definition. What a file is, its first bytes tell, never its name. A .deb is an ar archive of two tars, a
compressed file that holds no tar is an archive of one member. A member is known by its path: the names from
the outermost archive inwards.

Invariants: nothing is written to disk. Links and devices are skipped and counted. All that one archive
unpacks to, archives within it included, is at most ``ratio`` times its size (or 1 MiB), no member is larger
than ``member_bytes``, and no archive lies deeper than ``depth``; so a bomb ends early, also an endless one.
Memory: one member of each level.
Source: PKWARE's APPNOTE (zip), POSIX pax (tar), deb(5) (ar); PEP 706 for what an archive may try.
"""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePath
from typing import Any, BinaryIO, NamedTuple

from tokforge.errors import ConfigError, InputError, MissingExtraError
from tokforge.inputs._rows import zstd_stream

__all__ = ["HEAD_BYTES", "ArchiveOptions", "Member", "archive_kind", "member_path", "read_archive"]

HEAD_BYTES = 512
"""As many first bytes as `archive_kind` needs."""
MIN_TOTAL_BYTES = 1 << 20  # a tiny archive of zeros compresses better than any honest large one
_AES = 99  # zip's method number for WinZip's encryption, under which malware is often passed on

_MAGICS = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"!<arch>\n": "ar",
    b"\x1f\x8b": "gz",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bz2",
    b"\x28\xb5\x2f\xfd": "zst",
}
_SUFFIXES = {"gz": (".gz", ".tgz"), "xz": (".xz", ".txz"), "bz2": (".bz2",), "zst": (".zst",)}

_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(NotImplementedError, UnicodeDecodeError),
)
"""What the readers raise for a damaged archive; NotImplementedError is zipfile's for a method it lacks."""

Path = tuple[str, ...]
Wanted = Callable[[Path], bool]


class Member(NamedTuple):
    """A file within an archive."""

    path: Path
    """Names from the outermost archive inwards."""
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveOptions:
    """What an archive may cost, and what opens it."""

    depth: int = 4
    """Archives within archives; 1 opens the outermost alone. A .deb takes 2, a layer of compression 1."""
    member_bytes: int = 256 << 20
    """Largest member, unpacked."""
    ratio: int = 200
    """All unpacked bytes, of all levels, over the outermost archive's size."""
    password: bytes | None = field(default=None, repr=False)
    """Opens encrypted zips."""


def archive_kind(head: bytes) -> str | None:
    """Returns ``zip``, ``tar``, ``ar``, ``gz``, ``xz``, ``bz2``, ``zst`` or None, by a file's first bytes."""
    if head[257:262] == b"ustar":
        return "tar"
    return next((kind for magic, kind in _MAGICS.items() if head.startswith(magic)), None)


def member_path(path: Path) -> str:
    """Returns a member's path as one text: ``data.tar.xz!usr/bin/ls``."""
    return "!".join(path)


def read_archive(
    stream: BinaryIO,
    name: str,
    *,
    options: ArchiveOptions | None = None,
    wanted: Wanted = lambda path: True,
    enters: Wanted = lambda path: True,
    skipped: Counter[str] | None = None,
) -> Iterator[Member]:
    """Yields the members of an archive that are no archives themselves, in the archive's order.

    Args:
        stream: the open archive, seekable.
        name: its name, for errors and for the one member of a compressed file.
        options: the defaults of `ArchiveOptions` if None.
        wanted: by path, which members to yield.
        enters: by path, which archives within to open.
        skipped: counts what was passed over, by reason.

    Raises:
        InputError: the archive is malformed, exceeds a limit, or is none.
        ConfigError: it is encrypted, and the password is missing or wrong.
        MissingExtraError: zstd or AES, and the package that reads it is not installed.
    """
    options = options or ArchiveOptions()
    size = stream.seek(0, io.SEEK_END)
    budget = _Budget(max(MIN_TOTAL_BYTES, options.ratio * size), options.ratio)
    reader = _Reader(options, wanted, enters, Counter() if skipped is None else skipped, budget)
    try:
        yield from reader.members(stream, name, ())
    except (ConfigError, InputError, MissingExtraError) as error:
        raise type(error)(error.problem, error.hint, name) from error
    except _BROKEN as error:
        raise InputError(f"the archive is malformed: {error}", "fetch or write it again", name) from error


class _Budget:
    """Refuses an archive once all that it unpacks to is more than ``left`` bytes."""

    def __init__(self, left: int, ratio: int) -> None:
        self._left, self._ratio = left, ratio

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise InputError(f"it unpacks to more than {self._ratio} times its size", "distrust this archive")


class _Charged(io.RawIOBase):
    """A stream that is charged to the budget as it is read, so that a bomb stops early."""

    def __init__(self, stream: Any, budget: _Budget) -> None:
        self._stream, self._budget = stream, budget

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        data = self._stream.read(len(target))
        self._budget.spend(len(data))
        target[: len(data)] = data
        return len(data)


@dataclass(frozen=True, slots=True)
class _Reader:
    """One archive being read, with all that is inside."""

    options: ArchiveOptions
    wanted: Wanted
    enters: Wanted
    skipped: Counter[str]
    budget: _Budget

    def members(self, stream: BinaryIO, name: str, path: Path) -> Iterator[Member]:
        """Yields the members of one level; ``path`` leads to it."""
        stream.seek(0)
        kind = archive_kind(stream.read(HEAD_BYTES))
        stream.seek(0)
        if kind == "zip":
            yield from self._zip(stream, path)
        elif kind == "tar":
            yield from self._tar(_Charged(stream, self.budget), path)
        elif kind == "ar":
            yield from self._ar(stream, path)
        elif kind:
            yield from self._compressed(stream, kind, name, path)
        else:
            raise InputError("it is no archive that can be read", "use zip, tar, ar, gz, xz, bz2 or zst")

    def _found(self, path: Path, size: int, read: Callable[[], bytes]) -> Iterator[Member]:
        """Yields a member, or what is in it if it is an archive; reads nothing that nobody wants."""
        wanted, enters = self.wanted(path), self.enters(path)
        if not (wanted or enters):
            return
        self._check_size(path, size)
        data = read()
        if enters and archive_kind(data[:HEAD_BYTES]):
            if len(path) < self.options.depth:
                yield from self.members(io.BytesIO(data), path[-1], path)
            else:
                self.skipped[f"archives deeper than {self.options.depth}"] += 1
        elif wanted:
            yield Member(path, data)

    def _check_size(self, path: Path, size: int) -> None:
        if size > self.options.member_bytes:
            raise InputError(
                f"{member_path(path)} has {size} bytes, more than {self.options.member_bytes}",
                "exclude it, or raise the limit",
            )

    def _zip(self, stream: BinaryIO, path: Path) -> Iterator[Member]:
        with _opened_zip(stream) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                if stat.S_ISLNK(info.external_attr >> 16):
                    self.skipped["links"] += 1
                    continue
                # The constructor hides what follows a NUL and turns the system's separator into "/".
                inner = (*path, info.orig_filename)
                yield from self._found(inner, info.file_size, partial(self._unzipped, archive, info))

    def _unzipped(self, archive: Any, info: zipfile.ZipInfo) -> bytes:
        self.budget.spend(info.file_size)  # zipfile reads no more than this, whatever the data says
        if info.flag_bits & 1 and self.options.password is None:
            raise ConfigError(f"{info.filename} is encrypted", "give the archives' password")
        try:
            data: bytes = archive.read(info, self.options.password)
        except RuntimeError as error:
            raise ConfigError(f"{info.filename} cannot be read: {error}", "give another password") from error
        return data

    def _tar(self, stream: Any, path: Path) -> Iterator[Member]:
        # Stream mode: members come in order, once, and nothing is kept of those not wanted.
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for info in archive:
                content = archive.extractfile(info) if info.isfile() else None
                if content is None:
                    self.skipped["links"] += not info.isdir()
                    continue
                yield from self._found((*path, info.name.removeprefix("./")), info.size, content.read)

    def _ar(self, stream: BinaryIO, path: Path) -> Iterator[Member]:
        """System V and BSD ar; the tables of names and symbols are no members."""
        stream.seek(8)
        names = b""
        while len(header := stream.read(60)) == 60:
            if header[58:] != b"`\n" or not header[48:58].strip().isdigit():
                raise InputError(
                    "the archive is malformed: an ar header is damaged", "fetch or write it again"
                )
            size, start = int(header[48:58]), stream.tell()
            raw = header[:16].rstrip()
            if raw == b"//":
                names = stream.read(min(size, 1 << 24))
            elif raw not in (b"/", b"/SYM64/") and not raw.startswith(b"__.SYMDEF"):
                title, offset = _ar_name(raw, names, stream)
                inner = (*path, title)
                yield from self._found(inner, size - offset, partial(self._charged, stream, size - offset))
            stream.seek(start + size + size % 2)  # members are padded to even offsets

    def _charged(self, stream: BinaryIO, size: int) -> bytes:
        self.budget.spend(size)
        data = stream.read(size)
        if len(data) < size:
            raise EOFError("it ends within a member")
        return data

    def _compressed(self, stream: BinaryIO, kind: str, name: str, path: Path) -> Iterator[Member]:
        """A tar in a layer of compression, else the one file that the layer holds."""
        opened = io.BufferedReader(_Charged(_decompressor(stream, kind), self.budget), 1 << 16)
        if archive_kind(opened.peek(HEAD_BYTES)[:HEAD_BYTES]) == "tar":
            yield from self._tar(opened, path)
            return
        inner = (*path, _stem(name, kind))
        if not (self.wanted(inner) or self.enters(inner)):
            return
        content = opened.read(self.options.member_bytes + 1)
        yield from self._found(inner, len(content), lambda: content)


def _opened_zip(stream: BinaryIO) -> Any:
    archive = zipfile.ZipFile(stream)
    if not any(info.compress_type == _AES for info in archive.infolist()):
        return archive
    try:
        return import_module("pyzipper").AESZipFile(stream)
    except ImportError as error:
        raise MissingExtraError("it is encrypted with AES", "run: pip install 'tokforge[binary]'") from error


def _ar_name(raw: bytes, names: bytes, stream: BinaryIO) -> tuple[str, int]:
    """Returns a member's name, and how many of its bytes the name takes (BSD writes long ones there)."""
    if raw.startswith(b"#1/") and raw[3:].isdigit():
        size = min(int(raw[3:]), 1 << 12)
        return stream.read(size).rstrip(b"\0").decode("utf-8", "backslashreplace"), size
    if raw.startswith(b"/") and raw[1:].isdigit():
        raw = names[int(raw[1:]) :].split(b"\n", 1)[0]
    return raw.removesuffix(b"/").decode("utf-8", "backslashreplace"), 0


def _stem(name: str, kind: str) -> str:
    base = PurePath(name).name
    end = next((end for end in _SUFFIXES[kind] if base.lower().endswith(end)), "")
    return base[: len(base) - len(end)] or base


def _decompressor(stream: BinaryIO, kind: str) -> Any:
    if kind == "zst":
        if find_spec("zstandard") is None:
            raise MissingExtraError("zstandard is not installed", "run: pip install 'tokforge[data]'")
        return zstd_stream(stream, "")
    if kind == "gz":
        return gzip.GzipFile(fileobj=stream)
    return lzma.LZMAFile(stream) if kind == "xz" else bz2.BZ2File(stream)
