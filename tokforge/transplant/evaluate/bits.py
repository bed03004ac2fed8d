"""The bits that a causal model needs for each window, summed over its tokens.

A window whose tokens do not spell it again (a byte that the vocabulary lacks) is counted as lossy: its bits
are too few.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tokforge.transplant.evaluate.causal import Causal, Progress, Spelled
from tokforge.transplant.evaluate.windows import Window
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["WindowBits", "window_bits"]


@dataclass(frozen=True, slots=True)
class WindowBits:
    """One window under one model."""

    bits: float
    tokens: int
    bytes: int
    new_bits: float
    """Bits of the tokens whose row was made, not copied."""
    new_tokens: int
    new_bytes: int
    lossy: bool


def window_bits(
    causal: Causal,
    windows: Sequence[Window],
    *,
    new_ids: frozenset[int] = frozenset(),
    progress: Progress = lambda phase, done, total: None,
) -> list[WindowBits]:
    """Returns the bits of each window, in order; those of ``new_ids`` are summed apart, too."""
    spelled = causal.spell([window.text for window in windows], progress=progress)
    return [_result(causal.vocabulary, *pair, new_ids) for pair in zip(windows, spelled, strict=True)]


def _result(vocabulary: Vocabulary, window: Window, spelled: Spelled, new_ids: frozenset[int]) -> WindowBits:
    ids, bits = spelled.ids, spelled.bits
    is_new = np.array([i in new_ids for i in ids], bool)
    lengths = np.array(vocabulary.byte_lengths(ids), np.int64)
    return WindowBits(
        bits=float(bits.sum()),
        tokens=len(ids),
        bytes=window.bytes,
        new_bits=float(bits[is_new].sum()),
        new_tokens=int(is_new.sum()),
        new_bytes=int(lengths[is_new].sum()) if is_new.any() else 0,
        lossy=vocabulary.decode(ids).strip() != window.text.strip(),
    )
