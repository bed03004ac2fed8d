"""Pieces weighed by their place: what a model reads hangs on the last piece, what it predicts on the first.

``adaptivocab``: input weights e^(2i), output e^(-2i) for piece i. ``eeve``: input the plain mean, output the
first piece. ``ends``: input the last piece, output the first. Tied rows take the mean of both rules.
"""

import numpy as np
import numpy.typing as npt

from tokforge.errors import pick
from tokforge.transplant.method import Method, Side, Task, from_pieces
from tokforge.transplant.mix import Mix

__all__ = ["METHOD"]

_RATE = 2.0


def _exponential(count: int, side: Side) -> npt.NDArray[np.float64]:
    sign = _RATE if side == "input" else -_RATE
    place = np.arange(count) - (count - 1 if side == "input" else 0)  # the largest exponent is 0
    return np.asarray(np.exp(sign * place))


def _eeve(count: int, side: Side) -> npt.NDArray[np.float64]:
    return np.ones(count) if side == "input" else np.asarray(np.eye(count)[0])


def _ends(count: int, side: Side) -> npt.NDArray[np.float64]:
    return np.asarray(np.eye(count)[-1 if side == "input" else 0])


_VARIANTS = {"adaptivocab": _exponential, "eeve": _eeve, "ends": _ends}


def _compose(task: Task) -> Mix:
    rule = pick("variant", str(task.options["variant"]), _VARIANTS)

    def weigh(pieces: tuple[int, ...]) -> npt.NDArray[np.float64]:
        sides: tuple[Side, ...] = ("input", "output") if task.side == "tied" else (task.side,)
        shares = [rule(len(pieces), side) for side in sides]
        return np.asarray(sum(share / share.sum() for share in shares))

    return from_pieces(task, weigh)


METHOD = Method(
    name="position-weighted",
    summary="pieces weighed by place: the last for input, the first for output",
    source="AdaptiVocab (2503.19693); EEVE (2402.14714)",
    compose=_compose,
    options={"variant": "adaptivocab"},
)
