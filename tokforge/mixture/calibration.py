"""What the residual would be if the references were of the same kind as the training data.

Parametric calibration: half of the shards are mixed in the shares that were found, a BPE tokenizer is
trained on them, and the shares are inferred again from the other half. Its residual is what sampling
alone leaves; the ratio of the real one to it tells shifted references from fitting ones.
"""

from dataclasses import dataclass

from tokforge.errors import InputError
from tokforge.inputs import Progress
from tokforge.mixture.history import Floats, History
from tokforge.mixture.merge_list import MergeList
from tokforge.mixture.programme import Solver, solve
from tokforge.mixture.references import References, subset
from tokforge.mixture.replay import replay
from tokforge.mixture.training import train_mixed

__all__ = ["Calibration", "calibrate", "misfit"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """A tokenizer of known shares, inferred in the same way."""

    misfit: float
    """Its residual, as `misfit` gives it."""
    errors: Floats
    """(n,) - inferred less true shares of pairs."""


def misfit(history: History, shares: Floats, objective: float) -> float:
    """Returns the residual relative to the shares of the merges: 0 is a perfect explanation."""
    own = history.by_category(history.merge_counts[history.judged()]) * history.scale @ shares
    return float(objective / max(own.sum(), 1e-12))


def calibrate(
    references: References,
    listed: MergeList,
    shares: Floats,
    make_model: Solver,
    *,
    tolerance: float,
    progress: Progress | None = None,
) -> Calibration | None:
    """Trains on half of the shards at ``shares`` of pairs, and infers from the other half.

    Returns None where a category has documents in one half alone. Raises KeyboardInterrupt after Ctrl-C.
    """
    if listed.first or references.shards < 2:
        return None
    try:
        train, held = (subset(references, range(half, references.shards, 2)) for half in (0, 1))
        trained = train_mixed(train, shares, len(listed.merges))
        if progress:
            progress("calibrate", 1, 2)
        history = replay(held, trained)
    except InputError:
        return None
    solution = solve(history, make_model, tolerance=tolerance, start=shares)
    if not solution.optimal:  # half of a residual would be taken for all of it
        raise KeyboardInterrupt
    return Calibration(
        misfit=misfit(history, solution.shares, solution.objective), errors=solution.shares - shares
    )
