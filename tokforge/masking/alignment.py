"""Tokens and words -> units: the tokens that are masked together.

A token belongs to every word that its span overlaps, so the space in front of a byte-level token joins
nothing; tokens that share a word, or bytes of one character, are one unit; a superword's token makes one unit
of all its words; a token in no word is a unit of its own. Special tokens are in none. Units never cross from
one document of a packed example into the next. The engine does the joining; O(tokens + words).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.masking.segmenters import Spans, as_spans

__all__ = ["NO_UNIT", "WordAlignment", "align_words", "broken_at", "character_spans", "document_starts"]

NO_UNIT = -1
"""The unit of special tokens and padding."""
Units = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class WordAlignment:
    """Tokens by unit."""

    units: Units
    """(tokens,) - the unit of each token, ascending from 0; -1 for special tokens."""
    words_per_unit: npt.NDArray[np.uint32]
    """(units,) - 0 for a space or mark alone, above 1 where a token spans words."""


def align_words(
    offsets: npt.ArrayLike,
    words: Sequence[Spans],
    *,
    special: npt.ArrayLike,
    lengths: Sequence[int] = (),
    starts: npt.NDArray[np.bool_] | None = None,
) -> WordAlignment:
    """Aligns the tokens of an example with the words of its documents.

    Shapes:
        offsets: (tokens, 2) - each token's span in its own document, in the unit of ``words``.
        words: one (n, 2) for each document.
        special: (tokens,) - true for tokens that are in no document.
        lengths: the documents' lengths; not needed for one.
        starts: (tokens,) - true where a document begins; found from the offsets if None.
    Raises:
        ConfigError: spans are not in text order, or the documents found are not as many as ``words``.
    """
    from tokforge import _core

    placed = as_spans(offsets, "token spans")
    try:
        is_special = np.asarray(special, dtype=np.uint8)
        documents = [as_spans(one) for one in words]
    except (TypeError, ValueError) as error:
        raise ConfigError(
            "words or special marks are none", "give spans a document, a mark a token"
        ) from error
    if len(placed) != len(is_special):
        raise ConfigError(f"{len(placed)} tokens have {len(is_special)} special marks", "give each token one")
    if len(documents) == 1:
        shifted = documents[0]
    else:
        shifted, placed = _end_to_end(placed, is_special, documents, lengths, starts)
    units, counts = _core.align_words(placed.ravel(), is_special, shifted.ravel())
    return WordAlignment(
        units=np.frombuffer(units, dtype=np.int64), words_per_unit=np.frombuffer(counts, dtype=np.uint32)
    )


def _end_to_end(
    spans: Spans,
    special: npt.NDArray[np.uint8],
    words: Sequence[Spans],
    lengths: Sequence[int],
    starts: npt.NDArray[np.bool_] | None,
) -> tuple[Spans, Spans]:
    """Lays the documents end to end, one place apart, so that nothing of two of them touches."""
    inner = special == 0
    marks = (_found_starts(spans, special) if starts is None else starts)[inner]
    document = np.cumsum(marks) - 1
    found = int(document[-1]) + 1 if document.size else 0
    if found != len(words) or (document.size and document[0] < 0):
        raise ConfigError(
            f"the example holds {found} documents and {len(words)} texts",
            "add position_ids or document_ids, which say where documents begin",
        )
    if len(lengths) != len(words):
        raise ConfigError(f"{len(words)} documents have {len(lengths)} lengths", "give each one")
    bases = np.concatenate([[0], np.cumsum(np.asarray(lengths) + 1)]).astype(np.uint32)
    placed = spans.copy()
    placed[inner] += bases[document][:, None]
    shifted = [one + base for one, base in zip(words, bases[:-1], strict=True)]
    return np.concatenate([np.empty((0, 2), np.uint32), *shifted]), placed


def _found_starts(spans: Spans, special: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """A document begins where offsets go back, or behind a special token repeat a place."""
    inner = np.flatnonzero(special == 0)
    starts = np.zeros(len(special), dtype=bool)
    begin, end = spans[inner, 0].astype(np.int64), spans[inner, 1].astype(np.int64)
    behind_special = np.diff(inner) > 1
    starts[inner[1:]] = (begin[1:] < begin[:-1]) | (behind_special & (begin[1:] < end[:-1]))
    starts[inner[:1]] = True
    return starts


def document_starts(
    ids: npt.ArrayLike | None, positions: npt.ArrayLike | None
) -> npt.NDArray[np.bool_] | None:
    """Returns where ``ids`` change, else where ``positions`` do not go up by one; None without both."""
    known = ids if ids is not None else positions
    if known is None:
        return None
    numbers = np.asarray(known)
    changes = np.diff(numbers) != (0 if ids is not None else 1)
    starts: npt.NDArray[np.bool_] = np.concatenate([np.ones(min(len(numbers), 1), dtype=bool), changes])
    return starts


def broken_at(units: Units, starts: npt.NDArray[np.bool_]) -> Units:
    """Returns ``units`` renumbered, each run of equal ones a unit that ends where a document begins."""
    begins = np.ones(len(units), dtype=bool)
    begins[1:] = (units[1:] != units[:-1]) | starts[1:]
    inner = units >= 0
    return np.where(inner, np.cumsum(begins & inner) - 1, NO_UNIT)


def character_spans(text: str, starts: npt.ArrayLike) -> Spans:
    """Returns the tokens' spans in characters from first bytes, as `Tokenizer.encode_with_offsets` gives.

    A character that tokens share is in the span of each, which keeps them together. Raises ConfigError for
    starts beyond the text.

    Example:
        >>> character_spans("a中", [0, 1, 2]).tolist()
        [[0, 1], [1, 2], [1, 2]]
    """
    try:
        data = np.frombuffer(text.encode(), dtype=np.uint8)
        first = np.asarray(starts, dtype=np.int64)
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigError("the text is none, or the starts no numbers", "give what was encoded") from error
    character = np.cumsum((data & 0xC0) != 0x80) - 1
    if first.size and not 0 <= first.min() <= first.max() < len(data):
        raise ConfigError(
            f"token starts reach {first.max()} in a text of {len(data)} bytes", "give the text's own"
        )
    last = np.concatenate([first, [len(data)]])[1:] - 1
    return np.stack([character[first], character[last] + 1], axis=1).astype(np.uint32)
