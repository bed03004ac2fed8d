"""Shares by generalised isotonic regression: a second estimate, whose errors differ from the programme's.

A trainer merges in descending order of counts, so ``sum_i a_i X_ti``, the share of merge t when its turn
came, must fall with t: the shares a are sought for which a falling curve g fits best. Competitors play no
part, and what each merge is worth follows from the references themselves:

* the spread of its count over document shards is the noise of the references, and about that of the
  training sample, so a merge weighs as its variance is small (squares, bounded as Huber does);
* merges of one topic err together: the shards' deviations are factors of the noise (generalised squares);
* a merge stands where it does because its count was high in the training sample, so its reference count is
  lower on average, the more so the noisier it is: Eddington's correction, `_SELECTION` relative variances.

It starts from the programme's shares and stops after few rounds, which keeps it near them. Shares of
pairs are normalised at the end: fixing their sum while fitting would let a category that holds
none of the other merges explain them all as zero. The choice of constants: docs/mixture.md.
Complexity: O(T k^2) a round, for k shards in all.
Sources: Barlow and Brunk 1972 (isotonic regression); Huber 1964; Eddington 1913.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tokforge.mixture.history import PPM, Floats, History

__all__ = ["LEAST_MERGES", "Observed", "combined", "observe", "regress"]

LEAST_MERGES = 100
"""Shorter lists are left to the programme alone."""
_PASSES = 2
_ROUNDS = 15
_STILL = 1e-6
_STEP = 0.5
"""Of each move: the curve moves with the shares."""
_HUBER = 1.0
_FLOOR = 0.15
"""Relative noise that no shard shows: the curve is no exact law either."""
_SELECTION = 2.0
_COMMON = 0.3
"""Part of the shards' deviations that is taken as common to the merges."""


@dataclass(frozen=True, slots=True)
class Observed:
    """T merges in n categories of k shards in all."""

    shares: Floats
    """(T, n) - share of each merge in each category when its turn comes, in ppm of the pairs."""
    deviations: Floats
    """(T, k) - what counting a shard once more adds to its category's share, in ppm."""
    category_of: npt.NDArray[np.int64]


def combined(programme: Floats, regression: Floats) -> Floats:
    """Returns the mean of both estimates: each errs where the other does not."""
    return np.asarray((programme + regression) / 2)


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

    None where there are too few merges, or no spread over shards to weigh them by.
    """
    if len(observed.shares) < LEAST_MERGES or not observed.deviations.any():
        return None
    shares = start
    for _ in range(_PASSES):
        shares = _Fit(observed, shares).run()
    return shares


class _Fit:
    """One pass: the noise of each merge is judged at the shares it starts from, and kept."""

    def __init__(self, observed: Observed, start: Floats) -> None:
        self.start = start
        curve = np.maximum(_falling(observed.shares @ start, None)[0], 1e-6)
        noise = observed.deviations * start[observed.category_of]
        relative = _tempered((noise**2).sum(1) / curve**2)
        self.weights = 1 / ((2 * relative + _FLOOR**2) * curve**2)
        self.values = observed.shares * (1 + _SELECTION * relative)[:, None]
        self.noise = noise
        self.scale = (self.values / curve[:, None]).mean(0)
        """(n,) - the mean height of the curve that each share accounts for: held fixed."""

    def run(self) -> Floats:
        """Returns shares (n,), by reweighted squares."""
        shares, curve = self.start, _falling(self.values @ self.start, self.weights)[0]
        for _ in range(_ROUNDS):
            fitted = self.values @ shares
            far = np.abs(fitted - curve) * np.sqrt(self.weights)
            weights = self.weights * np.minimum(1.0, _HUBER / np.maximum(far, 1e-12))
            curve, starts = _falling(fitted, weights)
            found = _least(self._moments(weights, starts), self.scale, float(self.scale @ shares))
            step = np.abs(found - shares).max()
            shares = shares + _STEP * (found - shares)
            if step < _STILL:
                break
        return np.asarray(shares / shares.sum())

    def _moments(self, weights: Floats, starts: npt.NDArray[np.int64]) -> Floats:
        """(n, n) - the normal equations of the shares; the factors of the noise go by Woodbury's identity."""
        values = _centred(self.values, weights, starts)
        noise = _centred(self.noise, weights, starts)
        cross = noise.T @ values
        inner = np.eye(noise.shape[1]) / (2 * _COMMON) + noise.T @ noise
        return np.asarray(values.T @ values - cross.T @ np.linalg.solve(inner, cross))


def _tempered(relative: Floats) -> Floats:
    """Halfway to the power law of relative variance along the merges: a single spread is itself noisy."""
    rank = np.log(np.arange(1, len(relative) + 1))
    known = relative > 0
    slope, level = np.polyfit(rank[known], np.log(relative[known]), 1)
    return np.asarray((relative + np.exp(level + slope * rank)) / 2)


def _falling(values: Floats, weights: Floats | None) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Returns the falling curve nearest to ``values``, and where each of its level blocks begins."""
    from scipy.optimize import isotonic_regression

    found = isotonic_regression(values, weights=weights, increasing=False)
    return np.asarray(found.x), np.asarray(found.blocks[:-1], np.int64)


def _centred(columns: Floats, weights: Floats, starts: npt.NDArray[np.int64]) -> Floats:
    """Columns less their weighted means over the blocks of the curve, by the roots of the weights."""
    sizes = np.diff(starts, append=len(columns))
    sums = np.add.reduceat(columns * weights[:, None], starts, axis=0)
    means = sums / np.add.reduceat(weights, starts)[:, None]
    return np.asarray((columns - np.repeat(means, sizes, axis=0)) * np.sqrt(weights)[:, None])


def _least(moments: Floats, scale: Floats, height: float) -> Floats:
    """Minimises x' moments x over x >= 0 with scale @ x = height."""
    from scipy.optimize import nnls

    n, trace = len(scale), max(float(np.trace(moments)), 1e-300)
    root = np.linalg.cholesky(moments + 1e-10 * trace * np.eye(n)).T
    firm = 1e3 * np.sqrt(trace) / scale.max() * scale
    found, _ = nnls(np.vstack([root, firm]), np.append(np.zeros(n), firm @ scale * height / (scale @ scale)))
    return np.asarray(found)
