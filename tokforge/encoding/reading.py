"""What is encoded: files as documents, small ones whole, large ones and standard input block by block."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tokforge.errors import InputError
from tokforge.inputs import ArchiveOptions, open_sources, read_sources

__all__ = ["BLOCK_BYTES", "STREAM_BYTES", "InputDocument", "find_document", "find_documents"]

STREAM_BYTES = 8 << 20
"""Larger files are read block by block."""
BLOCK_BYTES = 16 << 20


class InputDocument(NamedTuple):
    """A file, or standard input where ``path`` is ``-``."""

    path: Path
    size: int
    """Bytes when it was looked at; 0 where that is not known."""
    is_long: bool
    """Whether it is to be read in blocks."""
    data: bytes | None = None
    """The content of an archive's member, which is held in memory."""

    def read(self) -> bytes:
        """Returns the whole file. Raises InputError."""
        return b"".join(self.blocks())

    def blocks(self) -> Iterator[bytes]:
        """Yields the bytes in blocks. Raises InputError if the file cannot be read, now or half-way."""
        if self.data is not None:
            yield self.data
            return
        try:
            if self.path == Path("-"):
                yield from _blocks(sys.stdin.buffer)
                return
            with self.path.open("rb") as file:
                yield from _blocks(file)
        except OSError as error:
            raise _unreadable(self.path, error) from error


def find_document(path: Path) -> InputDocument:
    """Checks that ``path`` can be read, before anything is encoded. Raises InputError."""
    if path == Path("-"):
        return InputDocument(path, 0, True)
    if path.exists() and not path.is_file():
        raise InputError("is not a regular file", "name files; a folder's are matched by folder/*", str(path))
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return InputDocument(path, size, size > STREAM_BYTES)


def find_documents(files: Sequence[str | Path], archives: ArchiveOptions | None) -> list[InputDocument]:
    """Checks every file; with ``archives`` the members stand in an archive's place, in memory.

    Raises InputError as `find_document` and `read_archive`, ConfigError for a missing password.
    """
    if archives is None:
        return [find_document(Path(file)) for file in files]
    return [document for file in files for document in _members(Path(file), archives)]


def _members(path: Path, archives: ArchiveOptions) -> Iterator[InputDocument]:
    found = find_document(path)
    if found.path == Path("-"):
        yield found
        return
    for _, _, member in read_sources(open_sources([path], archives=archives)):
        if member.path == str(path):
            yield found
        else:
            yield InputDocument(Path(member.path), len(member.data), False, bytes(member.data))


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block


def _unreadable(path: Path, error: OSError | ValueError) -> InputError:
    reason = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else str(error)
    return InputError(f"cannot be read: {reason}", "check the path", str(path))
