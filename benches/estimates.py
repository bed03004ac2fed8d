"""Figures behind the estimates of docs/distributed.md: how words grow, what position shards would send."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benches.bounded import generate
from benches.measure import machine
from tokforge import _core

Array = npt.NDArray[np.int64]
ENTRY_BYTES = 12
"""A pair (two ids of three bytes) and its change (six bytes)."""


def distributed_words(arguments: Sequence[str]) -> str:
    """Counts generated text that keeps making new words: processor seconds, words, file of counts."""
    parser = argparse.ArgumentParser(prog="python -m benches distributed-words")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[16, 64, 256])
    options = parser.parse_args(arguments)
    lines = ["| MB | processor s | MB/s | distinct words | counts file, MB |", "|---|---|---|---|---|"]
    for megabytes in options.megabytes:
        seconds = 0.0
        counts = _core.WordCounts(_core.Splitter(["o200k"]), 1)
        for text in generate(options.corpus, megabytes * 1_000_000):
            made = time.process_time()
            counts.add([text])
            seconds += time.process_time() - made
        words = len(counts)
        made = time.process_time()
        (file,) = counts.save_parts(1)
        seconds += time.process_time() - made
        lines.append(
            f"| {megabytes} | {seconds:.1f} | {megabytes / seconds:.0f} | {words:,} | {len(file) / 1e6:.1f} |"
        )
    return "\n".join([*lines, "", machine()])


def distributed_positions(arguments: Sequence[str]) -> str:
    """Merges unsplit bytes and counts, by merge, the pairs whose counts change: what a shard would send."""
    parser = argparse.ArgumentParser(prog="python -m benches distributed-positions")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--merges", type=int, default=1000)
    options = parser.parse_args(arguments)
    data = b"".join(path.read_bytes() for path in sorted(options.corpus.rglob("*")) if path.is_file())
    lines = [
        "| MB | merges | changed pairs a merge: mean | last 100 | MB sent in all |",
        "|---|---|---|---|---|",
    ]
    for megabytes in options.megabytes:
        sample = np.frombuffer(data[: megabytes << 20], np.uint8)
        changed = changes(sample.astype(np.int64), options.merges)
        sent = sum(changed) * ENTRY_BYTES / 1e6
        mean, last = np.mean(changed), np.mean(changed[-100:])
        lines.append(f"| {megabytes} | {len(changed)} | {mean:.0f} | {last:.0f} | {sent:.1f} |")
    return "\n".join([*lines, "", machine()])


def changes(ids: Array, merges: int) -> list[int]:
    """Returns, for each merge, how many distinct pairs lose or gain occurrences."""
    found = []
    for made in range(256, 256 + merges):
        keys = ids[:-1] << 20 | ids[1:]
        values, counts = np.unique(keys, return_counts=True)
        best = int(values[counts.argmax()])
        ids, changed = merged(ids, best >> 20, best & 0xFFFFF, made)
        found.append(changed)
    return found


def merged(ids: Array, left: int, right: int, made: int) -> tuple[Array, int]:
    """Replaces one pair everywhere; returns the ids, and the distinct pairs whose counts change."""
    at = np.flatnonzero((ids[:-1] == left) & (ids[1:] == right))
    if left == right:  # of a run, every other one
        starts = np.flatnonzero(np.diff(at, prepend=-2) > 1)
        run = np.arange(len(at)) - np.repeat(starts, np.diff(np.append(starts, len(at))))
        at = at[run % 2 == 0]
    before = np.unique(ids[at[at > 0] - 1])
    behind = np.unique(ids[at[at + 2 < len(ids)] + 2])
    ids = ids.copy()
    ids[at] = made
    # A neighbour loses a pair with the old token and gains one with the new one.
    return np.delete(ids, at + 1), 1 + 2 * (len(before) + len(behind))
