"""Seconds to load a tokenizer.json, beside Hugging Face tokenizers: to a tokenizer, and to its first ids.

Process time of a fresh process, imports left out; the two libraries take turns, and the least of ROUNDS
counts, since a busy machine only adds. Hugging Face builds everything at load; tokforge builds its encoder
when the first text comes, so the second figure is the one to compare.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["load_tokenizers"]

ROUNDS = 7
_OURS = """
import sys, time
import tokforge
from tokforge.tokenizer.files import read_tokenizer
import tokforge.tokenizer.formats.hf_json, tokforge.tokenizer._engine
start = time.process_time()
tokenizer = read_tokenizer(sys.argv[1]).tokenizer
loaded = time.process_time()
tokenizer.encode("warm")
print(loaded - start, time.process_time() - start, tokenizer.vocab_size)
"""
_THEIRS = """
import sys, time
from tokenizers import Tokenizer
start = time.process_time()
tokenizer = Tokenizer.from_file(sys.argv[1])
loaded = time.process_time()
tokenizer.encode("warm")
print(loaded - start, time.process_time() - start, tokenizer.get_vocab_size())
"""
HEADER = "| tokenizer | entries | load s, ours | to first ids | tokenizers: load | to first ids |\n"


def load_tokenizers(arguments: Sequence[str]) -> str:
    """Returns the table that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benches load-tokenizers", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="tokenizer.json, or folders of one")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(arguments)
    rows = [
        _row(path / "tokenizer.json" if path.is_dir() else path, options.rounds) for path in options.files
    ]
    return HEADER + "|---" * 6 + "|\n" + "".join(rows)


def _row(path: Path, rounds: int) -> str:
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_seconds(_OURS, path))
        theirs.append(_seconds(_THEIRS, path))
    least = [f"{min(one[column] for one in runs):.2f}" for runs in (ours, theirs) for column in (0, 1)]
    return f"| {_name(path)} | {ours[0][2]:.0f} | {' | '.join(least)} |\n"


def _name(path: Path) -> str:
    """Returns the tokenizer's name: its folder's, or, in a package, that of the folder around `models`."""
    folder = path.resolve().parent
    return folder.parent.name if folder.name == "models" else folder.name


def _seconds(program: str, path: Path) -> list[float]:
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return [float(figure) for figure in done.stdout.split()]
