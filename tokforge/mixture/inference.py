"""Reads a tokenizer's training mixture out of its merges: count, replay, solve, judge."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tokforge.bpe import Checkpoint
from tokforge.errors import ConfigError
from tokforge.inputs import Progress
from tokforge.mixture.calibration import calibrate
from tokforge.mixture.checkpoint import kept_history
from tokforge.mixture.config import MixtureConfig
from tokforge.mixture.fit import fit_figures, has_ranges, warnings_of, withheld
from tokforge.mixture.gather import gather_references
from tokforge.mixture.history import Floats, History
from tokforge.mixture.intervals import (
    MOST_STEPS,
    RowCounts,
    bootstrap,
    can_resample,
    deviations,
    early,
    identifiable,
    interval,
)
from tokforge.mixture.known import inherited
from tokforge.mixture.merge_list import MergeList, cut_of, merge_list
from tokforge.mixture.programme import Rows, Solution, solve
from tokforge.mixture.references import References
from tokforge.mixture.regression import combined, observe, regress
from tokforge.mixture.replay import replay, replay_by_column
from tokforge.mixture.solvers import solver_named
from tokforge.mixture.units import Unit, extremes_in_bytes, shares_by_unit
from tokforge.tokenizer import Pipeline, Tokenizer
from tokforge.tokenizer.display import printable
from tokforge.tokenizer.notebook import table_html

__all__ = ["MixtureResult", "infer", "infer_merges", "infer_mixture"]

Found = TypeVar("Found")

_LONGEST = 60
"""Characters of a token that a warning shows."""
_UNCALIBRATED = (
    "no tokenizer of known shares could be trained to compare with (characters as atoms, --first, "
    "or too few documents): intervals may be too short"
)
_UNFINISHED = (
    "stopped before the optimum, with a gap of {gap:.1%} left: the shares are the best so far, "
    "they may be far from the answer, and there are no intervals"
)
_INTERRUPTED = (
    "stopped by Ctrl-C behind the proven optimum: what was to follow it "
    "(calibration, the second estimate, intervals) is left out where it was not done"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MixtureResult:
    """The shares of a tokenizer's training data, and how far to trust them."""

    names: tuple[str, ...]
    shares: Mapping[Unit, Floats]
    """(n,) each - shares 0 to 1 of the bytes, of the initial pairs and of the characters."""
    programme: Floats
    """(n,) - shares of bytes at the optimum of the programme, before they are combined."""
    estimator: str
    """What ``shares`` are: "combined", or "programme" where that was asked for, where they are withheld (of
    references that do not fit the regression knows no more), and of lists too short for a regression."""
    intervals: Floats | None
    """(n, 2) - of the shares of bytes; None without resamples, where a category is one document, and where
    shares are withheld without calibration: how much wider they should be is then unknown."""
    bagged: Floats | None
    """(n,) - the mean share of bytes over the resamples."""
    identifiable: Floats | None
    """(n, 2) - shares of bytes within 1 % of the best residual, the other shares free."""
    level: float
    merges: int
    """Merges used."""
    solution: Solution
    fit: Mapping[str, Any]
    warnings: tuple[str, ...]
    seconds: Mapping[str, float]
    references: References

    @property
    def withheld(self) -> bool:
        """Whether the misfit is too large for single numbers: a range is all that should be quoted."""
        return withheld(self.fit)

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures as JSON values."""
        shares = {
            unit: dict(zip(self.names, values.tolist(), strict=True)) for unit, values in self.shares.items()
        }
        solution = self.solution
        return {
            "proportions": shares["bytes"],
            "intervals": _by_name(self.names, self.intervals),
            "identifiable": _by_name(self.names, self.identifiable),
            "level": self.level,
            "unit": "bytes",
            "proportions_by_unit": shares,
            "programme": dict(zip(self.names, self.programme.tolist(), strict=True)),
            "estimator": self.estimator,
            "merges": self.merges,
            "seconds": sum(self.seconds.values()),
            "seconds_by_phase": dict(self.seconds),
            "fit": dict(self.fit),
            "withheld": self.withheld,
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
            "skipped": [remark.as_dict() for remark in self.references.remarks],
        }

    def _repr_html_(self) -> str:
        shares, low_high = self.shares["bytes"], self.intervals
        rows = [
            (
                self.names[at],
                "withheld" if self.withheld else f"{shares[at]:.2%}",
                "" if low_high is None else "{:.2%} to {:.2%}".format(*low_high[at]),
            )
            for at in shares.argsort(kind="stable")[::-1]
        ]
        return table_html(["category", "share of bytes", f"{self.level:.0%} interval"], rows)


def _by_name(names: Sequence[str], intervals: Floats | None) -> dict[str, list[float]]:
    return {} if intervals is None else dict(zip(names, intervals.tolist(), strict=True))


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
    checkpoint: Checkpoint | None = None,
) -> MixtureResult:
    """Infers shares from counted references; raises as `infer_mixture` does.

    ``checkpoint``: a folder that keeps the programme's rows, from which a run that was killed goes on.
    """
    counted, cut = _stages(references.pipeline), _stages(cut_of(tokenizer))
    if counted != cut:
        raise ConfigError(
            f"the references were cut by {_named(counted)}, the tokenizer cuts by {_named(cut)}",
            "count the references for this tokenizer",
        )
    listed = merge_list(tokenizer, config.merges, config.first)
    remarks = [] if config.first else inherited(listed.all_merges, listed.tokens)
    if listed.unrecoverable:
        shown = ", ".join(printable(token)[:_LONGEST] for token in listed.unrecoverable[:3])
        remarks.append(
            f"{len(listed.unrecoverable)} tokens are left out, for no merge makes them, as {shown}"
        )
    result = infer_merges(
        listed,
        references,
        config,
        progress=progress,
        counted_seconds=counted_seconds,
        checkpoint=checkpoint,
    )
    return replace(result, warnings=(*remarks, *result.warnings))


def infer_merges(
    listed: MergeList,
    references: References,
    config: MixtureConfig,
    *,
    progress: Progress | None = None,
    counted_seconds: float = 0.0,
    checkpoint: Checkpoint | None = None,
) -> MixtureResult:
    """Infers shares from a merge list alone, whose words the references must hold as it cuts them."""
    phases = _Phases(counted_seconds)
    if config.merges is not None:
        listed = listed.shortened(listed.first + config.merges)
    history = replay(references, listed, progress=progress)
    phases.lap("replay")
    solution = _solved(history, listed, config, checkpoint, progress)
    phases.lap("solve")
    phases.interrupted = not solution.optimal
    calibration = phases.run(
        "calibrate",
        lambda: calibrate(
            references, listed, solution.shares, solver_named(config.solver),
            tolerance=config.tolerance, progress=progress,
        ) if config.calibrate else None,
    )  # fmt: skip
    fit = fit_figures(history, solution, listed, calibration)
    rows, combines = _first_rows(solution.rows, listed.first), config.estimator == "combined"
    by_column = mean = sampled = best = None
    if config.resamples or combines:
        by_column = phases.run("estimate", lambda: replay_by_column(references, listed, history, rows))
    if by_column is not None and combines:
        mean = phases.run("estimate", lambda: _combined(history, by_column, solution.shares))
    estimator = "programme" if mean is None or withheld(fit) else "combined"
    by_estimator = {
        name: shares_by_unit(solution.shares if shares is None else shares, history, references)
        for name, shares in (("combined", mean), ("programme", None))
    }
    in_units, programme = by_estimator[estimator], by_estimator["programme"]["bytes"]
    if by_column is not None and config.resamples and len(solution.rows.steps):
        judged = _Judged(references, history, solution.shares, rows, by_column, in_units["bytes"])
        both = by_estimator["combined"]["bytes"], programme
        if can_resample(references) and has_ranges(fit):
            sampled = phases.run("intervals", lambda: judged.sampling(config, both, fit["shift"], progress))
        best = phases.run("intervals", judged.extremes) if config.identifiability else None
    warnings = warnings_of(fit, history, references)
    if sampled and config.calibrate and calibration is None:
        warnings.append(_UNCALIBRATED)
    if not solution.optimal:
        warnings.append(_UNFINISHED.format(gap=solution.gap))
    elif phases.interrupted:
        warnings.append(_INTERRUPTED)
    return MixtureResult(
        names=references.names,
        shares=in_units,
        programme=programme,
        estimator=estimator,
        intervals=sampled[0] if sampled else None,
        bagged=sampled[1] if sampled else None,
        identifiable=best,
        level=config.level,
        merges=len(listed.merges) - listed.first,
        solution=solution,
        fit=fit,
        warnings=tuple(warnings),
        seconds=phases.seconds,
        references=references,
    )


def _solved(
    history: History,
    listed: MergeList,
    config: MixtureConfig,
    checkpoint: Checkpoint | None,
    progress: Progress | None,
) -> Solution:
    barred = listed.barred(history.pairs) if listed.barred else None

    def solved(history: History) -> Solution:
        return solve(
            history, solver_named(config.solver),
            tolerance=config.tolerance, barred=barred, seconds=config.time_limit, progress=progress,
        )  # fmt: skip

    if checkpoint is None:
        return solved(history)
    kept, keeper = kept_history(history, checkpoint, {"solver": config.solver, "tolerance": config.tolerance})
    try:
        return solved(kept)
    finally:
        keeper.save()


def _combined(history: History, by_column: History, programme: Floats) -> Floats | None:
    """(n,) - shares of pairs: the mean of the programme's and the regression's; None where it has none."""
    other = regress(observe(history, by_column), programme)
    return None if other is None else combined(programme, other)


def _first_rows(rows: Rows, first: int) -> Rows:
    chosen = early(rows, first + MOST_STEPS)
    return Rows(rows.steps[chosen], rows.pairs[chosen], rows.coefficients[chosen])


@dataclass(frozen=True, slots=True)
class _Judged:
    """What intervals are made of."""

    references: References
    history: History
    programme: Floats
    """(n,) - the programme's shares of pairs."""
    rows: Rows
    by_column: History
    estimate: Floats
    """(n,) - shares of bytes."""

    def sampling(
        self,
        config: MixtureConfig,
        both: tuple[Floats, Floats],
        shift: float | None,
        progress: Progress | None,
    ) -> tuple[Floats, Floats]:
        """Returns the intervals (n, 2) and the mean resample (n,), of shares of bytes as ``both`` are.

        ``both``: the combined estimate and the programme's, which lie apart whichever of them is given.
        """
        samples = bootstrap(
            RowCounts(self.history, self.by_column, self.rows),
            shards=self.references.shards, resamples=config.resamples, seed=config.seed, progress=progress,
        )  # fmt: skip
        in_bytes = np.array(
            [shares_by_unit(sample, self.history, self.references)["bytes"] for sample in samples]
        )
        deviation = deviations(in_bytes, *both) * max(shift or 1.0, 1.0)
        return interval(self.estimate, deviation, config.level), in_bytes.mean(0)

    def extremes(self) -> Floats:
        """(n, 2) - shares of bytes within 1 % of the best residual; the estimate is among them."""
        found = extremes_in_bytes(
            identifiable(self.rows), self.programme, self.history, self.references,
        )  # fmt: skip
        return np.stack([np.minimum(found[:, 0], self.estimate), np.maximum(found[:, 1], self.estimate)], 1)


def _stages(pipeline: Pipeline) -> tuple[object, ...]:
    """What words depend on."""
    return *pipeline.normalizers, *pipeline.pretokenizers


def _named(stages: Sequence[object]) -> str:
    return "+".join(map(str, stages)) or "none"


class _Phases:
    """Does one thing after another and tells the seconds of each."""

    def __init__(self, counted: float) -> None:
        self.seconds = {"count": counted}
        self.interrupted = False
        """Whether the rest is left out: after Ctrl-C, so that what is found already is not lost."""
        self._last = time.perf_counter()

    def lap(self, phase: str) -> None:
        now = time.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        self._last = now

    def run(self, phase: str, work: Callable[[], Found | None]) -> Found | None:
        found = None
        if not self.interrupted:
            try:
                found = work()
            except KeyboardInterrupt:
                self.interrupted = True
        self.lap(phase)
        return found
