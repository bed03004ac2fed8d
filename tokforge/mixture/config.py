"""Options of data mixture inference, checked before any work. Light: no numpy, no engine."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tokforge.errors import ConfigError, pick
from tokforge.threads import thread_count

__all__ = ["ESTIMATORS", "SOLVERS", "MixtureConfig"]

SOLVERS = ("highs", "scipy", "pulp")
ESTIMATORS = {"combined": "mean of programme and regression", "programme": "the programme's optimum"}
"""Name -> what it is, in words."""
TOLERANCE_PPM = 0.01
"""One occurrence in 10 MB is worth about 0.1 parts per million of the pairs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MixtureConfig:
    """How shares are inferred."""

    merges: int | None = 3000
    """T: how many merges to use; None takes all."""
    first: int = 0
    """Merges at the start that are applied and not judged: those that another tokenizer bequeathed."""
    solver: str = "highs"
    """One of SOLVERS; all give the same optimum."""
    estimator: str = "combined"
    """One of ESTIMATORS: the programme's optimum, or its mean with the regression of `regression`."""
    shards: int = 20
    """Parts of each category's documents that are resampled for intervals."""
    resamples: int = 40
    """Bootstrap samples behind the intervals; 0 gives none."""
    level: float = 0.9
    """What part of intervals should hold the truth."""
    identifiability: bool = True
    """Whether to find the extremes of each share, which takes as long as the rest."""
    calibrate: bool = True
    """Whether to train and infer a tokenizer of known shares, which tells misfit from sampling noise."""
    tolerance: float = TOLERANCE_PPM
    """Excess of a pair over a merge that is taken as none, in parts per million of the pairs."""
    time_limit: float | None = None
    """Seconds for solving, after which the best bound so far is the answer; None for as long as it takes."""
    seed: int = 0
    threads: int | None = None
    field: str | None = None
    """Field of jsonl and parquet rows that is the document."""
    follow_symlinks: bool = True

    def __post_init__(self) -> None:
        pick("solver", self.solver, dict.fromkeys(SOLVERS))
        pick("estimator", self.estimator, ESTIMATORS)
        bounds: Mapping[str, tuple[float | None, float, float]] = {
            "merges": (self.merges, 1, 10_000_000),
            "first": (self.first, 0, 10_000_000),
            "shards": (self.shards, 1, 1000),
            "resamples": (self.resamples, 0, 10_000),
            "level": (self.level, 0.01, 0.999),
            "tolerance": (self.tolerance, 1e-9, 1e4),
            "time_limit": (self.time_limit, 0.0, 1e9),
            "seed": (self.seed, 0, (1 << 64) - 1),
        }
        for name, (value, least, most) in bounds.items():
            if value is not None and not least <= value <= most:
                raise ConfigError(f"{name} is {value}", f"use {least} to {most}")
        if self.resamples and self.shards < 5:
            raise ConfigError(
                f"{self.shards} shards are too few to resample", "use 5 or more, or resamples=0"
            )
        thread_count(self.threads)

    @property
    def thread_count(self) -> int:
        """Threads to count with; they never change a result."""
        return thread_count(self.threads)

    def as_dict(self) -> dict[str, Any]:
        """Returns the options as JSON values."""
        return asdict(self)
