"""Coverage-guided fuzzing of a reader: `python tests/fuzz/formats.py FORMAT [options of libFuzzer]`.

A file of any bytes loads, and then encodes, decodes and lints, or ends in a TokforgeError; anything else is
a crash, whose input is kept. Starts from the small valid file of the format. Needs `pip install atheris`.
"""

import importlib
import json
import os
import pkgutil
import random
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import atheris

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/unit/formats")]

with atheris.instrument_imports(include=["tokforge"]):
    from tokforge import Tokenizer, TokforgeError, lint

    for package in (
        "tokforge.tokenizer.formats",
        "tokforge.tokenizer.model",
        "tokforge.lint",
        "tokforge.lint.rules",
    ):
        home = importlib.import_module(package)
        for module in pkgutil.iter_modules(home.__path__):
            importlib.import_module(f"{package}.{module.name}")

import small_files  # noqa: E402

TEXT = "hello world 12 \u4e2d <pad>"
FORMATS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "hf": ("tokenizer.json", small_files.hf),
    "bbpe": ("tokenizer.json", small_files.latin1),
    "tekken": ("tekken.json", small_files.tekken),
    "tiktoken": ("t.tiktoken", small_files.ranks),
    "sentencepiece": ("t.model", small_files.sentencepiece),
    "unigram": ("t.model", small_files.unigram),
    "gguf": ("t.gguf", small_files.gguf),
    "wordpiece": ("vocab.txt", small_files.vocab_txt),
}
"""Name of the format -> name of its file, and what makes a valid one."""
ODD = (None, True, -1, 0, 2**31, 2**64, 1e400, "", "a", "\ud800", "\u2581", [], {}, [[]], {"type": "BPE"})


def mutate_json(data: bytes, max_size: int, seed: int) -> bytes:
    """Changes one value of a JSON text, so that it stays one; other texts as libFuzzer does."""
    picks = random.Random(seed)
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        root = None
    if not isinstance(root, dict | list) or picks.random() < 0.2:
        return atheris.Mutate(data, max_size)
    node, key = _place(root, picks)
    if picks.random() < 0.2:
        del node[key]
    else:
        _, other = _place(root, picks)
        node[key] = picks.choice((*ODD, other, node[key], [node[key]] * 2))
    changed = json.dumps(root).encode()
    return changed if len(changed) <= max_size else data


def _place(root: Any, picks: random.Random) -> tuple[Any, Any]:
    """A container within ``root`` and one of its keys; shallow ones are as likely as deep ones."""
    places: list[tuple[Any, Any]] = []
    node: Any = root
    while isinstance(node, dict | list) and node:
        key = picks.choice(list(node)) if isinstance(node, dict) else picks.randrange(len(node))
        places.append((node, key))
        node = node[key]
    return picks.choice(places) if places else ([None], 0)


def main() -> None:
    """Fuzzes until libFuzzer's options say stop."""
    name, make = FORMATS[sys.argv.pop(1)]
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    seeds = folder / "seeds"
    seeds.mkdir()
    (seeds / "valid").write_bytes(make())
    file = folder / name

    def one(data: bytes) -> None:
        file.write_bytes(data)
        with suppress(TokforgeError):
            tokenizer = Tokenizer.load(file, pretokenizer="gpt2" if name.endswith(".tiktoken") else None)
            tokenizer.decode(tokenizer.encode(TEXT))
        with suppress(TokforgeError):
            lint(file)

    mutator = {"custom_mutator": mutate_json} if name.endswith(".json") else {}
    atheris.Setup([*sys.argv, f"-max_len={len(make()) * 2}", str(seeds)], one, **mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
