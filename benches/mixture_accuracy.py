"""Accuracy of mixture inference on fresh tokenizers, ours beside the plain programme; resumable.

Every tokenizer is a line of a jsonl file, made from its seed alone: a run that was cut off goes on.
"""

import argparse
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tokforge.mixture import (
    MixtureConfig,
    References,
    SimulationConfig,
    category_paths,
    count_references,
    load_counts,
    save_counts,
)
from tokforge.mixture.simulation import coverage, scores, simulate_one
from tokforge.tokenizer import Pipeline, parse_pretokenizer

FIGURES = ("truth", "inferred", "programme", "random", "classes", "intervals")
LEAST_HALF = 1.959964


def mixture_accuracy(arguments: Sequence[str]) -> str:
    """Trains and infers tokenizers of known mixtures; returns errors, paired differences and coverage."""
    parser = argparse.ArgumentParser(prog="python -m benches mixture-accuracy", description=__doc__)
    parser.add_argument("categories", help="a folder with a folder for each category")
    parser.add_argument("record", type=Path, help="FILE.jsonl, to which lines are added")
    parser.add_argument("--shifted", help="references of another source")
    parser.add_argument("--seeds", type=int, nargs=2, default=(9000, 40), metavar=("FIRST", "COUNT"))
    parser.add_argument("--merges", type=int, default=3000)
    parser.add_argument("--resamples", type=int, default=20)
    parser.add_argument("--reference-share", type=float, default=0.5)
    parser.add_argument("--calibrate", action="store_true")
    asked = parser.parse_args(arguments)
    first, count = asked.seeds
    done = {line["seed"]: line for line in lines_of(asked.record)}
    missing = [seed for seed in range(first, first + count) if seed not in done]
    if missing:
        _measure(asked, missing)
        done = {line["seed"]: line for line in lines_of(asked.record)}
    return table(asked.record.stem, [done[seed] for seed in range(first, first + count)])


def _measure(asked: argparse.Namespace, seeds: Iterable[int]) -> None:
    options = MixtureConfig(
        merges=asked.merges, resamples=asked.resamples, shards=40, calibrate=asked.calibrate, threads=1
    )
    simulation = SimulationConfig(reference_share=asked.reference_share)
    references = counted_once(asked.categories, options)
    shifted = counted_once(asked.shifted, options) if asked.shifted else None
    with asked.record.open("a") as file:
        for seed in seeds:
            run = simulate_one(references, shifted, options, simulation, np.random.default_rng(seed))
            line = {"seed": seed, "shift": float(run["shift"]), "misfit": run["misfit"]}
            file.write(json.dumps(line | {name: np.asarray(run[name]).tolist() for name in FIGURES}) + "\n")
            file.flush()


def counted_once(folder: str, options: MixtureConfig) -> References:
    """Counts a folder once, and keeps what was counted beside it in the cache."""
    cache = Path(os.environ.get("TOKFORGE_CACHE", "/tmp")) / f"mixture-{Path(folder).name}.npz"
    if cache.exists():
        return load_counts([cache])
    pipeline = Pipeline(kind="text", pretokenizers=parse_pretokenizer("gpt2"))
    references = count_references(category_paths(folder), pipeline, options)
    save_counts(references, cache)
    return references


def lines_of(record: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []


def table(name: str, lines: Sequence[dict[str, Any]]) -> str:
    """Returns one row of Markdown under its header."""
    truth = np.array([line["truth"] for line in lines])
    errors = {method: np.array([line[method] for line in lines]) - truth for method in FIGURES[1:5]}
    logs = {method: np.log10(np.maximum((error**2).mean(1), 1e-16)) for method, error in errors.items()}
    gain = logs["inferred"] - logs["programme"]
    half = LEAST_HALF * gain.std(ddof=1) / np.sqrt(len(gain))
    ours, plain = (scores(errors[method]) for method in ("inferred", "programme"))
    held = coverage(np.array([line["intervals"] for line in lines]), truth, 0.9)
    cells = [
        name,
        f"{len(lines)}",
        f"{ours['log10_mse']:.2f}",
        f"{plain['log10_mse']:.2f}",
        f"{gain.mean():+.3f} ({gain.mean() - half:+.3f} to {gain.mean() + half:+.3f})",
        f"{ours['mean_absolute_error'] * 100:.2f} / {plain['mean_absolute_error'] * 100:.2f}",
        f"{ours['rmse'] * 100:.2f} / {plain['rmse'] * 100:.2f}",
        f"{ours['largest_error'] * 100:.1f} / {plain['largest_error'] * 100:.1f}",
        *(f"{logs[method].mean():.2f}" for method in ("classes", "random")),
        *_held(held),
        _spread([line["shift"] for line in lines]),
        _spread([line["misfit"] * 100 for line in lines]),
    ]
    header = (
        "cell", "tokenizers", "ours", "programme", "difference (95 %)", "mean error, points", "RMSE, points",
        "largest, points", "TC", "random", "90 % intervals hold", "width", "Winkler", "shift", "misfit, %",
    )  # fmt: skip
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), cells))


def _held(held: dict[str, float | None]) -> list[str]:
    if held["coverage"] is None:
        return ["-"] * 3
    spread = f" (se {held['coverage_se']:.0%})" if held["coverage_se"] else ""
    return [
        f"{held['coverage']:.0%}{spread}",
        *(f"{(held[key] or 0) * 100:.2f}" for key in ("mean_width", "winkler")),
    ]


def _spread(values: Sequence[float]) -> str:
    known = [value for value in values if np.isfinite(value)]
    return f"{np.median(known):.2f} ({min(known):.2f} to {max(known):.2f})" if known else "-"
