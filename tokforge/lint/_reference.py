"""The slow twin of `reachability`: byte-pair encoding word for word, one token at a time."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

__all__ = ["encode_slow", "unreachable_slow"]


def unreachable_slow(
    tokens: Sequence[bytes], merges: Iterable[tuple[bytes, bytes]], *, characters: bool = False
) -> set[bytes]:
    """Returns the tokens that do not encode to themselves."""
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    return {token for token in tokens if encode_slow(token, ranks, characters=characters) != [token]}


def encode_slow(
    token: bytes, ranks: dict[tuple[bytes, bytes], int], *, characters: bool = False
) -> list[bytes]:
    """Merges the pair of the lowest rank, leftmost first, until none is left; quadratic on purpose."""
    parts = [char.encode() for char in token.decode()] if characters else [bytes((value,)) for value in token]
    while True:
        pairs = [(ranks[pair], at) for at, pair in enumerate(pairwise(parts)) if pair in ranks]
        if not pairs:
            return parts
        _, at = min(pairs)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
