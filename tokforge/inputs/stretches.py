"""Which stretches of a document are read: those within bounds of entropy, cut at runs of NUL.

Definitions. A document is cut into blocks of equal size, the last up to twice as long; a block's entropy is
that of its bytes' frequencies, 0 to 8 bits a byte. Blocks out of bounds are left out, neighbours that stay
are one stretch. Then every run of NULs that is long enough becomes a stretch of its own.
Complexity: linear; memory of one slab of blocks.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tokforge.inputs.reading import ByteView

__all__ = ["block_ends", "block_entropies", "entropy_spans", "nul_run_spans"]

Span = tuple[int, int]
_SLAB_BLOCKS = 256


def block_ends(size: int, block_bytes: int) -> list[int]:
    """Returns where the blocks of a document of ``size`` bytes end."""
    return [block_bytes * n for n in range(1, size // block_bytes)] + [size]


def block_entropies(data: ByteView, block_bytes: int) -> npt.NDArray[np.float64]:
    """Returns the entropy of each block in bits a byte, (blocks,)."""
    view, ends = np.frombuffer(data, np.uint8), block_ends(len(data), block_bytes)
    whole = len(ends) - 1
    slabs = [
        _entropies(view[start * block_bytes : min(start + _SLAB_BLOCKS, whole) * block_bytes], block_bytes)
        for start in range(0, whole, _SLAB_BLOCKS)
    ]
    return np.concatenate([*slabs, _entropies(view[whole * block_bytes :], len(view) - whole * block_bytes)])


def _entropies(view: npt.NDArray[np.uint8], block_bytes: int) -> npt.NDArray[np.float64]:
    """Returns the entropies of whole blocks."""
    blocks = view.reshape(-1, block_bytes).astype(np.int32)
    blocks += 256 * np.arange(len(blocks), dtype=np.int32)[:, None]
    counts = np.bincount(blocks.ravel(), minlength=256 * len(blocks)).reshape(-1, 256)
    shares = counts / block_bytes
    logs = np.log2(shares, out=np.zeros_like(shares), where=counts > 0)
    entropies: npt.NDArray[np.float64] = np.maximum(-(shares * logs).sum(axis=1), 0.0)
    return entropies


def entropy_spans(data: ByteView, block_bytes: int, least: float | None, most: float | None) -> list[Span]:
    """Returns the stretches whose blocks have an entropy from ``least`` to ``most`` bits a byte."""
    entropies = block_entropies(data, block_bytes)
    low, high = 0.0 if least is None else least, 8.0 if most is None else most
    inside = (entropies >= low) & (entropies <= high)
    spans: list[Span] = []
    for (start, end), stays in zip(
        pairwise([0, *block_ends(len(data), block_bytes)]), inside.tolist(), strict=True
    ):
        if stays and spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        elif stays:
            spans.append((start, end))
    return spans


def nul_run_spans(data: ByteView, span: Span, run_bytes: int) -> Iterator[Span]:
    """Yields the parts of a span between its runs of ``run_bytes`` NULs or more, and these runs."""
    start, end = span
    for run in re.compile(rb"\0{%d,}" % run_bytes).finditer(data, start, end):
        if run.start() > start:
            yield start, run.start()
        yield run.span()
        start = run.end()
    if start < end:
        yield start, end
