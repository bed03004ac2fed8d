"""Ids and character spans of a text's tokens, from any tokenizer that knows them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.tokenizer import Tokenizer

__all__ = ["encode_for_plan"]

Array = npt.NDArray[np.int64]


def encode_for_plan(code: str, tokenizer: Any) -> tuple[Array, Array]:
    """Returns (tokens,) ids and (tokens, 2) character spans; special tokens have empty spans.

    Raises ConfigError, with its class, for a tokenizer that does not know where its tokens stand.
    """
    if isinstance(tokenizer, Tokenizer):
        ids, spans = tokenizer.encode_spans(code, unit="characters")
        return ids.astype(np.int64), spans.astype(np.int64)
    if callable(tokenizer) and getattr(tokenizer, "is_fast", False):
        # verbose=False: a text longer than the model is cut by the plan, between units.
        found = tokenizer(code, return_offsets_mapping=True, return_special_tokens_mask=True, verbose=False)
        return _arrays(found["input_ids"], found["offset_mapping"], found["special_tokens_mask"])
    encode = getattr(tokenizer, "encode", None)
    if encode is not None and type(tokenizer).__module__.startswith("tokenizers"):
        encoding = encode(code)
        return _arrays(encoding.ids, encoding.offsets, encoding.special_tokens_mask)
    raise ConfigError(
        f"a {type(tokenizer).__name__} does not say where its tokens stand in the text",
        "use a fast tokenizer (AutoTokenizer gives one), or tokforge.Tokenizer.load",
        "tokenizer",
    )


def _arrays(ids: Any, offsets: Any, special: Any) -> tuple[Array, Array]:
    spans = np.array(offsets, np.int64).reshape(-1, 2)
    spans[np.array(special, np.bool_)] = 0
    return np.array(ids, np.int64), spans
