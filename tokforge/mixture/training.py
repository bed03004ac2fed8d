"""Tokenizers of known mixtures, trained on counted words: for calibration and for simulation."""

import numpy as np

from tokforge.mixture.history import Floats
from tokforge.mixture.merge_list import MergeList
from tokforge.mixture.references import References, arrays_of

__all__ = ["train_mixed"]

BYTES = 256
_MIXED_PAIRS = 1e9
"""Counts are scaled to about so many pairs: shares are then exact to one in millions."""


def train_mixed(references: References, shares: Floats, steps: int) -> MergeList:
    """Trains ``steps`` merges on the words of ``references``, mixed in ``shares`` of initial pairs.

    Every category counts with all its words, however small its share: it is scaled, not sampled.
    """
    from tokforge import _core

    letters, word_ends, entry_ends, columns, counts = arrays_of(references.table)
    words = [bytes(word) for word in np.split(letters, word_ends[:-1].astype(np.int64))]
    lengths = np.diff(word_ends, prepend=0).astype(np.int64)
    entries = np.diff(entry_ends, prepend=0).astype(np.int64)
    category = columns // references.shards
    pairs = np.bincount(category, counts * np.repeat(np.maximum(lengths - 1, 0), entries), len(shares))
    weights = shares * _MIXED_PAIRS / np.maximum(pairs, 1)
    starts = np.concatenate([[0], entry_ends[:-1]]).astype(np.int64)
    mixed = np.add.reduceat(counts * weights[category], starts).round().astype(np.uint64)
    corpus = _core.WordCounts(_core.Splitter([]), 1)
    corpus.add_counts(words, mixed.tolist())
    tokens = [bytes((byte,)) for byte in range(BYTES)]
    training = _core.train(corpus, tokens=tokens, byte_ids=range(BYTES), vocab_size=BYTES + steps)
    lens = [1] * BYTES
    for left, right, merged in training.merges:
        if merged == len(tokens):  # else a second merge of one token
            tokens.append(tokens[left] + tokens[right])
            lens.append(len(tokens[merged]))
    return MergeList(
        merges=tuple(training.merges),
        lens=tuple(lens),
        byte_ids=tuple(range(BYTES)),
        tokens=tuple(tokens),
        all_merges=tuple(training.merges),
    )
