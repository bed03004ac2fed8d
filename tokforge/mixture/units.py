"""Shares of initial pairs, which the programme speaks of, as shares of bytes and of characters."""

from typing import Literal

import numpy as np

from tokforge.mixture.history import Floats, History
from tokforge.mixture.references import References

__all__ = ["Unit", "extremes_in_bytes", "pairs_from_bytes", "shares_by_unit"]

Unit = Literal["bytes", "pairs", "characters"]
UNITS: tuple[Unit, ...] = ("bytes", "pairs", "characters")


def shares_by_unit(shares: Floats, history: History, references: References) -> dict[Unit, Floats]:
    """Turns shares of initial pairs into shares of bytes and of characters."""
    pairs = np.maximum(history.by_category(history.totals), 1)
    sizes = {"bytes": references.bytes.sum(1), "pairs": pairs, "characters": references.characters.sum(1)}
    weighted = {unit: shares * sizes[unit] / pairs for unit in UNITS}
    return {unit: values / values.sum() for unit, values in weighted.items()}


def pairs_from_bytes(shares: Floats, pairs: Floats, sizes: Floats) -> Floats:
    """Turns shares of bytes (n,) into shares of pairs, given the pairs and bytes of each category."""
    weighted = shares * pairs / np.maximum(sizes, 1)
    return np.asarray(weighted / weighted.sum())


def extremes_in_bytes(extremes: Floats, shares: Floats, history: History, references: References) -> Floats:
    """Turns (n, 2) extremes of single shares of pairs into bytes, the other categories in proportion."""
    pairs = np.maximum(history.by_category(history.totals), 1)
    ratio = references.bytes.sum(1) / pairs
    others = (shares @ ratio - shares * ratio) / np.maximum(1 - shares, 1e-12)
    own = extremes * ratio[:, None]
    return np.asarray(own / np.maximum(own + (1 - extremes) * others[:, None], 1e-12))
