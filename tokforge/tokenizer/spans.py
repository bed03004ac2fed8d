"""Where tokens stand in the text, in bytes or in characters.

The rule for characters is Hugging Face's: a token covers every character of which it holds a byte, so
two tokens that share a character have spans that overlap: `é` cut into two bytes is (0, 1) twice.
Counting: a character begins at each byte that is no UTF-8 continuation (0x80 to 0xBF).
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from tokforge.errors import InputError, pick

__all__ = ["Unit", "character_spans", "ends_of", "spans_of"]

Unit = Literal["bytes", "characters"]
Offsets = npt.NDArray[np.uint64]


def ends_of(starts: Offsets, size: int) -> Offsets:
    """Returns the end of each token that starts at ``starts``, (tokens,): tokens tile their text."""
    return np.append(starts[1:], np.uint64(size)).astype(np.uint64) if len(starts) else starts


def character_spans(
    data: bytes | bytearray | memoryview, starts: Offsets, ends: Offsets, before: int = 0
) -> tuple[Offsets, int]:
    """Returns (tokens, 2) character spans, and the characters begun so far.

    Args:
        data: valid UTF-8, or a stretch of it that may begin and end within a character.
        starts, ends: (tokens,) - byte spans within ``data``, none empty.
        before: characters that begin before ``data``.
    """
    begins = (np.frombuffer(data, np.uint8) & 0xC0) != 0x80
    begun = np.cumsum(begins, dtype=np.int64) + before  # at byte b: characters begun up to and with b
    spans = np.empty((len(starts), 2), np.uint64)
    if len(starts):
        spans[:, 0] = begun[starts.astype(np.int64)] - 1
        spans[:, 1] = begun[ends.astype(np.int64) - 1]
    return spans, int(begun[-1]) if len(begun) else before


def spans_of(data: bytes | bytearray | memoryview, starts: Offsets, unit: Unit) -> Offsets:
    """Returns (tokens, 2) spans in bytes or characters of tokens that tile ``data``.

    Raises UnknownNameError for another unit, InputError for characters of what is no UTF-8.
    """
    pick("unit", unit, dict.fromkeys(("bytes", "characters")))
    ends = ends_of(starts, len(data))
    if unit == "bytes":
        return np.stack([starts, ends], axis=1)
    try:
        bytes(data).decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not UTF-8, so it has no characters", "use unit='bytes'"
        ) from error
    return character_spans(data, starts, ends)[0]
