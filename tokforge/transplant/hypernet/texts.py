"""Training text in memory, and random spans of it; the last part of each source is kept for validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tokforge.errors import InputError
from tokforge.inputs import documents, open_sources

__all__ = ["Texts"]

_VALIDATION = 50
"""One part in so many of each source."""
_MOST = 32 << 20
"""Bytes that are kept of a source."""


@dataclass(frozen=True)
class Texts:
    """The bytes of each source; a span is drawn from each as often as from any other."""

    sources: tuple[bytes, ...]

    @classmethod
    def read(cls, paths: Sequence[str], field: str | None = None) -> tuple["Texts", "Texts"]:
        """Returns the text to train on, and that to validate on. Raises InputError for too little."""
        kept, held = [], []
        for source in open_sources(paths, field=field):
            data = b"\n\n".join(bytes(one.data) for one in documents([source]))[:_MOST]
            cut = len(data) - max(len(data) // _VALIDATION, 512)
            if cut < 512:
                raise InputError(
                    f"{len(data)} bytes of text are too few", "give a kilobyte or more", source.name
                )
            kept.append(data[:cut])
            held.append(data[cut:])
        return cls(tuple(kept)), cls(tuple(held))

    def spans(self, rng: np.random.Generator, count: int, size: int) -> list[str]:
        """Returns ``count`` spans of about ``size`` bytes, each from the begin of a word or line on."""
        found = []
        for _ in range(count):
            data = self.sources[int(rng.integers(len(self.sources)))]
            begin = int(rng.integers(max(len(data) - size, 1)))
            span = data[begin : begin + size]
            cuts = [at for at in (span.find(b" "), span.find(b"\n") + 1) if at > 0]
            found.append(span[min(cuts, default=0) :].decode("utf-8", "ignore") or " ")
        return found
