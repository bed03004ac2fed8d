"""Spellings of tokens in tokenizer.json: between a key of its vocabulary and (bytes, kind).

Byte-level: the GPT-2 byte alphabet. Otherwise the key is the text; with byte fallback `<0x41>` is byte 0x41,
with a prefix or suffix `##ing` is the continuing `ing`, `ing</w>` the ending one.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokforge.errors import ExportError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.byte_alphabet import spell, unspell, unspell_all
from tokforge.tokenizer.formats.strict_json import Node
from tokforge.tokenizer.model import BpeModel, Definition, Kind, WordPieceModel, byte_level_kinds

if TYPE_CHECKING:
    from tokforge._core import Keys

__all__ = ["Spelling", "is_byte_level", "spelled_vocabulary", "spelling_of"]

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
Entry = tuple[bytes | None, Kind]


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a file spells its tokens."""

    byte_level: bool
    byte_fallback: bool = False
    prefix: str = ""
    suffix: str = ""

    def read(self, key: str) -> Entry:
        """Returns the token that ``key`` spells; (None, ...) if it spells none."""
        if self.byte_level:
            return self._read_bytes(key)
        byte = _BYTE.fullmatch(key) if self.byte_fallback else None
        if byte:
            return bytes((int(byte[1], 16),)), "byte"
        text, kind = self._affix(key)
        try:
            return text.encode() or None, kind
        except UnicodeEncodeError:
            return None, kind

    def read_all(self, keys: "Sequence[str] | Keys") -> tuple[list[bytes | None], list[Kind]]:
        """Returns the tokens and the kinds that `read` gives of the keys."""
        if self.byte_level and not (self.prefix or self.suffix):
            tokens = unspell_all(keys)
            return tokens, byte_level_kinds(tokens)
        if isinstance(keys, Sequence) or self.prefix or self.suffix:
            entries = list(map(self.read, keys))
            return [token for token, _ in entries], [kind for _, kind in entries]
        tokens = [token or None for token in keys.encoded()]
        kinds: list[Kind] = ["normal"] * len(tokens)
        pieces = [at for at, token in enumerate(tokens) if token and token[:3] == b"<0x"]
        for at in pieces if self.byte_fallback else ():
            tokens[at], kinds[at] = self.read((tokens[at] or b"").decode())
        return tokens, kinds

    def _read_bytes(self, key: str) -> Entry:
        text, kind = self._affix(key)
        token = unspell(text)
        return token or None, "byte" if kind == "normal" and token and len(token) == 1 else kind

    def _affix(self, key: str) -> tuple[str, Kind]:
        if self.prefix and key.startswith(self.prefix) and key != self.prefix:
            return key[len(self.prefix) :], "continuing"
        if self.suffix and key.endswith(self.suffix) and key != self.suffix:
            return key[: -len(self.suffix)], "ending"
        return key, "normal"

    def write(self, token: bytes, kind: Kind) -> str:
        """Returns the key of a token."""
        if kind == "byte" and not self.byte_level:
            return f"<0x{token[0]:02X}>"
        text = spell(token) if self.byte_level else token.decode()
        if kind == "continuing":
            return self.prefix + text
        return text + self.suffix if kind == "ending" else text

    def refuse(self, node: Node, key: str) -> Exception:
        """Returns the error for a key that spells no token."""
        odd = next((char for char in key if unspell(char) is None), "")
        if key and self.byte_level:
            reason = f"{quoted(odd)} is outside the GPT-2 byte alphabet"
        else:
            reason = "it holds a lone surrogate" if key else "a token is empty"
        return node.child(key).error(reason, "correct the token, or take the file from its author again")


def is_byte_level(definition: Definition) -> bool:
    """Tells whether the vocabulary is spelled in the byte alphabet."""
    return isinstance(definition.model, BpeModel) and definition.model.atoms == "bytes"


def spelling_of(definition: Definition) -> Spelling:
    """Returns how `write_definition` spells the tokens."""
    model = definition.model
    return Spelling(
        is_byte_level(definition),
        byte_fallback="byte" in definition.table.kinds,
        prefix=model.continuing_subword_prefix if isinstance(model, BpeModel | WordPieceModel) else "",
        suffix=model.end_of_word_suffix if isinstance(model, BpeModel) else "",
    )


def spelled_vocabulary(definition: Definition) -> dict[str, int]:
    """Returns key -> id of the ordinary tokens; raises ExportError where two share a key."""
    table, spelling = definition.table, spelling_of(definition)
    write: Callable[[bytes, Kind], str] = spelling.write
    ordinary = [(token_id, token) for token_id, token in enumerate(table.ordinary()) if token is not None]
    keys = [write(token, table.kinds[token_id]) for token_id, token in ordinary]
    vocab: dict[str, int] = {}
    for (token_id, token), key, read in zip(ordinary, keys, spelling.read_all(keys)[0], strict=True):
        if vocab.setdefault(key, token_id) != token_id or read != token:
            raise ExportError(
                f"token {token_id} is spelled {quoted(key)} in tokenizer.json, which reads as another token",
                "rename one of the two",
            )
    return vocab
