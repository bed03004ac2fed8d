"""Puts the ids into another order: for a format that wants one, or frequent tokens first.

Ids never decide how text is cut, so every text keeps its tokens. Linear, but for the sort.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.edit.moving import Edited, edited, moved
from tokforge.tokenizer.formats.byte_alphabet import initial_bytes
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["ORDERS", "order_by_use", "reorder"]

Order = npt.NDArray[np.int64]
"""(vocab_size,) - old ids in their new order."""


def reorder(tokenizer: Tokenizer, order: npt.ArrayLike, *, name: str = "given") -> Edited:
    """Returns the tokenizer whose id ``i`` is what was id ``order[i]``.

    Args:
        order: (vocab_size,) integers - all old ids, each once, in their new order; see `ORDERS`.
        name: what the provenance calls this order.

    Raises:
        ConfigError: ``order`` is no permutation of the ids.
    """
    old_ids = np.asarray(order)
    expected = np.arange(tokenizer.vocab_size)
    if old_ids.shape != expected.shape or not np.array_equal(np.sort(old_ids), expected):
        raise ConfigError(
            f"an order of {old_ids.size} ids is no permutation of {tokenizer.vocab_size}",
            "give every id once, in its new order",
        )
    new_of_old = np.empty_like(expected)
    new_of_old[old_ids] = expected
    id_map = IdMap(new_of_old, tokenizer.vocab_size)
    return edited(
        tokenizer, moved(tokenizer.definition, id_map), id_map, {"operation": "reorder", "order": name}
    )


def order_by_use(tokenizer: Tokenizer, counts: npt.ArrayLike) -> Order:
    """Returns ordinary tokens by falling count, ties by id; added tokens and unused ids keep their places.

    ``counts``: (vocab_size,) - occurrences of each id.
    """
    use = np.asarray(counts)
    if use.shape != (tokenizer.vocab_size,):
        raise ConfigError(f"counts of shape {use.shape}", f"give one for each of {tokenizer.vocab_size} ids")
    fixed = np.array([kind in ("special", "added", "unused") for kind in tokenizer.table.kinds])
    order = np.arange(tokenizer.vocab_size)
    free = np.flatnonzero(~fixed)
    order[free] = free[np.argsort(-use[free].astype(np.int64), kind="stable")]
    return order


def _specials_first(tokenizer: Tokenizer, values: list[bytes]) -> Order:
    head, tail = _parts(tokenizer, values)
    return np.array([*tail, *head], np.int64)


def _specials_last(tokenizer: Tokenizer, values: list[bytes]) -> Order:
    head, tail = _parts(tokenizer, values)
    return np.array([*head, *tail], np.int64)


def _parts(tokenizer: Tokenizer, values: list[bytes]) -> tuple[list[int], list[int]]:
    """Returns the ordinary ids (bytes as in ``values``, then products in merge order, then the rest) and
    the others."""
    table = tokenizer.table
    byte_ids = dict(enumerate(table.every_byte_id()))
    ordinary = [byte_ids[value[0]] for value in values if byte_ids[value[0]] >= 0]
    ordinary += [merged for _, _, merged in tokenizer.merges]
    ordinary += [i for i, token in enumerate(table.ordinary()) if token is not None]
    ordinary = list(dict.fromkeys(ordinary))
    others = [i for i, token in enumerate(table.ordinary()) if token is None]
    return ordinary, others


_PLAIN_BYTES = [bytes((value,)) for value in range(256)]

ORDERS: Mapping[str, Callable[[Tokenizer], Order]] = {
    # Hugging Face's trainer: specials, bytes by GPT-2 code point, products by merge.
    "hf": lambda tokenizer: _specials_first(tokenizer, initial_bytes()),
    # tekken.json: special ids first, then ranks, of which the first 256 are the bytes in order.
    "tekken": lambda tokenizer: _specials_first(tokenizer, _PLAIN_BYTES),
    # tiktoken's published vocabularies: bytes by GPT-2 code point, ranks by merge, specials behind.
    "tiktoken": lambda tokenizer: _specials_last(tokenizer, initial_bytes()),
}
"""Name -> the order of a tokenizer's old ids."""
