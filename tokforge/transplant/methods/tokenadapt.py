"""TokenAdapt: a local part from the token's pieces, a global part from its neighbours in meaning.

Local: weight of piece j is softmax over j of ``(u_j + l_j) / 2 / tau``, with ``u`` the softmax of the
cosines between
token and piece, and ``l_j`` the piece's share of the token's length. Global: the ``k`` nearest old tokens,
weight
softmax of ``cosine / tau``, those below ``threshold`` dropped and the rest made to sum to 1. The row is
``(1 - w) * local + w * global``; the part that exists where one fails.
Differences from the authors' code: tokens are matched by bytes, not by spelling; length is in bytes; the
similarities come from the embedder that is named in the result's label, and the published figures are for
nomic-embed-text-v2-moe.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tokforge.transplant.embedding import token_vectors
from tokforge.transplant.method import Method, Task, spelled
from tokforge.transplant.mix import Mix, Row
from tokforge.transplant.neighbours import nearest

__all__ = ["METHOD", "local_weights", "softmax"]

Floats = npt.NDArray[np.float64]
_EPSILON = 1e-5


def softmax(values: npt.ArrayLike, temperature: float = 1.0) -> Floats:
    """Returns the softmax of ``values / temperature`` over the last axis."""
    scaled = np.asarray(values, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def local_weights(cosines: Sequence[float], lengths: Sequence[int], temperature: float) -> Floats:
    """Returns the weights of a token's pieces from their similarity to it and their share of its length."""
    shares = np.asarray(lengths, np.float64) / sum(lengths)
    return softmax((softmax(cosines) + shares) / 2, temperature)


def _compose(task: Task) -> Mix:
    return task.resources.once("tokenadapt", lambda: _mix(task))  # type: ignore[no-any-return]


def _mix(task: Task) -> Mix:
    old, new = token_vectors(task)
    tau, share = task.number("tau") + _EPSILON, task.number("global")
    count = min(int(task.number("k")), len(old))
    if share > 0 and count:
        ids, cosines = nearest(new, old, count, task.resources.device)
    else:
        ids, cosines = np.empty((len(new), 0), np.int64), np.empty((len(new), 0), np.float32)
    rows = []
    for at, new_id in enumerate(task.alignment.composed.tolist()):
        near = _global(ids[at], cosines[at], tau, task.number("threshold"))
        rows.append(_join(_local(task, new_id, old, new[at], tau), near, share))
    return Mix.of(rows)


def _local(
    task: Task, new_id: int, old: npt.NDArray[np.float32], vector: npt.NDArray[np.float32], tau: float
) -> Row:
    pieces = task.pieces(new_id)
    if len(pieces) == 1:
        return pieces, (1.0,)
    cosines = [float(old[piece] @ vector) if piece < len(old) else 0.0 for piece in pieces]
    weights = local_weights(cosines, [len(spelled(task, piece)) for piece in pieces], tau)
    return pieces, weights.tolist()


def _global(
    ids: npt.NDArray[np.int64], cosines: npt.NDArray[np.float32], tau: float, threshold: float
) -> Row:
    kept = cosines >= threshold
    if not len(ids) or not kept.any() or not cosines.any():
        return (), ()
    weights = np.where(kept, softmax(cosines, tau), 0)
    return ids.tolist(), (weights / weights.sum()).tolist()


def _join(local: Row, near: Row, share: float) -> Row:
    if not near[0]:
        return local
    weights = [w * (1 - share) for w in local[1]] + [w * share for w in near[1]]
    return [*local[0], *near[0]], weights


METHOD = Method(
    name="tokenadapt",
    summary="pieces by similarity and length, and the nearest old tokens",
    source="TokenAdapt (2505.09738); tinycompany-ai/tokenadapt at 3f7ff1d",
    compose=_compose,
    options={"tau": 0.3, "k": 3, "global": 0.3, "threshold": 0.0},
    compares=True,
)
