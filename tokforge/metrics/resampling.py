"""How sure a figure is: intervals by bootstrap over documents, and a paired test of two tokenizers.

Documents are drawn with replacement within their category, the same draw for every tokenizer, so that
differences are paired. The test exchanges the two tokenizers of each document at random (a sign flip of
the difference), which needs no assumption on its distribution. Both are deterministic for a seed.
Sources: Efron 1979; Koehn 2004 (paired bootstrap); Fisher's permutation test.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["LEAST_DOCUMENTS", "LEAST_RESAMPLES", "LEVEL", "draws", "interval", "sign_flip_p"]

Array: TypeAlias = npt.NDArray[Any]

LEVEL = 0.95
LEAST_RESAMPLES = 39
"""With fewer, neither 2.5% tail of an interval holds a draw."""
LEAST_DOCUMENTS = 6
"""Of n documents that differ, no sign flip has a p-value below 2 / 2**n: five give 0.06 at best."""
_BLOCK = 2_000_000  # weights made at once: bounds memory however many documents there are


def draws(values: Array, categories: Array, *, resamples: int, seed: int) -> Array:
    """Returns (resamples, columns): the column sums of each draw of documents.

    Shapes:
        values: (documents, columns) - what is summed.
        categories: (documents,) int - documents are drawn within each.
    """
    generator = np.random.default_rng(seed)
    sums = np.zeros((resamples, values.shape[1]))
    for category in np.unique(categories):
        rows = values[categories == category].astype(np.float64)
        step = max(1, _BLOCK // len(rows))
        for at in range(0, resamples, step):
            sums[at : at + step] += _weights(generator, min(step, resamples - at), len(rows)) @ rows
    return sums


def _weights(generator: np.random.Generator, count: int, documents: int) -> Array:
    """Returns (count, documents): how often each document is drawn; rows sum to ``documents``."""
    chosen = generator.integers(0, documents, (count, documents))
    flat = chosen + np.arange(count)[:, None] * documents
    return np.bincount(flat.ravel(), minlength=count * documents).reshape(count, documents).astype(np.float64)


def interval(samples: Array) -> tuple[float, float]:
    """Returns the central 95% of ``samples`` (draws,)."""
    low, high = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def sign_flip_p(differences: Array, *, resamples: int, seed: int) -> float:
    """Returns the two-sided p-value of the sum of ``differences`` (documents,) being zero.

    Never 0: with R flips the least is 1 / (R + 1).
    """
    nonzero = differences[differences != 0].astype(np.float64)
    if not nonzero.size:
        return 1.0
    generator = np.random.default_rng(seed)
    observed = abs(nonzero.sum()) * (1 - 1e-12)  # a sum in another order may differ in its last bit
    step, reached = max(1, _BLOCK // nonzero.size), 0
    for at in range(0, resamples, step):
        signs = generator.integers(0, 2, (min(step, resamples - at), nonzero.size), np.int8) * 2 - 1
        reached += int((np.abs(signs @ nonzero) >= observed).sum())
    return (reached + 1) / (resamples + 1)
