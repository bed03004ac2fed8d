"""Rows and slacks held as arrays, for solvers that take a programme only whole."""

import numpy as np
import numpy.typing as npt

from tokforge.mixture.history import Columns, Floats

__all__ = ["Collected"]


class Collected:
    """The programme so far."""

    def __init__(self, shares: int) -> None:
        self.shares = shares
        self.costs: Floats = np.empty(0)
        self.coefficients: Floats = np.empty((0, shares))
        self.first = np.empty(0, np.int64)
        self.second = np.empty(0, np.int64)

    def stop_at(self, moment: float) -> None:
        """These solvers run to their end."""

    def add_slacks(self, costs: Floats) -> None:
        """Adds non-negative variables with these costs."""
        self.costs = np.concatenate([self.costs, costs])

    def add_rows(self, coefficients: Floats, first: Columns, second: Columns) -> None:
        """Adds rows over the shares and two slacks each."""
        self.coefficients = np.concatenate([self.coefficients, coefficients])
        self.first = np.concatenate([self.first, first])
        self.second = np.concatenate([self.second, second])

    def keep_rows(self, kept: npt.NDArray[np.bool_]) -> None:
        """Drops the other rows."""
        self.coefficients = self.coefficients[kept]
        self.first, self.second = self.first[kept], self.second[kept]
