"""Parsing in the limited child: what it finds in crafted files, and what hostile ones and faults cost."""

from itertools import accumulate

import crafted_executables as crafted
import pytest

from tokforge.binaries import limited
from tokforge.binaries.limited import Layout, Limits, Parser, Unparsed
from tokforge.errors import MissingExtraError

pytest.importorskip("lief")
pytest.importorskip("capstone")


@pytest.fixture(scope="module")
def parser():
    with Parser(code_bytes=1 << 16) as opened:
        yield opened


def kinds(layout):
    assert isinstance(layout, Layout), layout
    return {region.name: region.kind for region in layout.regions}


def test_elf(parser):
    found = parser.read(crafted.elf())
    assert (found.platform, found.file_kind) == ("ELF X86_64", "shared library")
    named = {".text": "code", ".rodata": "read-only data", ".rela.dyn": "relocations", ".shstrtab": "strings"}
    assert kinds(found) == named
    text = next(region for region in found.regions if region.name == ".text")
    assert crafted.elf()[text.start : text.end] == crafted.CODE


def test_pe_and_mach_o(parser):
    found = parser.read(crafted.pe())
    assert (found.platform, found.file_kind) == ("PE AMD64", "shared library")
    assert kinds(found) == {".text": "code", ".rdata": "read-only data"}
    found = parser.read(crafted.mach_o())
    assert (found.platform, found.file_kind) == ("Mach-O X86_64", "shared library")
    assert kinds(found) == {"__text": "code", "__cstring": "strings"}


def test_dex(parser):
    found = parser.read(crafted.dex())
    assert (found.platform, found.file_kind) == ("DEX dalvik", "bytecode")
    assert [(r.start, r.end, r.kind) for r in found.regions][1:] == [
        (200, 400, "code"),
        (400, 590, "strings"),
    ]


def test_instructions_are_those_that_were_assembled(parser):
    (code,) = parser.read(crafted.elf()).code
    ends = list(accumulate(crafted.LENGTHS * 16))
    assert code.starts.nonzero()[0].tolist() == [0, *ends[:-1]]
    assert code.ends.nonzero()[0].tolist() == ends


def test_no_code_is_disassembled_unless_asked():
    with Parser() as opened:
        assert opened.read(crafted.elf()).code == ()


HOSTILE = {
    "empty": b"",
    "text": b"no executable",
    "only a magic": b"\x7fELF",
    "elf of ones": b"\x7fELF" + b"\xff" * 5000,
    "elf that claims 65,279 sections": crafted.elf(claimed=0xFEFF),
    "pe that claims 65,535 sections": crafted.pe(claimed=0xFFFF),
    "pe of nothing": b"MZ" + bytes(100),
    "fat mach-o that claims 4 billion slices": b"\xca\xfe\xba\xbe" + b"\xff" * 200,
    "mach-o of ones": b"\xcf\xfa\xed\xfe" + b"\xff" * 5000,
    "dex that claims 4 billion items": crafted.dex(claimed=0xFFFFFFFF),
    "dex without a map": b"dex\n035\0" + b"\xff" * 80,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_give_a_layout_within_the_file_or_a_reason(name, parser):
    found = parser.read(HOSTILE[name])
    if isinstance(found, Layout):
        assert all(0 <= region.start < region.end <= len(HOSTILE[name]) for region in found.regions)
    else:
        assert found.reason
    assert isinstance(parser.read(crafted.elf()), Layout)


def test_every_truncation_gives_a_layout_or_a_reason(parser):
    for make in (crafted.elf, crafted.pe, crafted.mach_o, crafted.dex):
        data = make()
        for cut in range(0, len(data), 37):
            assert isinstance(parser.read(data[:cut]), Layout | Unparsed)


FAULTS = {
    "import time; time.sleep(60)": "over 0.5 s",
    "import os; os.abort()": "the parser died: SIGABRT",
    "import sys; sys.exit(3)": "the parser ended with 3",
    "import sys; sys.stdout.buffer.write(b'\\xff' * 8); sys.stdout.flush(); import time; time.sleep(60)": "over 0.5 s",
}


@pytest.mark.parametrize("script", FAULTS)
def test_a_child_that_fails_is_named_and_replaced(script, tmp_path, monkeypatch):
    path = tmp_path / "child.py"
    path.write_text(f"import sys; sys.stdin.buffer.read(16)\n{script}\n")
    with Parser(Limits(wall_seconds=0.5)) as opened:
        with monkeypatch.context() as patched:
            patched.setattr(limited, "_PROGRAM", path)
            assert opened.read(b"\x7fELF") == Unparsed(FAULTS[script])
        opened._limits = Limits()
        assert isinstance(opened.read(crafted.elf()), Layout)


LIMITED = """
import sys
sys.path.insert(0, {folder!r})
import _parser
_parser.layout = lambda data: {body}
_parser.main(int(sys.argv[1]), int(sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("bytearray(1 << 34)", "out of memory"),
        ("sum(1 for _ in iter(int, 1))", "over 1 s of processor time"),
    ],
)
def test_memory_and_processor_time_are_limited(body, reason, tmp_path, monkeypatch):
    path = tmp_path / "child.py"
    path.write_text(LIMITED.format(folder=str(limited._PROGRAM.parent), body=body))
    monkeypatch.setattr(limited, "_PROGRAM", path)
    with Parser(Limits(wall_seconds=30, cpu_seconds=1, memory_bytes=2 << 30)) as opened:
        assert opened.read(b"\x7fELF") == Unparsed(reason)


def test_one_child_serves_many_files_and_ends_with_the_context():
    with Parser() as opened:
        opened.read(crafted.elf())
        first = opened._child
        opened.read(b"MZ")
        assert opened._child is first
    assert first.poll() is not None


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(limited, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"lief is not installed.*tokforge\[binary\]"), Parser():
        pass
