"""`tokforge convert` with the real library: what it writes, what it refuses, and how it says so."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import small_files as small
from cli_harness import ROOT
from tokforge_cli.app import run

from tokforge import Tokenizer

SCHEMA = json.loads((ROOT / "docs" / "schemas" / "convert.schema.json").read_text())
Convert = Callable[[str], tuple[int, dict]]


@pytest.fixture
def convert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Convert:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.json").write_bytes(small.hf())
    (tmp_path / "r.tiktoken").write_bytes(small.ranks())

    def convert(line: str) -> tuple[int, dict]:
        try:
            code = run(["convert", *line.split(), "--json"])
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        return code, json.loads(printed.out or printed.err)

    return convert


def test_it_writes_and_says_who_agreed(convert: Convert, tmp_path: Path) -> None:
    code, found = convert("t.json out.tiktoken --to tiktoken")
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert (code, found["written"], found["equal"]) == (0, ["out.tiktoken"], True)
    assert [one["probes"] > 10_000 for one in found["comparisons"]] == [True, True, True]
    assert any("<pad>=268" in one["message"] for one in found["findings"])
    assert (tmp_path / "out.tiktoken").read_bytes() == small.ranks() + b"IyM= 267\n"


def test_a_refusal_ends_with_1_and_writes_nothing(convert: Convert, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    code, found = convert("t.json out.model --to sentencepiece")
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert (code, found["written"]) == (1, [])
    assert "no other model" in found["refusal"]
    assert sorted(tmp_path.iterdir()) == before


def test_a_difference_is_shown_with_both_segmentations(convert: Convert, tmp_path: Path) -> None:
    assert convert("r.tiktoken words.json --to hf --pretokenizer llama3")[0] == 0
    code, found = convert("words.json pair --to vocab-merges")
    assert code == 1 and not (tmp_path / "pair").exists()
    code, found = convert("words.json pair --to vocab-merges --allow-lossy")
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert code == 0 and not found["equal"]
    assert found["difference"]["left_tokens"] != found["difference"]["right_tokens"]
    assert any("split as GPT-2 does" in one["message"] for one in found["findings"])


def test_probes_of_the_user_and_a_map_of_ids(convert: Convert, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("hello world\n" * 1000)
    probes = convert("t.json a.json --to hf --probe mine.txt")[1]["comparisons"][0]["probes"]
    assert probes > convert("t.json b.json --to hf")[1]["comparisons"][0]["probes"]
    code, found = convert("t.json k.json --to tekken --allow-lossy --id-map map.npy --pretokenizer qwen2")
    assert (code, found["ids_changed"] > 200) == (0, True)
    assert sorted(found["written"]) == ["k.json", "map.npy"]


def test_legacy_merges_and_roles(convert: Convert, tmp_path: Path) -> None:
    assert convert("t.json old.json --to hf --legacy-merges")[0] == 0
    assert json.loads((tmp_path / "old.json").read_text())["model"]["merges"][0] == "h e"
    assert Tokenizer.load("old.json").table == Tokenizer.load("t.json").table


BAD = [
    ("t.json out --to nonsense", "unknown_name"),
    ("t.json out --to gguf", "unknown_name"),
    ("missing out --to hf", "input"),
    ("t.json t.json --to hf", "output"),
    ("r.tiktoken out.json --to hf", "config"),
    ("t.json out.model --to tiktoken --legacy-merges", "config"),
    ("t.json r.tiktoken --to vocab-merges", "config"),
    ("t.json out.json --to hf --from nonsense", "unknown_name"),
    ("t.json out.json --to hf --from gguf", "format"),
    ("t.json out.json --to hf --probe missing", "input"),
]


@pytest.mark.parametrize(("line", "code"), BAD, ids=[line for line, _ in BAD])
def test_bad_input_ends_with_2(line: str, code: str, convert: Convert, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    ended, found = convert(line)
    assert (ended, found["error"]["code"]) == (2, code)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
