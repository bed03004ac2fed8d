"""FOCUS: a new row is a convex combination of shared tokens, by sparsemax of their similarities.

The similarities come from vectors of tokens in the target's own segmentation of a text. The authors train
fastText; here they are the leading singular vectors of the positive pointwise mutual information of
neighbouring tokens (Levy and Goldberg 2014), which needs no other package and is the same for every run.
A token that the text lacks takes the mean of its pieces, where the authors draw at random.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tokforge.transplant.cooccurrence import cooccurrence_vectors
from tokforge.transplant.method import Method, Task
from tokforge.transplant.mix import Mix, Row
from tokforge.transplant.neighbours import nearest
from tokforge.transplant.plan import read_sample

__all__ = ["METHOD", "sparsemax"]

_MOST = 512
"""Similarities that are sorted: sparsemax gives weight to a few dozen."""


def sparsemax(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Returns the point of the simplex nearest to ``values``; source: Martins and Astudillo 2016,
    algorithm 1.

    Example:
        >>> sparsemax([1.0, 0.5, -1.0]).tolist()
        [0.75, 0.25, 0.0]
    """
    z = np.asarray(values, np.float64)
    ordered = -np.sort(-z)
    sums = np.cumsum(ordered) - 1
    size = int(np.flatnonzero(ordered * np.arange(1, len(z) + 1) > sums)[-1]) + 1
    return np.asarray(np.maximum(z - sums[size - 1] / size, 0))


def _compose(task: Task) -> Mix:
    return task.resources.once("focus", lambda: _mix(task))  # type: ignore[no-any-return]


def _mix(task: Task) -> Mix:
    resources, alignment = task.resources, task.alignment
    texts = read_sample(resources.text, resources.text_field)
    vectors = resources.once("co-occurrence", lambda: cooccurrence_vectors(alignment.new, texts))
    shared = alignment.shared
    anchors = shared[np.abs(vectors[shared[:, 0]]).max(1) > 0] if len(shared) else shared
    composed = alignment.composed
    if not len(anchors):
        return Mix.of(_mean(task.pieces(i)) for i in composed.tolist())
    count = min(_MOST, len(anchors))
    places, cosines = nearest(vectors[composed], vectors[anchors[:, 0]], count, resources.device)
    rows = []
    for at, new_id in enumerate(composed.tolist()):
        known = np.abs(vectors[new_id]).max() > 0
        rows.append(_row(anchors[places[at], 1], cosines[at]) if known else _mean(task.pieces(new_id)))
    return Mix.of(rows)


def _row(ids: npt.NDArray[np.int64], cosines: npt.NDArray[np.float32]) -> Row:
    weights = sparsemax(cosines)
    kept = weights > 0
    return ids[kept].tolist(), weights[kept].tolist()


def _mean(pieces: Sequence[int]) -> Row:
    return pieces, [1 / len(pieces)] * len(pieces)


METHOD = Method(
    name="focus",
    summary="shared tokens by sparsemax of similarities in a text",
    source="FOCUS (2305.14481); the vectors are PPMI's, not fastText's",
    compose=_compose,
    needs=("text",),
)
