"""Every command's ``--json`` output is one object that its schema in docs/schemas/ describes wholly."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli_harness import ROOT, Ran, Run

SCHEMAS = ROOT / "docs" / "schemas"

LINES = {
    "train-bpe": [
        "train-bpe a.txt -o t2.json",
        "train-bpe short -o t2.json --family 300 --vocab-size 1000",
        "train-bpe words.txt -o t3.json --vocab-size 290 --supertokens superbpe:20",
    ],
    "encode": [
        "encode t.json a.txt",
        "encode t.json a.txt empty.txt -o ids.npy --offsets --window 4",
        "encode t.json empty.txt --threads 1",
    ],
    "decode": ["decode t.json ids0.npy -o back.txt"],
    "inspect": ["inspect t.json"],
    "corpora-list": ["corpora list"],
    "corpora-fetch": ["corpora fetch tiny", "corpora fetch tiny --export folder"],
    "corpora-stats": ["corpora stats tiny"],
}
"""Command lines for each command, by the name of its schema."""

EDITS = {f"edit-{name}" for name in ("add", "pad", "prune", "remove", "rename", "reorder")}
WITH_ENGINE = {
    "advise-vocab",
    "audit",
    "compare",
    "convert",
    "count",
    "demo",
    "evaluate",
    "explore",
    "heal",
    "import-gguf",
    "infer-mixture",
    "inspect-binaries",
    "lint",
    "merge-counts",
    "merge-subtokens",
    "simulate-mixture",
    "train-hypernet",
    "transplant",
    *EDITS,
}
"""Commands that only make sense with the real library: see test_command_engine and transcripts_engine/."""

FAILING = [
    "trian",
    "train-bpe",
    "train-bpe a.txt -o t.json",
    "train-bpe missing -o u.json",
    "train-bpe bug -o u.json",
    "train-bpe memory -o u.json",
    "train-bpe a.txt -o u.json --seed x",
    "train-bpe --config missing.yaml",
    "decode t.json a.txt -o back.txt",
    "encode missing.json a.txt",
]


@pytest.fixture
def folder(tmp_path: Path, run: Run) -> Path:
    (tmp_path / "t.json").write_text('{"vocab_size": 300}')
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "short").write_text("x")
    (tmp_path / "words.txt").write_text("one of the best of the rest in the world and one of the few\n" * 60)
    (tmp_path / "empty.txt").touch()
    assert run(*["encode", "t.json", "a.txt", "-o", "ids0.npy"]).code == 0
    return tmp_path


def schema(name: str) -> dict[str, Any]:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text())


def validate(text: str, name: str) -> None:
    jsonschema.Draft202012Validator(schema(name)).validate(json.loads(text))


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in LINES.items() for line in lines])
def test_result_fits_its_schema(name: str, line: str, run: Run, folder: Path) -> None:
    ran = run(*line.split(), "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("\n") == 1
    validate(ran.out, name)


@pytest.mark.parametrize("line", FAILING)
def test_error_fits_its_schema_and_the_exit_code_stays(line: str, run: Run, folder: Path) -> None:
    plain, ran = run(*line.split()), run(*line.split(), "--json")
    assert (plain.code, ran.code, ran.out) == (2, 2, "")
    assert ran.err.count("\n") == 1
    validate(ran.err, "error")
    assert_same_problem(plain, json.loads(ran.err)["error"])


def assert_same_problem(plain: Ran, error: dict[str, str]) -> None:
    assert plain.err.startswith("tokforge: ")
    assert plain.err.count("\n") == 1
    assert error["message"] in plain.err


def test_every_command_has_a_schema_and_every_schema_a_command(run: Run) -> None:
    from command_tree import commands

    assert {name.replace(" ", "-") for name in commands()} == {*LINES, *WITH_ENGINE}
    assert {path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.json")} == {
        *LINES,
        *WITH_ENGINE,
        "error",
    }


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_schema_is_valid_and_closed(path: Path) -> None:
    content = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(content)
    assert content["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for part in objects(content):
        assert "additionalProperties" in part


def objects(part: Any) -> Any:
    """Yields every object schema within ``part``."""
    if isinstance(part, dict):
        if part.get("type") == "object":
            yield part
        for value in part.values():
            yield from objects(value)


def test_error_codes_are_those_of_the_error_tree(run: Run) -> None:
    from tokforge.errors import TokforgeError

    classes = [TokforgeError, *subclasses(TokforgeError)]
    listed = schema("error")["properties"]["error"]["properties"]["code"]["enum"]
    of_the_command_line = {"usage", "system", "memory", "interrupted", "internal"}
    assert {
        one.code for one in classes if one.__module__.startswith("tokforge")
    } | of_the_command_line == set(listed)


def subclasses(one: type) -> list[Any]:
    return [deeper for child in one.__subclasses__() for deeper in (child, *subclasses(child))]
