"""HiGHS through highspy: a dual simplex that keeps its basis while rows and columns arrive.

A new row comes with multiplier 0 and a new slack with reduced cost equal to its cost, so the old basis
stays dual feasible, and each round restarts in phase 2. Source: HiGHS documentation, ERGO-Code/HiGHS#617.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt

from tokforge.mixture.history import Columns, Floats
from tokforge.mixture.solvers._status import not_solved

__all__ = ["HighsModel", "HighsRows"]


class _SilentHighs(highspy.Highs):
    """A HiGHS that never writes to standard output.

    highspy 1.16 prints a banner when its constructor enables callbacks, before ``output_flag`` can be set.
    """

    def enableCallbacks(self) -> None:
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


class HighsModel:
    """The growing programme inside one HiGHS instance."""

    def __init__(self, shares: int) -> None:
        self._n = shares
        highs: Any = _SilentHighs()  # type: ignore[no-untyped-call]
        self._highs = highs
        self._moment, self._cancelled = inf, False
        highs.cbSimplexInterrupt += self._asked
        highs.setOptionValue("simplex_strategy", 1)  # else HiGHS may choose primal, and lose the warm start
        highs.setOptionValue("threads", 1)
        self._add_columns(np.zeros(shares))
        highs.addRow(1.0, 1.0, shares, np.arange(shares, dtype=np.int32), np.ones(shares))

    def stop_at(self, moment: float) -> None:
        """Lets `solve` raise TimeoutError behind this ``time.monotonic()``."""
        self._moment = moment

    def add_slacks(self, costs: Floats) -> None:
        """Adds non-negative variables with these costs."""
        self._add_columns(costs)

    def add_rows(self, coefficients: Floats, first: Columns, second: Columns) -> None:
        """Adds rows over the shares and two slacks each."""
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

    def keep_rows(self, kept: npt.NDArray[np.bool_]) -> None:
        """Drops the other rows. They do not bind, so their slacks are basic, and the basis stays valid."""
        dropped = np.flatnonzero(~kept).astype(np.int32) + 1
        if len(dropped):
            self._highs.deleteRows(len(dropped), dropped)

    def solve(self) -> tuple[Floats, float]:
        """Returns the values of all variables and the optimum; raises ConfigError if the solver fails."""
        with self._interruptible():
            self._highs.run()
            status = self._highs.getModelStatus()
            if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInterrupt):
                self._highs.clearSolver()  # after many restarts a basis can fail: once more from nothing
                self._highs.run()
        status = self._highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise not_solved("HiGHS", self._highs.modelStatusToString(status))
        values = np.array(self._highs.getSolution().col_value)
        return values, float(self._highs.getInfo().objective_function_value)

    def _asked(self, event: Any) -> None:
        """HiGHS asks now and then whether to go on."""
        if self._cancelled or time.monotonic() > self._moment:
            event.interrupt()

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C stops the solver at its next question and is raised then: no exception crosses HiGHS."""
        main = threading.current_thread() is threading.main_thread()
        handler = signal.getsignal(signal.SIGINT)
        own = main and callable(handler)
        if own:
            signal.signal(signal.SIGINT, self._cancel)
        try:
            yield
        finally:
            if own:
                signal.signal(signal.SIGINT, handler)
        if self._cancelled:
            raise KeyboardInterrupt
        if self._highs.getModelStatus() == highspy.HighsModelStatus.kInterrupt:
            raise TimeoutError

    def _cancel(self, *_: object) -> None:
        self._cancelled = True

    def duals(self) -> Floats:
        """Returns the multiplier of each row."""
        return np.array(self._highs.getSolution().row_dual)[1:]

    def _add_columns(self, costs: Floats) -> None:
        count, none = len(costs), np.zeros(0, np.int32)
        self._highs.addCols(
            count, np.asarray(costs, float), np.zeros(count), np.full(count, highspy.kHighsInf),
            0, np.zeros(count, np.int32), none, np.zeros(0),
        )  # fmt: skip


class HighsRows:
    """A programme over fixed rows, solved again and again: for other counts, or for the extremes of shares.

    Every solve starts from the basis of the last: near its optimum, a few pivots are left.
    """

    def __init__(self, coefficients: Floats, first: Columns, second: Columns, slacks: int) -> None:
        self._n, self._first, self._second, self._slacks = coefficients.shape[1], first, second, slacks
        self._load(coefficients)

    def solve(self, coefficients: Floats) -> Floats:
        """Returns the shares (n,) at the optimum for other coefficients of the same rows."""
        basis = self._model._highs.getBasis()
        self._load(coefficients)
        if basis.valid:
            self._model._highs.setBasis(basis)
        return self._shares()

    def extremes(self, times: float) -> Floats:
        """Returns (n, 2): the least and the largest each share can be at ``times`` the optimum."""
        budget = self._model.solve()[1] * times + 1e-6
        highs, n = self._model._highs, self._n
        highs.setOptionValue("simplex_strategy", 4)  # primal: the optimum stays feasible, its costs change
        slacks = np.arange(n, n + self._slacks, dtype=np.int32)
        highs.addRow(-highspy.kHighsInf, budget, len(slacks), slacks, np.ones(len(slacks)))
        highs.changeColsCost(len(slacks), slacks, np.zeros(len(slacks)))
        found = np.empty((n, 2))
        for share in range(n):
            for side, cost in enumerate((1.0, -1.0)):
                highs.changeColCost(share, cost)
                found[share, side] = self._model.solve()[0][share]
            highs.changeColCost(share, 0.0)
        return found

    def _load(self, coefficients: Floats) -> None:
        self._model = HighsModel(self._n)
        self._model.add_slacks(np.ones(self._slacks))
        self._model.add_rows(coefficients, self._first, self._second)

    def _shares(self) -> Floats:
        shares = np.maximum(self._model.solve()[0][: self._n], 0.0)
        return np.asarray(shares / shares.sum())
