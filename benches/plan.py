"""The memory that training is planned to need; a bench that measures more fails. See docs/engine.md."""

import os
from pathlib import Path

from benches.measure import Measurement

PROCESS = 150_000_000
"""Python, the engine, and Hugging Face's library, which proves the result."""
SCAN = 34 << 20
"""Cells of a scan or counts of a sweep, a thread."""
BATCH = 16 << 20
"""Documents that are read together, the last one beside."""
PLACE = 6
"""The array, and occurrences listed in vectors that grow by doubling: bytes a byte of the corpus."""
WORD = 48
"""A distinct word's place and count in a table that may just have doubled, its own bytes aside."""


def planned_bytes(corpus: Path, kind: str) -> int:
    """Returns the most memory that training on this folder may take, below 65,537 tokens and 4 GiB."""
    files = [path.stat().st_size for path in corpus.rglob("*") if path.is_file()]
    threads = os.cpu_count() or 1
    shared = PROCESS + threads * SCAN
    if kind == "binaries":
        return shared + PLACE * (sum(files) + len(files))
    words, length = _distinct(corpus)
    tables = threads * (WORD * words + 2 * length + (1 << 20))
    return shared + BATCH + max(files, default=0) + tables + PLACE * (length + words)


def check(measured: Measurement, planned: int) -> str:
    """Returns a remark where the plan was exceeded, else nothing."""
    if measured.peak_memory_bytes <= planned:
        return ""
    took = measured.peak_memory_bytes / 1e6
    return f"{measured.command}: {took:.0f} MB of memory, where {planned / 1e6:.0f} MB are planned"


def _distinct(corpus: Path) -> tuple[int, int]:
    """Returns the number of distinct words (GPT-2's pattern), and their bytes."""
    from tokforge import _core

    counts = _core.WordCounts(_core.Splitter(["gpt2"]), 1)
    for path in (path for path in corpus.rglob("*") if path.is_file()):
        counts.add([path.read_bytes()])
    return len(counts), sum(len(word) for word, _ in counts.items())
