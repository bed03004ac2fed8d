"""Text that is larger than the memory allowed: peak memory and time with and without a bound."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benches.measure import Contender, compare, report

FILE_BYTES = 64_000_000
MUTATED = 400
"""One letter in so many is another: about one word in seventy, so distinct words never stop growing."""


def bounded_memory(arguments: Sequence[str]) -> str:
    """Trains on generated text: real text in random order, some letters changed, so that words stay new.

    Ends with exit code 1 where the peak exceeds the bound by more than a tenth.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benches bounded-memory", description=bounded_memory.__doc__
    )
    parser.add_argument("--corpus", type=Path, required=True, help="real text to mix")
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--size", type=int, default=65536)
    parser.add_argument("--binary", action="store_true", help="the corpus is no text: nothing is split")
    parser.add_argument("--unbounded", action="store_true", help="also without a bound")
    parser.add_argument("--folder", type=Path, help="where the text goes; a temporary folder if not set")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(dir=options.folder) as folder:
        text = Path(folder) / "text"
        text.mkdir()
        # In a process of its own: a child's peak begins with that of the process that starts it.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(write_text, options.corpus, text, int(options.gigabytes * 1e9)).result()
        output = Path(folder) / "tokenizer.json"
        split = ["--preset", "binary"] if options.binary else ["--pretokenizer", "o200k"]
        bound = [*split, "--memory", options.memory]
        contenders = [contender(text, output, options.size, f"memory {options.memory}", *bound)]
        contenders += [contender(text, output, options.size, "no bound", *split)] if options.unbounded else []
        measured = compare(contenders, runs=1, limit_seconds=36000)
    about = {"gigabytes": options.gigabytes, "vocab_size": options.size, "memory": options.memory}
    kind = "bounded-binaries" if options.binary else "bounded-memory"
    table = report(f"{kind}-{options.gigabytes:g}GB-{options.memory}", about, measured)
    if measured[0].peak_memory_bytes > 1.1 * parsed(options.memory):
        raise SystemExit(f"{table}\nthe bound was exceeded")
    return table


def write_text(corpus: Path, folder: Path, size: int) -> None:
    for number, data in enumerate(generate(corpus, size)):
        (folder / f"{number:04}.txt").write_bytes(data)


def generate(corpus: Path, size: int) -> Iterator[bytes]:
    """Yields files of text until ``size`` bytes are reached; the same for the same corpus."""
    rng = np.random.default_rng(14)
    source = np.frombuffer(
        b"".join(path.read_bytes() for path in sorted(corpus.rglob("*")) if path.is_file()), np.uint8
    )
    while size > 0:
        length = min(size, FILE_BYTES)
        size -= length
        starts = rng.integers(0, max(1, len(source) - 4096), length // 4096 + 1)
        text = np.concatenate([source[start : start + 4096] for start in starts])[:length]
        places = rng.integers(0, len(text), len(text) // MUTATED)
        letters = places[(text[places] >= ord("a")) & (text[places] <= ord("z"))]
        text[letters] = rng.integers(ord("a"), ord("z") + 1, len(letters))
        yield text.tobytes()


def contender(text: Path, output: Path, size: int, name: str, *more: str) -> Contender:
    command = [sys.executable, "-m", "tokforge_cli", "train-bpe", str(text), "-o", str(output), "--force"]
    options = ["--quiet", "--vocab-size", str(size), *more]
    return Contender(name=name, version=version("tokforge"), command=[*command, *options])


def parsed(memory: str) -> int:
    from tokforge_cli._options import byte_count

    return byte_count("--memory", memory) or 0
