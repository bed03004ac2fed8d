"""Pads the vocabulary to a multiple, so that embedding matrices have a size that hardware likes.

The new ids are special tokens with reserved names, at the end: every format can hold them (an unused
id at the end of a tokenizer.json would be lost), and each can be given a use later by `rename`.
"""

from collections.abc import Iterable, Iterator
from itertools import count, islice

from tokforge.errors import ConfigError
from tokforge.tokenizer.edit.add import add_tokens
from tokforge.tokenizer.edit.id_map import IdMap
from tokforge.tokenizer.edit.moving import Edited
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["pad", "reserved_names"]


_MOST_IDS = 2**24
"""Sixty times the largest vocabulary in use: more is a slip of the keyboard, and would take all memory."""


def pad(tokenizer: Tokenizer, multiple_of: int) -> Edited:
    """Returns the tokenizer with ``<|reserved_N|>`` tokens up to the next multiple; none if it is one.

    Raises ConfigError unless ``multiple_of`` is 1 or more, and for a multiple above 16,777,216 ids.
    """
    if multiple_of < 1:
        raise ConfigError(f"multiple_of is {multiple_of}", "use 1 or more, such as 64")
    missing = -tokenizer.vocab_size % multiple_of
    if tokenizer.vocab_size + missing > _MOST_IDS:
        raise ConfigError(
            f"multiple_of is {multiple_of}, which makes {tokenizer.vocab_size + missing} ids of "
            f"{tokenizer.vocab_size}",
            "use a small one, such as 64",
        )
    if not missing:
        return Edited(tokenizer, IdMap.identity(tokenizer.vocab_size))
    taken = (token.text for token in tokenizer.added_tokens)
    names = reserved_names(taken, tokenizer.table.ordinary())
    return add_tokens(tokenizer, list(islice(names, missing)))


def reserved_names(specials: Iterable[str], learned: Iterable[bytes | None]) -> Iterator[str]:
    """Yields names for unused ids; one that is a token already, special or learned, would have two ids."""
    taken = {*specials, *(token.decode("latin-1") for token in learned if token)}
    return (name for name in (f"<|reserved_{number}|>" for number in count()) if name not in taken)
