"""The model's own tokens as if they were new: each cut into shorter tokens of the same vocabulary.

A BPE token is cut where its last merge joined it, as if that merge had been dropped; each part is cut on with
probability ``again``. Other vocabularies have no merges: a token is cut at a place, drawn at random, where
both parts are tokens. So a rule that composes rows from pieces can be fitted, or judged, on rows that
are known. Linear in the vocabulary.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["resplit"]

Parts = Mapping[int, Sequence[tuple[int, int]]]


def resplit(vocabulary: Vocabulary, *, seed: int = 0, again: float = 0.3) -> dict[int, tuple[int, ...]]:
    """Returns id -> two or more ids that spell the same, for every token that can be cut."""
    rng = np.random.default_rng(seed)
    parts = _merge_parts(vocabulary) or _any_parts(vocabulary)
    return {i: _cut(i, parts, again, rng) for i in sorted(parts)}


def _cut(token: int, parts: Parts, again: float, rng: np.random.Generator) -> tuple[int, ...]:
    choices = parts[token]
    found: list[int] = []
    for part in choices[int(rng.integers(len(choices)))]:
        found += _cut(part, parts, again, rng) if part in parts and rng.random() < again else [part]
    return tuple(found)


def _merge_parts(vocabulary: Vocabulary) -> Parts:
    model = json.loads(vocabulary.data)["model"]
    vocab = model["vocab"]
    parts: dict[int, list[tuple[int, int]]] = {}
    for merge in model.get("merges") or ():
        left, right = merge.split(" ", 1) if isinstance(merge, str) else merge
        if left in vocab and right in vocab and left + right in vocab:
            parts.setdefault(vocab[left + right], [(vocab[left], vocab[right])])
    return parts


def _any_parts(vocabulary: Vocabulary) -> Parts:
    index = vocabulary.index
    parts: dict[int, list[tuple[int, int]]] = {}
    for i, key in enumerate(vocabulary.keys):
        cuts = (
            [(index.get(key[:at], -1), index.get(key[at:], -1)) for at in range(1, len(key))] if key else []
        )
        good = [cut for cut in cuts if min(cut) >= 0 and i not in cut]
        if good:
            parts[i] = good
    return parts
