"""Encodes a document that comes block by block, in bounded memory; the ids are those of the whole.

What is held is encoded as far as it is *settled*, its ids the same whatever follows, and forgotten. Where
byte-level BPE stands alone the engine says how far that is (`core/src/encode/settled.rs`, with the proof).
Any other text is cut at `borders`. The engine's own `last_safe_cut` would not do there: it is safe for
the splitter alone, and a Unicode form may compose across it.

Where neither is known (a regex of the user's, added tokens that swallow white space) `can_stream` says no,
and such a document is held whole. Complexity: linear; memory a few blocks.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from tokforge.tokenizer.pretokenizers import PATTERNS
from tokforge.tokenizer.segments import AllowedSpecial
from tokforge.tokenizer.streaming.borders import borders_of
from tokforge.tokenizer.streaming.places import MOST_BYTES, Borders
from tokforge.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from tokforge._core import Encoder, ModelEncoder

__all__ = ["Stretch", "can_stream", "encode_stream"]

_PART_BYTES = 1 << 20
"""What one thread encodes at a time."""


class Stretch(NamedTuple):
    """A finished part of the document."""

    data: bytes
    ids: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.uint64]
    """(tokens,) - first byte of each token within ``data``; empty if the caller wants none."""


_NOTHING = Stretch(b"", np.empty(0, np.uint32), np.empty(0, np.uint64))
Encode = Callable[[list[bytes]], Stretch]
"""Encodes what follows in the document, in parts."""
Step = Callable[[bytes, int], Stretch]
"""Encodes the beginning of what is held, as far as it may; told how much of it was held before."""


def can_stream(tokenizer: Tokenizer, allowed_special: AllowedSpecial = "none") -> bool:
    """Tells whether a document may be encoded block by block."""
    return _is_engines_alone(tokenizer, allowed_special) or borders_of(tokenizer, allowed_special) is not None


def encode_stream(
    tokenizer: Tokenizer,
    blocks: Iterable[bytes],
    *,
    allowed_special: AllowedSpecial = "none",
    offsets: bool = False,
    threads: int = 1,
) -> Iterator[Stretch]:
    """Yields the document's stretches in order; their data and ids end to end are all there is.

    Ids equal those of `Tokenizer.encode` on the whole. A pipeline that cannot stream gives one stretch.
    Raises ConfigError if ``offsets`` are wanted of a pipeline that may rewrite text.
    """
    encode = _plainly(tokenizer, allowed_special, threads, offsets=offsets)
    if _is_engines_alone(tokenizer, allowed_special):
        step = _settling(tokenizer, threads)
    elif borders := borders_of(tokenizer, allowed_special):
        if borders.guard and not offsets:
            encode = _in_turn(tokenizer, allowed_special, threads, borders)
        step = _cutting(encode, borders)
    else:
        yield encode([b"".join(blocks)])
        return
    held, new, enough = b"", list[bytes](), 0
    for block in blocks:
        new.append(block)
        if sum(map(len, new)) < enough:
            continue
        before, held, new = len(held), b"".join((held, *new)), []
        stretch = step(held, before)
        if stretch.data:
            yield stretch
            held = held[len(stretch.data) :]
        # Where nothing is settled, looking again pays when there is twice as much: linear in all.
        enough = 0 if stretch.data else len(held)
    if rest := b"".join((held, *new)):
        yield encode([rest])


def _is_engines_alone(tokenizer: Tokenizer, allowed: AllowedSpecial) -> bool:
    from tokforge import _core

    searched = tokenizer._segmenter.normalizes or tokenizer._segmenter.searched(allowed)
    named = all(stage in PATTERNS for stage in tokenizer.pipeline.pretokenizers)
    return isinstance(tokenizer._encoder, _core.Encoder) and named and not searched


def _plainly(tokenizer: Tokenizer, allowed: AllowedSpecial, threads: int, *, offsets: bool) -> Encode:
    """Encodes parts as documents."""

    def encode(parts: list[bytes]) -> Stretch:
        data = b"".join(parts)
        if offsets:
            return Stretch(data, *tokenizer.encode_with_offsets(data, allowed_special=allowed))
        ids, _ = tokenizer.encode_batch(parts, threads, allowed_special=allowed)
        return Stretch(data, ids, np.empty(0, np.uint64))

    return encode


def _in_turn(tokenizer: Tokenizer, allowed: AllowedSpecial, threads: int, borders: Borders) -> Encode:
    """Encodes parts that lie end to end, the first one at the document's beginning."""
    encoder = cast("ModelEncoder", tokenizer._encoder)  # others need no guard
    segmenter = tokenizer._segmenter
    engine, counts = segmenter.engine, segmenter.counts(allowed)
    guard, total = b"", 0.0 if borders.carries else None

    def encode(parts: list[bytes]) -> Stretch:
        nonlocal guard, total
        found = []
        for group in (parts[:1], parts[1:]) if not guard else (parts,):
            raw, total = encoder.encode_parts(
                group, threads, segmenter=engine, counts=counts, guard=guard, sum=total
            )
            found.append(np.frombuffer(raw, np.uint32))
            guard = borders.guard
        return Stretch(b"".join(parts), np.concatenate(found), np.empty(0, np.uint64))

    return encode


def _settling(tokenizer: Tokenizer, threads: int) -> Step:
    encoder = cast("Encoder", tokenizer._encoder)  # that of plain bytes: `_is_engines_alone`
    lengths = np.array([len(token or b"") for token in tokenizer.table.ordinary()], np.uint64)

    def step(held: bytes, before: int) -> Stretch:
        raw, end = encoder.encode_settled(held, threads)
        ids = np.frombuffer(raw, np.uint32)
        sizes = lengths[ids]
        return Stretch(held[:end], ids, np.cumsum(sizes, dtype=np.uint64) - sizes)

    return step


def _cutting(encode: Encode, borders: Borders) -> Step:
    def step(held: bytes, before: int) -> Stretch:
        end = borders.last(held, max(before - MOST_BYTES, 0))
        return encode(_parts(held[:end], borders)) if end else _NOTHING

    return step


def _parts(data: bytes, borders: Borders) -> list[bytes]:
    """Cuts ``data`` at borders into parts for the threads."""
    cuts = [0]
    while len(data) - cuts[-1] > _PART_BYTES and (cut := borders.first(data, cuts[-1] + _PART_BYTES)):
        cuts.append(cut)
    return [data[start:end] for start, end in zip(cuts, [*cuts[1:], len(data)], strict=True)]
