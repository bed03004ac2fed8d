"""Tallies by section against sums byte by byte, kinds of tokens, boundaries, and the whole inspection."""

import zipfile

import crafted_executables as crafted
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokforge import Tokenizer
from tokforge.binaries import InspectBinariesConfig, inspect_binaries, inspect_documents
from tokforge.binaries.learned import BoundaryTally, content_kind
from tokforge.binaries.limited import Disassembly, Layout, Region
from tokforge.binaries.tallying import SectionTally, kinds_of, nul_runs
from tokforge.errors import ConfigError, InputError
from tokforge.metrics.sections import SECTION_KINDS, section_kind

pytest.importorskip("lief")
pytest.importorskip("zstandard")

FILES = {
    "a.so": crafted.elf(),
    "b.dll": crafted.pe(),
    "c.so": crafted.mach_o(),
    "d.dex": crafted.dex(),
    "e": b"text",
}


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.load("binary-4k")


@pytest.fixture(scope="module")
def found(tokenizer):
    return inspect_documents(tokenizer, FILES.items())


def slow_tally(data, regions, lengths, run_bytes):
    """The definition: each byte of each token is counted where the last region that holds it says."""
    sums = {}
    at = 0
    for length in lengths:
        for byte in range(at, at + length):
            kind = "headers and gaps"
            for region in regions:
                if region.start <= byte < region.end:
                    kind = region.kind
            left, right = byte, byte
            while left >= 0 and data[left] == 0:
                left -= 1
            while right < len(data) and data[right] == 0:
                right += 1
            padding = data[byte] == 0 and right - left - 1 >= run_bytes
            for name in ("zero padding",) if padding else (kind,):
                count, tokens = sums.get(name, (0, 0.0))
                sums[name] = (count + 1, tokens + 1 / length)
        at += length
    return sums


@given(
    data=st.binary(min_size=1, max_size=60).map(lambda raw: raw.replace(b"\x01", bytes(5))),
    spans=st.lists(
        st.tuples(st.integers(0, 80), st.integers(1, 40), st.sampled_from(SECTION_KINDS[:9])), max_size=4
    ),
    cuts=st.sets(st.integers(1, 200)),
)
def test_tally_equals_the_definition(data, spans, cuts):
    ends = [*sorted(cut for cut in cuts if cut < len(data)), len(data)]
    lengths = np.diff([0, *ends])
    regions = tuple(Region("", start, min(start + size, len(data)), kind) for start, size, kind in spans)
    layout = Layout(platform="p", file_kind="f", regions=regions, code=())
    tally = SectionTally()
    view = np.frombuffer(data, np.uint8)
    tally.add(("p", "f"), view, kinds_of(layout, len(data)), nul_runs(data, 4), lengths)
    found = {key[2]: (row.bytes, pytest.approx(row.tokens)) for key, row in tally.rows.items() if row.bytes}
    assert slow_tally(data, regions, lengths, 4) == found


def test_sums_over_sections_are_those_of_the_files(found):
    assert (found.files, found.bytes) == (5, sum(map(len, FILES.values())))
    padding = [row for row in found.sections if row["section"] == "zero padding"]
    assert sum(row["bytes"] for row in found.sections) == found.bytes
    assert sum(row["tokens"] for row in found.sections) == pytest.approx(found.tokens)
    whole = sum(row["whole_bytes"] for row in found.sections)
    assert padding and whole == found.bytes


def test_platforms_and_what_is_unparsed(found):
    assert {row["platform"] for row in found.sections} == {
        *("DEX dalvik", "ELF X86_64", "Mach-O X86_64", "PE AMD64", "unparsed")
    }
    assert [(one.path, one.bytes, one.reason) for one in found.unparsed] == [("e", 4, "not an executable")]


def test_use_is_counted_over_the_vocabulary(found, tokenizer):
    used = {int(i) for data in FILES.values() for i in tokenizer.encode(data)}
    assert found.used == len(used)
    assert sum(found.dead.values()) == 4096 - len(used)
    assert found.dead_tokens[0].id == min(set(range(4096)) - used)
    assert sum(sum(kinds.values()) for kinds in found.kinds.values()) == 4096
    assert sum(found.occurrences.values()) == found.tokens


def test_boundaries_are_counted_against_random_places():
    """Tokens that are the instructions themselves always fit; random strings as often as the code has starts."""
    size = 4000
    starts, ends = np.zeros(size + 1, bool), np.zeros(size + 1, bool)
    starts[np.arange(0, size, 4)], ends[np.arange(4, size + 1, 4)] = True, True
    tally = BoundaryTally(0)
    at = np.arange(0, size, 4)
    tally.add("p", Disassembly(0, size, starts, ends), at, np.full(len(at), 4))
    (row,) = tally.rows()
    assert (row["tokens"], row["starts"], row["ends"], row["both"]) == (1000, 1, 1, 1)
    assert row["random_starts"] == row["random_both"] == pytest.approx(0.25, abs=0.05)


def test_tokens_outside_the_code_and_single_bytes_are_left_out():
    code = Disassembly(10, 10, np.ones(11, bool), np.ones(11, bool))
    tally = BoundaryTally(0)
    tally.add("p", code, np.array([0, 8, 12, 14, 18]), np.array([8, 4, 2, 1, 4]))
    assert [row["tokens"] for row in tally.rows()] == [1]


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (b"\0", "single byte"),
        (bytes(16), "padding"),
        (b"\xcc" * 4, "padding"),
        (b"\x0f\x1f\x44\0\0", "padding"),
        (b"\x7fELF\x02", "magic number"),
        (b"GLIBC_2.", "ASCII string"),
        (b"\0name\0", "ASCII string"),
        (b"w\0o\0r\0d\0", "UTF-16 string"),
        (b"\x48\x8b\x05", None),
        (b"A\0", None),
    ],
)
def test_kind_by_content(token, kind):
    assert content_kind(token) == kind


def test_kind_of_a_section_by_name_then_by_rights():
    assert section_kind(".rela.plt", executable=False, writable=False) == "relocations"
    assert section_kind(".mystery", executable=True, writable=True) == "code"
    assert section_kind(".mystery", executable=False, writable=True) == "data"
    assert section_kind(".rodata", executable=False, writable=False) == "read-only data"


def test_archives_are_read_in_memory(tokenizer, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("x.so", crafted.elf())
    config = InspectBinariesConfig(archives=True)
    packed = inspect_binaries(tokenizer, [tmp_path / "a.zip"], config)
    assert packed.unparsed == ()
    assert {row["platform"] for row in packed.sections} == {"ELF X86_64"}


def test_bad_input(tokenizer, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        inspect_binaries(tokenizer, [tmp_path / "missing"])
    with pytest.raises(ConfigError, match="code_bytes is -1"):
        InspectBinariesConfig(code_bytes=-1)
