"""The linear programme whose optimum is the mixture, solved by generating rows and columns as needed.

Definition, with s_p^(t) the mixed share of pair p in ppm after t merges and m(t) the merge of step t::

    min  sum_t c_t v_t + sum_p c_p v_p
    s.t. v_t + v_p + s_m(t)^(t) - s_p^(t) >= 0   for all t and p != m(t)
         v >= 0, a >= 0, sum a = 1

A row that is left out can only lower the optimum, so the value over some rows is a lower bound. With the
pairs' slacks as they are, or raised, the least step slacks that pay for the rest make a feasible point: its
cost is an upper bound. When a full sweep finds no violation above the tolerance the two meet: that is the
proof of optimality.

Why it is fast: a sweep charges what it finds to the pair at once, so that each of the later steps tells of
another pair, and only the worst step of a pair becomes a row (a pair that outranks one merge usually outranks
hundreds of neighbours, and its column mends them all). Such rows are nearly a matching of steps and pairs,
which is what the optimum's multipliers are. The first rounds look at every tenth step alone, until they gain
little. Rows that have become slack are dropped once they make up half of the programme, as long as the
optimum rises from drop to drop, which it can do only finitely often: with references that fit badly this is
five times faster.
Source: arXiv 2407.16607, section 3; Kelley's cutting planes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tokforge.inputs import Progress
from tokforge.mixture.history import PPM, Columns, Floats, History, Indices, Violations

__all__ = ["Model", "Rows", "Solution", "Solver", "lower_bound", "solve"]

_PER_STEP = 2
_FIRST_STRIDE = 10
_GAIN = 1.02
"""The optimum over every tenth step must rise by so much a round, or all steps are looked at."""
_FEW_ROWS = 1500
"""Programmes of fewer rows are not cleared of slack ones."""
_SLACK = 1e-6
_RISE = 1 + 1e-9
_LEAST_STRIDED = 300
"""Shorter lists are swept whole from the start."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Inequalities of the programme: R of them."""

    steps: Indices
    pairs: Indices
    coefficients: Floats
    """(R, n) - what each category adds to the merge's share less the pair's, in ppm."""


class Model(Protocol):
    """A linear programme that grows. Variables: n shares, then slacks in the order they were added."""

    def add_slacks(self, costs: Floats) -> None:
        """Adds non-negative variables with these costs."""

    def add_rows(self, coefficients: Floats, first: Columns, second: Columns) -> None:
        """Adds rows ``coefficients @ shares + slack[first] + slack[second] >= 0``; slacks count from 0."""

    def keep_rows(self, kept: npt.NDArray[np.bool_]) -> None:
        """Drops the rows where ``kept``, (R,), is False; none of them binds."""

    def solve(self) -> tuple[Floats, float]:
        """Returns the values of all variables and the optimum."""

    def duals(self) -> Floats:
        """Returns the multiplier of each row, 0 or more."""

    def stop_at(self, moment: float) -> None:
        """Lets `solve` raise TimeoutError behind this ``time.monotonic()``, if the solver can be stopped."""


Solver = Callable[[int], Model]
"""Makes the model of n shares, which sum to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Solution:
    """The optimum, with its proof."""

    shares: Floats
    """(n,) - shares of the initial pairs."""
    objective: float
    """Sum of all slacks, in ppm."""
    lower_bound: float
    """No shares do better than this."""
    upper_bound: float
    """These shares, with every violation paid for, cost no more than this."""
    step_slack: Floats
    """(T,) - large where a merge is over-represented in the training data."""
    pair_slack: Floats
    """(P,) - large where a pair is over-represented in the references, or could never be merged."""
    rows: Rows
    duals: Floats
    rounds: int
    optimal: bool
    """Whether a full sweep found no violation; False after an interruption."""

    @property
    def gap(self) -> float:
        """How far the bounds lie apart, relative to the upper one."""
        return (self.upper_bound - self.lower_bound) / max(self.upper_bound, 1e-12)


def solve(
    history: History,
    make_model: Solver,
    *,
    tolerance: float,
    start: Floats | None = None,
    barred: npt.NDArray[np.bool_] | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Solves the programme to optimality; after Ctrl-C, returns the best bound so far.

    Args:
        history: the counts.
        make_model: a solver of `tokforge.mixture.solvers`.
        tolerance: excess that is taken as none, in ppm.
        start: shares to sweep at first; equal ones if None. They do not change the optimum.
        barred: (P,) - pairs that the trainer could never have merged, and that do not compete.
        seconds: time after which the best bound so far is returned.
        progress: called with the phase "solve", steps settled so far and in all.
    """
    growth = _Growth(history, make_model, tolerance, start, barred)
    end = inf if seconds is None else time.monotonic() + seconds
    growth.model.stop_at(end)
    interrupted = False
    try:
        while growth.grow():
            if progress:
                progress("solve", growth.settled, history.steps)
            if time.monotonic() > end:
                raise TimeoutError
    except TimeoutError:
        interrupted = True
    except KeyboardInterrupt:
        interrupted = True
        if not growth.rounds:
            raise
    return growth.solution(optimal=not interrupted)


class _Growth:
    """The programme as far as it is generated."""

    def __init__(
        self,
        history: History,
        make_model: Solver,
        tolerance: float,
        start: Floats | None,
        barred: npt.NDArray[np.bool_] | None,
    ) -> None:
        n = history.categories
        self.history, self.tolerance = history, tolerance
        self.model = make_model(n)
        self.shares: Floats = np.full(n, 1 / n) if start is None else start
        self.step_slack, self.pair_slack = np.zeros(history.steps), np.zeros(len(history.pairs))
        self.handicap = np.zeros(len(history.pairs)) if barred is None else np.where(barred, 4 * PPM, 0.0)
        """(P,) - more than any pair's share, so that a barred one never outranks a merge."""
        self.step_column = np.full(history.steps, -1, np.int64)
        self.pair_column = np.full(len(history.pairs), -1, np.int64)
        self.columns, self.rounds, self.objective, self.settled = 0, 0, 0.0, 0
        self.stride = _FIRST_STRIDE if history.steps >= _LEAST_STRIDED else 1
        self.rows, self.duals = _no_rows(n), np.empty(0)
        self.cleared_rows, self.cleared_objective = _FEW_ROWS, 0.0
        self.keys = np.empty(0, np.uint64)
        """The (step, pair) of every row, ascending."""

    def grow(self) -> bool:
        """Adds what is violated and solves again; False when nothing is."""
        found = self._sweep()
        if not len(found.steps) and self.stride > 1:
            self.stride = 1
            found = self._sweep()
        if not len(found.steps):
            return False
        self.settled, before = int(found.steps[0]), self.objective
        self._add(found)
        values, self.objective = self.model.solve()
        self.duals = self.model.duals()
        self._read(values)
        self._clear()
        self.rounds += 1
        if self.objective < before * _GAIN:
            self.stride = 1
        return True

    def _sweep(self) -> Violations:
        """Finds what is violated and no row yet: what a solver leaves of a row is its own tolerance."""
        found = self.history.sweep(
            self.shares, self.step_slack, self.pair_slack + self.handicap,
            per_step=_PER_STEP, tolerance=self.tolerance, stride=self.stride, charged=True,
        )  # fmt: skip
        new = np.flatnonzero(~np.isin(_keys(found.steps, found.pairs), self.keys))[::-1]
        worst = np.sort(new[np.unique(found.pairs[new], return_index=True)[1]])  # the last of each pair
        return Violations(found.steps[worst], found.pairs[worst], found.excess[worst])

    def _add(self, found: Violations) -> None:
        steps, pairs = found.steps, found.pairs
        rows = Rows(steps, pairs, self.history.coefficients(steps, pairs))
        self._number(self.step_column, steps)
        self._number(self.pair_column, pairs)
        self.model.add_rows(rows.coefficients, self.step_column[steps], self.pair_column[pairs])
        self.rows = Rows(
            np.concatenate([self.rows.steps, steps]),
            np.concatenate([self.rows.pairs, pairs]),
            np.concatenate([self.rows.coefficients, rows.coefficients]),
        )
        self.keys = np.union1d(self.keys, _keys(steps, pairs))

    def _number(self, column: npt.NDArray[np.int64], used: Indices) -> None:
        """Gives a slack to those that have none yet."""
        new = np.unique(used[column[used] < 0])
        column[new] = self.columns + np.arange(len(new))
        self.columns += len(new)
        if len(new):
            self.model.add_slacks(np.ones(len(new)))

    def _read(self, values: Floats) -> None:
        n = self.history.categories
        shares = np.maximum(values[:n], 0.0)
        self.shares = shares / shares.sum()
        slacks = np.maximum(values[n:], 0.0)
        for slack, column in ((self.step_slack, self.step_column), (self.pair_slack, self.pair_column)):
            known = column >= 0
            slack[known] = slacks[column[known]]

    def _clear(self) -> None:
        """Drops the rows that no longer bind, once they are many."""
        rows = self.rows
        if len(rows.steps) < 2 * self.cleared_rows or self.objective <= self.cleared_objective * _RISE:
            return
        slack = self.step_slack[rows.steps] + self.pair_slack[rows.pairs]
        kept = (rows.coefficients @ self.shares + slack <= _SLACK) | (self.duals > 0)
        self.model.keep_rows(kept)
        self.rows, self.duals = (
            Rows(rows.steps[kept], rows.pairs[kept], rows.coefficients[kept]),
            self.duals[kept],
        )
        self.keys = np.unique(_keys(self.rows.steps, self.rows.pairs))
        self.cleared_rows, self.cleared_objective = max(len(self.keys), _FEW_ROWS), self.objective

    def solution(self, *, optimal: bool) -> Solution:
        rows = self.rows
        duals = np.zeros(len(rows.steps))  # those of an interrupted round came without
        duals[: len(self.duals)] = self.duals
        return Solution(
            shares=self.shares,
            objective=self.objective,
            lower_bound=lower_bound(rows, duals),
            upper_bound=self._upper_bound(),
            step_slack=self.step_slack,
            pair_slack=self.pair_slack,
            rows=rows,
            duals=duals,
            rounds=self.rounds,
            optimal=optimal,
        )

    def _upper_bound(self) -> float:
        """The cheaper of two feasible points: pairs' slacks as they are, or raised by the steps' worst."""
        slack, free = self.pair_slack + self.handicap, np.zeros(self.history.steps)
        charged = self._swept(self.step_slack, slack, charged=True)
        raised = np.bincount(charged.pairs, charged.excess, minlength=len(slack))
        return min(
            float((self.pair_slack + more).sum() + self._swept(free, slack + more).excess.sum())
            for more in (np.zeros(len(slack)), raised)
        )

    def _swept(self, step_slack: Floats, pair_slack: Floats, *, charged: bool = False) -> Violations:
        """The worst violation of every step, however small."""
        return self.history.sweep(
            self.shares, step_slack, pair_slack, per_step=1, tolerance=1e-9, charged=charged
        )


def _keys(steps: Indices, pairs: Indices) -> npt.NDArray[np.uint64]:
    return steps.astype(np.uint64) << np.uint64(32) | pairs


def _no_rows(n: int) -> Rows:
    return Rows(np.empty(0, np.uint32), np.empty(0, np.uint32), np.empty((0, n)))


def lower_bound(rows: Rows, duals: Floats) -> float:
    """Returns a bound on the optimum that holds whatever the solver did.

    Non-negative multipliers that sum to at most 1 over each step and each pair (a fractional matching)
    prove f(a) >= sum of multiplier x (pair's share - merge's share) for all shares a; over the simplex
    that is least at one of its corners.
    """
    if not len(rows.steps):
        return 0.0
    multipliers = np.maximum(duals, 0.0)
    for index in (rows.steps, rows.pairs):
        multipliers = multipliers / np.maximum(np.bincount(index, multipliers), 1.0)[index]
    return max(0.0, float(-(multipliers @ rows.coefficients).max()))
