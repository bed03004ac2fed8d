"""The twin of `indicators`: each number by its definition, the whole matrix at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["indicators"]

Floats = npt.NDArray[np.float64]


def indicators(matrix: Floats, unused: Sequence[int]) -> dict[str, list[float]]:
    """Returns the distances of every row to the mean of the ``unused`` rows that are not zero."""
    axis = np.linalg.svd(matrix - matrix.mean(axis=0), full_matrices=False)[2][0]
    without = np.array([row - (row @ axis) * axis for row in matrix])
    known = [i for i in unused if matrix[i].any()]
    mean, flat = matrix[known].mean(axis=0), without[known].mean(axis=0)
    return {
        "cosine": [_distance(row, mean) for row in matrix],
        "cosine_without_first_component": [_distance(row, flat) for row in without],
        "euclidean": [float(np.sqrt(((row - mean) ** 2).sum())) for row in matrix],
    }


def _distance(row: Floats, vector: Floats) -> float:
    if not row.any():
        return 0.0
    return float(1 - (row @ vector) / max(np.sqrt(row @ row) * np.sqrt(vector @ vector), 1e-6))
