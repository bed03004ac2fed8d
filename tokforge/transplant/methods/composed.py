"""Ours: the length-weighted mean, shrunk, plus a correction learned from the model's own vocabulary.

row = mean + shrink * (l - mean) + step * W [l - mean, first - mean, last - mean], where l is the mean of
the pieces weighed by length, and W is fitted to what that rule gets wrong on the model's own tokens, cut
by dropped
merges. Input and head are fitted apart; tied rows once. Shrinking to the mean row lowers the logits of
new tokens, which take probability from the shared ones in proportion to their pieces' frequency.
Measured: the correction makes rows nearer to known ones and predictions worse, so its step is 0 unless
it is asked for; then nothing is fitted.
"""

from collections.abc import Sequence

import numpy as np

from tokforge.transplant.composition import featured, fit_composition, mixed
from tokforge.transplant.method import Dense, Method, Task

__all__ = ["METHOD"]


def _by_length(lengths: Sequence[int]) -> list[float]:
    return [length / sum(lengths) for length in lengths]


def _first(lengths: Sequence[int]) -> list[float]:
    return [1.0, *[0.0] * (len(lengths) - 1)]


def _last(lengths: Sequence[int]) -> list[float]:
    return [*[0.0] * (len(lengths) - 1), 1.0]


_FEATURES = (_by_length, _first, _last)


def _compose(task: Task) -> Dense:
    pieces = [task.pieces(i) for i in task.alignment.composed.tolist()]
    base, mixes = mixed(task, pieces, _by_length), [mixed(task, pieces, feature) for feature in _FEATURES]
    shrink, step = np.float32(task.number("shrink")), np.float32(task.number("step"))
    weights = step * fit_composition(task, _by_length, _FEATURES).weights if step else None

    def make(begin: int, end: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        rows = task.matrix.mean + shrink * (base.rows(task.matrix, begin, end) - task.matrix.mean)
        return rows if weights is None else rows + featured(task.matrix, mixes, begin, end) @ weights

    return Dense(len(base), make, base)


METHOD = Method(
    name="composed",
    summary="length-weighted and shrunk to the mean row; step adds a learned correction",
    source="tokforge; figures in docs/transplant.md",
    compose=_compose,
    options={"shrink": 0.85, "step": 0.0},
)
