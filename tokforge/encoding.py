"""Files to ids and back: what ``tokforge encode`` and ``tokforge decode`` do.

Definition: a file is one document of bytes; the ids of all files stand end to end in one array, and
``boundaries`` says where each file's begin. Invariant: nothing is lost and nothing crosses a file:
``decode(ids[boundaries[i]:boundaries[i + 1]])`` is file i, and every id lies in some window of its file.
Complexity: linear; memory holds all ids (2 bytes each for vocabularies up to 65,536, else 4).
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, InputError, TokenIdError, pick
from tokforge.outputs import StrPath, write_together
from tokforge.threads import thread_count

if TYPE_CHECKING:
    from tokforge.tokenizer import Tokenizer

__all__ = [
    "DecodeResult",
    "EncodeConfig",
    "EncodeResult",
    "EncodedFile",
    "array_paths",
    "decode_file",
    "encode_files",
    "load_ids",
]

Array = npt.NDArray[Any]
Progress = Callable[[str, int, int], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodeConfig:
    """How files are encoded."""

    window: int | None = None
    """Ids in a window; None makes no windows."""
    stride: int | None = None
    """Ids between the starts of two windows; None is the window itself, so that none overlap."""
    offsets: bool = False
    """Whether to keep the byte offset of each token."""
    special: str = "none"
    """``none``: text that spells a special token is text; ``all``: it is that token."""
    threads: int | None = None
    """Files encoded at once; None is one for each core."""

    def __post_init__(self) -> None:
        pick("special", self.special, {"none": (), "all": ()})
        if self.stride is not None and self.window is None:
            raise ConfigError(f"stride is {self.stride}, and there is no window", "set window too")
        if self.window is not None and not 1 <= self.step <= self.window:
            raise ConfigError(f"window is {self.window} and stride {self.step}", "use 1 <= stride <= window")
        thread_count(self.threads)

    @property
    def step(self) -> int:
        """Ids between the starts of two windows; 0 without windows."""
        return (self.window or 0) if self.stride is None else self.stride


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
class EncodeResult:
    """All ids, where each file's begin, and the figures."""

    config: EncodeConfig
    files: tuple[EncodedFile, ...]
    ids: Array
    """(tokens,) uint16 if the vocabulary has at most 65,536 entries, else uint32."""
    boundaries: Array
    """(files + 1,) uint64 - file i is ``ids[boundaries[i]:boundaries[i + 1]]``."""
    offsets: Array | None
    """(tokens,) uint64 - first byte of each token within its file; None unless asked for."""
    seconds: float
    """Wall time of reading and encoding."""

    def windows(self) -> Array:
        """Returns (windows, 2) int64: start and end into ``ids``; none crosses a file."""
        from tokforge.tokenizer import windows

        size = self.config.window
        if size is None:
            return np.zeros((0, 2), np.int64)
        spans = [
            (start + int(base), end + int(base))
            for base, limit in zip(self.boundaries[:-1], self.boundaries[1:], strict=True)
            for start, end in windows(range(int(limit - base)), size, self.config.step)
        ]
        return np.array(spans, np.int64).reshape(-1, 2)

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures of every file and their totals, ready for JSON."""
        total_bytes, tokens = sum(file.bytes for file in self.files), len(self.ids)
        return {
            "files": [asdict(file) for file in self.files],
            "bytes": total_bytes,
            "tokens": tokens,
            "bytes_per_token": _ratio(total_bytes, tokens),
            "seconds": self.seconds,
        }

    def save(
        self, path: Path, *, force: bool = False, beside: Mapping[StrPath, bytes | str] | None = None
    ) -> dict[str, str]:
        """Writes the arrays as .npy files and the texts of ``beside``, all or none.

        Returns where each array is, by name.
        """
        texts = dict(beside or {})
        paths = array_paths(path, files=len(self.files), config=self.config)
        with write_together(*paths.values(), *texts, force=force) as outputs:
            for output, text in zip(outputs[len(paths) :], texts.values(), strict=True):
                output.write(text.encode() if isinstance(text, str) else text)
            for name, output in zip(paths, outputs, strict=False):
                array = self.windows() if name == "windows" else getattr(self, name)
                # Not np.save: it writes past Python's file object, and a full disk then names no reason.
                np.lib.format.write_array_header_1_0(output, np.lib.format.header_data_from_array_1_0(array))
                output.write(array.data.cast("B") if array.size else b"")
        return {name: str(target) for name, target in paths.items()}


def array_paths(path: Path, *, files: int, config: EncodeConfig) -> dict[str, Path]:
    """Where `EncodeResult.save` puts each array: ``ids.npy``, ``ids.offsets.npy`` and so on beside it."""
    wanted = {"boundaries": files > 1, "offsets": config.offsets, "windows": config.window is not None}
    beside = {name: path.with_suffix(f".{name}.npy") for name, is_wanted in wanted.items() if is_wanted}
    return {"ids": path, **beside}


class _Encoded(NamedTuple):
    figures: EncodedFile
    ids: Array
    offsets: Array | None


def encode_files(
    tokenizer: "Tokenizer",
    files: Sequence[str | Path],
    config: EncodeConfig | None = None,
    *,
    progress: Progress | None = None,
) -> EncodeResult:
    """Encodes each file as one document.

    ``progress`` is called with the phase "encode" and bytes, done and in all.

    Raises:
        InputError: a file is missing, unreadable or not a regular file.
    """
    config, started = config or EncodeConfig(), perf_counter()
    paths = [Path(file) for file in files]
    total = sum(_size(path) for path in paths)
    done, encoded = 0, []
    for one in _encode_all(tokenizer, paths, config):
        encoded.append(one)
        done += one.figures.bytes
        if progress is not None:
            progress("encode", done, max(total, done))
    lengths = [one.figures.tokens for one in encoded]
    dtype = _id_dtype(tokenizer)
    return EncodeResult(
        config=config,
        files=tuple(one.figures for one in encoded),
        ids=_joined([one.ids for one in encoded], dtype),
        boundaries=np.cumsum([0, *lengths], dtype=np.uint64),
        offsets=_joined([one.offsets for one in encoded if one.offsets is not None], np.dtype(np.uint64))
        if config.offsets
        else None,
        seconds=perf_counter() - started,
    )


def _encode_all(tokenizer: "Tokenizer", paths: list[Path], config: EncodeConfig) -> Iterator[_Encoded]:
    """Encodes in threads, since the engine lets go of the interpreter; yields in the order of ``paths``."""
    workers = min(thread_count(config.threads), len(paths))
    if workers < 2:  # in the main thread, where the engine itself notices Ctrl-C
        yield from (_encode_file(tokenizer, path, config) for path in paths)
        return
    pool = ThreadPoolExecutor(workers)
    try:
        yield from pool.map(lambda path: _encode_file(tokenizer, path, config), paths)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _encode_file(tokenizer: "Tokenizer", path: Path, config: EncodeConfig) -> _Encoded:
    data = _read(path)
    started = perf_counter()
    ids, offsets = _encode(tokenizer, data, config)
    figures = EncodedFile(
        path=str(path),
        bytes=len(data),
        tokens=len(ids),
        bytes_per_token=_ratio(len(data), len(ids)),
        seconds=perf_counter() - started,
    )
    return _Encoded(figures, ids.astype(_id_dtype(tokenizer), copy=False), offsets)


def _encode(tokenizer: "Tokenizer", data: bytes, config: EncodeConfig) -> tuple[Array, Array | None]:
    if config.offsets:
        return tokenizer.encode_with_offsets(data, allowed_special=config.special)
    return tokenizer.encode(data, allowed_special=config.special), None


def _id_dtype(tokenizer: "Tokenizer") -> np.dtype[Any]:
    return np.dtype(np.uint16 if tokenizer.vocab_size <= 1 << 16 else np.uint32)


def _joined(arrays: list[Array], dtype: np.dtype[Any]) -> Array:
    return np.concatenate([np.empty(0, dtype), *arrays]).astype(dtype, copy=False)


def _ratio(count: int, tokens: int) -> float | None:
    return count / tokens if tokens else None


def _size(path: Path) -> int:
    """Checks that ``path`` can be read before the first file is encoded, and returns its bytes."""
    if path.exists() and not path.is_file():
        raise InputError("is not a regular file", "name files; a folder's are matched by folder/*", str(path))
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_size
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError | ValueError) -> InputError:
    reason = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else str(error)
    return InputError(f"cannot be read: {reason}", "check the path", str(path))


def load_ids(path: Path, vocab_size: int) -> npt.NDArray[np.uint32]:
    """Reads a .npy file of ids: one dimension, any integer type, every id below ``vocab_size``.

    Nothing is unpickled, and a file that claims more than it holds is refused before memory is taken.

    Raises:
        InputError: the file cannot be read, is no .npy file, or holds something else than ids.
        TokenIdError: an id is out of range; the message says which and where.
    """
    _size(path)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a hostile header raises whatever the parsers behind numpy's reader raise
        raise InputError(
            "is no complete .npy file of numbers", "write it with encode -o", str(path)
        ) from error
    if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype.kind not in "iu":
        found = f"{array.ndim} dimensions of {array.dtype}" if isinstance(array, np.ndarray) else "an archive"
        raise InputError(f"holds {found}", "give one dimension of integers", str(path))
    outside = np.flatnonzero((array < 0) | (array >= vocab_size))
    if outside.size:
        at = int(outside[0])
        raise TokenIdError(
            f"id {array[at]} at position {at} is not below {vocab_size}",
            "use the tokenizer that made the ids",
            str(path),
        )
    return np.ascontiguousarray(array, np.uint32)


@dataclass(frozen=True, kw_only=True, slots=True)
class DecodeResult:
    """The bytes that ids stand for, and the figures."""

    data: bytes
    tokens: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures, ready for JSON."""
        size = len(self.data)
        per_token = _ratio(size, self.tokens)
        return {"bytes": size, "tokens": self.tokens, "bytes_per_token": per_token, "seconds": self.seconds}


def decode_file(tokenizer: "Tokenizer", path: str | Path) -> DecodeResult:
    """Decodes a .npy file of ids; the documents of several files come end to end.

    Raises:
        InputError, TokenIdError: as `load_ids`, and for an id of this tokenizer that stands for no bytes.
    """
    started = perf_counter()
    ids = load_ids(Path(path), tokenizer.vocab_size)
    data = tokenizer.decode(ids)
    return DecodeResult(data=data, tokens=len(ids), seconds=perf_counter() - started)
