"""The slow twin of counts files: the format in twenty lines, for whoever writes them in another system."""

import struct
import zlib
from collections.abc import Mapping

MAGIC = b"TOKCNT\x01\n"


def write_counts_slow(words: Mapping[bytes, int], header: bytes) -> bytes:
    """Returns a counts file."""
    out = MAGIC + struct.pack("<I", len(header)) + header
    before = b""
    for word in sorted(words):
        shared = next((at for at, (a, b) in enumerate(zip(word, before, strict=False)) if a != b), None)
        shared = min(len(word), len(before)) if shared is None else shared
        out += _varint(shared) + _varint(len(word) - shared) + word[shared:] + _varint(words[word])
        before = word
    out += b"\0\0" + struct.pack("<Q", len(words))
    return out + struct.pack("<I", zlib.crc32(out))


def read_counts_slow(data: bytes) -> tuple[dict[bytes, int], bytes]:
    """Returns the words and the header of a counts file that is whole."""
    (length,) = struct.unpack_from("<I", data, 8)
    header, at = data[12 : 12 + length], 12 + length
    words: dict[bytes, int] = {}
    word = b""
    while True:
        shared, at = _number(data, at)
        new, at = _number(data, at)
        if not new:
            return words, header
        word = word[:shared] + data[at : at + new]
        words[word], at = _number(data, at + new)


def _varint(number: int) -> bytes:
    return bytes((number & 127 | 128,)) + _varint(number >> 7) if number > 127 else bytes((number,))


def _number(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while data[at] > 127:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
    return number | data[at] << shift, at + 1
