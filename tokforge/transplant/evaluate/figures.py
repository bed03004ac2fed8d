"""Figures of windows, each with a bootstrap interval over windows; pairs of models are resampled together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tokforge.transplant.evaluate.bits import WindowBits

__all__ = ["Interval", "bits_per_byte", "bootstrap", "perplexity", "token_ratio"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the interval that holds 95% of its bootstrap values."""

    value: float
    low: float
    high: float


def bootstrap(
    figure: Callable[[npt.NDArray[np.int64]], float], count: int, *, samples: int = 1000, seed: int = 0
) -> Interval:
    """Returns ``figure(places)`` on all of ``count`` windows, and its 95% interval over resampled ones."""
    rng = np.random.default_rng(seed)
    found = [figure(rng.integers(count, size=count)) for _ in range(samples)]
    low, high = np.quantile(found, [0.025, 0.975]) if samples else (np.nan, np.nan)
    return Interval(figure(np.arange(count)), float(low), float(high))


def _column(windows: Sequence[WindowBits], name: str) -> Floats:
    return np.array([getattr(window, name) for window in windows], np.float64)


def bits_per_byte(windows: Sequence[WindowBits], others: Sequence[WindowBits] | None = None) -> Interval:
    """Returns bits per byte; with ``others``, the same windows under another model, the difference to
    them.
    """
    bits, size = _column(windows, "bits"), _column(windows, "bytes")
    if others is not None:
        bits = bits - _column(others, "bits")
    return bootstrap(lambda at: float(bits[at].sum() / size[at].sum()), len(windows))


def perplexity(windows: Sequence[WindowBits]) -> float:
    """Returns the perplexity per token: comparable under one tokenizer only."""
    return float(2 ** (_column(windows, "bits").sum() / max(_column(windows, "tokens").sum(), 1)))


def token_ratio(windows: Sequence[WindowBits], others: Sequence[WindowBits]) -> float:
    """Returns TokenAdapt's figure: the mean over windows of the ratio of perplexities per token."""
    new = _column(windows, "bits") / np.maximum(_column(windows, "tokens"), 1)
    old = _column(others, "bits") / np.maximum(_column(others, "tokens"), 1)
    return float(np.mean(2.0 ** np.minimum(new - old, 60)))
