"""The table of a tokenizer: id -> (bytes, kind)."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from tokforge.errors import FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.model.added import AddedToken

__all__ = ["ORDINARY", "Kind", "TokenTable", "byte_level_kinds", "table_of"]

Kind = Literal["normal", "continuing", "ending", "byte", "special", "added", "unused"]

ORDINARY = ("normal", "continuing", "ending", "byte")
"""The kinds that a model may produce."""


@dataclass(frozen=True, slots=True)
class TokenTable:
    """id -> (bytes, kind).

    Kinds: ``normal``; ``byte``, one of the 256 (in a model of characters it may hold the bytes of a
    normal token, too: `<0x41>` beside `A`); ``continuing``, a normal token that stands only inside a
    word (WordPiece spells it ``##ing``, its bytes are ``ing``); ``ending``, one that stands only at a
    word's end (CLIP's ``ing</w>``); ``special``, control; ``added``, matched whole in text but not
    control; ``unused``, an id without a token.

    The bytes are those that the model sees, after normalisation: a sentencepiece token that begins a
    word holds U+2581, the spelled space; `Pipeline.decoders` turn it back.
    """

    tokens: tuple[bytes, ...]
    kinds: tuple[Kind, ...]

    def __len__(self) -> int:
        return len(self.tokens)

    def ordinary(self) -> list[bytes | None]:
        """Returns the bytes of each id that the model may produce, None for the others."""
        return [
            token if kind in ORDINARY else None for token, kind in zip(self.tokens, self.kinds, strict=True)
        ]

    def byte_ids(self) -> list[int]:
        """Returns the id of each of the 256 bytes, -1 where it has none."""
        ids = [-1] * 256
        token_id = -1
        for _ in range(self.kinds.count("byte")):  # a loop over all ids would be felt at load
            token_id = self.kinds.index("byte", token_id + 1)
            ids[self.tokens[token_id][0]] = token_id
        return ids

    def missing_bytes(self) -> bytes:
        """Returns the bytes without a token of kind ``byte``, ascending."""
        return bytes(value for value, token_id in enumerate(self.byte_ids()) if token_id < 0)

    def every_byte_id(self) -> list[int]:
        """Returns `byte_ids`; raises FormatError where one is missing."""
        if missing := self.missing_bytes():
            raise FormatError(
                f"{len(missing)} of the 256 byte tokens are missing, first 0x{missing[0]:02X}",
                "a byte-level vocabulary needs all of them here, or some inputs have no ids",
            )
        return self.byte_ids()


def table_of(
    tokens: Iterable[bytes | None], added: Iterable[AddedToken], kinds: Iterable[Kind] | None = None
) -> TokenTable:
    """Builds the table from ordinary tokens in id order (None elsewhere) and the added tokens.

    ``kinds``: one an id, for the ordinary ones; by default, a token of one byte is of kind ``byte``.
    """
    filled = list(tokens)
    marked = byte_level_kinds(filled) if kinds is None else list(kinds)
    if None in filled:
        marked = ["unused" if token is None else kind for token, kind in zip(filled, marked, strict=True)]
    for token in added:
        if not 0 <= token.id < len(filled):
            raise FormatError(
                f"added token {quoted(token.text)} has id {token.id}", f"ids end at {len(filled) - 1}"
            )
        if filled[token.id] is None:
            filled[token.id] = token.text.encode()
            marked[token.id] = "special" if token.special else "added"
    return TokenTable(tuple([token or b"" for token in filled]), tuple(marked))


def byte_level_kinds(tokens: Sequence[bytes | None]) -> list[Kind]:
    """Returns the kind of each token of a byte-level vocabulary: ``byte`` for one byte, else ``normal``.

    Where two ids hold one byte the first is of kind ``byte``; `check_model` refuses the other.
    """
    kinds: list[Kind] = ["normal"] * len(tokens)
    for byte in range(256):
        with suppress(ValueError):
            kinds[tokens.index(bytes((byte,)))] = "byte"
    return kinds
