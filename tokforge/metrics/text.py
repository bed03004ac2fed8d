"""Characters, words, numbers and identifiers of documents, as counts and byte spans.

Definitions. A *character* is a code point; a byte that is no UTF-8 counts as one. A *word* is a maximal
run of characters other than white space, except that each letter of a script written without spaces
(Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar) is a word of its own and a Tibetan tsheg ends one. A
*lexical word* is a maximal run of letters and marks of the other scripts, a *number* a maximal run of
decimal digits, an *identifier* a run of ASCII letters, digits and underscores that begins with no digit
and holds an underscore or a lower-case letter before an upper-case one.
Invariant: no span crosses documents. Complexity: linear, a few array operations for each character.
Sources: bgub/tokka-bench (units by language; here by script, so that mixed text needs no label);
Unicode's general categories, from Python's unicodedata.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["UNSPACED", "Spans", "Text", "analyse"]

Array: TypeAlias = npt.NDArray[Any]

_OTHER, _SPACE, _LETTER, _MARK, _DIGIT, _UNIT, _TSHEG = range(7)

UNSPACED = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x31F0, 0x31FF)),
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
)
"""Code points of scripts without spaces between words: first and last of each range."""

_WHITE_SPACE = (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029)
_TABLE_SIZE = 0x20000  # beyond lie Han, tags and private use: one rule each, no table


class Spans(NamedTuple):
    """Byte spans in the documents laid end to end."""

    starts: Array
    """(spans,) int64 - first byte."""
    ends: Array
    """(spans,) int64 - the byte after the last."""

    def chosen(self, mask: Array) -> "Spans":
        """Returns the spans where ``mask`` (spans,) is true."""
        return Spans(self.starts[mask], self.ends[mask])


@dataclass(frozen=True, slots=True)
class Text:
    """Documents and what they hold; the spans count bytes in the documents laid end to end."""

    documents: Sequence[bytes]
    bytes: Array
    """(documents,) int64."""
    characters: Array
    """(documents,) int64."""
    words: Array
    """(documents,) int64."""
    lexical: Spans
    identifiers: Spans
    numbers: Spans


def analyse(documents: Sequence[bytes]) -> Text:
    """Returns the counts and spans of ``documents``.

    Example:
        >>> analyse([b"two words", "\u4e2d\u6587".encode()]).words
        array([2, 2])
    """
    # A line break between documents ends every kind of span; `ends` takes it out of the offsets again.
    codes = _code_points(b"\n".join(documents))
    sizes = np.array([len(document) for document in documents], np.int64)
    classes, offsets = _classes(codes), _offsets(codes)
    first_bytes = np.cumsum([0, *(sizes[:-1] + 1)])
    first_chars = np.searchsorted(offsets, first_bytes)
    last_chars = np.append(first_chars[1:] - 1, len(codes))
    layout = _Layout(offsets, first_bytes)
    return Text(
        documents,
        sizes,
        last_chars - first_chars,
        _between(_word_starts(classes), first_chars, last_chars),
        layout.runs((classes == _LETTER) | (classes == _MARK)),
        _identifiers(codes, layout),
        layout.runs(classes == _DIGIT),
    )


class _Layout(NamedTuple):
    """Where characters lie: byte offsets in the joined text, and each document's first byte there."""

    offsets: Array
    first_bytes: Array

    def runs(self, mask: Array) -> Spans:
        """Returns the spans of the maximal runs of characters for which ``mask`` is true."""
        edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
        at = self.offsets[edges].reshape(-1, 2)
        breaks = np.searchsorted(self.first_bytes, at[:, 0], "right") - 1  # line breaks put in before
        return Spans(at[:, 0] - breaks, at[:, 1] - breaks)


def _identifiers(codes: Array, layout: _Layout) -> Spans:
    lower, upper = (codes >= 97) & (codes <= 122), (codes >= 65) & (codes <= 90)
    digit, underscore = (codes >= 48) & (codes <= 57), codes == 95
    body = lower | upper | digit | underscore
    edges = np.flatnonzero(np.diff(body, prepend=False, append=False)).reshape(-1, 2)
    humps = np.concatenate([[0], np.cumsum(lower[:-1] & upper[1:])]) if len(codes) else np.zeros(1, int)
    bars = np.concatenate([[0], np.cumsum(underscore)])
    starts, ends = edges[:, 0], edges[:, 1]
    is_named = ~digit[starts] & ((humps[ends - 1] > humps[starts]) | (bars[ends] > bars[starts]))
    return layout.runs(body).chosen(is_named)


def _word_starts(classes: Array) -> Array:
    space = (classes == _SPACE) | (classes == _TSHEG)
    unit = classes == _UNIT
    after_space = np.concatenate([[True], space[:-1]])
    after_unit = np.concatenate([[False], unit[:-1]])
    starts: Array = ~space & (after_space | unit | (after_unit & (classes != _MARK)))
    return starts


def _between(mask: Array, starts: Array, ends: Array) -> Array:
    """Returns how often ``mask`` is true in each of the ranges."""
    sums = np.concatenate([[0], np.cumsum(mask)])
    counts: Array = sums[ends] - sums[starts]
    return counts


def _code_points(data: bytes) -> Array:
    """Returns (characters,) uint32; a byte that is no UTF-8 is U+DC00 and its value."""
    text = data.decode("utf-8", "surrogateescape")
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))


def _offsets(codes: Array) -> Array:
    """Returns the byte offset of each character, and of the end: (characters + 1,) int64."""
    lengths = 1 + (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)
    lengths[(codes >= 0xDC80) & (codes <= 0xDCFF)] = 1  # an escaped byte
    return np.concatenate([[0], np.cumsum(lengths)])


def _classes(codes: Array) -> Array:
    classes: Array = _table()[np.minimum(codes, _TABLE_SIZE - 1)]
    classes[codes >= _TABLE_SIZE] = _OTHER
    classes[(codes >= UNSPACED[-1][0]) & (codes <= UNSPACED[-1][1])] = _UNIT
    return classes


@cache
def _table() -> Array:
    """The class of every code point below `_TABLE_SIZE`, uint8."""
    by_category = {"L": _LETTER, "M": _MARK, "Nd": _DIGIT}
    table = np.zeros(_TABLE_SIZE, np.uint8)
    for code in range(_TABLE_SIZE):
        category = unicodedata.category(chr(code))
        table[code] = by_category.get(category, by_category.get(category[0], _OTHER))
    for first, last in UNSPACED[:-1]:
        part = table[first : last + 1]
        part[part == _LETTER] = _UNIT
    table[[*_WHITE_SPACE, 0x202F, 0x205F, 0x3000]] = _SPACE
    table[0x0F0B] = _TSHEG
    return table
