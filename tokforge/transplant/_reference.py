"""Slow twins of what is done in blocks: each is its definition, one token at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["mix_row", "nearest", "pursue_one", "simplex_point", "tokenadapt_row"]

Floats = npt.NDArray[np.float64]


def mix_row(matrix: Floats, ids: Sequence[int], weights: Sequence[float]) -> Floats:
    """Returns the weighted sum of rows; the id after the last is the mean row."""
    table = np.vstack([matrix, matrix.mean(0)])
    return np.asarray(sum(weight * table[i] for i, weight in zip(ids, weights, strict=True)))


def nearest(query: Floats, keys: Floats, count: int) -> list[int]:
    """Returns the indices of the most similar keys, best first, the lower index on a tie."""
    return sorted(range(len(keys)), key=lambda i: (-float(keys[i] @ query), i))[:count]


def simplex_point(values: Sequence[float]) -> Floats:
    """Returns the nearest point of the simplex by bisection of the threshold: sparsemax."""
    z = np.asarray(values, np.float64)
    low, high = z.max() - 1, z.max()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(z - middle, 0).sum() > 1 else (low, middle)
    return np.asarray(np.maximum(z - low, 0))


def pursue_one(target: Floats, atoms: Floats, k: int) -> dict[int, float]:
    """Returns atom -> coefficient after ``k`` steps of orthogonal matching pursuit, by least squares each
    time.
    """
    taken: list[int] = []
    found: npt.NDArray[np.floating[Any]] = np.zeros(0)
    residual = target
    for _ in range(k):
        scores = np.abs(atoms @ residual)
        scores[taken] = -1
        taken.append(int(scores.argmax()))
        found = np.linalg.lstsq(atoms[taken].T, target, rcond=None)[0]
        residual = target - atoms[taken].T @ found
    return dict(zip(taken, found.tolist(), strict=True))


def tokenadapt_row(
    matrix: Floats,
    vectors: Floats,
    token: Floats,
    pieces: Sequence[int],
    lengths: Sequence[int],
    *,
    tau: float,
    k: int,
    share: float,
) -> Floats:
    """Returns TokenAdapt's row by its formulas: ``vectors`` and ``token`` are unit vectors."""
    cosines = np.array([vectors[i] @ token for i in pieces])
    alike = np.exp(cosines) / np.exp(cosines).sum()
    scores = (alike + np.array(lengths) / sum(lengths)) / 2
    local = np.exp(scores / tau) / np.exp(scores / tau).sum()
    near = nearest(token, vectors, k)
    powers = np.exp(np.array([vectors[i] @ token for i in near]) / tau)
    row = (1 - share) * local @ matrix[list(pieces)] + share * (powers / powers.sum()) @ matrix[near]
    return np.asarray(row)
