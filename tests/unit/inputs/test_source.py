"""What `open_sources` accepts, refuses and remarks on."""

import io
import os
from pathlib import Path

import pytest

from tokforge.errors import ConfigError, InputError, MissingExtraError
from tokforge.inputs import open_sources, source


def test_a_source_is_named_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f").write_bytes(b"abc")
    first, second = open_sources(["./f", "f"])
    assert (first.name, second.name, first.size_bytes) == ("./f", "f", 3)


def test_standard_input_is_read_whole_and_may_be_bytes(tmp_path: Path) -> None:
    (given,) = open_sources(["-"], stdin=io.BytesIO(b"a\n\xff\0"))
    assert (given.name, given.size_bytes, given.files[0].content) == ("-", 4, b"a\n\xff\0")


def test_a_path_named_dash_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-").write_bytes(b"x")
    assert open_sources([Path("-")])[0].files[0].content is None


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ([], ConfigError, "no input is named"),
        ("corpus.txt", ConfigError, "not a list"),
        (["-", "-"], ConfigError, "named twice"),
        (["missing"], InputError, "^missing: no such file or directory; check the path"),
        (["empty"], InputError, "^empty: is empty"),
        (["none"], InputError, "^none: holds no bytes to read; "),
        (["hollow"], InputError, r"^hollow: holds no bytes to read \(entries: 2 is empty\)"),
        (["fifo"], InputError, "is a named pipe, not a regular file; .* pipe it into -"),
        (["loop"], InputError, "too many levels"),
        (["f/below"], InputError, "not a directory"),
        (["a\0b"], InputError, "is not a path"),
        (["x" * 5000], InputError, "name too long"),
    ],
)
def test_inputs_that_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: list[str], error: type, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f").write_bytes(b"x")
    Path("empty").touch()
    Path("none").mkdir()
    Path("hollow").mkdir()
    Path("hollow/a").touch()
    Path("hollow/b").touch()
    Path("loop").symlink_to("loop")
    os.mkfifo("fifo")
    with pytest.raises(error, match=message):
        open_sources(inputs)


def test_empty_standard_input_is_refused() -> None:
    with pytest.raises(InputError, match="standard input is empty"):
        open_sources(["-"], stdin=io.BytesIO())


def test_an_unreadable_file_that_is_named_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"x")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="permission denied"):
        open_sources([tmp_path / "f"])


def test_rows_without_a_field_are_refused_alone_and_raw_among_others(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n')
    with pytest.raises(InputError, match=r"holds rows, and no field is named; .*--field"):
        open_sources([tmp_path / "a.jsonl"])
    (tmp_path / "b.txt").write_text("x")
    (given,) = open_sources([tmp_path])
    assert not given.holds_rows(given.files[0])
    assert [w.reason for w in given.warnings] == [
        "1 files of rows are read as raw bytes, because no field is named"
    ]


def test_a_field_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ConfigError, match=r"field is 'text', and no input is \.jsonl"):
        open_sources([tmp_path], field="text")


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl.zst", "A.PARQUET"])
def test_a_missing_extra_is_named_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setattr(source, "find_spec", lambda package: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tokforge\[data\]'"):
        open_sources([tmp_path / name], field="text")


def test_plain_compressed_files_are_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b")
    (tmp_path / "a.txt.zst").write_bytes(b"(\xb5/\xfd")
    (given,) = open_sources([tmp_path])
    assert [file.row_suffix for file in given.files] == [None, None]


def test_a_file_of_two_inputs_is_read_twice_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"y")
    whole, again = open_sources([tmp_path, tmp_path / "a"])
    assert (len(whole.files), len(again.files), whole.warnings) == (2, 1, [])
    assert [remark.as_dict() for remark in again.warnings] == [
        {
            "path": str(tmp_path / "a"),
            "reason": f"1 of its files are also read through {tmp_path}, and count twice",
        }
    ]
