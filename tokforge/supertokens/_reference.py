"""The slow twins: each learner as it is defined, on the whole text, recounting before every merge."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

Merge = tuple[int, int, int]
Sequences = list[tuple[list[int], int]]


def allowed(token: bytes, rules: Mapping[str, Any]) -> bool:
    """The veto rules, on the bytes of a new token."""
    words = [word for word in token.split(b" ") if word]
    digits = sum(byte in b"0123456789" for byte in token)
    return (
        (rules["max_words"] is None or len(words) <= rules["max_words"])
        and not any(text in token for text in rules["excluded"])
        and not (rules["digits_apart"] and 0 < digits < len(token))
    )


def merge_piece(ids: list[int], ranks: Mapping[tuple[int, int], tuple[int, int]]) -> list[int]:
    """Joins the adjacent pair of lowest rank, leftmost on a tie, until no pair has a rank."""
    while ranked := [(ranks[pair][0], at) for at, pair in enumerate(pairwise(ids)) if pair in ranks]:
        _, at = min(ranked)
        ids = [*ids[:at], ranks[ids[at], ids[at + 1]][1], *ids[at + 2 :]]
    return ids


def superbpe_slow(
    pieces: Sequence[bytes], tokens: list[bytes], merges: Sequence[Merge], rules: Mapping[str, Any], size: int
) -> list[Merge]:
    """Applies ``merges`` to each piece of the coarse splitter, then goes on; ids are places in ``tokens``."""
    ids = {token: at for at, token in enumerate(tokens) if len(token) == 1}
    ranks = {(left, right): (rank, merged) for rank, (left, right, merged) in enumerate(merges)}
    counts = Counter(pieces)
    sequences = [(merge_piece([ids[bytes((b,))] for b in piece], ranks), n) for piece, n in counts.items()]
    return _go_on(sequences, tokens, rules, size, boundless=False)[0]


def boundless_slow(
    documents: Sequence[Sequence[list[int]]],
    eligible: set[int],
    tokens: list[bytes],
    rules: Mapping[str, Any],
    size: int,
) -> tuple[list[Merge], list[int]]:
    """Merges over maximal runs of pretokens that are one eligible token each.

    ``documents``: the ids of each pretoken. Returns the merges and their counts.
    """
    sequences: Sequences = []
    for document in documents:
        is_one = [len(pretoken) == 1 and pretoken[0] in eligible for pretoken in document]
        for one, group in groupby(zip(is_one, document, strict=True), key=lambda item: item[0]):
            if one:
                sequences.append(([pretoken[0] for _, pretoken in group], 1))
    return _go_on(sequences, tokens, rules, size, boundless=True)


def interleave_slow(words: Sequence[int], supers: Sequence[int], room: int) -> tuple[int, int]:
    """How many of two falling lists of counts fill ``room``, where the second wins if strictly greater."""
    events = [(-count, 0, at) for at, count in enumerate(words)] + [
        (-count, 1, at) for at, count in enumerate(supers)
    ]
    taken = sorted(events)[:room]
    return sum(kind == 0 for _, kind, _ in taken), sum(kind == 1 for _, kind, _ in taken)


def _go_on(
    sequences: Sequences, tokens: list[bytes], rules: Mapping[str, Any], size: int, *, boundless: bool
) -> tuple[list[Merge], list[int]]:
    tokens, learned, counted = list(tokens), [], []
    while len(tokens) < size:
        counts = _count(sequences, tokens, rules, overlap=not boundless)
        if not counts or max(counts.values()) < 2:
            break
        order = {pair: ((tokens[pair[0]], tokens[pair[1]]) if boundless else pair) for pair in counts}
        pair = min(counts, key=lambda pair: (-counts[pair], order[pair]))
        product = tokens[pair[0]] + tokens[pair[1]]
        merged = tokens.index(product) if product in tokens else len(tokens)
        if merged == len(tokens):
            tokens.append(product)
        learned.append((*pair, merged))
        counted.append(counts[pair])
        sequences = [(_replace(sequence, pair, merged), n) for sequence, n in sequences]
    return learned, counted


def _count(
    sequences: Sequences, tokens: list[bytes], rules: Mapping[str, Any], *, overlap: bool
) -> Counter[tuple[int, int]]:
    counts: Counter[tuple[int, int]] = Counter()
    for sequence, times in sequences:
        last = -2
        for at, pair in enumerate(pairwise(sequence)):
            doubled = last == at - 1 and pair[0] == pair[1] == sequence[at - 1]
            if overlap or not doubled:
                last = at
                if allowed(tokens[pair[0]] + tokens[pair[1]], rules):
                    counts[pair] += times
    return counts


def _replace(sequence: list[int], pair: tuple[int, int], merged: int) -> list[int]:
    replaced: list[int] = []
    at = 0
    while at < len(sequence):
        hit = tuple(sequence[at : at + 2]) == pair
        replaced.append(merged if hit else sequence[at])
        at += 1 + hit
    return replaced
