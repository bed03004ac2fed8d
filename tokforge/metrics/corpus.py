"""The texts of a comparison: categories of documents, read in batches that fit in memory.

A category is one INPUT, named by its file or folder stem. A document is a file, a row, or (``line``) a
line without its line break. Parallel categories hold translations: the files of the same name under each
folder, or the same number of lines or rows; what one of them lacks is left out of all.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tokforge.errors import ConfigError, InputError
from tokforge.inputs import ArchiveOptions, Document, Source, open_sources, read_sources

__all__ = ["BATCH_BYTES", "PIECE_BYTES", "Category", "Unit", "batched", "open_categories"]

Unit = Literal["file", "line"]

BATCH_BYTES = 4 << 20
"""Documents are analysed and encoded together up to this size."""
PIECE_BYTES = 8 << 20
"""A document longer than this is cut at a line break, and each piece counts as a document."""


@dataclass(frozen=True, slots=True)
class Category:
    """One language or domain."""

    name: str
    source: Source
    left_out: int = 0
    """Files without a counterpart in another parallel category."""

    @property
    def size_bytes(self) -> int:
        """Bytes on disk."""
        return self.source.size_bytes


def open_categories(
    inputs: Sequence[str | Path],
    *,
    field: str | None = None,
    parallel: bool = False,
    archives: ArchiveOptions | None = None,
) -> list[Category]:
    """Opens each INPUT as a category; with ``archives`` their members are its documents.

    Raises InputError as `open_sources`, ConfigError for parallel folders without a file in common.
    """
    sources = open_sources(inputs, field=field, archives=archives)
    names = _names([str(item) for item in inputs])
    categories = [Category(name, source) for name, source in zip(names, sources, strict=True)]
    return _in_common(categories) if parallel and any(len(one.files) > 1 for one in sources) else categories


def _names(inputs: Sequence[str]) -> list[str]:
    """Names by stem; where two stems are equal, by the path as given."""
    stems = ["-" if item == "-" else Path(item).stem or Path(item).resolve().name for item in inputs]
    seen = Counter(stems)
    names = [item if seen[stem] > 1 else stem for item, stem in zip(inputs, stems, strict=True)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError(f"{twice[0]} is named twice", "keep one of them", "text")
    return names


def _in_common(categories: list[Category]) -> list[Category]:
    """Keeps the files whose path below the folder is in every category."""
    keyed = [{_below(one, file.path): file for file in one.source.files} for one in categories]
    common = set.intersection(*(set(files) for files in keyed))
    if not common:
        raise ConfigError(
            "the parallel folders have no file of the same name", "name files alike, or drop --parallel"
        )
    return [
        replace(
            one,
            source=replace(one.source, files=tuple(files[key] for key in sorted(common))),
            left_out=len(files) - len(common),
        )
        for one, files in zip(categories, keyed, strict=True)
    ]


def _below(category: Category, path: Path) -> str:
    root = Path(category.source.name)
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def batched(category: Category, unit: Unit) -> Iterator[tuple[list[bytes], int]]:
    """Yields batches of documents, and the bytes on disk that were read by then.

    Raises InputError as `documents` does, and for a category without a document.
    """
    read = 0

    def progress(_: str, done: int, __: int) -> None:
        nonlocal read
        read = done

    batch: list[bytes] = []
    size, found = 0, False
    for _, _, document in read_sources([category.source], progress=progress):
        for piece in _pieces(document, unit):
            batch.append(piece)
            size += len(piece)
            if size >= BATCH_BYTES:
                found = True
                yield batch, read
                batch, size = [], 0
    if batch:
        found = True
        yield batch, category.size_bytes
    if not found:
        raise InputError("holds no document", "name a text that is not empty", category.source.name)


def _pieces(document: Document, unit: Unit) -> Iterator[bytes]:
    if unit == "line":
        yield from (line for line in bytes(document.data).splitlines() if line)
        return
    at = 0
    while len(document.data) - at > PIECE_BYTES:
        window = bytes(document.data[at : at + PIECE_BYTES])
        end = window.rfind(b"\n") + 1 or PIECE_BYTES
        yield window[:end]
        at += end
    yield bytes(document.data[at:])
