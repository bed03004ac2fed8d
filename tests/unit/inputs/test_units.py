"""Where long documents are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokforge.inputs.units import shorten, unit_spans


def texts(data: bytes, unit_bytes: int) -> list[bytes]:
    return [data[start:end] for start, end in unit_spans(data, unit_bytes)]


def test_text_is_cut_after_the_last_line_break() -> None:
    assert texts(b"aaa\nbb\ncccc\nd", 8) == [b"aaa\nbb\n", b"cccc\nd"]
    assert texts(b"a\r\nb\r\nc", 5) == [b"a\r\n", b"b\r\nc"]


def test_text_without_line_breaks_is_cut_between_characters() -> None:
    assert texts("漢字漢字".encode(), 8) == ["漢字".encode()] * 2


def test_binary_is_cut_exactly() -> None:
    assert texts(b"\0\n" * 10, 7) == [(b"\0\n" * 10)[i : i + 7] for i in (0, 7, 14)]


@given(st.one_of(st.binary(max_size=200), st.text(max_size=80).map(str.encode)), st.integers(4, 50))
def test_units_cover_the_document_within_their_bound(data: bytes, unit_bytes: int) -> None:
    assert b"".join(texts(data, unit_bytes)) == data
    assert all(0 < len(unit) <= unit_bytes for unit in texts(data, unit_bytes)) or not data
    assert unit_spans(memoryview(data), unit_bytes) == unit_spans(data, unit_bytes)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=80).map(str.encode),
    st.integers(4, 50),
)
def test_units_of_text_are_text(data: bytes, unit_bytes: int) -> None:
    for unit in texts(data, unit_bytes):
        unit.decode()


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20).map(str.encode),
    st.data(),
)
def test_shortened_text_is_text_and_loses_no_whole_character(data: bytes, draw: st.DataObject) -> None:
    end = draw.draw(st.integers(0, len(data)))
    stop = shorten(data, 0, end)
    assert data[:stop] == data[:end].decode(errors="ignore").encode()


@pytest.mark.parametrize("data", [b"\x80" * 20, b"ab" + b"\x80" * 20])
def test_bytes_that_are_no_utf8_are_shortened_exactly(data: bytes) -> None:
    assert shorten(data, 0, 10) == 10
