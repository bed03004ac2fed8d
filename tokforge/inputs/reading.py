"""Reads sources as documents: each file, or each row's field, as bytes.

Invariant: a file that is read is the file that was opened; one that changed or vanished in between is an
InputError, never a shorter corpus. Memory: one row, or one document of a small file; a large file is
mapped, so that the system may drop its pages again. The one case that cannot be caught: a mapped file
that is truncated while its bytes are in use ends the process (SIGBUS), as it does for every program.
"""

import io
import mmap
import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from time import monotonic
from typing import BinaryIO, NamedTuple, TypeAlias

from tokforge.errors import InputError
from tokforge.inputs._paths import Remark, reason, shown
from tokforge.inputs._rows import Row, jsonl_rows, parquet_rows
from tokforge.inputs.archives import HEAD_BYTES, ArchiveOptions, archive_kind, member_path, read_archive
from tokforge.inputs.source import InputFile, Source, signature

__all__ = [
    "ByteView",
    "Document",
    "Meter",
    "Progress",
    "Sample",
    "batches",
    "documents",
    "nothing_read",
    "peek",
    "read_file",
    "read_sources",
]

ByteView: TypeAlias = bytes | memoryview
"""Read-only bytes; of a large file, a view of its mapped pages."""

Progress: TypeAlias = Callable[[str, int, int], object]
"""Called as ``progress(phase, done, total)``; an exception in it stops the work."""

MAP_BYTES = 16 << 20
"""Files of this size and more are mapped, not copied."""

_OVERHEAD_BYTES = 64  # about what one more bytes object costs beside its content


class Document(NamedTuple):
    """The unit of training: no token crosses its ends. Never empty."""

    data: ByteView
    source: str
    """Name of the source: the INPUT as given."""
    path: str
    """The file, printable; "-" for standard input."""
    row: int | None = None
    """Line or row number from 1 within the file; None if the document is the whole file."""


class Meter:
    """Passes on at most ten reports a second, so that a loop may tick often."""

    def __init__(self, progress: Progress | None, phase: str, total: int) -> None:
        self._progress, self._phase, self._total = progress, phase, total
        self._base, self._next = 0, monotonic()

    def at(self, position: int) -> None:
        """Reports, if it is time, that ``position`` units of the part under way are done."""
        if self._progress is not None and monotonic() >= self._next:
            self._progress(self._phase, self._base + position, self._total)
            self._next = monotonic() + 0.1

    def part_done(self, size: int) -> None:
        """Ends a part of ``size`` units."""
        self._base += size
        self.at(0)

    def finish(self) -> None:
        """Reports the phase as complete."""
        if self._progress is not None:
            self._progress(self._phase, self._total, self._total)


def documents(sources: Sequence[Source], *, progress: Progress | None = None) -> Iterator[Document]:
    """Yields every document of every source, in order.

    ``progress`` is called with the phase "read" and bytes on disk, read so far and in all.

    Raises:
        InputError: a file changed, vanished or cannot be read; a row is malformed (with its line); a
            source had no bytes after all, as when each of its rows is empty.
    """
    found: set[int] = set()
    for at, _, document in read_sources(sources, progress=progress):
        found.add(at)
        yield document
    for at, source in enumerate(sources):
        if at not in found:
            raise nothing_read(source)


def read_sources(
    sources: Sequence[Source],
    *,
    progress: Progress | None = None,
    phase: str = "read",
    wanted: Callable[[int], bool] = lambda _: True,
) -> Iterator[tuple[int, int, Document]]:
    """Yields (source number, file number over all sources, document) of every file that is wanted."""
    meter = Meter(progress, phase, sum(source.size_bytes for source in sources))
    number = 0
    for at, source in enumerate(sources):
        for file in source.files:
            if wanted(number):
                for document in read_file(source, file, meter.at):
                    yield at, number, document
            meter.part_done(file.size_bytes)
            number += 1
    meter.finish()


def nothing_read(source: Source) -> InputError:
    """The error for a source of which nothing came: its rows are empty, or every document is left out."""
    if any(source.holds_rows(file) for file in source.files):
        return InputError("all of its rows are empty or null", "name another field or file", source.name)
    return InputError("nothing of it is left to read", "leave less of it out", source.name)


def read_file(
    source: Source, file: InputFile, position: Callable[[int], object] = lambda _: None
) -> Iterator[Document]:
    """Yields the documents of one file; calls ``position`` with the bytes of it that are read."""
    if source.holds_rows(file):
        yield from _row_documents(source, file, position)
    elif source.archives and _is_archive(file):
        yield from _member_documents(source, file, source.archives, position)
    else:
        yield Document(data=_whole(file), source=source.name, path=shown(file.path))


def _whole(file: InputFile) -> ByteView:
    if file.content is not None:
        return file.content
    with _opened(file) as handle:
        return _map(handle) if file.size_bytes >= MAP_BYTES else handle.read()


def _map(handle: BinaryIO) -> ByteView:
    try:
        mapped = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError:  # some network and user-space file systems cannot map
        return handle.read()
    if hasattr(mmap, "MADV_SEQUENTIAL"):
        mapped.madvise(mmap.MADV_SEQUENTIAL)
    return memoryview(mapped)


@contextmanager
def _opened(file: InputFile) -> Iterator[BinaryIO]:
    """Opens a file, holds it to its signature at both ends, and names it where the system fails."""
    if file.content is not None:
        yield io.BytesIO(file.content)
        return
    try:
        with file.path.open("rb") as handle:
            _check_unchanged(file, handle)
            yield handle
            _check_unchanged(file, handle)
    except OSError as error:
        hint = "inputs must stay as they are; run again"
        raise InputError(f"cannot be read: {reason(error)}", hint, shown(file.path)) from error


def _check_unchanged(file: InputFile, handle: BinaryIO) -> None:
    if signature(os.fstat(handle.fileno())) != file.signature:
        raise InputError(
            "changed since the inputs were opened", "run again once it is complete", shown(file.path)
        )


def _row_documents(source: Source, file: InputFile, position: Callable[[int], object]) -> Iterator[Document]:
    """Yields the rows that hold bytes; notes in ``source`` how many do not."""
    where = shown(file.path)
    counts: Counter[str] = Counter()
    with _opened(file) as handle:
        for row in _rows(source, file, handle):
            position(row.position)
            if row.data:
                yield Document(row.data, source.name, where, row.number)
            else:
                counts["null" if row.data is None else "empty"] += 1
            if row.surrogates:
                counts["surrogates"] += 1
    for kind in ("null", "empty"):
        _note(source.skipped, where, counts[kind], f"rows are {kind}")
    _note(source.warnings, where, counts["surrogates"], "rows hold lone surrogates, kept as three bytes each")


def _is_archive(file: InputFile) -> bool:
    with _opened(file) as handle:
        return archive_kind(handle.read(HEAD_BYTES)) is not None


def _member_documents(
    source: Source, file: InputFile, options: ArchiveOptions, position: Callable[[int], object]
) -> Iterator[Document]:
    """Yields the members of an archive; notes in ``source`` what of it is not read, and why."""
    where = shown(file.path)
    skipped: Counter[str] = Counter()
    with _opened(file) as handle:
        try:
            for member in read_archive(handle, where, options=options, skipped=skipped):
                position(handle.tell())
                if member.data:
                    yield Document(member.data, source.name, f"{where}!{shown(member_path(member.path))}")
                else:
                    skipped["empty members"] += 1
        except InputError as error:
            # Of many thousand samples some are damaged or hostile: what came before stays, the rest is told.
            skipped[f"archive is not read further: {error.problem}"] += 1
    for why, count in sorted(skipped.items()):
        _note(source.skipped, where, count, why)


def _rows(source: Source, file: InputFile, handle: BinaryIO) -> Iterator[Row]:
    field, suffix, where = source.field or "", file.row_suffix or "", shown(file.path)
    if suffix == ".parquet":
        return parquet_rows(handle, file.size_bytes, field, where)
    return jsonl_rows(handle, suffix, field, where)


def _note(remarks: list[Remark], path: str, count: int, what: str) -> None:
    remark = Remark(path=path, reason=f"{count} {what}")
    if count and remark not in remarks:  # a source that is read twice says it once
        remarks.append(remark)


def batches(buffers: Iterable[ByteView], batch_bytes: int = 16 << 20) -> Iterator[list[ByteView]]:
    """Groups buffers for the engine, in order; a batch is closed once it weighs ``batch_bytes``.

    So a batch holds less than ``batch_bytes`` and one buffer. Each buffer counts for its object too:
    else a batch of one-byte rows would take many times its size.
    """
    batch: list[ByteView] = []
    size = 0
    for buffer in buffers:
        batch.append(buffer)
        size += len(buffer) + _OVERHEAD_BYTES
        if size >= batch_bytes:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class Sample(NamedTuple):
    """The beginning of a file."""

    path: str
    data: bytes
    """At most the bytes asked for; of a file of rows, those of its first rows."""
    share: float
    """The part of the source's bytes that it stands for; a source's samples sum to 1."""


def peek(source: Source, size_bytes: int = 1 << 16, files: int = 16) -> list[Sample]:
    """Returns the beginnings of at most ``files`` files, chosen so that large ones stand for more.

    They are the files at equal distances in the source's bytes. Raises InputError as `documents` does.
    """
    ends = list(accumulate(file.size_bytes for file in source.files))
    hits = Counter(bisect_right(ends, ends[-1] * (2 * i + 1) // (2 * files)) for i in range(files))
    return [_sample(source, source.files[at], size_bytes, hits[at] / files) for at in sorted(hits)]


def _sample(source: Source, file: InputFile, size_bytes: int, share: float) -> Sample:
    data = b""
    rows = source.holds_rows(file)
    if rows or (source.archives and _is_archive(file)):
        for document in read_file(source, file):
            data += bytes(document.data[: size_bytes - len(data)]) + b"\n" * rows
            if len(data) >= size_bytes:
                break
    else:
        with _opened(file) as handle:
            data = handle.read(size_bytes)
    return Sample(shown(file.path), data[:size_bytes], share)
