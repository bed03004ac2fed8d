"""The rotation that carries a donor's rows of the shared tokens onto the model's, applied to the new tokens.

Both sides are centred on their shared tokens; the map is ``scale * R`` with R orthogonal (rows orthonormal
where
the donor is narrower). Least squares, by one singular value decomposition. A token that the donor lacks
takes the mean of its pieces.
"""

import numpy as np
import numpy.typing as npt

from tokforge.transplant.donor import donor_rows
from tokforge.transplant.method import Dense, Method, Task, from_pieces

__all__ = ["METHOD", "rotation"]

Floats = npt.NDArray[np.float32]


def rotation(source: Floats, target: Floats) -> Floats:
    """Returns the (source width, target width) map that carries ``source`` nearest to ``target``, both
    centred.
    """
    left, values, right = np.linalg.svd(source.T.astype(np.float64) @ target, full_matrices=False)
    scale = values.sum() / max(float((source.astype(np.float64) ** 2).sum()), 1e-30)
    return np.asarray(scale * left @ right, np.float32)


def _compose(task: Task) -> Dense:
    shared, new, known = donor_rows(task)
    own = task.matrix.take(task.alignment.shared[:, 1])
    centre, origin = shared.mean(0), own.mean(0)
    turn = rotation(shared - centre, own - origin)
    pieces = from_pieces(task, lambda ids: np.ones(len(ids)))

    def make(begin: int, end: int) -> Floats:
        rows = (new[begin:end] - centre) @ turn + origin
        return np.where(known[begin:end, None], rows, pieces.rows(task.matrix, begin, end)).astype(np.float32)

    return Dense(len(new), make)


METHOD = Method(
    name="procrustes",
    summary="a donor's rows, rotated onto the model's",
    source="Schoenemann 1966, as in WECHSEL (2112.06598) and SAVA (2504.17025)",
    compose=_compose,
    needs=("donor",),
)
