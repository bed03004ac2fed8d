"""Vectors of tokens from which tokens stand beside them in a text: truncated SVD of shifted-positive PMI.

Definition: PMI(t, c) = log(n(t, c) N / (n(t) n(c))) within ``_WINDOW`` tokens, negative values 0, for the
``_CONTEXTS`` most frequent contexts; the vector of t is its row times the leading right singular vectors, at
unit length. Deterministic; time O(tokens x window) and one eigendecomposition of the contexts' matrix.
Source: Levy and Goldberg 2014, Neural Word Embedding as Implicit Matrix Factorization.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tokforge.transplant.neighbours import unit
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["cooccurrence_vectors"]

Floats = npt.NDArray[np.float32]
_WINDOW, _CONTEXTS, _WIDTH = 4, 2048, 100


def cooccurrence_vectors(vocabulary: Vocabulary, texts: Sequence[str]) -> Floats:
    """Returns (ids, width) unit vectors; zero for tokens that the texts lack."""
    streams = [np.array(vocabulary.encode(text), np.int64) for text in texts]
    counts = _counts(streams, len(vocabulary))
    totals, contexts = counts.sum(1, keepdims=True), counts.sum(0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        pmi = np.log(counts * counts.sum() / (totals * contexts))
    positive = np.where(np.isfinite(pmi) & (pmi > 0), pmi, 0).astype(np.float32)
    _, directions = np.linalg.eigh(positive.T @ positive)
    return unit(positive @ directions[:, : -_WIDTH - 1 : -1])


def _counts(streams: Sequence[npt.NDArray[np.int64]], size: int) -> npt.NDArray[np.float64]:
    used = np.bincount(np.concatenate([np.zeros(0, np.int64), *streams]), minlength=size)
    common = np.argsort(-used, kind="stable")[: min(_CONTEXTS, size)]
    place = np.full(size, -1)
    place[common] = np.arange(len(common))
    flat = np.zeros(size * len(common))
    for ids in streams:
        for apart in range(1, _WINDOW + 1):
            for left, right in ((ids[:-apart], ids[apart:]), (ids[apart:], ids[:-apart])):
                kept = place[right] >= 0
                flat += np.bincount(left[kept] * len(common) + place[right[kept]], minlength=len(flat))
    return flat.reshape(size, len(common))
