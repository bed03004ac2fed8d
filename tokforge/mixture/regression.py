"""Shares by a regression over the merges: a second estimate, whose errors differ from the programme's.

A trainer merges in descending order of counts, so the logarithm of ``sum_i a_i X_ti``, the share of merge t
when its turn came, follows a falling curve: the shares a are sought that leave least around it. Competitors
play no part, and what each merge is worth follows from the references themselves:

* the spread of its count over document shards is the noise of the references, and about that of the
  training sample, so a merge weighs as its variance is small (squares, bounded as Huber does);
* merges of one topic err together: the shards' deviations are factors of the noise (generalised squares);
* a merge stands where it does because its count was high in the training sample, so its reference count is
  lower on average, the more so the noisier it is: Eddington's correction, `_SELECTION` relative variances;
* the curve is a power law and a random walk around it, of steps like the gaps between order statistics,
  slope / t (Renyi): it bends where merges are many and does not pass through each of the first ones.

It starts from the programme's shares, and its scale is free: the curve's own. The choice of constants:
docs/mixture.md. Complexity: O(T k^2) a round, for k shards in all.
Sources: Aitken 1936 (generalised squares); Huber 1964; Eddington 1913; Renyi 1953.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tokforge.mixture.history import PPM, Floats, History

__all__ = ["LEAST_MERGES", "Observed", "combined", "observe", "regress"]

LEAST_MERGES = 100
"""Shorter lists are left to the programme alone."""
_LEAST_SLOPE = 0.01
"""Of the power law: shares of merges that do not fall with rank tell nothing (text has a slope near 1)."""
_NONE = 1e-9
"""A share so small is none."""
_PASSES = 2
_ROUNDS = 10
_STILL = 1e-5
_STEP = 0.7
"""Of each move: the model is linear near by only."""
_HUBER = 1.0
_SELECTION = 2.0
_COMMON = 0.3
"""Part of the shards' deviations that is taken as common to the merges."""
_OWN = 0.2
"""Part of a merge's own spread in its variance; the rest is that of its rank."""
_LEAST = 0.05
"""Of the curve: what a merge's share is taken to be at least."""
_FREE = 1e3
"""Standard deviation of the curve's level, slope and bend: as good as free."""
_FAR, _NEAR = 0.5, 0.003
"""How far a share may move from the programme's: this part of it, or so many shares."""


@dataclass(frozen=True, slots=True)
class Observed:
    """T merges in n categories of k shards in all."""

    shares: Floats
    """(T, n) - share of each merge in each category when its turn comes, in ppm of the pairs."""
    deviations: Floats
    """(T, k) - what counting a shard once more adds to its category's share, in ppm."""
    category_of: npt.NDArray[np.int64]


def combined(programme: Floats, regression: Floats) -> Floats:
    """Returns the mean of both estimates: each errs where the other does not.

    The regression sees no competitors, so nothing tells it that a category without merges of its own is
    absent. Where a share leaves the programme's too far, all shares go only that part of the way.
    """
    move = regression - programme
    room = np.maximum(_FAR * programme, _NEAR)
    part = min(1.0, float((room / np.maximum(np.abs(move), 1e-12)).min()))
    return np.asarray(programme + part * move / 2)


def observe(history: History, by_column: History) -> Observed:
    """Reads all judged merges of ``history`` out of a replay in which each column is a category of its own.

    That replay may note some pairs alone, and call the others absent; its counts of merges are whole.
    """
    category_of = history.category_of
    counts = by_column.merge_counts[history.judged()].astype(float)
    member = np.eye(int(category_of.max()) + 1)[category_of]
    totals = np.maximum(by_column.totals @ member, 1)
    rates = counts @ member / totals
    shards = np.bincount(category_of)[category_of]
    expected = rates[:, category_of] * by_column.totals
    unbiased = np.sqrt(shards / np.maximum(shards - 1, 1))
    return Observed(rates * PPM, (counts - expected) / totals[category_of] * PPM * unbiased, category_of)


def regress(observed: Observed, start: Floats) -> Floats | None:
    """Returns shares of pairs (n,), fitted from ``start``.

    None where there are too few merges, no spread over shards to weigh them by, or none that falls with rank.
    """
    shares = start
    for _ in range(_PASSES):
        if not _tells(observed, shares):
            return None
        shares = _Fit(observed, shares).run()
    return shares


def _tells(observed: Observed, start: Floats) -> bool:
    """Whether there are merges enough, which vary over shards and fall with rank, at the shares ``start``."""
    if len(observed.shares) < LEAST_MERGES:
        return False
    present = start[observed.category_of] > _NONE
    varying = observed.deviations[:, present].any(1)
    return bool(varying.sum() > 1 and _slope(_curve(observed, start)) <= -_LEAST_SLOPE)


class _Fit:
    """One pass: the noise of each merge is judged at the shares it starts from, and kept."""

    def __init__(self, observed: Observed, start: Floats) -> None:
        self.shares, self.start = observed.shares, start
        rank = np.arange(1, len(self.shares) + 1)
        curve = _curve(observed, start)
        noise = observed.deviations * (start[observed.category_of] / curve[:, None])
        relative = _tempered((noise**2).sum(1), np.log(rank))
        self.least = _LEAST * curve
        self.weights = 1 / (2 * relative + 1e-8)
        self.selection = _SELECTION * np.minimum(relative, 1.0)
        self.walk = (_slope(curve) / rank) ** 2
        self.drift = _FREE * np.vander(np.log(rank) / np.log(len(rank)), 3)
        self.factors = np.hstack([self.drift, np.sqrt(2 * _COMMON) * noise])

    def run(self) -> Floats:
        """Returns shares (n,), by reweighted squares of the logarithms."""
        shares = self.start
        for _ in range(_ROUNDS):
            fitted = np.maximum(self.shares @ shares, self.least)
            values = self.shares / fitted[:, None]
            logs = np.log(fitted) + self.selection
            around = _precision(self.weights, self.walk, self.drift)(logs[:, None])[:, 0]
            far = np.abs(around) / np.sqrt(self.weights)
            weights = self.weights * np.minimum(1.0, _HUBER / np.maximum(far, 1e-12))
            seen = np.column_stack([values, logs - values @ shares])
            moments = seen.T @ _precision(weights, self.walk, self.factors)(seen)
            step = _least(moments[:-1, :-1], moments[:-1, -1]) - shares
            shares = shares + _STEP * step
            if np.abs(step).max() < _STILL:
                break
        return np.asarray(shares / shares.sum())


def _precision(weights: Floats, walk: Floats, factors: Floats) -> Callable[[Floats], Floats]:
    """Returns the inverse covariance (T, T) of the logarithms, as a map of (T, c) columns.

    The noise of each is 1 / ``weights``, beside a random walk of variances ``walk`` (its inverse is
    tridiagonal) and ``factors`` of unit variance (Woodbury's identity, both times).
    """
    from scipy.linalg import solveh_banded

    stiff = 1 / walk[:-1]
    bands = np.zeros((2, len(weights)))
    bands[0, 1:] = -stiff
    bands[1] = weights
    bands[1, 1:] += stiff
    bands[1, :-1] += stiff

    def walked(columns: Floats) -> Floats:
        weighted = columns * weights[:, None]
        return np.asarray(weighted - weights[:, None] * solveh_banded(bands, weighted))

    known = walked(factors)
    inner = np.eye(factors.shape[1]) + factors.T @ known

    def apply(columns: Floats) -> Floats:
        return np.asarray(walked(columns) - known @ np.linalg.solve(inner, known.T @ columns))

    return apply


def _tempered(relative: Floats, rank: Floats) -> Floats:
    """Most of the way to the power law of relative variance: a single spread is itself noisy."""
    known = relative > 0
    slope, level = np.polyfit(rank[known], np.log(relative[known]), 1)
    return np.asarray(_OWN * relative + (1 - _OWN) * np.exp(level + slope * rank))


def _curve(observed: Observed, shares: Floats) -> Floats:
    """(T,) - the falling curve nearest to the merges' shares, in ppm."""
    return np.maximum(_falling(observed.shares @ shares), 1e-6)


def _slope(curve: Floats) -> float:
    """The exponent of the power law nearest to ``curve``."""
    rank = np.arange(1, len(curve) + 1)
    return float(np.polyfit(np.log(rank), np.log(curve), 1)[0])


def _falling(values: Floats) -> Floats:
    """Returns the falling curve nearest to ``values``."""
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values, increasing=False).x)


def _least(moments: Floats, linear: Floats) -> Floats:
    """Minimises x' moments x + 2 linear' x over x >= 0 that sum to 1."""
    from scipy.optimize import nnls

    n, trace = len(linear), max(float(np.trace(moments)), 1e-300)
    root = np.linalg.cholesky(moments + 1e-10 * trace * np.eye(n))
    firm = 1e3 * np.sqrt(trace)
    found, _ = nnls(np.vstack([root.T, np.full(n, firm)]), np.append(-np.linalg.solve(root, linear), firm))
    return np.asarray(found)
