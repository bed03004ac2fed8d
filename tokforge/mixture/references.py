"""Reference corpora: what each category's text looks like, as words counted by shard.

A category is a folder or a file; its documents are whole files or rows, cut by the tokenizer's own
normaliser and splitter, never line by line. A document's shard is chosen by the hash of its content, so
nothing depends on names, order or threads. A document longer than 256 KiB is cut at line ends into
units first, or a category of one huge file could not be resampled.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, InputError
from tokforge.inputs import ByteView, Meter, Progress, Remark, Source, open_sources, read_file
from tokforge.inputs.units import unit_spans
from tokforge.mixture.config import MixtureConfig
from tokforge.tokenizer import Pipeline
from tokforge.tokenizer.segments import Segmenter

if TYPE_CHECKING:
    from tokforge._core import MixtureColumns, MixtureTable

__all__ = ["References", "arrays_of", "category_paths", "count_references", "joined", "subset"]

UNIT_BYTES = 1 << 18
_BATCH_BYTES = 8 << 20
Counts = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint8]
Sizes = npt.NDArray[np.uint64]
Columns = npt.NDArray[np.uint32]


@dataclass(frozen=True, kw_only=True, slots=True)
class References:
    """Words of n categories in k shards each; column ``i * k + j`` is shard j of category i."""

    names: tuple[str, ...]
    shards: int
    pipeline: Pipeline
    """How the words were cut, and nothing else of the tokenizer: counts of one cut can be added up."""
    table: "MixtureTable"
    bytes: Counts
    """(n, k) - bytes of the documents as they were read."""
    characters: Counts
    """(n, k) - characters; a byte that is no UTF-8 counts as one."""
    documents: Counts
    """(n, k) - files or rows."""
    remarks: tuple[Remark, ...] = ()
    """What was not read, or read oddly."""

    @property
    def category_of(self) -> list[int]:
        """Category of each column."""
        return [category for category in range(len(self.names)) for _ in range(self.shards)]


def category_paths(folder: str | Path) -> dict[str, str]:
    """Returns name -> path for every file and folder in ``folder``, hidden ones left out.

    Raises InputError if there are fewer than two, or two of one name (``en`` and ``en.txt``).
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(
            "is not a folder", "give a folder with a file or folder for each category", str(root)
        )
    entries = sorted(entry for entry in root.iterdir() if not entry.name.startswith("."))
    paths: dict[str, str] = {}
    for entry in entries:
        name = entry.name if entry.is_dir() else entry.name.split(".", 1)[0]
        if name in paths:
            raise InputError(f"two categories are called {name!r}", f"rename {entry.name}", str(root))
        paths[name] = str(entry)
    if len(paths) < 2:
        raise InputError(
            f"a mixture has two or more categories, and this holds {len(paths)}",
            "give a folder with a file or folder for each category",
            str(root),
        )
    return paths


def count_references(
    paths: dict[str, str], pipeline: Pipeline, config: MixtureConfig, *, progress: Progress | None = None
) -> References:
    """Reads and counts every category.

    Raises InputError for a category that cannot be read or is empty, PatternError if the pre-tokenizer
    exceeds its step budget, KeyboardInterrupt from ``progress``.
    """
    from tokforge import _core

    if len(paths) < 2:
        raise ConfigError("a mixture needs two categories or more", "name more references")
    sources = [
        open_sources([path], field=_field_for(path, config), follow_symlinks=config.follow_symlinks)[0]
        for path in paths.values()
    ]
    stages = [stage for stage in pipeline.pretokenizers if isinstance(stage, str)]
    if len(stages) < len(pipeline.pretokenizers):
        raise ConfigError("words are cut by regexes alone so far", "give a byte-level BPE tokenizer")
    splitter = _core.Splitter(stages) if stages else None
    columns = _core.MixtureColumns(splitter, len(sources) * config.shards, config.thread_count)
    counter = _Counter(columns, Segmenter(pipeline, ()), len(sources), config.shards)
    meter = Meter(progress, "count", sum(source.size_bytes for source in sources))
    for category, source in enumerate(sources):
        counter.count(category, _documents(source, meter))
        if not counter.documents[category].any():
            raise InputError("all of its documents are empty", "name another field or file", source.name)
    meter.finish()
    return References(
        names=tuple(paths),
        shards=config.shards,
        pipeline=Pipeline(
            kind=pipeline.kind, pretokenizers=pipeline.pretokenizers, normalizers=pipeline.normalizers
        ),
        table=columns.table(),
        bytes=counter.bytes,
        characters=counter.characters,
        documents=counter.documents,
        remarks=tuple(remark for source in sources for remark in (*source.skipped, *source.warnings)),
    )


def _field_for(path: str, config: MixtureConfig) -> str | None:
    """The field, where the category holds rows at all: others beside it may be plain files."""
    if config.field is None:
        return None
    root = Path(path)
    files = [root] if root.is_file() else root.rglob("*")
    rows = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")
    return config.field if any(file.name.lower().endswith(rows) for file in files) else None


def _documents(source: Source, meter: Meter) -> Iterator[ByteView]:
    for file in source.files:
        for document in read_file(source, file, meter.at):
            yield document.data
        meter.part_done(file.size_bytes)


class _Counter:
    """Gathers the documents of one category by shard, a few megabytes at a time."""

    def __init__(self, columns: "MixtureColumns", segmenter: Segmenter, categories: int, shards: int) -> None:
        self._columns, self._segmenter, self._shards = columns, segmenter, shards
        self.bytes, self.characters, self.documents = (
            np.zeros((categories, shards), np.int64) for _ in "bcd"
        )

    def count(self, category: int, documents: Iterable[ByteView]) -> None:
        pending: dict[int, list[ByteView]] = {}
        size = 0
        for document in documents:
            for number, (start, end) in enumerate(unit_spans(document, UNIT_BYTES)):
                shard = self._tally(category, document[start:end], whole=number == 0)
                pending.setdefault(shard, []).append(document[start:end])
                size += end - start
            if size >= _BATCH_BYTES:
                self._flush(category, pending)
                pending, size = {}, 0
        self._flush(category, pending)

    def _tally(self, category: int, unit: ByteView, *, whole: bool) -> int:
        shard = int.from_bytes(hashlib.blake2b(unit, digest_size=8).digest(), "little") % self._shards
        self.bytes[category, shard] += len(unit)
        self.characters[category, shard] += len(bytes(unit).decode("utf-8", "replace"))
        self.documents[category, shard] += whole
        return shard

    def _flush(self, category: int, pending: dict[int, list[ByteView]]) -> None:
        for shard, units in sorted(pending.items()):
            parts = [part.data for unit in units for part in self._segmenter.cut(unit, "none")]
            self._columns.add(category * self._shards + shard, parts)


def joined(parts: Sequence[References]) -> References:
    """Brings counts together that were made apart: categories of one name are added up.

    Raises ConfigError if they were cut differently or into different numbers of shards.
    """
    from tokforge import _core

    first = parts[0]
    for other in parts[1:]:
        if (other.pipeline, other.shards) != (first.pipeline, first.shards):
            raise ConfigError(
                "the counts were made with different pre-tokenizers or numbers of shards",
                "count all references in the same way",
            )
    names = tuple(dict.fromkeys(name for part in parts for name in part.names))
    shards = first.shards
    tables = []
    figures = [np.zeros((len(names), shards), np.int64) for _ in range(3)]
    for part in parts:
        for at, name in enumerate(part.names):
            to = names.index(name)
            for total, own in zip(figures, (part.bytes, part.characters, part.documents), strict=True):
                total[to] += own[at]
        tables.append(_moved(part, names))
    return References(
        names=names,
        shards=shards,
        pipeline=first.pipeline,
        table=_core.MixtureTable.joined([(table, 0) for table in tables]),
        bytes=figures[0],
        characters=figures[1],
        documents=figures[2],
        remarks=tuple(remark for part in parts for remark in part.remarks),
    )


def _moved(part: References, names: tuple[str, ...]) -> "MixtureTable":
    """Renumbers the columns of ``part`` as ``names`` has its categories."""
    from tokforge import _core

    words, word_ends, entry_ends, columns, counts = arrays_of(part.table)
    category, shard = np.divmod(columns, part.shards)
    order = np.array([names.index(name) for name in part.names], np.uint32)
    moved = (order[category] * part.shards + shard).astype(np.uint32)
    return _core.MixtureTable(words, word_ends, entry_ends, moved, counts, len(names) * part.shards)


def arrays_of(table: "MixtureTable") -> tuple[Words, Sizes, Sizes, Columns, Sizes]:
    """Returns the words, the ends of words and of entries, columns and counts of a table."""
    words, word_ends, entry_ends, columns, counts = table.parts()
    ends = np.frombuffer(word_ends, np.uint64), np.frombuffer(entry_ends, np.uint64)
    entries = np.frombuffer(columns, np.uint32), np.frombuffer(counts, np.uint64)
    return np.frombuffer(words, np.uint8), *ends, *entries


def subset(references: References, shards: Sequence[int]) -> References:
    """Returns some shards alone, numbered anew in the order given.

    Raises InputError if a category is left empty.
    """
    from tokforge import _core

    chosen = list(shards)
    sizes = references.bytes[:, chosen]
    for name, size in zip(references.names, sizes.sum(1), strict=True):
        if not size:
            raise InputError("has too few documents to be divided", "give it more", name)
    words, word_ends, entry_ends, columns, counts = arrays_of(references.table)
    category, shard = np.divmod(columns, references.shards)
    moved = np.full(references.shards, -1, np.int64)
    moved[chosen] = np.arange(len(chosen))
    kept = moved[shard] >= 0
    word_of = np.repeat(np.arange(len(word_ends)), np.diff(entry_ends, prepend=0).astype(np.int64))
    entries = np.bincount(word_of[kept], minlength=len(word_ends))
    lengths = np.diff(word_ends, prepend=0).astype(np.int64)
    stays = entries > 0
    table = _core.MixtureTable(
        words[np.repeat(stays, lengths)],
        lengths[stays].cumsum().astype(np.uint64),
        entries[stays].cumsum().astype(np.uint64),
        (category[kept] * len(chosen) + moved[shard[kept]]).astype(np.uint32),
        counts[kept],
        len(references.names) * len(chosen),
    )
    return replace(
        references,
        shards=len(chosen),
        table=table,
        bytes=sizes,
        characters=references.characters[:, chosen],
        documents=references.documents[:, chosen],
    )
