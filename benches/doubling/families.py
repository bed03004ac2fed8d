"""Families of adversarial text: name -> any number of bytes."""

from collections.abc import Callable, Iterable
from itertools import cycle, islice

import numpy as np

__all__ = ["FAMILIES"]


def repeated(unit: bytes) -> Callable[[int], bytes]:
    return lambda size: (unit * (size // len(unit) + 1))[:size]


def drawn(letters: bytes) -> Callable[[int], bytes]:
    """Letters at random: in doubled text the first half is the same."""

    def draw(size: int) -> bytes:
        picks = np.random.default_rng(14).integers(0, len(letters), size)
        return np.frombuffer(letters, np.uint8)[picks].tobytes()

    return draw


def fibonacci(size: int) -> bytes:
    """The word that repeats itself the most without a period."""
    first, second = b"b", b"a"
    while len(second) < size:
        first, second = second, second + first
    return second[:size]


def ruler(size: int) -> bytes:
    """Runs of every length: 1 letter, 2 letters and so on, with another letter between."""
    out, run = bytearray(), 1
    while len(out) < size:
        out += b"a" * run + b"b"
        run = run % 1000 + 1
    return bytes(out[:size])


def json_rows(size: int) -> bytes:
    rows = (b'{"id":%d,"v":[%d,null,true],"s":"%x"},' % (n, n % 7, n * 2654435761) for n in range(size))
    return joined(rows, size)


def distinct_words(size: int) -> bytes:
    return joined((b" w%x" % (n * 2654435761 % 2**32) for n in range(size)), size)


def joined(parts: Iterable[bytes], size: int) -> bytes:
    out = bytearray()
    for part in parts:
        out += part
        if len(out) >= size:
            break
    return bytes(out[:size])


def han(size: int) -> bytes:
    picks = np.random.default_rng(14).integers(0x4E00, 0x9FFF, size // 3 + 1)
    return "".join(map(chr, picks.tolist())).encode()[:size]


def nested(size: int) -> bytes:
    return (b"([{<" * (size // 8 + 1))[: size // 2] + (b">}])" * (size // 8 + 1))[: size - size // 2]


FAMILIES: dict[str, Callable[[int], bytes]] = {
    "one letter": repeated(b"a"),
    "two letters in turn": repeated(b"ab"),
    "spaces": repeated(b" "),
    "newlines": repeated(b"\n"),
    "space, newline, tab in turn": repeated(b" \n \t\r\n"),
    "underscores": repeated(b"_"),
    "zero bytes": repeated(b"\0"),
    "0xFF": repeated(b"\xff"),
    "cut UTF-8": repeated(b"\xe4\xb8\xf0\x9f\xc3"),
    "lone surrogates": repeated(b"\xed\xa0\x80"),
    "combining marks": lambda size: (b"e" + "\u0301\u0316".encode() * (size // 4 + 1))[:size],
    "joined emoji": repeated("\U0001f469\u200d".encode()),
    "flags": repeated("\U0001f1e6".encode()),
    "unspaced Chinese": han,
    "base64": drawn(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
    "DNA": drawn(b"ACGT"),
    "digits": drawn(b"0123456789"),
    "all bytes at random": drawn(bytes(range(256))),
    "one line of JSON": json_rows,
    "nested brackets": nested,
    "contractions": repeated(b"'s'll'S"),
    "capitals in turn": repeated(b"aB"),
    "Fibonacci word": fibonacci,
    "runs of every length": ruler,
    "distinct words": distinct_words,
    "words and apostrophes": lambda size: bytes(islice(cycle(b"a'b c'd' "), size)),
}
"""Name -> size in bytes -> text."""
