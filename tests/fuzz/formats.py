"""Coverage-guided fuzzing of a reader: `python tests/fuzz/formats.py FORMAT [options of libFuzzer]`.

A file of any bytes loads, and then encodes, decodes and lints, or ends in a TokforgeError; anything else is
a crash, whose input is kept. Starts from the small valid file of the format. Needs `pip install atheris`.
"""

import importlib
import os
import pkgutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/unit/formats"), str(ROOT / "tests/fuzz")]

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
from mutation import mutate_json  # noqa: E402

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
