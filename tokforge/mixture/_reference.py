"""The slow twin: every row and column of the programme written out, solved by scipy at once.

Words are lists of ids with counts by category; each merge rescans all of them. Quadratic on purpose.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from tokforge.mixture.history import PPM, Floats
from tokforge.tokenizer.model import Merge

__all__ = ["dense_optimum", "pair_counts"]

Pair = tuple[int, int]
Words = Sequence[Mapping[tuple[int, ...], int]]
"""For each category, word -> count."""


def pair_counts(words: Words) -> list[Counter[Pair]]:
    """Counts the windows of two in every word, by category."""
    counts = [Counter[Pair]() for _ in words]
    for total, category in zip(counts, words, strict=True):
        for word, count in category.items():
            for pair in pairwise(word):
                total[pair] += count
    return counts


def _merged(word: tuple[int, ...], merge: Merge) -> tuple[int, ...]:
    left, right, product = merge
    if len(word) < 2:
        return word
    if word[:2] == (left, right):
        return (product, *_merged(word[2:], merge))
    return (word[0], *_merged(word[1:], merge))


def _applied(words: Words, merge: Merge) -> Words:
    out = []
    for category in words:
        changed: Counter[tuple[int, ...]] = Counter()
        for word, count in category.items():
            changed[_merged(word, merge)] += count
        out.append(changed)
    return out


def _rows(words: Words, merges: Sequence[Merge]) -> tuple[list[tuple[int, Pair]], list[Floats]]:
    """Every (step, pair) with its coefficients; merges that no category holds make no rows."""
    totals = [max(sum(counts.values()), 1) for counts in pair_counts(words)]
    scale = np.array([PPM / total for total in totals])
    names, rows = [], []
    for step, merge in enumerate(merges):
        counts = pair_counts(words)
        own = np.array([count[merge[0], merge[1]] for count in counts])
        if own.any():
            for pair in sorted({pair for count in counts for pair in count if count[pair]} - {merge[:2]}):
                names.append((step, pair))
                rows.append((own - np.array([count[pair] for count in counts])) * scale)
        words = _applied(words, merge)
    return names, rows


def dense_optimum(words: Words, merges: Sequence[Merge]) -> tuple[Floats, float]:
    """Returns shares (n,) of an optimum, and the optimum itself in ppm."""
    from scipy.optimize import linprog

    names, rows = _rows(words, merges)
    n = len(words)
    steps = sorted({step for step, _ in names})
    pairs = sorted({pair for _, pair in names})
    left = np.zeros((len(names), n + len(steps) + len(pairs)))
    for at, (step, pair) in enumerate(names):
        left[at, :n] = rows[at]
        left[at, n + steps.index(step)] = left[at, n + len(steps) + pairs.index(pair)] = 1
    cost = np.concatenate([np.zeros(n), np.ones(len(steps) + len(pairs))])
    whole = np.concatenate([np.ones(n), np.zeros(len(steps) + len(pairs))])[None, :]
    kwargs = {"A_ub": -left, "b_ub": np.zeros(len(names))} if names else {}
    found = linprog(cost, A_eq=whole, b_eq=[1.0], bounds=(0, None), method="highs", **kwargs)
    return np.asarray(found.x[:n]), float(found.fun)
