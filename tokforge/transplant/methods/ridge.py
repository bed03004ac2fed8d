"""A linear map of the pieces' mean, fitted on the model's own tokens: composition by ridge regression.

row = mean + M (u - mean), where u is the plain mean of the pieces; M is fitted on the model's tokens cut by
dropped merges. Input and head have maps of their own.
"""

from collections.abc import Sequence

import numpy as np

from tokforge.transplant.composition import featured, fit_composition, mixed
from tokforge.transplant.method import Dense, Method, Task

__all__ = ["METHOD"]


def _plain(lengths: Sequence[int]) -> list[float]:
    return [1 / len(lengths)] * len(lengths)


def _compose(task: Task) -> Dense:
    found = fit_composition(task, lambda lengths: [0.0] * len(lengths), [_plain])
    pieces = mixed(task, [task.pieces(i) for i in task.alignment.composed.tolist()], _plain)

    def make(begin: int, end: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return task.matrix.mean + featured(task.matrix, [pieces], begin, end) @ found.weights

    return Dense(len(pieces), make, pieces)


METHOD = Method(
    name="ridge",
    summary="a linear map of the pieces' mean, fitted on the model's own tokens",
    source="Hoerl and Kennard 1970; as composition of embeddings, Mimick (1707.06961) made linear",
    compose=_compose,
)
