"""The slow twin of the trainer: BPE as it is defined, recounting every pair before every merge.

Each round costs the size of the corpus. Pairs are adjacencies, overlaps included (``aaa`` holds two
``aa``); a merge replaces from left to right, without overlaps.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

Merge = tuple[int, int, int]


def learn_merges_slow(
    words: Mapping[bytes, int] | Iterable[bytes],
    *,
    byte_ids: Sequence[int],
    first_id: int,
    vocab_size: int,
    min_frequency: int = 2,
    max_token_bytes: int | None = None,
) -> list[Merge]:
    """Returns merges (left, right, merged) in the order in which they are made."""
    corpus = Counter(words) if not isinstance(words, Mapping) else words
    sequences = [([byte_ids[byte] for byte in word], count) for word, count in corpus.items()]
    lengths = dict.fromkeys(byte_ids, 1)
    merges: list[Merge] = []
    for merged in range(first_id, vocab_size):
        counts = _count_pairs(sequences, lengths, max_token_bytes)
        if not counts:
            break
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        if counts[pair] < max(min_frequency, 1):
            break
        merges.append((*pair, merged))
        lengths[merged] = lengths[pair[0]] + lengths[pair[1]]
        sequences = [(_replace(sequence, pair, merged), count) for sequence, count in sequences]
    return merges


def _count_pairs(
    sequences: Sequence[tuple[list[int], int]], lengths: Mapping[int, int], most: int | None
) -> Counter[tuple[int, int]]:
    counts: Counter[tuple[int, int]] = Counter()
    for sequence, count in sequences:
        for left, right in pairwise(sequence):
            if most is None or lengths[left] + lengths[right] <= most:
                counts[left, right] += count
    return counts


def _replace(sequence: list[int], pair: tuple[int, int], merged: int) -> list[int]:
    replaced: list[int] = []
    at = 0
    while at < len(sequence):
        hit = tuple(sequence[at : at + 2]) == pair
        replaced.append(merged if hit else sequence[at])
        at += 1 + hit
    return replaced
