"""Where tokens begin in the bytes of a text, also for tokenizers that spell a space as U+2581.

Definition: the start of a token is the byte of the text that its first byte came from. Gemma and Llama 2
replace spaces by U+2581, three bytes for one, and may put one in front: then the normalised text tells the
place of every byte. Others are left to `Tokenizer.encode_spans`, which follows them a thousand times slower:
for words and numbers, not for documents. Complexity: linear. Source: tokenizers' normalisers Replace and
Prepend, as these models have.
"""

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.normalizers import Prepend, Replace

__all__ = ["encode_with_starts", "starts_in", "starts_of"]

_MARK = "\u2581"
_REPLACE, _PREPEND = Replace(" ", _MARK), Prepend(_MARK)
_WIDTH = len(_MARK.encode())


def encode_with_starts(
    tokenizer: Tokenizer, data: bytes
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns the ids of ``data`` and the byte that each token begins with, (tokens,) each; a token without
    a byte begins where the next one does. Raises ConfigError where a normaliser changes text in another way.
    """
    try:
        ids, starts = tokenizer.encode_with_offsets(data)
    except ConfigError:
        ids = tokenizer.encode(data)
        lengths = np.fromiter((len(tokenizer.table.tokens[i]) for i in ids.tolist()), np.int64, len(ids))
        found = starts_of(tokenizer, data, lengths)
        if found is None:
            raise
        return ids.astype(np.int64), found
    return ids.astype(np.int64), starts.astype(np.int64)


def starts_in(tokenizer: Tokenizer, data: bytes) -> set[int]:
    """Returns the bytes of a short ``data`` that tokens begin at, whatever normaliser and model there are."""
    try:
        return set(encode_with_starts(tokenizer, data)[1].tolist())
    except ConfigError:
        spans = tokenizer.encode_spans(data)[1].tolist()
        return {start for start, end in spans if start < end}


def starts_of(
    tokenizer: Tokenizer, data: bytes, lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64] | None:
    """Returns the first byte in ``data`` of tokens of ``lengths`` bytes; None for another normaliser."""
    normalizers = tokenizer.definition.pipeline.normalizers
    if normalizers not in ((_REPLACE,), (_PREPEND, _REPLACE)):
        return None
    prefix = _WIDTH if _PREPEND in normalizers and data else 0
    widths = np.where(np.frombuffer(data, np.uint8) == ord(" "), _WIDTH, 1)
    if int(widths.sum()) + prefix != int(lengths.sum()):
        return None  # an unknown character, or a piece that an added token begins anew
    origin = np.concatenate([np.zeros(prefix, np.int64), np.repeat(np.arange(len(data)), widths)])
    starts: npt.NDArray[np.int64] = origin[np.cumsum(lengths) - lengths]
    return starts
