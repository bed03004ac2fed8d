"""What a vocabulary has learned from executables: what its tokens are, and whether they fit instructions.

A token's kind is told by its bytes where these say it (padding, strings, magic numbers), else by where most
of its occurrences begin. Boundaries: of the tokens of two bytes and more within disassembled code, the
share that starts where an instruction starts, ends where one ends, and both; beside it the same for strings
of the same lengths at random places of the same code, since dense code has boundaries nearly everywhere.
Instructions are those of a linear sweep from the section's start.
"""

import re
from collections import Counter, defaultdict
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.binaries.limited import Disassembly
from tokforge.metrics.sections import SECTION_KINDS
from tokforge.metrics.vocabulary import Vocabulary

__all__ = ["BANDS", "TOKEN_KINDS", "BoundaryTally", "band_of", "content_kind", "token_kinds"]

Array: TypeAlias = npt.NDArray[Any]

TOKEN_KINDS = (
    *("single byte", "padding", "ASCII string", "UTF-16 string", "magic number", "instructions", "headers"),
    *("tables", "data", "unparsed", "not seen"),
)
BANDS = ((0, "bytes"), (1024, "1 to 1,024"), (4096, "to 4,096"), (16384, "to 16,384"), (65536, "to 65,536"))
"""Rank bands of merges by their last rank; beyond the last is one more."""
BEYOND = "beyond"
MAGIC = (
    b"\x7fELF",
    b"PE\0\0",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"dex\n",
    b"!<arch>",
    b"GNU\0",
    b"!This program",
)
_ASCII = re.compile(rb"\0*[\t\n\r\x20-\x7e]{2,}\0*|\0?[\t\n\r\x20-\x7e]{3,}(\0+[\t\n\r\x20-\x7e]+)*\0*")
_UTF16 = re.compile(rb"\0?([\t\n\r\x20-\x7e]\0){2,}[\t\n\r\x20-\x7e]?|\0[\t\n\r\x20-\x7e]\0[\t\n\r\x20-\x7e]")
_NOPS = re.compile(rb"(\x66*\x2e?\x0f\x1f[\x00-\xff]{1,8}?\0{0,4}|\x1f\x20\x03\xd5)+")
_AS_THEY_ARE = {"code": "instructions", "headers and gaps": "headers", "unparsed file": "unparsed"}
_TABLES = {"relocations", "symbols", "unwinding", "debug"}


def content_kind(token: bytes) -> str | None:
    """Returns the kind that a token's bytes tell by themselves, or None.

    Example:
        >>> content_kind(bytes(8)), content_kind(b"GLIBC_"), content_kind(b"a\\0b\\0c\\0")
        ('padding', 'ASCII string', 'UTF-16 string')
        >>> content_kind(b"\\x48\\x8b") is None
        True
    """
    if len(token) == 1:
        return "single byte"
    if len(set(token)) == 1 and not 0x21 <= token[0] <= 0x7E:
        return "padding"
    if any(magic in token for magic in MAGIC):
        return "magic number"
    if _UTF16.fullmatch(token):
        return "UTF-16 string"
    if _ASCII.fullmatch(token) and sum(0x20 <= byte < 0x7F for byte in token) >= 3:
        return "ASCII string"
    return "padding" if len(token) >= 3 and _NOPS.fullmatch(token) else None


def token_kinds(vocabulary: Vocabulary, places: Array) -> list[str]:
    """Returns the kind of each id; ``places`` (ids, section kinds) counts where its occurrences begin."""
    most = places.argmax(1)
    seen = places.sum(1) > 0
    return [
        content_kind(token) or (_kind_of_place(SECTION_KINDS[most[at]]) if seen[at] else "not seen")
        for at, token in enumerate(vocabulary.tokens)
    ]


def _kind_of_place(section: str) -> str:
    if section in _AS_THEY_ARE:
        return _AS_THEY_ARE[section]
    return "tables" if section in _TABLES else "data"


def band_of(vocabulary: Vocabulary) -> list[str]:
    """Returns the rank band of each id: of the first merge that makes it."""
    made = vocabulary.first_merges
    return [_band(made[at][0] + 1) if at in made else BANDS[0][1] for at in range(vocabulary.size)]


def _band(rank: int) -> str:
    return next((name for last, name in BANDS[1:] if rank <= last), BEYOND)


class BoundaryTally:
    """Counts, by platform, how tokens and random strings of their lengths meet instruction boundaries."""

    def __init__(self, seed: int) -> None:
        self._draw = np.random.default_rng(seed)
        self._tokens: Counter[str] = Counter()
        self._found: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, platform: str, code: Disassembly, starts: Array, lengths: Array) -> None:
        """Adds the tokens, by first byte and length, that lie wholly within a disassembled region."""
        at = starts - code.start
        inside = (at >= 0) & (at + lengths <= code.size) & (lengths > 1)
        at, size = at[inside], lengths[inside]
        if not len(at):
            return
        self._tokens[platform] += len(at)
        elsewhere = self._draw.integers(0, code.size - size + 1)
        for name, places in (("", at), ("random_", elsewhere)):
            first, last = code.starts[places], code.ends[places + size]
            counts = {"starts": first.sum(), "ends": last.sum(), "both": (first & last).sum()}
            self._found[platform].update({name + key: int(value) for key, value in counts.items()})

    def rows(self) -> list[dict[str, Any]]:
        """Returns a row for each platform: tokens, and shares of them."""
        names = [prefix + key for key in ("starts", "ends", "both") for prefix in ("", "random_")]
        return [
            {"platform": one, "tokens": count, **{name: self._found[one][name] / count for name in names}}
            for one, count in sorted(self._tokens.items())
        ]
