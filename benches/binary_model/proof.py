"""``python -m benches binary-model``: runs what is missing, job by job, then lays out the table."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benches.binary_model.data import load
from benches.binary_model.run import REGIMES, TASKS, UNITS, Job, run

RATES = (1e-3, 3e-3)
SEEDS = (0, 1, 2)
CHOOSING = {"seed": 100, "share": 0.25, "part": "choose"}
"""A quarter of the budget chooses the learning rate of each task, unit and regime, on files apart."""
DRAWS = 2000
MEASURES = {"language": ("bits per byte",), "classify": ("architecture", "toolchain")}


def binary_model(arguments: Sequence[str]) -> str:
    """Trains small models on bytes and on the released vocabularies, and judges them on other packages.

    Every finished job is a line of DIR/results.jsonl; started again, the bench goes on where it was.
    """
    parser = argparse.ArgumentParser(prog="python -m benches binary-model", description=binary_model.__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path("binary-model"), metavar="DIR", help="drawn regions and results"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="times the budget of training")
    parser.add_argument("--units", nargs="+", default=UNITS, choices=UNITS)
    parser.add_argument("--table", action="store_true", help="lay out what is there, and train nothing")
    options = parser.parse_args(arguments)
    if not options.table:
        _run(options.folder, options.threads, options.scale, options.units)
    return "\n".join(_table(_results(options.folder), options.scale))


def _run(folder: Path, threads: int, scale: float, units: Sequence[str]) -> None:
    import torch

    torch.set_num_threads(threads)
    regions, origins = load(folder)
    while (job := next(_missing(_results(folder), scale, units), None)) is not None:
        found = run(job, regions, origins)
        with (folder / "results.jsonl").open("a") as stream:
            stream.write(json.dumps(found) + "\n")
        print(job, round(found["train_seconds"] + found["judge_seconds"]), "s", flush=True)


def _results(folder: Path) -> list[dict[str, Any]]:
    path = folder / "results.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _missing(results: Sequence[dict[str, Any]], scale: float, units: Sequence[str]) -> Iterator[Job]:
    """Yields the jobs that are not done: the choice of rates, then seed after seed."""
    done = {Job(**{field: one[field] for field in Job.__slots__}) for one in results}
    kinds = [
        {"task": task, "unit": unit, "regime": regime}
        for task in TASKS
        for unit in units
        for regime in REGIMES
        if unit != "bytes" or regime == REGIMES[0]
    ]
    jobs = [Job(**kind, rate=rate, **CHOOSING) for kind in kinds for rate in RATES]
    for job in jobs:
        if job not in done:
            yield job
            return
    for seed in SEEDS:
        for kind in kinds:
            job = Job(**kind, rate=_rate(results, kind), seed=seed, share=scale, part="judge")
            if job not in done:
                yield job


def _rate(results: Sequence[dict[str, Any]], kind: dict[str, str]) -> float:
    tried = [one for one in results if one["part"] == "choose" and kind.items() <= one.items()]
    sign = 1 if kind["task"] == "language" else -1
    return float(min(tried, key=lambda one: sign * sum(_scores(one).values()))["rate"])


def _scores(one: dict[str, Any]) -> dict[str, float]:
    """Returns the measures of one run over all packages."""
    sums = np.array(list(one["packages"].values())).sum(0)
    ratios = sums[::2] / np.maximum(sums[1::2], 1)
    return dict(zip(MEASURES[one["task"]], ratios.tolist(), strict=False))


def _table(results: Sequence[dict[str, Any]], scale: float) -> Iterator[str]:
    judged = [one for one in results if one["part"] == "judge" and one["share"] == scale]
    if not judged:
        yield "nothing judged yet"
        return
    yield "| regime | unit | runs | model | train KB | TFLOPs | result | by seed | against bytes, 95% |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for task in TASKS:
        for at, measure in enumerate(MEASURES[task]):
            for regime in REGIMES:
                for unit in UNITS:
                    runs = _of(judged, task, unit, regime)
                    if runs:
                        yield _row(measure, at, regime, unit, runs, _of(judged, task, "bytes", regime))


def _of(judged: Sequence[dict[str, Any]], task: str, unit: str, regime: str) -> list[dict[str, Any]]:
    regime = REGIMES[0] if unit == "bytes" else regime
    wanted = {"task": task, "unit": unit, "regime": regime}
    return sorted((one for one in judged if wanted.items() <= one.items()), key=lambda one: one["seed"])


def _row(
    measure: str, at: int, regime: str, unit: str, runs: list[dict[str, Any]], base: list[dict[str, Any]]
) -> str:
    values = [_scores(one)[measure] for one in runs]
    low, high = _interval(at, runs, base) if unit != "bytes" and base else (0.0, 0.0)
    difference = np.mean(values) - np.mean([_scores(one)[measure] for one in base]) if base else 0.0
    against = f"{difference:+.3f} ({low:+.3f} to {high:+.3f})" if low or high else "–"
    spent = [
        f"{np.mean([one[field] for one in runs]) / per:.1f}"
        for field, per in (("train_bytes", 1e3), ("train_flops", 1e12))
    ]
    size = f"{runs[0]['parameters'] / 1e6:.2f} M"
    seeds = " ".join(f"{value:.3f}" for value in values)
    cells = [
        f"{measure}, {regime}",
        unit,
        str(len(runs)),
        size,
        *spent,
        f"{np.mean(values):.3f}",
        seeds,
        against,
    ]
    return "| " + " | ".join(cells) + " |"


def _interval(at: int, runs: list[dict[str, Any]], base: list[dict[str, Any]]) -> tuple[float, float]:
    """Returns the 2.5% and 97.5% of the difference over draws of packages and of seeds, paired in both."""
    seeds = min(len(runs), len(base))
    names = sorted(runs[0]["packages"])
    # (2, seeds, packages, 2) - sums above and below the line
    sums = np.array(
        [
            [[one["packages"][name][2 * at : 2 * at + 2] for name in names] for one in side[:seeds]]
            for side in (runs, base)
        ]
    )
    draw = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS):
        chosen = sums[:, draw.integers(0, seeds, seeds)][:, :, draw.integers(0, len(names), len(names))]
        above, below = np.moveaxis(chosen.sum(2), -1, 0)
        mean = (above / below).mean(1)
        found.append(mean[0] - mean[1])
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)
