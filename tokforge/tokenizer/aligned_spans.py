"""Spans of tokens whose text was rewritten on the way to the model: normalisers, added tokens, stages, model.

Each token's span runs from the start of its first character to the end of its last, in the original. The ids
are those of `Tokenizer.encode`: text is cut in Python with its places, then every piece is encoded by the
engine. Linear, but slow beside `encode`, as the places are Python's.
"""

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tokforge.errors import InputError, pick
from tokforge.tokenizer.aligned import Aligned, aligned_pieces, byte_to_character
from tokforge.tokenizer.segments import AllowedSpecial
from tokforge.tokenizer.spans import Unit

if TYPE_CHECKING:
    from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["encode_aligned", "tiles"]

Ids = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.uint64]
Parts = list[tuple[int | None, Aligned]]


def tiles(tokenizer: "Tokenizer", data: bytes | bytearray | memoryview | None) -> bool:
    """Tells whether the tokens of ``data``, or of any data, lie end to end: nothing rewrites the text."""
    from tokforge import _core

    if not isinstance(tokenizer._encoder, _core.Encoder):
        return False
    if data is None:
        return not tokenizer.pipeline.normalizers
    return not tokenizer._segmenter.changes(data)


def encode_aligned(
    tokenizer: "Tokenizer", data: bytes, unit: Unit, allowed: AllowedSpecial
) -> tuple[Ids, Offsets]:
    """Returns what `Tokenizer.encode_spans` says, for a pipeline that may rewrite text."""
    pick("unit", unit, dict.fromkeys(("bytes", "characters")))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not UTF-8, and this pipeline rewrites text",
            "clean the text, or use encode",
        ) from error
    parts = _parts(tokenizer, text, allowed)
    ids, spans = _encoded(tokenizer, parts)
    found = np.array(spans, np.uint64).reshape(-1, 2)
    if unit == "bytes":
        begins = np.array([0, *accumulate(len(c.encode()) for c in text)], np.uint64)
        found = begins[found.astype(np.int64)]
    return np.array(ids, np.uint32), found


def _parts(tokenizer: "Tokenizer", text: str, allowed: AllowedSpecial) -> Parts:
    """Returns added tokens (with their ids) and pieces, in order."""
    parts: Parts = []
    for token_id, found in tokenizer._segmenter.cut_aligned(text, allowed):
        if token_id is None:
            stages = tokenizer.pipeline.pretokenizers
            parts += [(None, piece) for piece in aligned_pieces(stages, found)]
        else:
            parts.append((token_id, found))
    return parts


def _encoded(tokenizer: "Tokenizer", parts: Parts) -> tuple[list[int], list[tuple[int, int]]]:
    texts = [piece.text.encode() for token_id, piece in parts if token_id is None]
    raw, raw_bounds = tokenizer._piece_encoder.encode_batch(texts, 1)
    encoded, bounds = np.frombuffer(raw, np.uint32).tolist(), np.frombuffer(raw_bounds, np.uint64).tolist()
    ids, spans, done = list[int](), list[tuple[int, int]](), 0
    for token_id, piece in parts:
        if token_id is not None:
            ids.append(token_id)
            spans.append((piece.spans[0][0], piece.spans[-1][1]))
            continue
        own = encoded[bounds[done] : bounds[done + 1]]
        places, done = byte_to_character(piece.text), done + 1
        ids += own
        for start, end in tokenizer._walker.walk(piece.text, own):
            spans.append((piece.spans[places[start]][0], piece.spans[places[end - 1]][1]))
    return ids, spans
