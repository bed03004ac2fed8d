"""Nearest rows by cosine, by blocked matrix products: no matrix of all pairs is ever held.

Ties: the lower id first. Complexity: O(new x old x width); memory a block of similarities. The twin,
`_reference.nearest`, sorts every similarity.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["nearest", "unit"]

Floats = npt.NDArray[np.float32]
_BLOCK_BYTES = 256 << 20


def unit(rows: Floats) -> Floats:
    """Returns rows of length 1; a zero row stays zero."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1), np.float32)


def nearest(
    queries: Floats, keys: Floats, count: int, device: str = "cpu"
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Returns the ``count`` rows of ``keys`` most similar to each query: indices and similarities, best
    first.

    Both are unit rows; there are at least ``count`` keys.
    """
    import torch

    table = torch.from_numpy(np.ascontiguousarray(keys.T)).to(device)
    indices = np.empty((len(queries), count), np.int64)
    found = np.empty((len(queries), count), np.float32)
    step = max(1, _BLOCK_BYTES // 4 // len(keys))
    for begin in range(0, len(queries), step):
        block = torch.from_numpy(queries[begin : begin + step]).to(device)
        values, places = _best(torch, block @ table, count)
        indices[begin : begin + step] = places.cpu().numpy()
        found[begin : begin + step] = values.cpu().numpy()
    return indices, found


def _best(torch: Any, similarities: Any, count: int) -> tuple[Any, Any]:
    values, places = torch.topk(similarities, count, dim=1)
    # topk leaves the order of equal values open: sort by id, then stably by value.
    order = torch.argsort(places, dim=1)
    values, places = values.gather(1, order), places.gather(1, order)
    order = torch.argsort(values, dim=1, descending=True, stable=True)
    return values.gather(1, order), places.gather(1, order)
