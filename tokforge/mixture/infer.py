"""Reads a tokenizer's training mixture out of its merges: count, replay, solve, judge."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tokforge.errors import ConfigError
from tokforge.inputs import Progress, Remark
from tokforge.mixture.config import MixtureConfig
from tokforge.mixture.fit import fit_figures
from tokforge.mixture.gather import gather_references
from tokforge.mixture.history import Floats, History
from tokforge.mixture.intervals import RowCounts, bootstrap, percentile_intervals
from tokforge.mixture.merge_list import MergeList, merge_list
from tokforge.mixture.programme import Solution, solve
from tokforge.mixture.references import References
from tokforge.mixture.solvers import solver_named
from tokforge.tokenizer import Tokenizer

__all__ = ["MixtureResult", "infer", "infer_mixture", "replay"]

Unit = Literal["bytes", "pairs", "characters"]
UNITS: tuple[Unit, ...] = ("bytes", "pairs", "characters")


@dataclass(frozen=True, kw_only=True, slots=True)
class MixtureResult:
    """The shares of a tokenizer's training data, and how far to trust them."""

    names: tuple[str, ...]
    shares: Mapping[Unit, Floats]
    """(n,) each - shares 0 to 1 of the bytes, of the initial pairs and of the characters."""
    intervals: Floats | None
    """(n, 2) - of the shares of bytes; None without resamples."""
    level: float
    merges: int
    """Merges used."""
    solution: Solution
    fit: Mapping[str, Any]
    warnings: tuple[str, ...]
    seconds: Mapping[str, float]
    remarks: tuple[Remark, ...]
    references: References

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures as JSON values."""
        shares = {
            unit: dict(zip(self.names, values.tolist(), strict=True)) for unit, values in self.shares.items()
        }
        intervals = None if self.intervals is None else self.intervals.tolist()
        solution = self.solution
        return {
            "proportions": shares["bytes"],
            "intervals": dict(zip(self.names, intervals, strict=True)) if intervals else {},
            "level": self.level,
            "unit": "bytes",
            "proportions_by_unit": shares,
            "merges": self.merges,
            "seconds": sum(self.seconds.values()),
            "seconds_by_phase": dict(self.seconds),
            "fit": dict(self.fit),
            "warnings": list(self.warnings),
            "solution": {
                "objective_ppm": solution.objective,
                "lower_bound_ppm": solution.lower_bound,
                "upper_bound_ppm": solution.upper_bound,
                "gap": solution.gap,
                "optimal": solution.optimal,
                "rows": len(solution.rows.steps),
                "rounds": solution.rounds,
            },
            "references": {
                name: {"bytes": int(size), "documents": int(documents)}
                for name, size, documents in zip(
                    self.names, self.references.bytes.sum(1), self.references.documents.sum(1), strict=True
                )
            },
            "skipped": [remark.as_dict() for remark in self.remarks],
        }


def infer_mixture(
    tokenizer: Tokenizer | str | Path,
    categories: str | Path | Mapping[str, str | Path] | References,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> MixtureResult:
    """Infers the shares of ``categories`` in the data that ``tokenizer`` was trained on.

    Args:
        tokenizer: a byte-level BPE tokenizer, or where it stands.
        categories: a folder that holds a file or folder for each category, name -> path, or counted
            `References`.
        options: the fields of :class:`MixtureConfig`.

    Raises:
        ConfigError: an option is out of range, or the tokenizer has no merges to read.
        InputError: a category is missing, empty or unreadable.
        MissingExtraError: the solver's package is not installed.
        KeyboardInterrupt: interrupted before there was any bound to return.
    """
    config = MixtureConfig(**options)
    model = tokenizer if isinstance(tokenizer, Tokenizer) else Tokenizer.load(tokenizer)
    if isinstance(categories, References):
        return infer(model, categories, config, progress=progress)
    references, seconds = gather_references(model, config, categories=categories, progress=progress)
    return infer(model, references, config, progress=progress, counted_seconds=seconds)


def infer(
    tokenizer: Tokenizer,
    references: References,
    config: MixtureConfig,
    *,
    progress: Progress | None = None,
    counted_seconds: float = 0.0,
) -> MixtureResult:
    """Infers shares from counted references; raises as `infer_mixture` does."""
    if references.pipeline.pretokenizers != tokenizer.pipeline.pretokenizers:
        raise ConfigError(
            f"the references were cut by {_stages(references.pipeline.pretokenizers)}, "
            f"the tokenizer cuts by {_stages(tokenizer.pipeline.pretokenizers)}",
            "count the references for this tokenizer",
        )
    clock = _Clock(counted_seconds)
    listed = merge_list(tokenizer, config.merges)
    history = replay(references, listed, progress=progress)
    clock.lap("replay")
    make_model = solver_named(config.solver)
    solution = solve(history, make_model, tolerance=config.tolerance, progress=progress)
    clock.lap("solve")
    shares = shares_by_unit(solution.shares, history, references)
    intervals = None
    if config.resamples and solution.optimal and len(solution.rows.steps):
        by_column = replay_by_column(references, listed, history, solution)
        rows = RowCounts(history, by_column, solution.rows)
        samples = bootstrap(
            rows, make_model, shards=references.shards, resamples=config.resamples, seed=config.seed,
            progress=progress,
        )  # fmt: skip
        in_bytes = np.array([shares_by_unit(sample, history, references)["bytes"] for sample in samples])
        intervals = percentile_intervals(in_bytes, config.level)
        clock.lap("intervals")
    fit, warnings = fit_figures(history, solution, listed, references)
    clock.lap("fit")
    return MixtureResult(
        names=references.names,
        shares=shares,
        intervals=intervals,
        level=config.level,
        merges=len(listed.merges) - listed.first,
        solution=solution,
        fit=fit,
        warnings=tuple(warnings),
        seconds=clock.laps,
        remarks=references.remarks,
        references=references,
    )


def replay(references: References, listed: MergeList, *, progress: Progress | None = None) -> History:
    """Replays the merges over all categories."""
    engine = references.table.replay(
        listed.merges, lens=listed.lens, byte_ids=listed.byte_ids,
        category_of=references.category_of, progress=progress,
    )  # fmt: skip
    return History.of(engine, references.category_of, listed.first)


def replay_by_column(
    references: References, listed: MergeList, history: History, solution: Solution
) -> History:
    """Replays the merges over all shards, noting only the pairs that the programme speaks of."""
    named = [(int(left), int(right)) for left, right in history.pairs[np.unique(solution.rows.pairs)]]
    columns = range(len(references.category_of))
    engine = references.table.replay(
        listed.merges, lens=listed.lens, byte_ids=listed.byte_ids, category_of=columns, only=named
    )
    return History.of(engine, columns, listed.first)


def shares_by_unit(shares: Floats, history: History, references: References) -> dict[Unit, Floats]:
    """Turns shares of initial pairs into shares of bytes and of characters."""
    pairs = np.maximum(history.by_category(history.totals), 1)
    sizes = {"bytes": references.bytes.sum(1), "pairs": pairs, "characters": references.characters.sum(1)}
    weighted = {unit: shares * sizes[unit] / pairs for unit in UNITS}
    return {unit: values / values.sum() for unit, values in weighted.items()}


def _stages(stages: Sequence[str]) -> str:
    return "+".join(stages) or "none"


class _Clock:
    """Seconds by phase."""

    def __init__(self, counted: float) -> None:
        self.laps = {"count": counted}
        self._last = time.perf_counter()

    def lap(self, phase: str) -> None:
        now = time.perf_counter()
        self.laps[phase], self._last = now - self._last, now
