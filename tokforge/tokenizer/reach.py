"""Which tokens the merges can produce."""

import numpy as np

from tokforge.tokenizer._engine import make_encoder
from tokforge.tokenizer.batch import encode_documents
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["unreachable_tokens"]


def unreachable_tokens(tokenizer: Tokenizer, threads: int | None = None) -> list[int]:
    """Returns the ids of ordinary tokens whose own bytes, as one pretoken, encode to something else.

    Such a token never appears in encoded data: if its bytes ever stood as they are, they would be
    merged in another way. Linear in the bytes of the vocabulary.
    """
    ordinary = [(i, token) for i, token in enumerate(tokenizer.table.ordinary()) if token is not None]
    unsplit = make_encoder(tokenizer.definition, split=False)
    ids, boundaries = encode_documents(unsplit, [token for _, token in ordinary], threads)
    expected = np.array([token_id for token_id, _ in ordinary], np.uint32)
    starts = boundaries[:-1].astype(np.int64)  # no token is empty, so each has a first id
    reached = (np.diff(boundaries) == 1) & (ids[starts] == expected)
    return expected[~reached].tolist()  # type: ignore[no-any-return]
