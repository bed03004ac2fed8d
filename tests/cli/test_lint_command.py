"""`tokforge lint` with the real library: its JSON, its exit codes, its pages, and files that stay as they were."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli_harness import ROOT, Ran, Run

pytest.importorskip("tokforge._core", reason="the engine is not built")

SCHEMA = json.loads((ROOT / "docs" / "schemas" / "lint.schema.json").read_text())
MODEL = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}


@pytest.fixture
def folder(tmp_path: Path, run: Run) -> Path:
    (tmp_path / "sound.json").write_text(json.dumps({"version": "1.0", "model": MODEL}))
    broken = {"version": "1.0", "model": {**MODEL, "merges": ["a b", "a c"]}}
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    (tmp_path / "open.json").write_text("[")
    (tmp_path / "text.json").write_text("[1, 2]")
    (tmp_path / "cut.json").write_text(json.dumps({"model": MODEL, "truncation": {"max_length": 3}}))
    return tmp_path


def valid(ran: Ran) -> dict[str, Any]:
    assert (ran.err, ran.out.count("\n")) == ("", 1)
    content = json.loads(ran.out)
    jsonschema.Draft202012Validator(SCHEMA).validate(content)
    return content


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("sound.json", 0),
        ("sound.json --strict", 0),
        ("broken.json", 1),
        ("broken.json --ignore L03", 0),
        ("broken.json --select L01,L02 --select L04", 0),
        ("cut.json", 0),
        ("cut.json --strict", 1),
        ("cut.json --fix -o mended.json --select L22 --strict", 0),
        ("sound.json --fix -o pairs.json --select L27", 0),
    ],
)
def test_json_fits_its_schema_and_the_exit_code_is_the_answer(
    line: str, code: int, run: Run, folder: Path
) -> None:
    ran = run("lint", *line.split(), "--json")
    assert ran.code == code
    content = valid(ran)
    assert ("--fix" in line) == (content["fixed"] is not None)
    assert run("lint", *line.split(), "--force").code == code


def test_explain_prints_a_page_without_a_tokenizer(run: Run) -> None:
    ran = run("lint", "--explain", "superlinear-regex")
    assert ran.code == 0 and ran.out.startswith("# L13 superlinear-regex: ")
    page = valid(run("lint", "--explain", "L13", "--json"))["page"]
    assert page.strip() == ran.out.strip()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "missing.json",
        "sound.json --select L99",
        "sound.json --ignore nonsense",
        "sound.json --fix",
        "sound.json -o mended.json",
        "pkg:not_there/x.json",
        "pkg:json",
        "hf:name",
        "open.json",
        "text.json",
        "sound.json --fix -o sound.json --force",
        "sound.json --sarif no/folder/x.sarif",
        "sound.json --sarif broken.json",
    ],
)
def test_bad_usage_is_exit_code_2_and_changes_nothing(line: str, run: Run, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ran = run("lint", *line.split())
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_empty_path_is_no_folder(run: Run) -> None:
    ran = run("lint", "")
    assert (ran.code, ran.out) == (2, "") and "the path is empty" in ran.err


def test_a_packages_resource_is_linted(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = folder / "lint_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "t.json").write_bytes((folder / "sound.json").read_bytes())
    monkeypatch.syspath_prepend(str(folder))
    assert run("lint", "pkg:lint_package/t.json").code == 0


def test_sarif_is_written_beside_the_answer(run: Run, folder: Path) -> None:
    ran = run("lint", "broken.json", "--sarif", "out.sarif")
    assert ran.code == 1 and "L03" in ran.out
    log = json.loads((folder / "out.sarif").read_text())
    assert log["runs"][0]["results"][0]["ruleId"] == "L03"
