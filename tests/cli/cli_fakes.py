"""A library that answers at once, so that the command line can be tested without an engine.

`install` replaces the entry points that commands call. Where the real package lacks a module (the command
line can be built and tested before the engine), `_stand_in` supplies the little that commands need of it.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from tokforge.errors import ConfigError, FormatError, InputError
from tokforge.outputs import write_files


class FakeTokenizer:
    """One id a byte; ``vocab_size`` is only a number."""

    def __init__(self, vocab_size: int = 256) -> None:
        self.vocab_size = vocab_size

    @classmethod
    def load(cls, path: str | Path) -> "FakeTokenizer":
        try:
            return cls(json.loads(Path(path).read_text())["vocab_size"])
        except OSError as error:
            raise InputError("cannot be read", "check the path", str(path)) from error
        except (ValueError, KeyError) as error:
            raise FormatError("is not a tokenizer", "give a tokenizer.json", str(path)) from error

    def save(self, path: str | Path, *, force: bool = False) -> None:
        path = Path(path)
        content = json.dumps({"vocab_size": self.vocab_size})
        write_files({path: content, path.with_suffix(".tokforge.json"): "{}"}, force=force)

    def encode(self, data: bytes, *, allowed_special: str = "none") -> Any:
        if data == b"slow":  # stands for an engine that is busy with a long file
            sys.stdout.write("started\n")
            sys.stdout.flush()
            time.sleep(60)
        return np.frombuffer(data, np.uint8).astype(np.uint32)

    def encode_with_offsets(self, data: bytes, *, allowed_special: str = "none") -> Any:
        return self.encode(data), np.arange(len(data), dtype=np.uint64)

    def decode(self, ids: Any) -> bytes:
        return bytes(ids.astype(np.uint8))


@dataclass(frozen=True, kw_only=True)
class FakeSamplingConfig:
    weights: dict[str, float] = field(default_factory=dict)
    temperature: float | None = None
    sample_bytes: int | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class FakeBpeConfig:
    vocab_size: int | None = None
    pretokenizer: str | None = None
    preset: str = "auto"
    min_frequency: int = 2
    max_token_bytes: int | None = None
    special_tokens: tuple[str, ...] = ()
    multiple_of: int | None = None
    family: tuple[int, ...] = ()
    exact_size: bool = False
    threads: int | None = None
    sampling: FakeSamplingConfig = field(default_factory=FakeSamplingConfig)
    field: str | None = None
    follow_symlinks: bool = True

    @property
    def table_size(self) -> int:
        return self.vocab_size or max(self.family, default=32768)


calls: list[Any] = []
"""The configs that `train` was called with, oldest first."""


def train(inputs: Sequence[str], config: Any, *, progress: Callable[[str, int, int], object]) -> Any:
    """Behaves as its first input says: ``slow`` works until it is stopped, ``bug`` and ``memory`` fail."""
    calls.append(config)
    behaviour = Path(inputs[0]).name
    if behaviour == "slow":
        sys.stdout.write("started\n")
        sys.stdout.flush()
        for step in range(3000):
            progress("merge", step, 3000)
            time.sleep(0.01)
    if behaviour == "bug":
        raise ZeroDivisionError("division by zero")
    if behaviour == "memory":
        raise MemoryError
    if not Path(inputs[0]).exists():
        raise InputError("no such file or folder", "check the path", inputs[0])
    for done in (0, 500, 1000):
        progress("read", done, 1000)
    return _result(inputs, config, exhausted=behaviour == "short")


def _result(inputs: Sequence[str], config: Any, *, exhausted: bool) -> Any:
    size = 300 if exhausted else config.table_size
    figures = {
        "vocab_size": size,
        "merges": size - 256 - len(config.special_tokens),
        "corpus_bytes": 1_234_567,
        "seconds": 1.5,
        "peak_memory_bytes": 98_765_432,
        "bytes_per_token": 2.25,
        "stopped": "exhausted" if exhausted else "vocab_size",
        "preset": "text" if config.preset == "auto" else config.preset,
        "preset_reason": "auto: valid UTF-8" if config.preset == "auto" else "as asked",
        "sources": [
            {"name": name, "bytes": 1_234_567, "documents": 3, "share": 1.0, "available_bytes": 1_234_567}
            for name in inputs
        ],
        "skipped": [{"path": "data/empty.txt", "reason": "is empty"}] if exhausted else [],
        "warnings": [{"path": "data", "reason": "3 files are rows"}] if exhausted else [],
    }
    family = {one: FakeTokenizer(one) for one in config.family if one <= size}
    return SimpleNamespace(tokenizer=FakeTokenizer(size), family=family, as_dict=lambda: dict(figures))


def parse_weights(options: Sequence[str]) -> dict[str, float]:
    weights = {name: share for name, _, share in (option.rpartition("=") for option in options)}
    if "" in weights:
        raise ConfigError(f"weight is {options[0]!r}", "write SOURCE=SHARE")
    return {name: float(share) for name, share in weights.items()}


def windows(ids: Any, window: int, stride: int) -> list[tuple[int, int]]:
    starts = range(0, max(len(ids) - window + stride, 1), stride) if len(ids) else ()
    return [(start, min(start + window, len(ids))) for start in starts]


INSPECTED = {
    "kind": "text",
    "vocab_size": 258,
    "merges": 1,
    "ignore_merges": False,
    "kinds": {"byte": 256, "normal": 1, "special": 1},
    "added_tokens": ({"id": 0, "text": "<|end|>", "bytes": 7, "roles": ("eos",)},),
    "token_bytes": {"1": 256, "2": 1},
    "mean_token_bytes": 1.004,
    "longest": tuple({"id": at, "text": chr(97 + at), "bytes": 1, "roles": ()} for at in range(12)),
    "content_shares": {"ascii": 0.5, "binary": 0.5},
    "first_merges": ({"rank": 0, "left": "a", "right": "b", "merged": "ab"},),
    "last_merges": ({"rank": 0, "left": "a", "right": "b", "merged": "ab"},),
    "unreachable": (),
    "normalizers": (),
    "pretokenizers": ("gpt2",),
    "patterns": ("[a-z]+",),
    "provenance": {"order": "count-descending", "options": {"vocab_size": 258}},
}


def inspect_tokenizer(tokenizer: FakeTokenizer, *, threads: int | None) -> Any:
    return SimpleNamespace(as_dict=lambda: {**INSPECTED, "vocab_size": tokenizer.vocab_size})


STATS = {
    "name": "tiny",
    "version": "1",
    "group_kind": "language",
    "documents": 3,
    "bytes": 3000,
    "groups": [
        {"group": "en", "documents": 2, "bytes": 2000},
        {"group": "hi", "documents": 1, "bytes": 1000},
    ],
    "downloads": 1,
    "download_bytes": 1500,
    "duplicates": 0,
    "beyond_sample": 0,
    "links": 0,
    "empty": 1,
    "sha256": "0" * 64,
}


def list_corpora() -> tuple[Any, ...]:
    return (
        SimpleNamespace(
            name="tiny", version="1", download_bytes=1500, licences=("MPL-2.0",), description="Help pages."
        ),
    )


def fetch(name: str, *, cache: Path | None, progress: Any, offline: bool) -> Any:
    if offline:
        raise InputError("is not in the cache", "fetch it without --offline", name)
    progress("download", 1500, 1500)
    counted = SimpleNamespace(as_dict=lambda: dict(STATS))
    return SimpleNamespace(stats=counted, path=Path("cache/tiny.tar"), export=_export)


def _export(folder: Path, *, force: bool) -> None:
    folder.mkdir(exist_ok=force)
    (folder / "en.txt").write_text("hello")


def stats(name: str, *, cache: Path | None) -> Any:
    return SimpleNamespace(as_dict=lambda: dict(STATS))


def install(put: Callable[[object, str, object], None] = setattr) -> None:
    """Puts the fakes in place with ``put``, such as a monkeypatch's ``setattr``."""
    import tokforge

    _stand_in(
        "tokforge.bpe",
        BpeConfig=FakeBpeConfig,
        SamplingConfig=FakeSamplingConfig,
        parse_weights=parse_weights,
    )
    _stand_in("tokforge.tokenizer", windows=windows)
    _stand_in("tokforge.metrics.inspect")
    _stand_in("tokforge_corpora")
    put(tokforge, "Tokenizer", FakeTokenizer)
    put(sys.modules["tokforge.bpe"], "train", train)
    put(sys.modules["tokforge.metrics.inspect"], "inspect_tokenizer", inspect_tokenizer)
    for replaced in (list_corpora, fetch, stats):
        put(sys.modules["tokforge_corpora"], replaced.__name__, replaced)
    if not hasattr(tokforge, "__version__"):
        tokforge.__version__ = "0+source"  # type: ignore[attr-defined]


def _stand_in(name: str, **content: object) -> None:
    """Imports a module, or makes one with ``content`` if the package has none yet."""
    try:
        import_module(name)
    except ImportError:
        module = ModuleType(name)
        module.__path__ = []
        module.__dict__.update(content)
        sys.modules[name] = module
