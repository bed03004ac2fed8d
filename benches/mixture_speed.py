"""CPU seconds of mixture inference on one core: counting, replaying and solving, for known mixtures."""

import argparse
import json
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from benches.mixture_accuracy import counted_once
from tokforge import Tokenizer
from tokforge.mixture import MixtureConfig, References, category_paths, count_references, gather_references
from tokforge.mixture import infer as infer_shares
from tokforge.mixture.history import History
from tokforge.mixture.inference import infer_merges
from tokforge.mixture.merge_list import MergeList
from tokforge.mixture.programme import solve
from tokforge.mixture.references import subset
from tokforge.mixture.replay import replay
from tokforge.mixture.simulation import initial_pairs
from tokforge.mixture.solvers import solver_named
from tokforge.mixture.training import train_mixed
from tokforge.mixture.units import pairs_from_bytes
from tokforge.tokenizer import Pipeline, parse_pretokenizer

FEW_MERGES = 300
"""For all solvers side by side: scipy and CBC begin anew every round."""


def mixture_speed(arguments: Sequence[str]) -> str:
    """Times every part for each folder; medians over tokenizers of known shares."""
    parser = argparse.ArgumentParser(prog="python -m benches mixture-speed", description=__doc__)
    parser.add_argument("categories", nargs="+", help="folders with a folder for each category")
    parser.add_argument("--seeds", type=int, nargs=2, default=(100, 3), metavar=("FIRST", "COUNT"))
    parser.add_argument("--merges", type=int, nargs="+", default=(1000, 3000))
    parser.add_argument("--count", action="store_true", help="time counting too, as gpt2 and o200k cut")
    asked = parser.parse_args(arguments)
    rows = [("what", "CPU seconds")]
    for folder in asked.categories:
        rows += [*(_counting(folder) if asked.count else []), *_solving(folder, asked.merges, asked.seeds)]
    rows.insert(1, ("---", "---"))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _counting(folder: str) -> Iterator[tuple[str, str]]:
    for splitter in ("gpt2", "o200k"):
        pipeline = Pipeline(kind="text", pretokenizers=parse_pretokenizer(splitter))
        with _clock() as clock:
            references = count_references(category_paths(folder), pipeline, MixtureConfig(threads=1))
        size = references.bytes.sum() / 1e6
        yield f"counting {size:.0f} MB, {splitter}", f"{clock[0]:.1f} ({size / clock[0]:.1f} MB/s)"


def _solving(folder: str, merges: Sequence[int], seeds: Sequence[int]) -> Iterator[tuple[str, str]]:
    references = counted_once(folder, MixtureConfig(shards=40, threads=1))
    n, first = len(references.names), seeds[0]
    tasks = [_task(references, seed, max(merges)) for seed in range(first, first + seeds[1])]
    for number in merges:
        timed = [_timed(listed.shortened(number), held, "highs") for listed, held in tasks]
        replayed, solved = (f"{np.median([one[at] for one in timed]):.2f}" for at in (0, 1))
        yield f"T = {number}, n = {n}: replay + solve to the proven optimum", f"{replayed} + {solved}"
    listed, held = tasks[0]
    with _clock() as whole:
        infer_merges(listed, held, MixtureConfig(merges=max(merges), threads=1))
    yield f"T = {max(merges)}, n = {n}: all defaults (calibrated, 40 resamples, ranges)", f"{whole[0]:.1f}"
    for solver in ("highs", "scipy", "pulp"):
        _, seconds, optimum = _timed(listed.shortened(FEW_MERGES), held, solver)
        yield f"T = {FEW_MERGES}, n = {n}, {solver}: optimum {optimum:.3f} ppm", f"{seconds:.2f}"


def _task(references: References, seed: int, merges: int) -> tuple[MergeList, References]:
    """A tokenizer trained on half of the shards in random shares, and the other half."""
    generator = np.random.default_rng(seed)
    truth = generator.dirichlet(np.ones(len(references.names)))
    order = generator.permutation(references.shards).tolist()
    half = references.shards // 2
    train, held = subset(references, order[half:]), subset(references, order[:half])
    return train_mixed(train, pairs_from_bytes(truth, initial_pairs(train), train.bytes.sum(1)), merges), held


def _timed(listed: MergeList, held: References, solver: str) -> tuple[float, float, float]:
    """Seconds of the replay and of the solver, and the optimum in ppm."""
    with _clock() as replayed:
        history: History = replay(held, listed)
    with _clock() as solved:
        solution = solve(history, solver_named(solver), tolerance=MixtureConfig().tolerance)
    return replayed[0], solved[0], solution.objective


@contextmanager
def _clock() -> Iterator[list[float]]:
    """CPU seconds of this process and of its children (CBC is one)."""
    seconds: list[float] = []
    start = _spent()
    yield seconds
    seconds.append(_spent() - start)


def _spent() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def mixture_reach(arguments: Sequence[str]) -> str:
    """Solves a long list against the clock; returns bounds, phases and memory as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benches mixture-reach", description="A real tokenizer's whole list against the clock."
    )
    parser.add_argument("tokenizer")
    parser.add_argument("categories", help="a folder with a folder for each category")
    parser.add_argument("--merges", type=int, default=30_000)
    parser.add_argument("--seconds", type=float, default=280.0, help="for solving")
    asked = parser.parse_args(arguments)
    options = MixtureConfig(
        merges=asked.merges,
        resamples=0,
        calibrate=False,
        estimator="programme",
        time_limit=asked.seconds,
        threads=1,
    )
    model = Tokenizer.load(asked.tokenizer)
    references, counted = gather_references(model, options, categories=asked.categories)
    start, wall = _spent(), time.perf_counter()
    result = infer_shares(model, references, options, counted_seconds=counted).as_dict()
    figures = {
        "categories": len(references.names),
        "reference_megabytes": float(references.bytes.sum() / 1e6),
        **result["solution"],
        "cpu_seconds": _spent() - start,
        "wall_seconds": time.perf_counter() - wall,
        "seconds_by_phase": result["seconds_by_phase"],
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    return json.dumps(figures, indent=1)
