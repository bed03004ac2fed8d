"""Error of mixture inference against the bytes of reference, for the same tokenizers; resumable."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benches.mixture_accuracy import counted_once, lines_of
from tokforge.mixture import MixtureConfig, References
from tokforge.mixture.inference import infer_merges
from tokforge.mixture.references import subset
from tokforge.mixture.simulation import initial_pairs
from tokforge.mixture.training import train_mixed
from tokforge.mixture.units import pairs_from_bytes

VOCABULARY_MERGES = 3000
PARTS = (2, 5, 10, 20)
"""Shards of the reference half, of 20."""


def mixture_references(arguments: Sequence[str]) -> str:
    """Trains tokenizers on half of the documents, and infers them from ever more of the other half."""
    parser = argparse.ArgumentParser(prog="python -m benches mixture-references", description=__doc__)
    parser.add_argument("categories", help="a folder with a folder for each category")
    parser.add_argument("record", type=Path, help="FILE.jsonl, to which lines are added")
    parser.add_argument("--seeds", type=int, nargs=2, default=(9700, 10), metavar=("FIRST", "COUNT"))
    parser.add_argument("--merges", type=int, default=1000)
    asked = parser.parse_args(arguments)
    first, count = asked.seeds
    options = MixtureConfig(merges=asked.merges, resamples=0, shards=40, calibrate=False, threads=1)
    references = counted_once(asked.categories, options)
    done = {line["seed"] for line in lines_of(asked.record)}
    for seed in range(first, first + count):
        if seed not in done:
            with asked.record.open("a") as file:
                file.write(json.dumps({"seed": seed, "sizes": _errors(references, options, seed)}) + "\n")
    return _table([line for line in lines_of(asked.record) if first <= line["seed"] < first + count])


def _errors(references: References, options: MixtureConfig, seed: int) -> list[dict[str, float]]:
    """Returns megabytes a category and squared errors of both estimates, for each part of the half."""
    generator = np.random.default_rng(seed)
    truth = generator.dirichlet(np.ones(len(references.names)))
    order = generator.permutation(references.shards).tolist()
    train, half = subset(references, order[20:]), order[:20]
    shares = pairs_from_bytes(truth, initial_pairs(train), train.bytes.sum(1))
    listed = train_mixed(train, shares, VOCABULARY_MERGES)
    sizes = []
    for part in PARTS:
        held = subset(references, half[:part])
        result = infer_merges(listed, held, options)
        errors = {"combined": result.shares["bytes"] - truth, "programme": result.programme - truth}
        squares = {name: float((error**2).mean()) for name, error in errors.items()}
        sizes.append({"megabytes": float(held.bytes.sum(1).mean()) / 1e6, **squares})
    return sizes


def _table(lines: Sequence[dict[str, Any]]) -> str:
    """Returns Markdown, a row for each size."""
    rows: list[tuple[str, ...]] = [
        ("megabytes a category", "combined", "programme", "RMSE of combined, points")
    ]
    for at in range(len(PARTS)):
        sizes = [line["sizes"][at] for line in lines]
        mean = {name: np.array([size[name] for size in sizes]) for name in sizes[0]}
        logs = [f"{np.log10(mean[name]).mean():.2f}" for name in ("combined", "programme")]
        points = 100 * np.sqrt(mean["combined"].mean())
        rows.append((f"{mean['megabytes'].mean():.2f}", *logs, f"{points:.2f}"))
    rows.insert(1, ("---",) * 4)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
