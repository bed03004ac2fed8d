"""Vocabularies of the same executables, paired over held-out files: bbpe's, and one platform's own."""

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tokforge_corpora import fetch

from benches.binary_sections import chosen
from tokforge import Tokenizer
from tokforge.bpe import BpeConfig, train

DRAWS = 2000
LOW = ("android-dex", "debian-armhf", "debian-riscv64", "windows-x86_64", "linux-x86_64")
"""Platforms below 2 bytes per token at 16K, and one above for comparison."""


def binary_bbpe(arguments: Sequence[str]) -> str:
    """Trains bbpe (on the PATH) and ours on the same sample of binaries-large; judges on binaries-heldout."""
    parser = argparse.ArgumentParser(prog="python -m benches binary-bbpe", description=binary_bbpe.__doc__)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--megabytes", type=float, default=1.0, help="of each platform, to train on")
    parser.add_argument("--judged", type=float, default=2.0, help="megabytes of each platform, to judge on")
    parser.add_argument("--offline", action="store_true")
    options = parser.parse_args(arguments)
    sample = chosen(fetch("binaries-large", offline=options.offline), int(options.megabytes * 1e6))
    with tempfile.TemporaryDirectory() as folder:
        size = _written(sample, Path(folder, "corpus"))
        theirs = _bbpe(Path(folder), options.size)
        config = BpeConfig(vocab_size=theirs.vocab_size, preset="binary", min_frequency=2, max_token_bytes=32)
        ours = train([str(Path(folder, "corpus"))], config).tokenizer
    judged = list(chosen(fetch("binaries-heldout", offline=options.offline), int(options.judged * 1e6)))
    head = f"{size / 1e6:.1f} MB, ids: {ours.vocab_size} of ours, {theirs.vocab_size} of bbpe's\n"
    return "\n".join([head, *_paired(judged, ours, theirs)])


def _written(documents: Iterator[tuple[str, bytes]], folder: Path) -> int:
    folder.mkdir()
    size = 0
    for number, (_, data) in enumerate(documents):
        (folder / f"{number:05}").write_bytes(data)
        size += len(data)
    return size


def _bbpe(folder: Path, size: int) -> Tokenizer:
    program = shutil.which("bbpe")
    if program is None:
        raise SystemExit("bbpe is not on the PATH")
    options = ["--vocab-size", str(size), "--min-frequency", "2", "--disable-reasoning-tokens"]
    output = ["-o", str(folder / "bbpe.json"), "--no-progress", "-q"]
    subprocess.run([program, "train", str(folder / "corpus"), *options, *output], check=True)
    return Tokenizer.load(folder / "bbpe.json")


def _paired(judged: Sequence[tuple[str, bytes]], ours: Tokenizer, theirs: Tokenizer) -> Iterator[str]:
    """Rows by platform: bytes per token of both, and ours over theirs with an interval over files."""
    yield "| platform | files | MB | ours | theirs | ours over theirs, 95% | files where ours is better |"
    yield "|---|---|---|---|---|---|---|"
    groups: dict[str, list[list[int]]] = {}
    for name, data in judged:
        row = [len(data), len(ours.encode(data)), len(theirs.encode(data))]
        groups.setdefault(name.split("/")[0], []).append(row)
        groups.setdefault("all", []).append(row)
    for name in [*sorted(set(groups) - {"all"}), "all"]:
        rows = np.array(groups[name])
        size, first, second = rows.sum(0)
        low, high = _interval(rows)
        better = (rows[:, 1] < rows[:, 2]).sum()
        yield (
            f"| {name} | {len(rows)} | {size / 1e6:.1f} | {size / first:.3f} | {size / second:.3f} "
            f"| {second / first - 1:+.2%} ({low:+.2%} to {high:+.2%}) | {better} |"
        )


def _interval(rows: np.ndarray) -> tuple[float, float]:
    draw = np.random.default_rng(0)
    sums = np.array([rows[draw.integers(0, len(rows), len(rows))].sum(0) for _ in range(DRAWS)])
    low, high = np.quantile(sums[:, 2] / sums[:, 1] - 1, (0.025, 0.975))
    return float(low), float(high)


def binary_alone(arguments: Sequence[str]) -> str:
    """Trains on one platform of binaries-large alone; judges on its held-out files, beside the released."""
    parser = argparse.ArgumentParser(prog="python -m benches binary-alone", description=binary_alone.__doc__)
    parser.add_argument("--size", default="16k", choices=("4k", "8k", "16k", "32k", "64k"))
    parser.add_argument("--platforms", nargs="*", default=LOW)
    parser.add_argument("--offline", action="store_true")
    options = parser.parse_args(arguments)
    released = Tokenizer.load(f"binary-{options.size}")
    heldout = fetch("binaries-heldout", offline=options.offline)
    large = fetch("binaries-large", offline=options.offline)
    shares = {group.group: group.bytes / large.stats.bytes for group in large.stats.groups}
    parts = []
    for platform in options.platforms:
        config = BpeConfig(vocab_size=released.vocab_size, preset="binary")
        with tempfile.TemporaryDirectory() as folder:
            own = ((name, data) for group, name, data in large.documents() if group == platform)
            _written(own, Path(folder, "corpus"))
            alone = train([str(Path(folder, "corpus"))], config).tokenizer
        judged = [(f"{group}/{name}", data) for group, name, data in heldout.documents() if group == platform]
        row = [*_paired(judged, alone, released)][2]
        parts.append(f"| {shares[platform]:.1%} {row}")
    head = "| share of the corpus | platform | files | MB | alone | released | alone over released | better |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|", *parts])
