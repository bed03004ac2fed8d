"""Bytes and tokens by section: every byte has one kind, and a token counts for each byte it covers.

A token of n bytes counts 1/n for each of them, so that sections share the tokens that cross their ends and
the sum over sections is the number of tokens. Where sections overlap, the later of the list wins. Linear in
bytes.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.binaries.limited import Layout, Unparsed
from tokforge.errors import MissingExtraError
from tokforge.inputs.stretches import nul_run_spans
from tokforge.metrics.sections import SECTION_KINDS

__all__ = ["Counts", "SectionTally", "kinds_of", "nul_runs"]

Array: TypeAlias = npt.NDArray[Any]
PADDING = SECTION_KINDS.index("zero padding")


@dataclass(slots=True)
class Counts:
    """Sums over files of one platform, file kind and section."""

    files: int = 0
    bytes: int = 0
    tokens: float = 0.0
    zstd_bytes: int = 0
    whole_bytes: int = 0
    """With the runs of NUL."""
    whole_tokens: float = 0.0
    whole_zstd_bytes: int = 0


@dataclass(slots=True)
class SectionTally:
    """Counts by (platform, file kind, section)."""

    rows: defaultdict[tuple[str, str, str], Counts] = field(default_factory=lambda: defaultdict(Counts))

    def add(self, where: tuple[str, str], data: Array, kinds: Array, nuls: Array, lengths: Array) -> None:
        """Adds a file: bytes, the kind of each, whether each is in a run of NUL, and its tokens' lengths."""
        shares = np.repeat(1.0 / lengths, lengths)
        for kind, name in enumerate(SECTION_KINDS):
            whole = kinds == kind if kind != PADDING else nuls
            if not whole.any():
                continue
            solid = whole & ~nuls if kind != PADDING else whole
            row = self.rows[(*where, name)]
            row.files += 1
            row.bytes += int(solid.sum())
            row.tokens += float(shares[solid].sum())
            row.zstd_bytes += _compressed(data[solid])
            if kind != PADDING:
                row.whole_bytes += int(whole.sum())
                row.whole_tokens += float(shares[whole].sum())
                row.whole_zstd_bytes += _compressed(data[whole])


def kinds_of(layout: Layout | Unparsed, size: int) -> Array:
    """Returns (size,) uint8 - the index in SECTION_KINDS of each byte."""
    if isinstance(layout, Unparsed):
        return np.full(size, SECTION_KINDS.index("unparsed file"), np.uint8)
    kinds = np.full(size, SECTION_KINDS.index("headers and gaps"), np.uint8)
    for region in layout.regions:
        kinds[region.start : region.end] = SECTION_KINDS.index(region.kind)
    return kinds


def nul_runs(data: bytes, run_bytes: int) -> Array:
    """Returns (size,) bool - whether a byte lies in a run of ``run_bytes`` NULs or more."""
    found = np.zeros(len(data), bool)
    for start, end in nul_run_spans(data, (0, len(data)), run_bytes):
        found[start:end] = end - start >= run_bytes and not any(data[start:end])
    return found


def _compressed(data: Array) -> int:
    if not len(data):
        return 0
    try:
        from zstandard import ZstdCompressor
    except ImportError as error:
        raise MissingExtraError(
            "zstandard is not installed", "run: pip install 'tokforge[binary]'"
        ) from error
    return len(ZstdCompressor(level=3).compress(data.tobytes()))
