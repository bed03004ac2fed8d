"""The small parts of the command line: sizes, lists, layouts, recipes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokforge_cli._failure import did_you_mean, one_line
from tokforge_cli._options import byte_count, whole_numbers
from tokforge_cli._output import cell, outline, pairs, shown_bytes, table
from tokforge_cli._progress import shown_rate

from tokforge.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("500", 500),
        ("500B", 500),
        ("10MB", 10_000_000),
        ("10M", 10_000_000),
        ("2GiB", 2 << 30),
        ("2gib", 2 << 30),
        ("1.5kB", 1500),
        ("0.1TB", 100_000_000_000),
        (" 3 KiB ", 3072),
    ],
)
def test_sizes_in_bytes(text: str, count: int) -> None:
    assert byte_count("--sample", text) == count


@pytest.mark.parametrize("text", ["", "MB", "10XB", "-5", "1e6", "1,000", "10 M B", "0x10", "nan"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        byte_count("--sample", text)
    assert (caught.value.where, repr(text) in caught.value.problem) == ("--sample", True)


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_whole_numbers_in_one_text_or_many(numbers: list[int]) -> None:
    texts = list(map(str, numbers))
    assert whole_numbers("--family", texts) == whole_numbers("--family", [",".join(texts)]) == tuple(numbers)


@pytest.mark.parametrize("text", ["", "1,", "1.0", "-1", "a"])
def test_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(ConfigError):
        whole_numbers("--family", [text])


@given(st.text())
def test_one_line_stays_one_printable_line(text: str) -> None:
    line = one_line(text)
    assert line == "" or line.isprintable()
    assert not text.isprintable() or line == text


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (65_123_456, "65.1 MB"),
        (2e9, "2.0 GB"),
        (3e15, "3000.0 TB"),
    ],
)
def test_bytes_as_people_read_them(count: float, shown: str) -> None:
    assert shown_bytes(count) == shown


def test_rates_have_the_unit_of_their_phase() -> None:
    assert shown_rate(None, "bytes") == ""
    assert shown_rate(12_300_000, "bytes") == "12.3 MB/s"
    assert shown_rate(1840.4, "merges") == "1,840 merges/s"


def test_cells() -> None:
    values = [None, True, 12345, 1.5, [], ["a", 2], "a\nb", math.pi]
    assert [cell(value) for value in values] == ["-", "yes", "12,345", "1.500", "-", "a, 2", "a\\nb", "3.142"]


def test_layouts() -> None:
    assert pairs([("a", 1), ("long", "x")]) == "a     1\nlong  x"
    assert table(("name", "n"), [("b", 1), ("c", 1000)]) == "name      n\nb         1\nc     1,000"
    assert table(("name", "n"), []) == "name  n"
    assert outline({}) == ""
    assert outline({"a": {"b_c": 1}, "d": 2}) == "d  2\n\na\n  b c  1"


def test_only_what_is_close_is_suggested() -> None:
    assert did_you_mean("--vocab-sise", ["--vocab-size", "--seed"]) == "did you mean --vocab-size?"
    assert did_you_mean("xyzzy", ["encode", "decode"]) is None
