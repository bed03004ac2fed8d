"""Ids beside Hugging Face's own, tokenizer by tokenizer, on real text: equal, or where not; and how fast.

One thread each, texts given one by one; special tokens are text on both sides. Times are process time, so
that a busy machine counts against neither.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tokforge.errors import TokforgeError
from tokforge.tokenizer import Tokenizer

HEADER = "| tokenizer | text MB | tokens | ids | load s, ours | HF | encode MB/s, ours | HF | times |\n"
RULE = "|---|---|---|---|---|---|---|---|---|\n"


def oracle_tokenizers(arguments: Sequence[str]) -> str:
    """Returns the table that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benches oracle-tokenizers", description=__doc__)
    parser.add_argument("folder", type=Path, help="holds tokenizer.json files, each in a folder of its name")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="folders of text")
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--only", nargs="*", default=(), help="parts of names")
    options = parser.parse_args(arguments)
    return _table(options.folder, options.text, options.megabytes, options.only)


def _table(folder: Path, texts: Sequence[Path], megabytes: float, only: Sequence[str]) -> str:
    """Returns a Markdown table of the tokenizer.json files below ``folder`` on ``megabytes`` of ``texts``."""
    documents = list(_documents(texts, int(megabytes * 1e6)))
    rows = []
    for path in sorted(folder.rglob("tokenizer.json")):
        name = str(path.relative_to(folder).parent)
        if not only or any(part in name for part in only):
            rows.append(_row(name, path, documents))
            print(rows[-1], end="", flush=True)
    return HEADER + RULE + "".join(rows)


def _documents(paths: Sequence[Path], limit: int) -> Iterator[str]:
    """Yields files that are UTF-8, taken in turn from each path until there is enough of all."""
    walks = [sorted(file for file in path.rglob("*") if file.is_file()) for path in paths]
    share = limit / len(walks)
    for walk in walks:
        taken, step = 0, max(1, len(walk) // 2000)
        # Every step-th file, then those behind them, and so on: a little of all, and enough.
        for file in (file for first in range(step) for file in walk[first::step]):
            if taken >= share:
                break
            try:
                text = file.read_bytes()[: 1 << 18].decode()
            except UnicodeDecodeError:
                continue
            taken += len(text.encode())
            yield text


def _row(name: str, path: Path, documents: Sequence[str]) -> str:
    started = time.process_time()
    try:
        ours = Tokenizer.load(path)
    except TokforgeError as error:
        return f"| {name} | | | refused: {error} | | | | | |\n"
    load = time.process_time() - started
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from tokenizers import Tokenizer as HfTokenizer

    started = time.process_time()
    hf = HfTokenizer.from_file(str(path))
    hf_load = time.process_time() - started
    hf.encode_special_tokens = True
    hf.no_padding()
    hf.no_truncation()
    ours.encode("warm")
    found, seconds, hf_seconds = _compare(ours, hf, documents)
    size = sum(len(text.encode()) for text in documents) / 1e6
    speeds = f"{size / seconds:.1f} | {size / hf_seconds:.1f} | {hf_seconds / seconds:.1f}"
    tokens, verdict = found
    return f"| {name} | {size:.1f} | {tokens} | {verdict} | {load:.2f} | {hf_load:.2f} | {speeds} |\n"


def _compare(ours: Tokenizer, hf: Any, documents: Sequence[str]) -> tuple[tuple[int, str], float, float]:
    tokens, verdict = 0, "equal"
    seconds = hf_seconds = 0.0
    for text in documents:
        started = time.process_time()
        ids = ours.encode(text)
        seconds += time.process_time() - started
        started = time.process_time()
        expected = hf.encode(text, add_special_tokens=False).ids
        hf_seconds += time.process_time() - started
        tokens += len(ids)
        if verdict == "equal" and ids.tolist() != expected:
            verdict = _difference(ours, ids.tolist(), expected)
    return (tokens, verdict), seconds, hf_seconds


def _difference(ours: Tokenizer, ids: list[int], expected: list[int]) -> str:
    at = next((i for i, (a, b) in enumerate(zip(ids, expected, strict=False)) if a != b), len(expected))
    around = ours.decode_text(expected[max(0, at - 3) : at + 5])
    return f"DIFFER at token {at}, near {around!r}: {ids[at : at + 4]} for {expected[at : at + 4]}"
