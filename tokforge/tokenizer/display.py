"""How a token is shown to people."""

import re
from reprlib import Repr

__all__ = ["printable", "quoted", "read_printable"]

_LONGEST = 60

# A token is often one space: it must be seen.
_SHORT = {" ": "␣", "␣": "\\xe2\\x90\\xa3", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def printable(token: bytes) -> str:
    r"""Returns ``token`` on one line: printable UTF-8 as it is, a space as ``␣``, all else as ``\xNN``.

    Example:
        >>> printable("é \n".encode() + b"\xff\x00")
        'é␣\\n\\xff\\x00'
    """
    return "".join(_shown(char) for char in token.decode("utf-8", "surrogateescape"))


def read_printable(text: str) -> bytes:
    r"""Returns the token that `printable` shows as ``text``; a plain space is read as one, too.

    Example:
        >>> read_printable("é␣\\n\\xff\\x00") == "é \n".encode() + b"\xff\x00"
        True
    """
    return b"".join(_read(part) for part in _SPELLED.findall(text))


def quoted(value: object) -> str:
    """Returns ``repr(value)``, cut in the middle if long: a message must fit a line whatever a file holds."""
    short = Repr()
    short.maxstring = short.maxother = short.maxlong = _LONGEST
    return short.repr(value)


_BACK = {shown: char.encode() for char, shown in _SHORT.items() if char != "␣"}
_SPELLED = re.compile(r"\\x[0-9a-fA-F]{2}|\\[nrt\\]|.", re.DOTALL)


def _read(part: str) -> bytes:
    if part.startswith("\\x"):
        return bytes((int(part[2:], 16),))
    return _BACK.get(part) or part.encode("utf-8", "surrogateescape")


def _shown(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable():
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
