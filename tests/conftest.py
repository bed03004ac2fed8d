"""Fixtures for every test."""

import pytest
import regex
from hypothesis import settings

from tokforge.tokenizer.pretokenizers import stage_patterns

# A slow machine is no failure: timings never decide a test.
settings.register_profile("tokforge", deadline=None)
settings.load_profile("tokforge")


class RegexSplitter:
    """The twin of `tokforge._core.Splitter`, on the `regex` package; bytes that are no UTF-8 stand alone."""

    def __init__(self, stages):
        patterns = [pattern for stage in stages for pattern in stage_patterns(stage)]
        self._patterns = [regex.compile(_white_space(pattern), regex.V1) for pattern in patterns]

    def split(self, data):
        text = bytes(data).decode("utf-8", "surrogateescape")
        pieces = [piece for piece in regex.split(r"([\udc80-\udcff])", text) if piece]
        for pattern in self._patterns:
            pieces = [part for piece in pieces for part in _cut(pattern, piece)]
        spans, at = [], 0
        for piece in pieces:
            end = at + len(piece.encode("utf-8", "surrogateescape"))
            spans.append((at, end))
            at = end
        return spans


def _white_space(pattern):
    # `\s` of the regex package takes U+001C to U+001F; White_Space, as the engines read it, does not.
    return pattern.replace(r"\s", r"\p{White_Space}").replace(r"\S", r"\P{White_Space}")


def _cut(pattern, piece):
    done = 0
    for found in pattern.finditer(piece):
        yield from (part for part in (piece[done : found.start()], found[0]) if part)
        done = found.end()
    if done < len(piece):
        yield piece[done:]


@pytest.fixture(scope="session")
def regex_splitter():
    """The class `RegexSplitter`."""
    return RegexSplitter
