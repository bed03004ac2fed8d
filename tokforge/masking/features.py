"""What a feature holds, read as arrays and checked: nobody notices a mask that is shifted by a token.

Every field of a token is as long as ``input_ids``; offsets lie within the text. O(length).
"""

import hashlib
import operator
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, TokenIdError
from tokforge.masking.segmenters import Segmenter, Spans, as_spans, word_spans

__all__ = [
    "Feature",
    "attention_of",
    "example_key",
    "ids_of",
    "integers",
    "is_share",
    "offsets_of",
    "whole",
    "word_ids_of",
    "words_of",
]

Feature = Mapping[str, Any]
Ids = npt.NDArray[np.int64]


def whole(name: str, value: object, *, least: int = 0, below: int = 1 << 64) -> int:
    """Returns ``value`` as an int; raises ConfigError unless it is a whole number in the range."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError as error:
        raise ConfigError(f"{name} is {value!r}", "use a whole number") from error
    if not least <= number < below:
        raise ConfigError(f"{name} is {number}", f"use a whole number from {least} to {below - 1}")
    return number


def is_share(value: Any) -> bool:
    """Says whether ``value`` is a number from 0 to 1."""
    return isinstance(value, Real) and bool(0 <= value <= 1)  # type: ignore[operator]


def integers(feature: Feature, name: str, tokens: int | None = None) -> Ids:
    """Returns a field of one number a token. (tokens,)

    Raises ConfigError if it is missing, holds something else, or has another length than ``input_ids``.
    """
    if name not in feature:
        raise ConfigError(f"a feature holds {_names(feature)}", f"add {name}")
    try:
        array = np.asarray(feature[name])
    except (TypeError, ValueError) as error:
        raise ConfigError(f"a feature's {name} is no list of numbers", "give one a token") from error
    is_whole = array.dtype.kind in "iub" or (array.dtype.kind == "f" and bool((array % 1 == 0).all()))
    if array.ndim != 1 or (array.size and not is_whole):
        raise ConfigError(f"a feature's {name} is no list of whole numbers", "give one a token")
    if tokens is not None and len(array) != tokens:
        raise ConfigError(f"a feature has {tokens} input_ids and {len(array)} {name}", "cut both alike")
    return array.astype(np.int64, copy=False)


def word_ids_of(feature: Feature, tokens: int, *, none: int) -> Ids:
    """Returns ``word_ids``, with ``none`` for None, which a fast tokenizer's hold. (tokens,)"""
    given = feature["word_ids"]
    if isinstance(given, list | tuple):
        given = [none if one is None else one for one in given]
    return integers({"word_ids": given}, "word_ids", tokens)


def ids_of(feature: Feature, vocab_size: int) -> Ids:
    """Returns ``input_ids``; raises TokenIdError where one is none of the tokenizer's."""
    if not isinstance(feature, Mapping):
        raise ConfigError(f"a feature is a {type(feature).__name__}", "give a list of mappings")
    ids = integers(feature, "input_ids")
    if ids.size and not 0 <= ids.min() <= ids.max() < vocab_size:
        wrong = ids[(ids < 0) | (ids >= vocab_size)][0]
        raise TokenIdError(
            f"input_ids hold {wrong}, and the tokenizer has {vocab_size} ids",
            "use the tokenizer that made them",
        )
    return ids


def attention_of(feature: Feature, tokens: int) -> Ids:
    """Returns the attention mask; ones where the feature has none. (tokens,)"""
    if "attention_mask" in feature:
        return integers(feature, "attention_mask", tokens)
    return np.ones(tokens, dtype=np.int64)


def offsets_of(feature: Feature, tokens: int) -> Spans:
    """Returns ``offset_mapping`` (tokens, 2); raises ConfigError where it lacks, or words to go with it."""
    if "offset_mapping" not in feature or not {"text", "word_spans"} & feature.keys():
        raise ConfigError(
            f"a feature holds {_names(feature)}, from which no words follow",
            "tokenize with return_offsets_mapping=True and keep the text, or add word_ids by `prepare`; "
            "for a Trainer set remove_unused_columns=False",
        )
    offsets = as_spans(feature["offset_mapping"], "offset_mapping")
    if len(offsets) != tokens:
        raise ConfigError(f"a feature has {tokens} input_ids and {len(offsets)} offsets", "cut both alike")
    return offsets


def words_of(feature: Feature, offsets: Spans, segmenter: Segmenter) -> tuple[list[Spans], list[int]]:
    """Returns the words of each of the feature's documents, and the documents' lengths."""
    end = int(offsets[:, 1].max(initial=0))
    if "word_spans" in feature:
        words = _given_spans(feature["word_spans"])
        return words, [end] * len(words)
    given = feature["text"]
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ConfigError("a feature's text is no text", "give a str, or a list of them for packed documents")
    longest = max(map(len, texts), default=0)
    if end > longest:
        raise ConfigError(
            f"offsets reach {end}, beyond the text's {longest} characters", "keep the text that was tokenized"
        )
    return [word_spans(text, segmenter) for text in texts], [len(text) for text in texts]


def _given_spans(given: Any) -> list[Spans]:
    try:
        packed = len(given) > 0 and np.ndim(given[0]) == 2
    except (TypeError, ValueError, KeyError) as error:
        raise ConfigError("word_spans are no spans", "give (start, end) of each word") from error
    return [as_spans(one) for one in given] if packed else [as_spans(given)]


def example_key(feature: Feature, ids: Ids) -> int:
    """Returns ``example_index``, or a digest of the ids."""
    if "example_index" in feature:
        return whole("example_index", feature["example_index"])
    return int.from_bytes(hashlib.blake2b(ids.tobytes(), digest_size=8).digest(), "little")


def _names(feature: Feature) -> str:
    return ", ".join(sorted(map(str, feature))) or "nothing"
