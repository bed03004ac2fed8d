"""Which unit each token lies in, exactly.

Definition: the core of a token is its span without white space at its ends; a token lies in a unit if its
core does, and straddles if its core overlaps a unit that does not hold it. A token of white space alone lies
in a unit only if its whole span does. Invariant: the answer does not depend on whether the tokenizer counts
a leading space to its token. Complexity: O(text + tokens log units). Twin: `_reference.tokens_in_units`.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from tokforge.merging.units import Offsets, Units

__all__ = ["cores", "tokens_in_units"]


def tokens_in_units(
    text: str, spans: npt.NDArray[np.int64], units: Units
) -> tuple[Offsets, npt.NDArray[np.bool_]]:
    """Returns the unit of each token, -1 for none, and whether it straddles.

    Shapes:
        spans: (tokens, 2) - characters; empty for special tokens, which lie in no unit.
        Returns (tokens,) and (tokens,).
    """
    starts, ends = cores(text, spans)
    if not len(units) or not len(spans):
        return np.full(len(spans), -1, np.int64), np.zeros(len(spans), np.bool_)
    unit = np.searchsorted(units.starts, starts, "right") - 1
    begins_in = (unit >= 0) & (starts < units.ends[unit])
    some = starts < ends
    inside = some & begins_in & (ends <= units.ends[unit])
    later = np.minimum(unit + 1, len(units) - 1)
    reaches = (units.starts[later] > starts) & (units.starts[later] < ends)
    straddles = some & ~inside & (begins_in | reaches)
    return np.where(inside, unit, -1), straddles


def cores(text: str, spans: npt.NDArray[np.int64]) -> tuple[Offsets, Offsets]:
    """Returns the starts and ends of the spans without the white space at their ends.

    A span of white space alone is returned as it is.
    """
    size = len(text)
    letters = np.flatnonzero(~_spaces(text))
    starts, ends = spans[:, 0], spans[:, 1]
    if not len(letters):
        return starts, ends
    first = np.searchsorted(letters, starts, "left")
    last = np.searchsorted(letters, ends, "left") - 1
    core = first <= last
    found = np.append(letters, size)
    return np.where(core, found[first], starts), np.where(core, found[last] + 1, ends)


def _spaces(text: str) -> npt.NDArray[np.bool_]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return np.isin(codes, _space_codes())


@cache
def _space_codes() -> npt.NDArray[np.uint32]:
    """All white space of Unicode lies below U+3001."""
    return np.array([code for code in range(0x3001) if chr(code).isspace()], np.uint32)
