"""The protobuf wire format, as much of it as a sentencepiece model needs: read strictly, written plainly.

Definition: a message is a run of fields; a field is a key (``number << 3 | wire type``, a varint) and a
value: a varint (0), 8 bytes (1), a length and bytes (2) or 4 bytes (5). Invariant: no length is believed
before it is checked against the bytes that are there, so memory is bounded by the file. Groups (3, 4),
dead since proto2, are refused. Linear. Source: protobuf's "Encoding" page.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from tokforge.errors import FormatError

__all__ = ["BYTES", "FIXED32", "FIXED64", "VARINT", "Field", "fields", "write_field"]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_HINT = "check that the file is a complete sentencepiece model"
_LONGEST_VARINT = 10


class Field(NamedTuple):
    """One field of a message: its number, its wire type, and its value (an integer for a varint)."""

    number: int
    wire: int
    value: int | bytes
    at: int
    """The byte of the message at which the field begins."""


def fields(message: bytes, where: str) -> Iterator[Field]:
    """Yields the fields of ``message`` in order; raises FormatError at the byte where it is malformed."""
    at = 0
    while at < len(message):
        key, value_at = _varint(message, at, where)
        number, wire = key >> 3, key & 7
        if not 1 <= number < 2**29:
            raise FormatError(f"field number {number} at byte {at} is impossible", _HINT, where)
        value, end = _value(message, value_at, wire, where)
        yield Field(number, wire, value, at)
        at = end


def _value(message: bytes, at: int, wire: int, where: str) -> tuple[int | bytes, int]:
    if wire == VARINT:
        return _varint(message, at, where)
    if wire == BYTES:
        size, at = _varint(message, at, where)
    elif wire in _FIXED:
        size = _FIXED[wire]
    else:
        raise FormatError(f"wire type {wire} at byte {at} is not used by sentencepiece", _HINT, where)
    if size > len(message) - at:
        raise FormatError(
            f"a field at byte {at} claims {size} bytes, {len(message) - at} are left", _HINT, where
        )
    return message[at : at + size], at + size


def _varint(message: bytes, at: int, where: str) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(message[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            if value >= 2**64:
                break
            return value, at + place + 1
    raise FormatError(f"the number at byte {at} is cut off or too long", _HINT, where)


def write_field(number: int, value: int | float | bool | str | bytes) -> bytes:
    """Returns one field: an integer or a bool as a varint, a float in 4 bytes, the rest with a length."""
    if isinstance(value, float):
        return _write_varint(number << 3 | FIXED32) + struct.pack("<f", value)
    if isinstance(value, int):
        return _write_varint(number << 3 | VARINT) + _write_varint(value % 2**64)
    data = value.encode() if isinstance(value, str) else value
    return _write_varint(number << 3 | BYTES) + _write_varint(len(data)) + data


def _write_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
