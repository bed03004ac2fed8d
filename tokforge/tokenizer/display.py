"""How a token is shown to people."""

__all__ = ["printable"]

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def printable(token: bytes) -> str:
    r"""Returns ``token`` on one line: printable UTF-8 as it is, everything else as ``\xNN``.

    Example:
        >>> printable("é\n".encode() + b"\xff\x00")
        'é\\n\\xff\\x00'
    """
    return "".join(_shown(char) for char in token.decode("utf-8", "surrogateescape"))


def _shown(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable():
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
