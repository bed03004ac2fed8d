"""Files to ids, into memory or straight into files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tokforge.encoding.arrays import ArrayWriter, index_json, index_path
from tokforge.encoding.config import EncodeConfig, id_dtype
from tokforge.encoding.reading import InputDocument, find_documents
from tokforge.encoding.stretches import EncodedStretch, encode_stretches
from tokforge.outputs import StrPath, write_together

if TYPE_CHECKING:
    from tokforge.tokenizer import Tokenizer

__all__ = ["EncodeFigures", "EncodeResult", "EncodedFile", "array_paths", "encode_files", "encode_to_files"]

Array = npt.NDArray[Any]
Progress = Callable[[str, int, int], object]
Take = Callable[[EncodedStretch], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedFile:
    """The figures of one file."""

    path: str
    bytes: int
    tokens: int
    bytes_per_token: float | None
    """None for an empty file."""
    seconds: float
    """Time to encode it, reading not included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodeFigures:
    """The figures of a run."""

    config: EncodeConfig
    files: tuple[EncodedFile, ...]
    seconds: float
    """Wall time of reading and encoding."""

    @property
    def boundaries(self) -> Array:
        """(files + 1,) uint64 - file i is ``ids[boundaries[i]:boundaries[i + 1]]``."""
        return np.cumsum([0, *(file.tokens for file in self.files)], dtype=np.uint64)

    def windows(self) -> Array:
        """Returns (windows, 2) int64: start and end into the ids; none crosses a file."""
        from tokforge.tokenizer import windows

        size, bounds = self.config.window, self.boundaries
        if size is None:
            return np.zeros((0, 2), np.int64)
        spans = [
            (start + int(base), end + int(base))
            for base, limit in pairwise(bounds)
            for start, end in windows(range(int(limit - base)), size, self.config.step)
        ]
        return np.array(spans, np.int64).reshape(-1, 2)

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures of every file and their totals, ready for JSON."""
        total_bytes, tokens = sum(file.bytes for file in self.files), sum(file.tokens for file in self.files)
        return {
            "files": [asdict(file) for file in self.files],
            "bytes": total_bytes,
            "tokens": tokens,
            "bytes_per_token": _ratio(total_bytes, tokens),
            "seconds": self.seconds,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodeResult(EncodeFigures):
    """All ids in memory, and the figures."""

    ids: Array
    """(tokens,) uint16 if the vocabulary has at most 65,536 entries, else uint32; or as asked for."""
    offsets: Array | None
    """(tokens,) uint64 - first byte of each token within its file; None unless asked for."""
    characters: Array | None
    """(tokens, 2) uint64 - characters that each token covers within its file; None unless asked for."""


def encode_files(
    tokenizer: "Tokenizer",
    files: Sequence[str | Path],
    config: EncodeConfig | None = None,
    *,
    progress: Progress | None = None,
) -> EncodeResult:
    """Encodes each file as one document, into memory; ``-`` is standard input.

    ``progress`` is called with the phase "encode" and bytes, done and in all.

    Raises:
        InputError: a file is missing, unreadable or not a regular file, or not UTF-8 where characters
            are asked for.
        ConfigError: the type asked for cannot hold the ids.
    """
    config = config or EncodeConfig()
    dtype = id_dtype(config.dtype, tokenizer.vocab_size)
    parts: dict[str, list[Array]] = {
        "ids": [np.empty(0, dtype)],
        "offsets": [np.empty(0, np.uint64)],
        "characters": [np.empty((0, 2), np.uint64)],
    }

    def take(stretch: EncodedStretch) -> None:
        parts["ids"].append(stretch.ids.astype(dtype, copy=False))
        for name in ("offsets", "characters"):
            array = getattr(stretch, name)
            if array is not None:
                parts[name].append(array)

    figures = _encode(tokenizer, find_documents(files, config.archive_options), config, take, progress)
    return EncodeResult(
        config=config,
        files=figures.files,
        seconds=figures.seconds,
        ids=np.concatenate(parts["ids"]),
        offsets=np.concatenate(parts["offsets"]) if config.offsets else None,
        characters=np.concatenate(parts["characters"]) if config.characters else None,
    )


def encode_to_files(
    tokenizer: "Tokenizer",
    files: Sequence[str | Path],
    output: Path | None,
    config: EncodeConfig | None = None,
    *,
    force: bool = False,
    beside: Mapping[StrPath, bytes | str] | None = None,
    progress: Progress | None = None,
) -> tuple[EncodeFigures, dict[str, str]]:
    """Encodes each file as one document, straight into `array_paths` of ``output``; figures alone if None.

    Memory holds no more than a few blocks, whatever the files' size, where the tokenizer can stream
    (`tokforge.tokenizer.streaming`). All files appear when the work is done, with the texts of
    ``beside``, or none. Returns the figures, and where each array is, by name. Raises as `encode_files`
    does, and OutputError.
    """
    config = config or EncodeConfig()
    dtype = id_dtype(config.dtype, tokenizer.vocab_size)
    documents = find_documents(files, config.archive_options)
    if output is None:
        return _encode(tokenizer, documents, config, lambda stretch: None, progress), {}
    paths, texts = array_paths(output, files=len(files), config=config), dict(beside or {})
    with write_together(*paths.values(), *texts, force=force) as opened:
        named = dict(zip(paths, opened, strict=False))
        index = named.pop("index", None)
        with _writers(named, dtype, raw_ids=index is not None) as writers:
            figures = _encode(tokenizer, documents, config, lambda one: _append(writers, one), progress)
            for name in writers.keys() & {"boundaries", "windows"}:
                writers[name].append(figures.boundaries if name == "boundaries" else figures.windows())
        if index is not None:
            read = [file.path for file in figures.files]
            bounds = figures.boundaries.tolist()
            index.write(index_json(dtype, tokenizer.vocab_size, bounds, read).encode())
        for file, text in zip(opened[len(paths) :], texts.values(), strict=True):
            file.write(text.encode() if isinstance(text, str) else text)
    return figures, {name: str(path) for name, path in paths.items()}


def array_paths(path: Path, *, files: int, config: EncodeConfig) -> dict[str, Path]:
    """Where `encode_to_files` puts each array: ``ids.npy``, ``ids.offsets.npy`` and so on beside it.

    Of ``ids.bin`` the boundaries stand in ``ids.index.json``.
    """
    wanted = {
        "boundaries": (files > 1 or config.archives) and path.suffix != ".bin",
        "offsets": config.offsets,
        "characters": config.characters,
        "windows": config.window is not None,
    }
    beside = {name: path.with_suffix(f".{name}.npy") for name, is_wanted in wanted.items() if is_wanted}
    index = {"index": index_path(path)} if path.suffix == ".bin" else {}
    return {"ids": path, **index, **beside}


@contextmanager
def _writers(
    files: Mapping[str, Any], dtype: np.dtype[Any], *, raw_ids: bool
) -> Iterator[dict[str, ArrayWriter]]:
    kinds = {"ids": dtype, "windows": np.dtype("<i8")}
    columns = {"windows": 2, "characters": 2}
    writers = {
        name: ArrayWriter(
            file,
            kinds.get(name, np.dtype("<u8")),
            npy=not (raw_ids and name == "ids"),
            columns=columns.get(name),
        )
        for name, file in files.items()
    }
    yield writers
    for writer in writers.values():
        writer.finish()


def _append(writers: Mapping[str, ArrayWriter], stretch: EncodedStretch) -> None:
    for name in ("ids", "offsets", "characters"):
        if name in writers:
            writers[name].append(getattr(stretch, name))


def _encode(
    tokenizer: "Tokenizer",
    documents: Sequence[InputDocument],
    config: EncodeConfig,
    take: Take,
    progress: Progress | None,
) -> EncodeFigures:
    """Encodes everything, hands each stretch to ``take``, and adds up the figures."""
    started, total = perf_counter(), sum(document.size for document in documents)
    done, files, left = 0, [], iter(documents)
    size, tokens, seconds = 0, 0, 0.0
    for stretch in encode_stretches(tokenizer, documents, config):
        take(stretch)
        size, tokens, seconds = size + stretch.bytes, tokens + len(stretch.ids), seconds + stretch.seconds
        done += stretch.bytes
        if progress is not None:
            progress("encode", done, max(total, done))
        if stretch.is_last:
            files.append(_figures(next(left), size, tokens, seconds))
            size, tokens, seconds = 0, 0, 0.0
    return EncodeFigures(config=config, files=tuple(files), seconds=perf_counter() - started)


def _figures(document: InputDocument, size: int, tokens: int, seconds: float) -> EncodedFile:
    rate = _ratio(size, tokens)
    return EncodedFile(
        path=str(document.path), bytes=size, tokens=tokens, bytes_per_token=rate, seconds=seconds
    )


def _ratio(count: int, tokens: int) -> float | None:
    return count / tokens if tokens else None
