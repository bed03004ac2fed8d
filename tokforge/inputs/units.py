"""Cuts long documents into units, so that one huge file can be sampled.

A unit is at most `UNIT_BYTES` long, and units cover their document in order. Binary documents are cut
exactly; text at the last line break of the window before the limit, else between two characters. Whether
a document is text is judged from its content alone, so that renaming a file changes nothing.
"""

from collections.abc import Iterator

from tokforge.inputs.detect import is_utf8_text
from tokforge.inputs.reading import ByteView

__all__ = ["UNIT_BYTES", "shorten", "unit_spans"]

UNIT_BYTES = 1 << 20
"""Longest piece of a document that is taken or left as one."""

_LINE_WINDOW_BYTES = 1 << 16
_JUDGED_BYTES = 1 << 16


def unit_spans(data: ByteView, unit_bytes: int = UNIT_BYTES) -> list[tuple[int, int]]:
    """Returns the (start, end) of all units of a document."""
    if len(data) <= unit_bytes:
        return [(0, len(data))]
    return list(_spans(data, unit_bytes, _is_text(data)))


def _spans(data: ByteView, unit_bytes: int, is_text: bool) -> Iterator[tuple[int, int]]:
    start = 0
    while len(data) - start > unit_bytes:
        end = start + unit_bytes
        if is_text:
            window = max(start, end - _LINE_WINDOW_BYTES)
            line_end = window + bytes(data[window:end]).rfind(b"\n") + 1
            end = line_end if line_end > window else _character_start(data, start, end)
        yield start, end
        start = end
    yield start, len(data)


def shorten(data: ByteView, start: int, end: int) -> int:
    """Returns where to end a piece of ``data`` that should end at ``end``: for text, between characters."""
    return _character_start(data, start, end) if _is_text(data) else end


def _is_text(data: ByteView) -> bool:
    return is_utf8_text(bytes(data[:_JUDGED_BYTES]))


def _character_start(data: ByteView, start: int, end: int) -> int:
    """The start of the character that ``end`` falls in; ``end`` itself where the bytes are no UTF-8."""
    for at in range(end, max(start, end - 4), -1):
        if at == len(data) or data[at] & 0xC0 != 0x80:
            return at
    return end if end - start >= 4 else start
