"""A library that answers at once, so that the command line can be tested without an engine.

`install` replaces the entry points that commands call; options and files are the real ones.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from tokforge.errors import FormatError, InputError
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

    def tiles(self, data: bytes | None = None) -> bool:
        return True

    def decode(self, ids: Any) -> bytes:
        return bytes(ids.astype(np.uint8))


calls: list[Any] = []
"""The configs that `train` was called with, oldest first."""


def train(
    inputs: Sequence[str],
    config: Any,
    *,
    extend: Any = None,
    checkpoint: Any = None,
    progress: Callable[[str, int, int], object],
) -> Any:
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
        "character_tokens": 0,
        "reserved_tokens": 0,
        "corpus_bytes": 1_234_567,
        "seconds": 1.5,
        "peak_memory_bytes": 98_765_432,
        "bytes_per_token": 2.25,
        "extends": None,
        "stopped": "exhausted" if exhausted else "vocab_size",
        "preset": "text" if config.preset == "auto" else config.preset,
        "preset_reason": "auto: valid UTF-8" if config.preset == "auto" else "as asked",
        "sources": [
            {"name": name, "bytes": 1_234_567, "documents": 3, "share": 1.0, "available_bytes": 1_234_567}
            for name in inputs
        ],
        "curation": {"documents": 0, "bytes": 0, "left_out": {}},
        "skipped": [{"path": "data/empty.txt", "reason": "is empty"}] if exhausted else [],
        "warnings": [{"path": "data", "reason": "3 files are rows"}] if exhausted else [],
    }
    family = {one: FakeTokenizer(one) for one in config.family if one <= size}
    return SimpleNamespace(tokenizer=FakeTokenizer(size), family=family, as_dict=lambda: dict(figures))


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
    "missing_bytes": [],
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


def install(
    put: Callable[[object, str, object], None] = setattr,
    put_module: Callable[[str, ModuleType], None] = sys.modules.__setitem__,
) -> None:
    """Puts the fakes in place, such as with a monkeypatch's ``setattr`` and ``setitem``."""
    import tokforge
    import tokforge.bpe
    import tokforge.metrics.inspect

    put(tokforge, "Tokenizer", FakeTokenizer)
    put(tokforge.bpe, "train", train)
    put(tokforge.metrics.inspect, "inspect_tokenizer", inspect_tokenizer)
    corpora = ModuleType("tokforge_corpora")
    corpora.__dict__.update(list_corpora=list_corpora, fetch=fetch, stats=stats)
    put_module("tokforge_corpora", corpora)
