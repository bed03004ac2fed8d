"""The table of a tokenizer: id -> (bytes, kind)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tokforge.errors import FormatError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.model.added import AddedToken

__all__ = ["ORDINARY", "Kind", "TokenTable", "table_of"]

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
        for token_id, kind in enumerate(self.kinds):
            if kind == "byte":
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
    if kinds is None:
        marked: list[Kind] = [_byte_level_kind(token) for token in filled]
    else:
        given = zip(filled, kinds, strict=True)
        marked = ["unused" if token is None else kind for token, kind in given]
    for token in added:
        if not 0 <= token.id < len(filled):
            raise FormatError(
                f"added token {quoted(token.text)} has id {token.id}", f"ids end at {len(filled) - 1}"
            )
        if filled[token.id] is None:
            filled[token.id] = token.text.encode()
            marked[token.id] = "special" if token.special else "added"
    return TokenTable(tuple(token or b"" for token in filled), tuple(marked))


def _byte_level_kind(token: bytes | None) -> Kind:
    if token is None:
        return "unused"
    return "byte" if len(token) == 1 else "normal"
