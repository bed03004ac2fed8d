"""What bytes seem to be."""

import io
import struct
import sys
from pathlib import Path

import pytest

import tokforge.inputs.source
from tokforge.errors import ConfigError
from tokforge.inputs import detect_kind, detect_sources, open_sources
from tokforge.inputs.detect import is_utf8_text

PROSE = "The quick brown fox jumps over the lazy dog, and then it rests (for a while).\n" * 20
CHINESE = "敏捷的棕色狐狸跳过了懒狗，然后休息了一会儿。\n" * 20
FRENCH_LATIN1 = (
    "Cette phrase, plutôt longue, contient peu de lettres accentuées, comme le français écrit.\n" * 20
).encode("latin-1")
C_CODE = "static int add(int a, int b)\n{\n    int c = a + b;\n    return c;\n}\n\n" * 10


@pytest.mark.parametrize(
    "magic",
    [
        b"\x7fELF\x02\x01",
        b"MZ\x90\0\x03",
        b"\xcf\xfa\xed\xfe\x0c",
        b"\xca\xfe\xba\xbe\0\0",
        b"\0asm\x01\0\0\0",
        b"dex\n035\0",
        b"!<arch>\n",
    ],
)
def test_executables_are_binary_by_their_magic(magic: bytes) -> None:
    detection = detect_kind(magic + b"plain text after it " * 10)
    assert detection.kind == "binary"
    assert detection.reason.startswith("starts as")


@pytest.mark.parametrize(
    ("sample", "path", "kind"),
    [
        (PROSE.encode(), "", "text"),
        (CHINESE.encode(), "", "text"),
        (FRENCH_LATIN1, "", "text"),
        (b"MZ is a magic, and this is prose. " * 9, "", "text"),
        (C_CODE.encode(), "", "code"),
        (C_CODE.encode(), "notes.md", "text"),
        (b"#!/bin/sh\necho hello\n", "hello", "code"),
        (PROSE.encode(), "comment.c", "code"),
        (bytes(range(256)) * 20, "", "binary"),
        (bytes(range(128, 256)) * 20, "", "binary"),
        (struct.pack("<200I", *range(200)), "table.c", "binary"),
        (PROSE.encode("utf-16"), "", "binary"),
        (b"", "", "text"),
    ],
)
def test_kinds(sample: bytes, path: str, kind: str) -> None:
    detection = detect_kind(sample, path)
    assert detection.kind == kind
    assert detection.reason
    assert "\n" not in detection.reason


def test_this_interpreter_and_this_library() -> None:
    assert detect_kind(Path(sys.executable).read_bytes()[:65536]).kind == "binary"
    assert detect_kind(Path(tokforge.inputs.source.__file__).read_bytes()).kind == "code"


@pytest.mark.parametrize("text", ["é", "漢", "😀"])
def test_a_character_cut_at_the_end_is_text(text: str) -> None:
    whole = b"abc" + text.encode()
    assert all(is_utf8_text(whole[:size]) for size in range(len(whole) + 1))


@pytest.mark.parametrize("data", [b"\0", b"\xff", b"a\x80", b"\xed\xa0\x80", b"\xe6\xbca", b"ok\xc0\xaf"])
def test_what_is_no_text(data: bytes) -> None:
    assert not is_utf8_text(data)


def test_replacement_characters_are_text() -> None:
    assert is_utf8_text("a\ufffdb".encode())


def test_sources_go_by_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(bytes(range(256)) * 100)
    for i in range(20):
        (tmp_path / f"{i}.txt").write_text(PROSE[:100])
    detection = detect_sources(open_sources([tmp_path]))
    assert detection.kind == "binary"
    assert detection.reason.startswith("94% of the sampled bytes are binary; ")
    (text,) = open_sources(["-"], stdin=io.BytesIO(PROSE.encode() * 1000))
    assert detect_sources([text, *open_sources([tmp_path])]).kind == "text"
    with pytest.raises(ConfigError, match="no sources"):
        detect_sources([])


def test_the_suffix_of_a_file_of_rows_is_no_hint(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"t": "int f(int a) {\\n  return a;\\n}\\n"}\n' * 9)
    assert detect_sources(open_sources([tmp_path], field="t")).kind == "code"
