"""Numbers that tell a trained row of an embedding from one that was left as it began.

Definition: with u the mean of the rows known to be unused, and c the first principal component of all rows,
the cosine distance to u, the same once every row's part along c is taken away, and the Euclidean distance
to u; of an input embedding also the length of each row. Invariant: memory is a block of rows and width^2
numbers, so a matrix of any height is read in two passes. Complexity: O(rows x width^2) for c. A row of zeros
has distance 0: nothing was ever added to it. The twin, `_reference.indicators`, holds the whole matrix.
Source: Land and Bartolo 2024, arXiv 2405.05417, section 3.1.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tokforge.audit.model_rows import Matrix

__all__ = ["equal_rows", "indicators", "lengths"]

Floats = npt.NDArray[np.float64]
_LEAST = 1e-6


def lengths(matrix: Matrix) -> Floats:
    """Returns (rows,): the Euclidean length of each row."""
    return np.concatenate([np.linalg.norm(block, axis=1).astype(np.float64) for _, block in matrix.blocks()])


def equal_rows(matrix: Matrix) -> list[int]:
    """Returns the ids of the rows, not zero, that equal another one bit for bit, ascending.

    Training moves a row by the contexts of its own token, so rows that are equal began so and saw none.
    """
    seen: dict[bytes, list[int]] = {}
    for begin, block in matrix.blocks():
        for at in np.flatnonzero(block.any(axis=1)).tolist():
            seen.setdefault(_digest(block[at]), []).append(begin + at)
    return sorted(i for ids in seen.values() if len(ids) > 1 for i in ids)


def _digest(row: npt.NDArray[np.float32]) -> bytes:
    from hashlib import blake2b

    return blake2b(np.ascontiguousarray(row).data, digest_size=16).digest()


def indicators(matrix: Matrix, unused: Sequence[int]) -> dict[str, Floats]:
    """Returns ``cosine``, ``cosine_without_first_component`` and ``euclidean`` distance, each (rows,).

    ``unused`` names at least one row that is not zero.
    """
    axis = _first_component(matrix)
    mean = np.mean(_rows(matrix, unused), axis=0)
    flat = mean - (mean @ axis) * axis
    found: dict[str, list[Floats]] = {"cosine": [], "cosine_without_first_component": [], "euclidean": []}
    for _, block in matrix.blocks():
        rows = block.astype(np.float64)
        found["cosine"].append(_cosine_distance(rows, mean))
        found["euclidean"].append(np.linalg.norm(rows - mean, axis=1))
        rows -= np.outer(rows @ axis, axis)
        found["cosine_without_first_component"].append(_cosine_distance(rows, flat))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _rows(matrix: Matrix, ids: Sequence[int]) -> Floats:
    """Returns the rows of ``ids`` that are not zero."""
    rows = np.concatenate([matrix.read(i, i + 1) for i in ids]).astype(np.float64)
    return rows[rows.any(axis=1)]


def _first_component(matrix: Matrix) -> Floats:
    """Returns the unit vector along which the rows vary most, from sums of squares."""
    total = np.zeros(matrix.width)
    squares = np.zeros((matrix.width, matrix.width))
    for _, block in matrix.blocks():
        total += block.sum(axis=0, dtype=np.float64)
        rows = block.astype(np.float64)
        squares += rows.T @ rows
    mean = total / matrix.rows
    return np.asarray(np.linalg.eigh(squares / matrix.rows - np.outer(mean, mean))[1][:, -1])


def _cosine_distance(rows: Floats, vector: Floats) -> Floats:
    sizes = np.linalg.norm(rows, axis=1)
    distance = 1 - rows @ vector / np.maximum(sizes * np.linalg.norm(vector), _LEAST)
    return np.where(sizes > 0, distance, 0.0)
