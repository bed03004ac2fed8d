"""The slow twin of the trainer: BPE as it is defined, recounting every pair before every merge.

Each round costs the size of the corpus. Pairs are adjacencies, overlaps included (``aaa`` holds two
``aa``); a merge replaces from left to right, without overlaps.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

Merge = tuple[int, int, int]


def merge_piece(ids: list[int], ranks: Mapping[tuple[int, int], tuple[int, int]]) -> list[int]:
    """Joins the adjacent pair of lowest rank, leftmost on a tie, until no pair has a rank."""
    while ranked := [(ranks[pair][0], at) for at, pair in enumerate(pairwise(ids)) if pair in ranks]:
        _, at = min(ranked)
        ids = [*ids[:at], ranks[ids[at], ids[at + 1]][1], *ids[at + 2 :]]
    return ids


def learn_merges_slow(
    words: Mapping[bytes, int] | Iterable[bytes],
    *,
    byte_ids: Sequence[int],
    first_id: int,
    vocab_size: int,
    min_frequency: int = 2,
    max_token_bytes: int | None = None,
    merges: Sequence[Merge] = (),
    known: Sequence[bytes | None] = (),
) -> list[Merge]:
    """Returns merges (left, right, merged) in the order in which they are made.

    ``merges``: those to go on from, applied first, in their order; ``known``: the tokens there are by
    id, so that a new merge to the bytes of one of them makes that one, and no new id.
    """
    corpus = Counter(words) if not isinstance(words, Mapping) else words
    sequences = [([byte_ids[byte] for byte in word], count) for word, count in corpus.items()]
    tokens = {byte_ids[byte]: bytes((byte,)) for byte in range(256)}
    tokens |= {token_id: token for token_id, token in enumerate(known) if token}
    ranks = {(left, right): (rank, merged) for rank, (left, right, merged) in enumerate(merges)}
    sequences = [(merge_piece(sequence, ranks), count) for sequence, count in sequences]
    return learn_from_sequences_slow(
        sequences, tokens, first_id, vocab_size, min_frequency=min_frequency, max_token_bytes=max_token_bytes
    )


def learn_from_sequences_slow(
    sequences: Sequence[tuple[list[int], int]],
    known: Mapping[int, bytes],
    first_id: int,
    vocab_size: int,
    *,
    min_frequency: int = 2,
    max_token_bytes: int | None = None,
) -> list[Merge]:
    """Returns the merges learned on sequences of ids, each with its count; ``known``: the tokens by id."""
    tokens = dict(known)
    learned: list[Merge] = []
    while first_id < vocab_size:
        lengths = {token_id: len(token) for token_id, token in tokens.items()}
        counts = _count_pairs(sequences, lengths, max_token_bytes)
        if not counts:
            break
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        if counts[pair] < max(min_frequency, 1):
            break
        product = tokens[pair[0]] + tokens[pair[1]]
        merged = next((token_id for token_id, token in tokens.items() if token == product), first_id)
        first_id += merged == first_id
        tokens[merged] = product
        learned.append((*pair, merged))
        sequences = [(_replace(sequence, pair, merged), count) for sequence, count in sequences]
    return learned


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
