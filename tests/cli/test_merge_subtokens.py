"""`merge-subtokens` with the real library: what it prints and refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_harness import ROOT, Ran

pytest.importorskip("tokforge._core", reason="the engine is not built")
pytest.importorskip("tree_sitter_python", reason="the grammars are not installed")

SIZES = {"num_hidden_layers": 2, "hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2}
LINE = "merge-subtokens --estimate src --model model"
Tokforge = Callable[[str], Ran]


@pytest.fixture
def tokforge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Tokforge:
    """Returns ``tokforge(line)``, run where ``src`` holds Python and ``model`` a configuration and tokenizer."""
    monkeypatch.chdir(tmp_path)
    for folder in ("src", "model"):
        (tmp_path / folder).mkdir()
    (tmp_path / "src" / "a.py").write_text("counter = counter + value\n" * 9)
    (tmp_path / "src" / "b.txt").write_text("text")
    (tmp_path / "model" / "config.json").write_text(json.dumps({"model_type": "bert", **SIZES}))

    def run_line(line: str) -> Ran:
        from tokforge_cli.app import run

        code = run(line.split())
        return Ran(code, *capfd.readouterr())

    trained = "train-bpe src -o model/tokenizer.json --vocab-size 260 --pretokenizer gpt2 --quiet"
    assert run_line(trained).code == 0
    return run_line


def test_it_prints_what_its_schema_says(tokforge: Tokforge) -> None:
    import jsonschema

    ran = tokforge(f"{LINE} --units identifiers --units words --json")
    assert (ran.code, ran.err) == (0, "")
    content = json.loads(ran.out)
    path = ROOT / "docs" / "schemas" / "merge-subtokens.schema.json"
    jsonschema.Draft202012Validator(json.loads(path.read_text())).validate(content)
    saved = content["languages"]["python"]["policies"]["identifiers"]
    assert 0 < saved["reduction"] < saved["flops_saved"] + 0.01
    assert [one["path"].rpartition("/")[2] for one in content["skipped"]] == ["b.txt"]


def test_it_prints_a_table_and_what_was_skipped(tokforge: Tokforge) -> None:
    ran = tokforge(LINE)
    assert ran.code == 0
    assert ran.out.splitlines()[1].split()[:2] == ["python", "identifiers"]
    assert "1 files were skipped" in ran.err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("merge-subtokens --estimate src", "--model is missing"),
        (f"{LINE} --at-layer 2", "use a layer from 0 to 1"),
        (f"{LINE} --units names", "units has no 'names'"),
        (f"{LINE} --language klingon", "language has no 'klingon'"),
        ("merge-subtokens --estimate src/b.txt --model model", "no file is in a known language"),
        ("merge-subtokens --estimate src --model src", "src/config.json: cannot be read"),
    ],
)
def test_what_cannot_be_done_ends_in_one_line(tokforge: Tokforge, line: str, message: str) -> None:
    ran = tokforge(line)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert message in ran.err
