"""Simpler guesses at a mixture, to be beaten: what accuracy is worth depends on what is free.

* uniform and random shares;
* TC, token classification: each token counts for the category in which it is the most frequent;
* TEE, token encoding efficiency: a tokenizer compresses what it was trained on. The bytes per token of
  each category, over those of a tokenizer trained on it alone, grow with its share; the slope of that
  relation is fitted on the other tokenizers of a simulation.
Source: arXiv 2407.16607, section 4 (its own TEE and TC differ in detail).
"""

import numpy as np

from tokforge.mixture.history import Floats, History

__all__ = ["encoding_efficiency", "fitted_efficiency", "token_classes"]


def token_classes(history: History) -> Floats:
    """Returns (n,): the part of the merges that are most frequent in each category."""
    shares = history.by_category(history.merge_counts) * history.scale
    present = shares[shares.any(1)]
    counts = np.bincount(present.argmax(1), minlength=shares.shape[1])
    return np.asarray(counts / max(counts.sum(), 1))


def encoding_efficiency(history: History) -> Floats:
    """Returns (n,): initial pairs per pair that is left after all merges (runs such as `aaa` aside)."""
    pairs = history.by_category(history.totals).astype(float)
    merged = history.by_category(history.merge_counts).sum(0)
    return np.asarray(pairs / np.maximum(pairs - merged, 1))


def fitted_efficiency(ratios: Floats, truths: Floats) -> Floats:
    """Returns (tokenizers, n) shares by TEE, each tokenizer's slope fitted on the others.

    Shapes: ``ratios`` (tokenizers, n), the efficiency over that of a tokenizer of the category alone;
    ``truths`` (tokenizers, n), the true shares.
    """
    x, y = np.log(np.maximum(ratios, 1e-9)), np.log(np.maximum(truths, 1e-6))
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    products, squares = (x * y).sum(1), (x * x).sum(1)
    slopes = (products.sum() - products) / np.maximum(squares.sum() - squares, 1e-12)
    guesses = np.exp(x * slopes[:, None])
    return np.asarray(guesses / guesses.sum(1, keepdims=True))
