"""What each token of a vocabulary is, as arrays over ids: the part of the metrics that needs no text."""

import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.decoders import MetaspaceDecoder, Replace

__all__ = ["Vocabulary", "words_in"]

Array: TypeAlias = npt.NDArray[Any]

_LETTER = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer and the properties of its tokens; arrays are made on first use."""

    name: str
    """The path as the user gave it."""
    tokenizer: Tokenizer

    @property
    def size(self) -> int:
        """Length of the table, unused ids included."""
        return self.tokenizer.vocab_size

    @cached_property
    def tokens(self) -> tuple[bytes, ...]:
        """The bytes of each id."""
        return self.tokenizer.table.tokens

    @cached_property
    def spelled(self) -> tuple[bytes, ...]:
        """The bytes of text that each id stands for: a space where the decoder turns U+2581 into one."""
        tokens = self.tokens
        for decoder in self.tokenizer.pipeline.decoders:
            if isinstance(decoder, MetaspaceDecoder):
                mark = decoder.replacement.encode()
            elif isinstance(decoder, Replace) and not decoder.regex and decoder.content == " ":
                mark = decoder.pattern.encode()
            else:
                continue
            tokens = tuple(token.replace(mark, b" ") for token in tokens)
        return tokens

    @cached_property
    def sizes(self) -> Array:
        """(size,) int64 - bytes of text that each token stands for."""
        return np.fromiter(map(len, self.spelled), np.int64, self.size)

    @cached_property
    def sha256(self) -> str:
        """Hash of what decides ids: tokens and kinds by id, the model, the pipeline, the added tokens.

        Not `Tokenizer.fingerprint`, which spells a whole tokenizer.json and takes a second for it.
        """
        table, definition = self.tokenizer.table, self.tokenizer.definition
        merges = np.array(self.tokenizer.merges, np.int64).reshape(-1, 3)
        other = (table.kinds, definition.pipeline, definition.added_tokens, type(definition.model).__name__)
        found = sha256(b"".join(table.tokens))
        for part in (
            self.lengths.tobytes(),
            merges.tobytes(),
            repr(other).encode("utf-8", "backslashreplace"),
        ):
            found.update(part)
        return found.hexdigest()

    @cached_property
    def ordinary(self) -> Array:
        """(size,) bool - ids that encoding text may give: neither added, special nor unused."""
        return np.array([token is not None for token in self.tokenizer.table.ordinary()], bool)

    @cached_property
    def lengths(self) -> Array:
        """(size,) int64 - bytes of each token as the merges see it."""
        return np.fromiter(map(len, self.tokens), np.int64, self.size)

    @cached_property
    def words(self) -> Array:
        """(size,) int64 - words of each token: `words_in`."""
        return np.fromiter(map(words_in, self.spelled), np.int64, self.size)

    @cached_property
    def partial(self) -> Array:
        """(size,) bool - ordinary tokens that are cut inside a character, or are no part of any text."""
        return self._ordinary_where(lambda token: not _is_whole(token))

    @cached_property
    def fallback(self) -> Array:
        """(size,) bool - tokens of one byte that is no ASCII character: a piece of a character."""
        return self._ordinary_where(lambda token: len(token) == 1 and token[0] >= 0x80)

    @cached_property
    def first_merges(self) -> dict[int, tuple[int, int, int]]:
        """Id -> (rank, left, right) of the first merge that makes it."""
        found: dict[int, tuple[int, int, int]] = {}
        for rank, (left, right, merged) in enumerate(self.tokenizer.merges):
            found.setdefault(merged, (rank, left, right))
        return found

    @cached_property
    def merge_levels(self) -> list[tuple[Array, Array, Array]]:
        """(left, right, merged) ids of each token's first merge, grouped by the token's length, short ones
        first: a token is longer than its parts, so whatever runs down the merges runs over these groups.
        """
        merges = np.array(self.tokenizer.merges, np.int64).reshape(-1, 3)
        merges = merges[np.unique(merges[:, 2], return_index=True)[1]]
        sizes = self.lengths[merges[:, 2]]
        merges = merges[np.argsort(sizes, kind="stable")]
        edges = np.cumsum(np.unique(sizes, return_counts=True)[1])[:-1]
        return [(group[:, 0], group[:, 1], group[:, 2]) for group in np.split(merges, edges)]

    def _ordinary_where(self, holds: Any) -> Array:
        found: Array = self.ordinary & np.fromiter(map(holds, self.tokens), bool, self.size)
        return found


def words_in(token: bytes) -> int:
    """Returns the number of words in a token: 2 and more make it a superword.

    A word is a run without white space that holds a letter or digit; a run of a script without spaces is one.

    Example:
        >>> words_in(b" of the"), words_in(b", the"), words_in(b"  ")
        (2, 1, 0)
    """
    return sum(_LETTER.search(run) is not None for run in token.decode(errors="replace").split())


def _is_whole(token: bytes) -> bool:
    try:
        token.decode()
    except UnicodeDecodeError:
        return False
    return True
