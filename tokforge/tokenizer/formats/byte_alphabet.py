"""The GPT-2 byte alphabet: one printable character for each of the 256 bytes.

Bytes that are printable in Latin-1 stand for themselves; the other 68, in order, take U+0100 and up
(so a space is `Ġ`, a line feed `Ċ`). Spelling is a bijection between byte strings and strings over the
alphabet. Source: openai/gpt-2, src/encoder.py (`bytes_to_unicode`).
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tokforge.errors import ConfigError

if TYPE_CHECKING:
    from tokforge._core import Keys

__all__ = ["bytes_to_hf", "forbidden_tokens", "initial_bytes", "spell", "unspell", "unspell_all"]

_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_HIDDEN = [byte for byte in range(256) if byte not in set(_PRINTABLE)]
_CHAR_OF = {byte: chr(byte) for byte in _PRINTABLE} | {byte: chr(256 + i) for i, byte in enumerate(_HIDDEN)}
_BYTE_OF = {ord(char): byte for byte, char in _CHAR_OF.items()}


def spell(token: bytes) -> str:
    """Returns ``token`` in the byte alphabet, one character a byte."""
    return token.decode("latin-1").translate(_CHAR_OF)


def unspell(text: str) -> bytes | None:
    """Returns the bytes that ``text`` spells, or None if it holds a character outside the alphabet."""
    try:
        return bytes([_BYTE_OF[ord(char)] for char in text])
    except KeyError:
        return None


def unspell_all(texts: "Sequence[str] | Keys") -> list[bytes | None]:
    """Returns `unspell` of each text, or of each key of a vocabulary, by the engine."""
    from tokforge import _core

    return _core.unspell_all(texts, [(chr(code), byte) for code, byte in _BYTE_OF.items()])


def bytes_to_hf(data: bytes | bytearray | memoryview) -> str:
    """Returns the string that carries ``data`` into Hugging Face for a **binary** vocabulary.

    ``encode(str)`` cannot hold raw bytes; a binary tokenizer.json has no pre-tokenizer and is spelled
    in the GPT-2 alphabet, so ``hf.encode(bytes_to_hf(data)).ids`` equals ``tokforge``'s ids.

    Example:
        >>> bytes_to_hf(b"MZ\\x90\\x00")
        'MZĲĀ'
    """
    return spell(bytes(data))


def initial_bytes() -> list[bytes]:
    """Returns the 256 one-byte tokens in the order of their characters, as Hugging Face numbers them."""
    return [bytes((_BYTE_OF[code],)) for code in sorted(_BYTE_OF)]


def forbidden_tokens(specials: Iterable[str]) -> list[bytes]:
    """Returns the byte strings that training must never make, because a special token is spelled so.

    tokenizer.json keys special tokens and ordinary ones in one dictionary, where the two would become
    one id. Raises ConfigError for a special token of one alphabet character: the bytes need it.
    """
    forbidden = []
    for text in specials:
        token = unspell(text)
        if token is not None and len(token) == 1:
            raise ConfigError(
                f"the special token {text!r} spells byte 0x{token[0]:02X} in tokenizer.json",
                "use a text of two or more characters",
            )
        if token:
            forbidden.append(token)
    return forbidden
