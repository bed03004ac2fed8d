"""Encodes a document that comes block by block, in bounded memory; the ids are those of the whole.

Two ways, by what the tokenizer does with the text:

*Cuts.* A named splitter never lets a piece span a border between an ASCII letter and a single space or
line feed before another letter (`core/src/pretokenizers/cut.rs`), and no Unicode form does either. So
what stands before the last such border is encoded at once and forgotten.

*Settled tokens.* Without a splitter, let L be the encoding of what is held, E bytes, and w one of its
tokens. The whole document's encoding has a border Q among the last bytes that a longest token can
cover, E itself included, and up to Q it is the encoding of that prefix alone. If for every such Q the
encoding from w's first byte to Q begins with w, too, then each of these prefixes is encoded as L up to
w: whichever Q it is, L up to w stays. (Neighbours that stay are all it takes: the theorem of
`core/src/encode/validity.rs`.) Else an earlier w is tried; nearly always the first one will do.

Any other pipeline (a regex of the user's, white space rewritten, added tokens that a border could cut)
is refused by `can_stream`: such a document is held whole. Complexity: linear; memory a few blocks.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tokforge.tokenizer.model import BpeModel
from tokforge.tokenizer.normalizers import FORMS
from tokforge.tokenizer.pretokenizers import PATTERNS
from tokforge.tokenizer.segments import AllowedSpecial
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["Stretch", "can_stream", "encode_stream"]

Ids = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.uint64]
_BORDER = re.compile(rb"[A-Za-z](?=[ \n][A-Za-z])")
_LOOK_BACK = 1 << 16
_PART_BYTES = 1 << 20
"""What one thread encodes at a time."""
_LONGEST_TOKEN = 1 << 12
"""Longer tokens would need too many prefixes to be looked at."""


class Stretch(NamedTuple):
    """A finished part of the document."""

    data: bytes
    ids: Ids
    starts: Offsets
    """(tokens,) - first byte of each token within ``data``; empty if the caller wants none."""


def can_stream(tokenizer: Tokenizer, allowed_special: AllowedSpecial = "none") -> bool:
    """Tells whether a document may be encoded block by block."""
    return _has_cuts(tokenizer, allowed_special) or _can_settle(tokenizer, allowed_special)


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
    if _has_cuts(tokenizer, allowed_special):
        yield from _by_cuts(tokenizer, blocks, allowed_special, offsets, threads)
    elif _can_settle(tokenizer, allowed_special):
        yield from _by_settled(tokenizer, blocks, threads)
    else:
        yield _encoded(tokenizer, [b"".join(blocks)], allowed_special, offsets, threads)


def _is_byte_level(tokenizer: Tokenizer) -> bool:
    model = tokenizer.definition.model
    return isinstance(model, BpeModel) and model.is_byte_level


def _has_cuts(tokenizer: Tokenizer, allowed: AllowedSpecial) -> bool:
    stages = tokenizer.pipeline.pretokenizers
    named = bool(stages) and all(isinstance(stage, str) and stage in PATTERNS for stage in stages)
    plain_forms = all(step in FORMS for step in tokenizer.pipeline.normalizers)
    return named and plain_forms and _is_byte_level(tokenizer) and not _added_may_be_cut(tokenizer, allowed)


def _added_may_be_cut(tokenizer: Tokenizer, allowed: AllowedSpecial) -> bool:
    if not allowed or allowed == "none":
        matched = [] if all(token.special for token in tokenizer.added_tokens) else tokenizer.added_tokens
    else:
        matched = tokenizer.added_tokens
    return any(
        token.lstrip
        or token.rstrip
        or (token.single_word and token.text[:1].isspace())
        or re.search(r"[A-Za-z][ \n]", token.text)
        for token in matched
    )


def _can_settle(tokenizer: Tokenizer, allowed: AllowedSpecial) -> bool:
    model, pipeline = tokenizer.definition.model, tokenizer.pipeline
    whole = not pipeline.pretokenizers and not pipeline.normalizers
    matches = [token for token in tokenizer.added_tokens if not token.special or allowed != "none"]
    is_plain = isinstance(model, BpeModel) and model.is_byte_level and not model.ignore_merges
    is_short = max(map(len, tokenizer.table.tokens)) <= _LONGEST_TOKEN
    return whole and is_plain and is_short and not matches


def _by_cuts(
    tokenizer: Tokenizer, blocks: Iterable[bytes], allowed: AllowedSpecial, offsets: bool, threads: int
) -> Iterator[Stretch]:
    held = b""
    for block in blocks:
        searched = max(len(held) - 2, 0)
        held += block
        cut = _last_border(held, searched)
        if cut:
            yield _encoded(tokenizer, _parts(held[:cut]), allowed, offsets, threads)
            held = held[cut:]
    if held:
        yield _encoded(tokenizer, _parts(held), allowed, offsets, threads)


def _last_border(data: bytes, low: int) -> int | None:
    """Returns the last safe cut in ``data[low:]``, looking from its end."""
    end = len(data)
    while end > low:
        start = max(end - _LOOK_BACK, low)
        borders = [found.end() for found in _BORDER.finditer(data, start, end)]
        if borders:
            return borders[-1]
        end = start + 2 if start > low else low  # a border may lie across the two windows
    return None


def _parts(data: bytes) -> list[bytes]:
    """Cuts ``data`` at safe borders into parts for the threads."""
    cuts = [0]
    while len(data) - cuts[-1] > _PART_BYTES and (found := _BORDER.search(data, cuts[-1] + _PART_BYTES)):
        cuts.append(found.end())
    return [data[start:end] for start, end in zip(cuts, [*cuts[1:], len(data)], strict=True)]


def _encoded(
    tokenizer: Tokenizer, parts: list[bytes], allowed: AllowedSpecial, offsets: bool, threads: int
) -> Stretch:
    data = b"".join(parts)
    if offsets:
        ids, starts = tokenizer.encode_with_offsets(data, allowed_special=allowed)
        return Stretch(data, ids, starts)
    ids, _ = tokenizer.encode_batch(parts, threads, allowed_special=allowed)
    return Stretch(data, ids, np.empty(0, np.uint64))


def _by_settled(tokenizer: Tokenizer, blocks: Iterable[bytes], threads: int) -> Iterator[Stretch]:
    lengths = np.array([len(token or b"") for token in tokenizer.table.ordinary()], np.uint64)
    held = b""
    for block in blocks:
        held += block
        stretch = _tiled(tokenizer, held, lengths, threads)
        settled = _settled(tokenizer, stretch, int(lengths.max()))
        if settled:
            end = int(stretch.starts[settled]) if settled < len(stretch.starts) else len(held)
            yield Stretch(held[:end], stretch.ids[:settled], stretch.starts[:settled])
            held = held[end:]
    if held:
        yield _tiled(tokenizer, held, lengths, threads)


def _tiled(tokenizer: Tokenizer, data: bytes, lengths: Offsets, threads: int) -> Stretch:
    ids, _ = tokenizer.encode_batch([data], threads)
    return Stretch(data, ids, np.cumsum(lengths[ids], dtype=np.uint64) - lengths[ids])


def _settled(tokenizer: Tokenizer, stretch: Stretch, longest: int) -> int:
    """Returns how many tokens of ``stretch`` stay whatever follows."""
    size, reach = len(stretch.data), 2 * longest
    while reach < size:
        at = int(np.searchsorted(stretch.starts, size - reach, side="right")) - 1
        start = int(stretch.starts[at])
        prefixes = [stretch.data[start:end] for end in range(size - longest + 1, size + 1)]
        ids, bounds = tokenizer.encode_batch(prefixes, 1)
        if (ids[bounds[:-1].astype(np.int64)] == stretch.ids[at]).all():
            return at + 1
        reach *= 8
    return 0
