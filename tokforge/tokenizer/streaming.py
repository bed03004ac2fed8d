"""Encodes a document that comes block by block, in bounded memory; the ids are those of the whole.

What is held is encoded as far as it is *settled*, its ids the same whatever follows, and forgotten; the
engine says how far that is (`core/src/encode/settled.rs`, with the proof). Normalisers and added tokens
stand in front of the engine. Where there are any, text is cut before them at a border that none of them
sees across: between an ASCII letter and a single space or line feed before another letter, which is
safe for every named splitter, too (`core/src/pretokenizers/cut.rs`), and for the Unicode forms. The engine's
own `last_safe_cut` would not do: it is safe for the splitter alone, and a Unicode form may compose across it.

Any other pipeline (a regex of the user's, white space rewritten, added tokens that a border could cut)
is no subject of `can_stream`: such a document is held whole. Complexity: linear; memory a few blocks.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from tokforge.tokenizer.model import AddedToken, BpeModel
from tokforge.tokenizer.normalizers import FORMS
from tokforge.tokenizer.pretokenizers import PATTERNS
from tokforge.tokenizer.segments import AllowedSpecial
from tokforge.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from tokforge._core import Encoder

__all__ = ["Stretch", "can_stream", "encode_stream"]

_BORDER = re.compile(rb"[A-Za-z](?=[ \n][A-Za-z])")
_LOOK_BACK = 1 << 16
_PART_BYTES = 1 << 20
"""What one thread encodes at a time."""


class Stretch(NamedTuple):
    """A finished part of the document."""

    data: bytes
    ids: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.uint64]
    """(tokens,) - first byte of each token within ``data``; empty if the caller wants none."""


Step = Callable[[bytes, int], Stretch]
"""Encodes the beginning of what is held, as far as it may; told how much of it was held before."""


def can_stream(tokenizer: Tokenizer, allowed_special: AllowedSpecial = "none") -> bool:
    """Tells whether a document may be encoded block by block."""
    return _is_engines_alone(tokenizer, allowed_special) or _has_borders(tokenizer, allowed_special)


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
    """

    def encode(parts: list[bytes]) -> Stretch:
        data = b"".join(parts)
        if offsets:
            return Stretch(data, *tokenizer.encode_with_offsets(data, allowed_special=allowed_special))
        ids, _ = tokenizer.encode_batch(parts, threads, allowed_special=allowed_special)
        return Stretch(data, ids, np.empty(0, np.uint64))

    if _is_engines_alone(tokenizer, allowed_special):
        step = _settling(tokenizer, threads)
    elif _has_borders(tokenizer, allowed_special):
        step = _cutting(encode)
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


def _matched(tokenizer: Tokenizer, allowed: AllowedSpecial) -> tuple[AddedToken, ...]:
    """The added tokens that are looked for in text; special ones that are not allowed still hide others."""
    plain = all(token.special for token in tokenizer.added_tokens)
    return () if plain and (not allowed or allowed == "none") else tokenizer.added_tokens


def _is_byte_level(tokenizer: Tokenizer) -> bool:
    model = tokenizer.definition.model
    return isinstance(model, BpeModel) and model.is_byte_level


def _named_stages(tokenizer: Tokenizer) -> bool:
    stages = tokenizer.pipeline.pretokenizers
    return all(isinstance(stage, str) and stage in PATTERNS for stage in stages)


def _is_engines_alone(tokenizer: Tokenizer, allowed: AllowedSpecial) -> bool:
    nothing_before = not tokenizer.pipeline.normalizers and not _matched(tokenizer, allowed)
    return nothing_before and _is_byte_level(tokenizer) and _named_stages(tokenizer)


def _has_borders(tokenizer: Tokenizer, allowed: AllowedSpecial) -> bool:
    forms = all(step in FORMS for step in tokenizer.pipeline.normalizers)
    splits = bool(tokenizer.pipeline.pretokenizers) and _named_stages(tokenizer)
    safe = not any(map(_may_span_border, _matched(tokenizer, allowed)))
    return forms and splits and safe and _is_byte_level(tokenizer)


def _may_span_border(token: AddedToken) -> bool:
    sees_left = token.single_word and token.text[:1].isspace()
    spans = re.search(r"[A-Za-z][ \n]", token.text) is not None
    return token.lstrip or token.rstrip or sees_left or spans


def _settling(tokenizer: Tokenizer, threads: int) -> Step:
    encoder = cast("Encoder", tokenizer._encoder)  # that of plain bytes: `_is_engines_alone`
    lengths = np.array([len(token or b"") for token in tokenizer.table.ordinary()], np.uint64)

    def step(held: bytes, before: int) -> Stretch:
        raw, end = encoder.encode_settled(held, threads)
        ids = np.frombuffer(raw, np.uint32)
        sizes = lengths[ids]
        return Stretch(held[:end], ids, np.cumsum(sizes, dtype=np.uint64) - sizes)

    return step


def _cutting(encode: Callable[[list[bytes]], Stretch]) -> Step:
    def step(held: bytes, before: int) -> Stretch:
        return encode(_parts(held[: _last_border(held, max(before - 2, 0))]))

    return step


def _last_border(data: bytes, low: int) -> int:
    """Returns the last border in ``data[low:]``, looking from its end; 0 if there is none."""
    end = len(data)
    while end > low:
        start = max(end - _LOOK_BACK, low)
        borders = [found.end() for found in _BORDER.finditer(data, start, end)]
        if borders:
            return borders[-1]
        end = start + 2 if start > low else low  # a border may lie across the two windows
    return 0


def _parts(data: bytes) -> list[bytes]:
    """Cuts ``data`` at borders into parts for the threads."""
    cuts = [0]
    while len(data) - cuts[-1] > _PART_BYTES and (found := _BORDER.search(data, cuts[-1] + _PART_BYTES)):
        cuts.append(found.end())
    return [data[start:end] for start, end in zip(cuts, [*cuts[1:], len(data)], strict=True)]
