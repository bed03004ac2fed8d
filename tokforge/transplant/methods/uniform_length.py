"""Input: the plain mean of the pieces, stretched to the usual length of a row; output: weighed by length.

Input rows become ``c + (u - c) * nu / |u - c|`` with ``nu`` the median of ``|row - c|`` over the copied
rows. The
paper's ``c`` is 0 (``centre=zero``); where rows share a large mean, as in tied models, that blows up what the
mean of pieces has in common with every row, so ours is the mean row. Tied rows are not stretched.
"""

import numpy as np
import numpy.typing as npt

from tokforge.errors import pick
from tokforge.transplant.method import Dense, Method, Recipe, Task, from_pieces, spelled

__all__ = ["METHOD"]

_SAMPLE = 8192


def _compose(task: Task) -> Recipe:
    centre = pick(
        "centre", str(task.options["centre"]), {"mean": task.matrix.mean, "zero": 0 * task.matrix.mean}
    )
    if task.side != "input":
        return from_pieces(task, lambda pieces: [len(spelled(task, piece)) for piece in pieces])
    mix = from_pieces(task, lambda pieces: np.ones(len(pieces)))
    copied = task.alignment.origins[task.alignment.copied]
    sample = (
        copied[:: -(-len(copied) // _SAMPLE)]
        if len(copied)
        else np.arange(min(task.matrix.shape[0], _SAMPLE))
    )
    usual = float(np.median(np.linalg.norm(task.matrix.take(sample) - centre, axis=1)))

    def make(begin: int, end: int) -> npt.NDArray[np.float32]:
        away = mix.rows(task.matrix, begin, end) - centre
        length = np.linalg.norm(away, axis=1, keepdims=True)
        return np.asarray(centre + away * (usual / np.maximum(length, 1e-12)), np.float32)

    return Dense(len(mix), make, mix)


METHOD = Method(
    name="uniform-in-length-out",
    summary="input: mean of pieces at the usual norm; output: weighed by length",
    source="Beyond Initialization Loss (2608.03494); centre=mean is ours",
    compose=_compose,
    options={"centre": "mean"},
)
