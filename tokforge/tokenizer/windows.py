"""Overlapping windows over a long sequence of ids."""

from collections.abc import Sized

from tokforge.errors import ConfigError

__all__ = ["windows"]


def windows(ids: Sized, window: int, stride: int) -> list[tuple[int, int]]:
    """Returns the (start, end) of windows of ``window`` ids, one every ``stride`` ids.

    Every id lies in at least one window; only the last may be shorter. Raises ConfigError unless
    1 <= stride <= window, since a longer stride would lose ids.

    Example:
        >>> windows(range(10), 4, 3)
        [(0, 4), (3, 7), (6, 10)]
    """
    if not 1 <= stride <= window:
        raise ConfigError(f"stride {stride} does not fit window {window}", "use 1 <= stride <= window")
    total = len(ids)
    starts = range(0, max(total - window + stride, 1), stride) if total else ()
    return [(start, min(start + window, total)) for start in starts]
