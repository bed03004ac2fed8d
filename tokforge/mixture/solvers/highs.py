"""HiGHS through highspy: a dual simplex that keeps its basis while rows and columns arrive.

A new row comes with multiplier 0 and a new slack with reduced cost equal to its cost, so the old basis
stays dual feasible, and each round restarts in phase 2. Source: HiGHS documentation, ERGO-Code/HiGHS#617.
"""

from typing import Any

import highspy
import numpy as np

from tokforge.mixture.history import Columns, Floats
from tokforge.mixture.solvers._status import not_solved

__all__ = ["HighsModel"]


class HighsModel:
    """The growing programme inside one HiGHS instance."""

    def __init__(self, shares: int) -> None:
        self._n, self._slacks = shares, 0
        highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self._highs = highs
        highs.setOptionValue("output_flag", False)
        highs.setOptionValue("simplex_strategy", 1)  # else HiGHS may choose primal, and lose the warm start
        highs.setOptionValue("threads", 1)
        self._add_columns(np.zeros(shares))
        highs.addRow(1.0, 1.0, shares, np.arange(shares, dtype=np.int32), np.ones(shares))

    def add_slacks(self, costs: Floats) -> None:
        self._add_columns(costs)
        self._slacks += len(costs)

    def add_rows(self, coefficients: Floats, first: Columns, second: Columns) -> None:
        rows, n = coefficients.shape
        index = np.empty((rows, n + 2), np.int32)
        index[:, :n], index[:, n], index[:, n + 1] = np.arange(n), first + n, second + n
        values = np.ones((rows, n + 2))
        values[:, :n] = coefficients
        kept = values != 0
        starts = np.concatenate([[0], kept.sum(1).cumsum()[:-1]]).astype(np.int32)
        self._highs.addRows(
            rows, np.zeros(rows), np.full(rows, highspy.kHighsInf),
            int(kept.sum()), starts, index[kept], values[kept],
        )  # fmt: skip

    def solve(self) -> tuple[Floats, float]:
        self._run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self._highs.clearSolver()  # after many restarts a basis can fail: once more from nothing
            self._run()
        status = self._highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise not_solved("HiGHS", self._highs.modelStatusToString(status))
        values = np.array(self._highs.getSolution().col_value)
        return values, float(self._highs.getInfo().objective_function_value)

    def duals(self) -> Floats:
        return np.array(self._highs.getSolution().row_dual)[1:]

    def _run(self) -> None:
        self._highs.run()

    def _add_columns(self, costs: Floats) -> None:
        count, none = len(costs), np.zeros(0, np.int32)
        self._highs.addCols(
            count, np.asarray(costs, float), np.zeros(count), np.full(count, highspy.kHighsInf),
            0, np.zeros(count, np.int32), none, np.zeros(0),
        )  # fmt: skip
