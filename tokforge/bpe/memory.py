"""A bound on the memory of this process: what counting and training may take of it.

What the interpreter and its libraries hold already is measured, a reserve is left for the documents that
are read together, and the rest goes first to the tables of counted words, which are written to disk when
full, and then, once they are gone, to the laid out corpus. The plan stands in docs/engine.md.
"""

import mmap
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tokforge.errors import ConfigError
from tokforge.inputs import ByteView

if TYPE_CHECKING:
    from tokforge import _core

__all__ = ["available_bytes", "in_pieces", "pieces", "resident_bytes"]

RESERVE_BYTES = 64 << 20
"""Two batches of documents, the runs' buffers, and what the interpreter still takes."""
LEAST_BYTES = 16 << 20
PIECE_BYTES = 8 << 20
"""Long documents are counted in pieces of this size, so that their mapped pages can be given back."""


def available_bytes(memory_bytes: int) -> int:
    """Returns what is left of a bound for the engine now.

    Raises ConfigError where that is too little to be of use.
    """
    held = resident_bytes() + RESERVE_BYTES
    left = memory_bytes - held
    if left < LEAST_BYTES:
        needed = -(-(held + LEAST_BYTES) // 1_000_000)
        raise ConfigError(
            f"memory is {memory_bytes / 1e6:.0f} MB, and the process needs {needed} MB by itself",
            f"use {needed}MB or more",
        )
    return left


def resident_bytes() -> int:
    """Returns the bytes that this process holds now, or a guess where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 150_000_000
    return pages * os.sysconf("SC_PAGE_SIZE")


def in_pieces(documents: Iterable[ByteView], splitter: "_core.Splitter") -> Iterator[ByteView]:
    """Cuts long documents where the splitter cuts whatever follows; gives mapped pages back as it goes."""
    for document in documents:
        start = 0
        while len(document) - start > 2 * PIECE_BYTES:
            rest = document[start:]
            size = splitter.safe_cut(rest, PIECE_BYTES)
            if size is None:
                break
            yield rest[:size]
            start += size
            _give_back(document)
        yield document[start:] if start else document


def pieces(document: ByteView) -> Iterator[tuple[ByteView, bool]]:
    """Cuts a document anywhere; with each piece, whether more follow. Gives mapped pages back as it goes."""
    view = memoryview(document)
    for start in range(0, max(len(view), 1), PIECE_BYTES):
        yield view[start : start + PIECE_BYTES], start + PIECE_BYTES < len(view)
        _give_back(document)


def _give_back(document: ByteView) -> None:
    pages = document.obj if isinstance(document, memoryview) else None
    if isinstance(pages, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
