"""Rows as weighted sums of old rows, and the matrix that they are sums of.

Definition: new row ``r`` is the sum of ``weights[j] * matrix[ids[j]]`` over ``starts[r] <= j < starts[r +
1]``. The id
after the last row stands for the mean row. Most published heuristics are such a mix: they differ only in
ids and weights, so provenance, both matrices and the bias follow from the same arrays. Linear in the
weights; memory is one block of rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tokforge.transplant.tensor_file import Array, as_float32

__all__ = ["Matrix", "Mix", "Row"]

Floats = npt.NDArray[np.float32]
Row = tuple[Sequence[int], Sequence[float]]
"""Old ids and their weights."""
_BLOCK = 1 << 22
"""Most numbers that are gathered at once."""


@dataclass(frozen=True)
class Matrix:
    """A matrix of a checkpoint, (rows, width), in its stored type; a bias is one of width 1."""

    stored: Array

    @classmethod
    def of(cls, array: Array) -> "Matrix":
        """Returns a stored tensor as a matrix: (rows,) and (1, rows) become (rows, 1)."""
        is_bias = array.ndim == 1 or array.shape[0] == 1
        return cls(array.reshape(-1, 1) if is_bias else array)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and width."""
        return self.stored.shape[0], self.stored.shape[1]

    def take(self, ids: npt.ArrayLike) -> Floats:
        """Returns rows as float32, exactly; the id after the last is the mean row."""
        wanted = np.asarray(ids, np.int64)
        rows = as_float32(self.stored[np.minimum(wanted, len(self.stored) - 1)])
        is_mean = wanted == len(self.stored)
        if is_mean.any():
            rows = rows.copy()
            rows[is_mean] = self.mean
        return rows

    @cached_property
    def mean(self) -> Floats:
        """(width,) - the mean row."""
        return self._moments[0]

    @cached_property
    def deviation(self) -> Floats:
        """(width,) - the standard deviation of each column."""
        return self._moments[1]

    @cached_property
    def _moments(self) -> tuple[Floats, Floats]:
        total = np.zeros(self.shape[1])
        square = np.zeros(self.shape[1])
        for begin in range(0, len(self.stored), step := max(1, _BLOCK // self.shape[1])):
            rows = as_float32(self.stored[begin : begin + step]).astype(np.float64)
            total += rows.sum(0)
            square += (rows**2).sum(0)
        mean = total / len(self.stored)
        return mean.astype(np.float32), np.sqrt(np.maximum(square / len(self.stored) - mean**2, 0)).astype(
            np.float32
        )


@dataclass(frozen=True, eq=False)
class Mix:
    """Weighted sums of old rows."""

    starts: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]
    weights: Floats

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Mix":
        """Returns the mix with these rows."""
        listed = list(rows)
        starts = np.cumsum([0, *(len(ids) for ids, _ in listed)], dtype=np.int64)
        ids = np.array([i for found, _ in listed for i in found], np.int64)
        return cls(starts, ids, np.array([w for _, weights in listed for w in weights], np.float32))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def row(self, at: int) -> Row:
        """Returns the ids and weights of one row."""
        part = slice(self.starts[at], self.starts[at + 1])
        return self.ids[part].tolist(), self.weights[part].tolist()

    def scaled(self, factor: float) -> "Mix":
        """Returns the mix with every weight times ``factor``."""
        return Mix(self.starts, self.ids, self.weights * np.float32(factor))

    def rows(self, matrix: Matrix, begin: int = 0, end: int | None = None) -> Floats:
        """Returns rows ``begin`` to ``end`` of the product with ``matrix``, (rows, width) float32."""
        end = len(self) if end is None else end
        made = np.zeros((end - begin, matrix.shape[1]), np.float32)
        widest = int(np.diff(self.starts[begin : end + 1]).max(initial=1))
        step = max(1, _BLOCK // matrix.shape[1] // widest)
        for first in range(begin, end, step):
            last = min(first + step, end)
            self._add(matrix, first, last, made[first - begin : last - begin])
        return made

    def _add(self, matrix: Matrix, first: int, last: int, made: Floats) -> None:
        part = slice(self.starts[first], self.starts[last])
        if part.start == part.stop:
            return
        terms = matrix.take(self.ids[part]) * self.weights[part, None]
        counts = np.diff(self.starts[first : last + 1])
        filled = counts > 0
        made[filled] = np.add.reduceat(terms, (self.starts[first:last] - part.start)[filled], axis=0)
