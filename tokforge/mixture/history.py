"""The engine's counts as numpy arrays: what every estimator of the mixture works on.

Definitions: T merges, n categories, k columns (shards of categories). Counts of state t are those before
merge t. ``scale_i`` = 10^6 / (pairs of category i at state 0), so that shares of pairs are in parts per
million: the solver's absolute tolerances then lie below one occurrence in the references.
Source: arXiv 2407.16607, section 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokforge._core import MixtureHistory

__all__ = ["ABSENT", "PPM", "Columns", "Floats", "History", "Violations"]

PPM = 1e6
ABSENT = np.uint32(0xFFFFFFFF)
"""The pair of a merge that no category holds when its turn comes."""

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.uint32]
Columns = npt.NDArray[np.int64]


class Violations(NamedTuple):
    """Pairs that outrank a merge, by step: three arrays of one length."""

    steps: Indices
    pairs: Indices
    excess: Floats
    """In parts per million of the pairs."""


@dataclass(frozen=True, slots=True)
class History:
    """Counts by step of one merge list over the columns of some references."""

    engine: "MixtureHistory"
    category_of: npt.NDArray[np.int64]
    """(k,) - category of each column."""
    totals: npt.NDArray[np.int64]
    """(k,) - pairs of each column at state 0."""
    merge_counts: npt.NDArray[np.int64]
    """(T, k) - count of each merge's pair when its turn comes."""
    merge_pairs: Indices
    """(T,) - index of each merge's pair, or ABSENT."""
    pairs: Indices
    """(P, 2) - left and right id of every pair that ever occurs."""
    first: int
    """First merge to judge: those before it are applied alone."""

    @classmethod
    def of(
        cls, engine: "MixtureHistory", category_of: Sequence[int], first: int = 0, built: int = 0
    ) -> "History":
        """Reads the engine's arrays; the ``built`` first merges only make the atoms, whose pairs count."""
        k = len(category_of)
        merge_counts = np.frombuffer(engine.merge_counts(), np.int64).reshape(-1, k)
        return cls(
            engine=engine,
            category_of=np.asarray(category_of, np.int64),
            totals=np.frombuffer(engine.totals(), np.int64) - merge_counts[:built].sum(0),
            merge_counts=merge_counts,
            merge_pairs=np.frombuffer(engine.merge_pairs(), np.uint32),
            pairs=np.frombuffer(engine.pairs(), np.uint32).reshape(-1, 2),
            first=first,
        )

    @property
    def steps(self) -> int:
        """T, the merges replayed."""
        return len(self.merge_pairs)

    @property
    def categories(self) -> int:
        """n."""
        return int(self.category_of.max()) + 1

    def by_category(self, columns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Sums (..., k) over the columns of each category: (..., n)."""
        sums = np.zeros((*columns.shape[:-1], self.categories), np.int64)
        for column, category in enumerate(self.category_of):
            sums[..., category] += columns[..., column]
        return sums

    @property
    def scale(self) -> Floats:
        """(n,) - parts per million of the pairs that one occurrence is worth."""
        return PPM / np.maximum(self.by_category(self.totals), 1)

    def judged(self) -> npt.NDArray[np.int64]:
        """The steps that say something: from ``first`` on, and present in some category."""
        present = np.flatnonzero(self.merge_pairs != ABSENT)
        return present[present >= self.first]

    def sweep(
        self,
        shares: Floats,
        step_slack: Floats,
        pair_slack: Floats,
        *,
        per_step: int,
        tolerance: float,
        stop: int | None = None,
        stride: int = 1,
        charged: bool = False,
    ) -> Violations:
        """Finds the worst ``per_step`` violated inequalities of every ``stride``-th step.

        ``charged``: what is found is added to the pair's slack for the steps behind, so that a pair comes
        again only where it outranks by more, and the last of a pair is its worst.

        Shapes: ``shares`` (n,), ``step_slack`` (T,), ``pair_slack`` (P,); slacks in parts per million.
        """
        found = self.engine.sweep(
            np.ascontiguousarray(shares * self.scale),
            step_slack,
            pair_slack,
            start=self.first,
            stop=self.steps if stop is None else stop,
            stride=stride,
            tolerance=tolerance,
            per_step=per_step,
            charged=charged,
        )
        steps, pairs, excess = found
        return Violations(
            np.frombuffer(steps, np.uint32),
            np.frombuffer(pairs, np.uint32),
            np.frombuffer(excess, np.float64),
        )

    def counts(self, steps: Indices, pairs: Indices) -> npt.NDArray[np.int64]:
        """(rows, n) - counts of pairs at steps, which must ascend."""
        flat = self.engine.counts(np.ascontiguousarray(steps), np.ascontiguousarray(pairs))
        return np.frombuffer(flat, np.int64).reshape(-1, self.categories)

    def coefficients(self, steps: Indices, pairs: Indices) -> Floats:
        """(rows, n) - what each category adds to the merge's share less the pair's, in ppm."""
        own = self.by_category(self.merge_counts[steps])
        return np.asarray((own - self.counts(steps, pairs)) * self.scale)
