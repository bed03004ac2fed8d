"""How many threads to use: as many as are asked for, or as this process may have. Never changes a result."""

import os

from tokforge.errors import ConfigError

__all__ = ["MAX_THREADS", "thread_count"]

MAX_THREADS = 1024
"""No machine of today gains from more, and a system that cannot start them ends the process."""


def thread_count(threads: int | None) -> int:
    """Returns ``threads``, or the cores of this process if None.

    Raises ConfigError outside 1 to MAX_THREADS.
    """
    if threads is None:
        # Containers often allow fewer cores than the machine has; macOS and Windows cannot say.
        allowed = getattr(os, "sched_getaffinity", None)
        return min(len(allowed(0)) if allowed else os.cpu_count() or 1, MAX_THREADS)
    if not 1 <= threads <= MAX_THREADS:
        raise ConfigError(f"threads is {threads}", f"use 1 to {MAX_THREADS}")
    return threads
