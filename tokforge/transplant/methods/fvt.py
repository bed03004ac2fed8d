"""A new row is the plain mean of its pieces' rows."""

import numpy as np

from tokforge.transplant.method import Method, Task, from_pieces
from tokforge.transplant.mix import Mix

__all__ = ["METHOD"]


def _compose(task: Task) -> Mix:
    return from_pieces(task, lambda pieces: np.ones(len(pieces)))


METHOD = Method(
    name="fvt",
    summary="the mean of the pieces' rows",
    source="Gee et al. 2022, Fast Vocabulary Transfer (2402.09977); as input and head of ReTok (2410.04335)",
    compose=_compose,
)
