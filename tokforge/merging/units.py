"""Units of a text: the spans whose tokens may be merged, and what kind each is.

Definition: a unit is a half-open span of characters (code points). Invariant: the units of a text are
sorted, not empty, and do not overlap. A policy is a choice of kinds; it is applied after the text was
read, so that one reading serves every policy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, UnknownNameError

__all__ = ["Kind", "SpanProvider", "Units", "given_spans", "kinds_of", "units_from"]

Offsets: TypeAlias = npt.NDArray[np.int64]


class Kind(IntEnum):
    """What a unit is in its language."""

    IDENTIFIER = 0
    STRING = 1
    NUMBER = 2
    OTHER = 3
    """Keywords, operators, punctuation."""
    WORD = 4
    """A run without white space, whatever the language."""


_NAMES = {"identifiers": Kind.IDENTIFIER, "strings": Kind.STRING, "numbers": Kind.NUMBER}
_ALONE = {
    "none": frozenset[Kind](),
    "leaves": frozenset({Kind.IDENTIFIER, Kind.STRING, Kind.NUMBER, Kind.OTHER}),
    "words": frozenset({Kind.WORD}),
    "given": frozenset(Kind),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Units:
    """All units of one text."""

    starts: Offsets
    """(units,) - first character of each."""
    ends: Offsets
    """(units,) - one past the last character of each."""
    kinds: npt.NDArray[np.int8]
    """(units,) - values of `Kind`."""
    parse_errors: int = 0
    """Places where the text does not parse; the units around them are those the parser still saw."""

    def __len__(self) -> int:
        return len(self.starts)

    def keep(self, kinds: frozenset[Kind]) -> "Units":
        """Returns the units of these kinds alone."""
        kept = np.isin(self.kinds, [int(kind) for kind in kinds])
        return Units(
            starts=self.starts[kept],
            ends=self.ends[kept],
            kinds=self.kinds[kept],
            parse_errors=self.parse_errors,
        )


SpanProvider: TypeAlias = Callable[[str], Units]
"""Finds the units of a text. Anything with this shape can be given to `plan_for`."""


def kinds_of(policy: str) -> frozenset[Kind]:
    """Reads ``none``, ``leaves``, ``words``, ``given``, or a sum such as ``identifiers+strings``.

    Raises UnknownNameError for another word.
    """
    if policy in _ALONE:
        return _ALONE[policy]
    names = policy.split("+")
    if unknown := [name for name in names if name not in _NAMES]:
        known = ", ".join([*_NAMES, *_ALONE])
        raise UnknownNameError(
            f"units has no {unknown[0]!r}", f"use one of: {known}; or a sum, as identifiers+strings"
        )
    return frozenset(_NAMES[name] for name in names)


def units_from(spans: Sequence[tuple[int, int, int]], parse_errors: int = 0) -> Units:
    """Builds units from (start, end, kind), sorted and apart."""
    table = np.array(spans, np.int64).reshape(-1, 3)
    return Units(
        starts=table[:, 0], ends=table[:, 1], kinds=table[:, 2].astype(np.int8), parse_errors=parse_errors
    )


def given_spans(spans: Sequence[tuple[int, int]]) -> SpanProvider:
    """Returns a provider of spans that the caller knows: (start, end) in characters.

    Raises ConfigError, when a text is planned, for spans that overlap, are empty, or end beyond it.
    """

    def provide(text: str) -> Units:
        ordered = sorted(spans)
        ends = [0, *(end for _, end in ordered)]
        for (start, end), before in zip(ordered, ends, strict=False):
            if not before <= start < end <= len(text):
                raise ConfigError(
                    f"the span ({start}, {end}) is empty, overlaps another or leaves the text",
                    f"give sorted spans within 0 and {len(text)}",
                    "spans",
                )
        return units_from([(start, end, Kind.OTHER) for start, end in ordered])

    return provide
