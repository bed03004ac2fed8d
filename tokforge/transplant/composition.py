"""A linear rule from pieces to a row, fitted by ridge regression on the model's own tokens.

Each of the model's tokens that can be cut gives one example (`resplit`): features are sums of its pieces'
rows, less
the mean row, the target is its own row less the base rule's. The penalty is the one, of a few, with the
least error on a tenth of the tokens, whole families of which are held out by hash of the token. Time
O(examples x features^2 + features^3); the features' second moments are summed block by block.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tokforge.transplant.method import Task, spelled
from tokforge.transplant.mix import Matrix, Mix
from tokforge.transplant.resplit import resplit

__all__ = ["Composition", "Feature", "featured", "fit_composition", "mixed"]

Floats = npt.NDArray[np.float32]
Feature = Callable[[Sequence[int]], Sequence[float]]
"""Lengths of the pieces -> their weights."""
_BLOCK = 4096
_PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
_HELD_OUT = 10


@dataclass(frozen=True)
class Composition:
    """row = mean + base + features @ weights, all less the mean row."""

    weights: Floats
    """(features x width, width)"""
    penalty: float
    error: float
    """Squared error on held-out tokens, as a part of the base rule's."""


def featured(matrix: Matrix, mixes: Sequence[Mix], begin: int, end: int) -> Floats:
    """Returns (rows, features x width): each mix' rows less the mean row, side by side."""
    return np.concatenate([mix.rows(matrix, begin, end) - matrix.mean for mix in mixes], axis=1)


def fit_composition(task: Task, base: Feature, features: Sequence[Feature]) -> Composition:
    """Fits the rule to the model's own tokens; without any that can be cut, the base rule alone."""
    cut = resplit(task.alignment.old, seed=task.resources.seed)
    ids = np.array([i for i in cut if i < task.matrix.shape[0]], np.int64)
    width = task.matrix.shape[1] * len(features)
    if not len(ids):
        return Composition(np.zeros((width, task.matrix.shape[1]), np.float32), 0.0, 1.0)
    pieces = [cut[int(i)] for i in ids]
    rule, mixes = mixed(task, pieces, base), [mixed(task, pieces, feature) for feature in features]
    held = np.array([zlib.crc32(spelled(task, int(i))) % _HELD_OUT == 0 for i in ids])
    moments, products = (
        np.zeros((width, width), np.float32),
        np.zeros((width, task.matrix.shape[1]), np.float32),
    )
    for begin in range(0, len(ids), _BLOCK):
        x, y = _examples(task.matrix, ids, rule, mixes, begin)
        keep = ~held[begin : begin + _BLOCK]
        moments += x[keep].T @ x[keep]
        products += x[keep].T @ y[keep]
    solved = [(penalty, _solve(moments, products, penalty)) for penalty in _PENALTIES]
    errors = _errors(task.matrix, ids, rule, mixes, held, [weights for _, weights in solved])
    best = int(np.argmin(errors[:-1]))
    return Composition(solved[best][1], solved[best][0], errors[best] / max(errors[-1], 1e-30))


def mixed(task: Task, pieces: Sequence[Sequence[int]], feature: Feature) -> Mix:
    """Returns the mix that a feature makes of each token's pieces."""
    return Mix.of((ids, feature([len(spelled(task, i)) for i in ids])) for ids in pieces)


def _examples(
    matrix: Matrix, ids: npt.NDArray[np.int64], rule: Mix, mixes: Sequence[Mix], begin: int
) -> tuple[Floats, Floats]:
    end = min(begin + _BLOCK, len(ids))
    return featured(matrix, mixes, begin, end), matrix.take(ids[begin:end]) - rule.rows(matrix, begin, end)


def _solve(moments: Floats, products: Floats, penalty: float) -> Floats:
    ridge = penalty * float(np.trace(moments)) / len(moments)
    return np.asarray(
        np.linalg.solve(moments + ridge * np.eye(len(moments), dtype=np.float32), products), np.float32
    )


def _errors(
    matrix: Matrix,
    ids: npt.NDArray[np.int64],
    rule: Mix,
    mixes: Sequence[Mix],
    held: npt.NDArray[np.bool_],
    weights: Sequence[Floats],
) -> list[float]:
    """Returns the squared error of each solution on the held-out tokens, and last that of the base rule."""
    errors = np.zeros(len(weights) + 1)
    for begin in range(0, len(ids), _BLOCK):
        x, y = _examples(matrix, ids, rule, mixes, begin)
        x, y = x[held[begin : begin + _BLOCK]], y[held[begin : begin + _BLOCK]]
        errors[:-1] += [float(((y - x @ one) ** 2).sum()) for one in weights]
        errors[-1] += float((y**2).sum())
    return errors.tolist()
