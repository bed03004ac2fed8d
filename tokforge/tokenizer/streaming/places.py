"""Finding borders in bytes: what `borders` knows of a pipeline, as sets of characters."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

__all__ = ["MOST_BYTES", "Borders", "Known"]

_LOOK_BACK = 1 << 16
MOST_BYTES = 2 * 4 + 1
"""Bytes that tell a border: a character on either side, and the separator."""
_SEPARATED = re.compile(rb"([!-~]|[\xc2-\xf4][\x80-\xbf]+)(?=[ \n\r])")
_FED = re.compile(rb"([!-~]|[\xc2-\xf4][\x80-\xbf]+)\n(?=([A-Za-z]|[\xc3-\xf4][\x80-\xbf]+))")


class Known(dict[bytes, bool]):
    """Answers to a question about characters, each asked once."""

    def __init__(self, ask: Callable[[bytes], bool]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, char: bytes) -> bool:
        self[char] = answer = self._ask(char)
        return answer


@dataclass(frozen=True, slots=True)
class Borders:
    """The borders of a pipeline's texts."""

    behind: Mapping[int, Known]
    """Separator -> whether a border lies before it and behind a character."""
    feeds: tuple[Known, Known] | None = None
    """Whether a line feed has a border behind it: by the character before, by the one behind."""
    guard: bytes = b""
    """What a part is encoded behind."""
    carries: bool = False
    """Whether Unigram's sum goes on from part to part."""

    def last(self, data: bytes, low: int) -> int:
        """Returns the last border in ``data[low:]``, looking from its end; 0 if there is none."""
        end = len(data)
        while end > low:
            start = max(end - _LOOK_BACK, low)
            if found := max(self._places(data, start, end), default=0):
                return found
            end = start + MOST_BYTES if start > low else low  # one may lie across the two windows
        return 0

    def first(self, data: bytes, at: int) -> int:
        """Returns the first border behind ``data[at]``; 0 if there is none."""
        for start in range(at, len(data), _LOOK_BACK - MOST_BYTES):
            if found := min(self._places(data, start, start + _LOOK_BACK), default=0):
                return found
        return 0

    def _places(self, data: bytes, start: int, end: int) -> Iterator[int]:
        yield from self._separated(data, start, end)
        yield from self._fed(data, start, end)

    def _separated(self, data: bytes, start: int, end: int) -> Iterator[int]:
        for found in _SEPARATED.finditer(data, start, end):
            known = self.behind.get(data[found.end()])
            if known is not None and known[found[1]]:
                yield found.end()

    def _fed(self, data: bytes, start: int, end: int) -> Iterator[int]:
        if self.feeds is not None:
            before, behind = self.feeds
            for found in _FED.finditer(data, start, end):
                if before[found[1]] and behind[found[2]]:
                    yield found.end()
