"""Many documents to ids in one engine call, and ids back to bytes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tokforge.errors import TokenIdError
from tokforge.threads import thread_count
from tokforge.tokenizer.model import TokenTable
from tokforge.tokenizer.segments import AllowedSpecial, Data, Segment, Segmenter

if TYPE_CHECKING:
    from tokforge._core import Encoder, ModelEncoder

__all__ = ["checked_ids", "decode_ids", "encode_documents", "encode_segments"]


def encode_documents(
    encoder: "Encoder | ModelEncoder",
    docs: Sequence[Data],
    threads: int | None,
    segmenter: Segmenter | None = None,
    allowed: AllowedSpecial = "none",
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint64]]:
    """Encodes documents; returns (tokens,) ids and (docs + 1,) boundaries.

    Without a ``segmenter`` nothing is normalised, and no added token is looked for.
    """
    from tokforge import _core

    if isinstance(encoder, _core.ModelEncoder):
        cutting = (segmenter.engine, segmenter.counts(allowed)) if segmenter else (None, None)
        raw_ids, raw_ends = encoder.encode_batch(
            docs, thread_count(threads), segmenter=cutting[0], counts=cutting[1]
        )
        return np.frombuffer(raw_ids, np.uint32), np.frombuffer(raw_ends, np.uint64)
    cut = [segmenter.cut(doc, allowed) if segmenter else [Segment(None, 0, doc)] for doc in docs]
    return encode_segments(encoder, cut, threads)


def encode_segments(
    encoder: "Encoder", docs: Sequence[Sequence[Segment]], threads: int | None
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint64]]:
    """Encodes documents cut into segments; returns (tokens,) ids and (docs + 1,) boundaries.

    All segments of all documents go to the engine together, added tokens as empty inputs: so one long
    call keeps every thread busy, and the ids of the added tokens are put in between afterwards.
    """
    segments = [part for doc in docs for part in doc]
    texts = [b"" if part.id is not None else part.data for part in segments]
    raw_ids, raw_ends = encoder.encode_batch(texts, thread_count(threads))
    ids, ends = np.frombuffer(raw_ids, np.uint32), np.frombuffer(raw_ends, np.uint64)
    whole = np.array([part.id is not None for part in segments], bool)
    if whole.any():
        added = np.array([part.id for part in segments if part.id is not None], np.uint32)
        ids = np.insert(ids, ends[:-1][whole].astype(np.int64), added)
        ends = ends + np.concatenate([[0], np.cumsum(whole)]).astype(np.uint64)
    last_segments = np.cumsum([0, *(len(doc) for doc in docs)], dtype=np.int64)
    return ids, ends[last_segments]


def decode_ids(
    encoder: "Encoder",
    table: TokenTable,
    ordinary: npt.NDArray[np.bool_],
    ids: npt.ArrayLike,
    *,
    skip_special_tokens: bool,
) -> bytes:
    """Joins the bytes of ``ids``: the engine takes the runs of ordinary tokens, added ones go between.

    ``ordinary``: (vocab_size,) - which ids the engine knows.
    """
    checked = checked_ids(ids, table)
    others = np.flatnonzero(~ordinary[checked])
    parts, done = [], 0
    for at in others.tolist():
        parts.append(encoder.decode(checked[done:at]))
        parts.append(_added_bytes(table, int(checked[at]), at, skip_special_tokens=skip_special_tokens))
        done = at + 1
    return b"".join([*parts, encoder.decode(checked[done:])])


def _added_bytes(table: TokenTable, token_id: int, at: int, *, skip_special_tokens: bool) -> bytes:
    kind = table.kinds[token_id]
    if kind == "unused":
        raise TokenIdError(f"id {token_id} at position {at} is unused", "it has no token in this vocabulary")
    return b"" if kind == "special" and skip_special_tokens else table.tokens[token_id]


def checked_ids(ids: npt.ArrayLike, table: TokenTable) -> npt.NDArray[np.uint32]:
    """Returns ``ids`` as (tokens,) uint32; raises TokenIdError for what names no place in the table."""
    try:
        given = np.asarray(ids)
    except (ValueError, OverflowError) as error:
        raise TokenIdError(f"the ids are no flat sequence of integers: {error}", "pass integers") from error
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise TokenIdError(
            f"the ids are of shape {given.shape} and type {given.dtype}", "pass a flat sequence of integers"
        )
    bad = np.flatnonzero((given < 0) | (given >= len(table)))
    if bad.size:
        raise TokenIdError(
            f"id {given[bad[0]]} at position {bad[0]} is no token", f"ids run from 0 to {len(table) - 1}"
        )
    return np.ascontiguousarray(given, np.uint32)
