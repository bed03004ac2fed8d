"""Given words: how many are single tokens, and whether tokens end where morphemes do.

Offsets are bytes; a word is encoded alone and after a space, whose byte is not the word's. Sources:
STRR, arXiv 2510.09947 (single-token retention); MorphScore, arXiv 2411.14198 (boundary recall; there
over decoded strings, here over bytes, and with single-token words counted as no boundary found).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tokforge.errors import InputError
from tokforge.metrics.offsets import starts_in
from tokforge.tokenizer import Tokenizer

__all__ = ["Morphemes", "Retention", "morpheme_agreement", "parse_morphemes", "parse_words", "retention"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """Share of a word list that is kept whole."""

    words: int
    bare: float
    """Share that is one token at the start of a text."""
    spaced: float
    """Share that is one token after a space, the space in it or before it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Morphemes:
    """Agreement of inner token boundaries with inner morpheme boundaries, of words after a space."""

    words: int
    precision: float | None
    recall: float | None
    f1: float | None


def parse_words(data: bytes, where: str) -> list[str]:
    """Reads one word a line. Raises InputError for what is not UTF-8 or holds no word."""
    words = [line.strip() for line in _text(data, where).splitlines() if line.strip()]
    if not words:
        raise InputError("holds no word", "write one word a line", where)
    return words


def parse_morphemes(data: bytes, where: str) -> list[list[str]]:
    """Reads one word a line, its morphemes separated by spaces. Raises InputError as `parse_words`."""
    return [line.split() for line in parse_words(data, where)]


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 at byte {error.start}", "save it as UTF-8", where) from error


def retention(tokenizer: Tokenizer, words: Sequence[str]) -> Retention:
    """Returns the shares of ``words`` without a token boundary inside."""
    whole = [[not _inner(tokenizer, before + word, len(before)) for before in ("", " ")] for word in words]
    bare, spaced = (sum(column) / len(words) for column in zip(*whole, strict=True))
    return Retention(words=len(words), bare=bare, spaced=spaced)


def morpheme_agreement(tokenizer: Tokenizer, words: Sequence[Sequence[str]]) -> Morphemes:
    """Returns precision, recall and F1 of the inner boundaries over all ``words``."""
    hits = cut = gold = 0
    for morphemes in words:
        expected, at = set(), 0
        for morpheme in morphemes[:-1]:
            at += len(morpheme.encode())
            expected.add(at)
        found = _inner(tokenizer, " " + "".join(morphemes), 1)
        hits, cut, gold = hits + len(found & expected), cut + len(found), gold + len(expected)
    precision, recall = hits / cut if cut else None, hits / gold if gold else None
    f1 = 2 * hits / (cut + gold) if cut + gold else None
    return Morphemes(words=len(words), precision=precision, recall=recall, f1=f1)


def _inner(tokenizer: Tokenizer, text: str, first: int) -> set[int]:
    """Returns the token starts inside ``text[first:]``, counted in bytes from there."""
    return {start - first for start in starts_in(tokenizer, text.encode()) if start > first}
