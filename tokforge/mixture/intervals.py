"""How far the shares would move had the references been other documents of the same kind.

Bootstrap over shards: each category's shards are drawn again with replacement, the counts of all rows of
the programme follow (they are linear in the shards' weights), and the programme over those rows is
solved anew. Source: Efron and Tibshirani, An Introduction to the Bootstrap, ch. 13.
"""

import numpy as np

from tokforge.inputs import Progress
from tokforge.mixture.history import PPM, Floats, History
from tokforge.mixture.programme import Rows, Solver

__all__ = ["RowCounts", "bootstrap", "percentile_intervals"]


class RowCounts:
    """Counts behind the rows of a programme by column, so that shards can be weighted.

    ``by_column`` is a replay of the same merges in which each column is a category of its own.
    """

    def __init__(self, history: History, by_column: History, rows: Rows) -> None:
        self.rows, self.categories = rows, history.categories
        self.category_of, self.totals = history.category_of, history.totals
        index = {(int(left), int(right)): at for at, (left, right) in enumerate(by_column.pairs)}
        pairs = np.array(
            [index[int(left), int(right)] for left, right in history.pairs[rows.pairs]], np.uint32
        )
        order = np.argsort(rows.steps, kind="stable")
        counts = np.empty((len(pairs), len(self.totals)), np.int64)
        counts[order] = by_column.counts(rows.steps[order], pairs[order])
        self.counts: Floats = (history.merge_counts[rows.steps] - counts).astype(float)

    def coefficients(self, weights: Floats) -> Floats:
        """(R, n) - the rows' coefficients in ppm when column j counts ``weights[j]`` times."""
        member = np.zeros((len(weights), self.categories))
        member[np.arange(len(weights)), self.category_of] = weights
        scale = PPM / np.maximum(self.totals @ member, 1)
        return np.asarray((self.counts @ member) * scale)


def bootstrap(
    rows: RowCounts,
    make_model: Solver,
    *,
    shards: int,
    resamples: int,
    seed: int,
    progress: Progress | None = None,
) -> Floats:
    """Returns (resamples, n) shares of pairs, one row a resample."""
    generator = np.random.default_rng(seed)
    found = np.empty((resamples, rows.categories))
    for number in range(resamples):
        weights = generator.multinomial(shards, np.full(shards, 1 / shards), rows.categories).ravel()
        found[number] = solve_rows(rows.rows, rows.coefficients(weights.astype(float)), make_model)
        if progress:
            progress("resample", number + 1, resamples)
    return found


def solve_rows(rows: Rows, coefficients: Floats, make_model: Solver) -> Floats:
    """Solves the programme over given rows alone; returns the shares."""
    n = coefficients.shape[1]
    steps, first = np.unique(rows.steps, return_inverse=True)
    pairs, second = np.unique(rows.pairs, return_inverse=True)
    model = make_model(n)
    model.add_slacks(np.ones(len(steps) + len(pairs)))
    model.add_rows(coefficients, first.astype(np.int64), second.astype(np.int64) + len(steps))
    shares = np.maximum(model.solve()[0][:n], 0)
    return np.asarray(shares / shares.sum())


def percentile_intervals(samples: Floats, level: float) -> Floats:
    """Returns (n, 2): the middle ``level`` of each column of ``samples`` (resamples, n)."""
    tail = (1 - level) / 2
    return np.asarray(np.quantile(samples, [tail, 1 - tail], axis=0).T)
