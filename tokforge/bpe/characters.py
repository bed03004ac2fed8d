"""Whole characters before any pair: the most frequent ones become tokens, as SentencePiece's
``character_coverage`` has it, over bytes.

Counting pairs alone, a byte-level vocabulary of a script with thousands of characters leaves those that its
corpus holds seldom in two or three pieces, and elsewhere they are not seldom. A character costs one entry,
and the bytes in which characters agree one each (in Han about 1 in 20). Their merges come first, so any
library builds the characters before all else. O(characters).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tokforge.bpe.start import Start
from tokforge.tokenizer import forbidden_tokens

__all__ = ["covering_characters", "with_characters"]


def covering_characters(counts: Sequence[tuple[str, int]], coverage: float, min_frequency: int) -> list[str]:
    """Returns the fewest characters that make up ``coverage`` of all, less those below ``min_frequency``.

    Args:
        counts: each character's occurrences, falling.

    Example:
        >>> covering_characters([("的", 90), ("一", 9), ("龘", 1)], 0.99, 2)
        ['的', '一']
    """
    wanted = coverage * sum(count for _, count in counts)
    found, covered = [], 0
    for character, count in counts:
        if covered >= wanted or count < min_frequency:
            break
        found.append(character)
        covered += count
    return found


def with_characters(start: Start, characters: Iterable[str], vocab_size: int) -> Start:
    """Returns ``start`` with tokens for characters, in the order given.

    They take at most half of the entries that are free, so that a small vocabulary still learns pairs. A
    character that would spell a special token is left out.
    """
    tokens, merges = list(start.tokens), list(start.merges)
    ids = {token: at for at, token in enumerate(tokens) if token is not None}
    forbidden = set(forbidden_tokens(start.texts))
    most = len(tokens) + (vocab_size - len(tokens)) // 2
    for character in characters:
        spelt = character.encode()
        beginnings = [spelt[:end] for end in range(2, len(spelt) + 1)]
        new = [part for part in beginnings if part not in ids]
        if len(tokens) + len(new) > most:
            break
        if forbidden.intersection(new):
            continue
        for part in new:
            ids[part] = len(tokens)
            merges.append((ids[part[:-1]], ids[part[-1:]], len(tokens)))
            tokens.append(part)
    return replace(start, tokens=tuple(tokens), merges=tuple(merges))
