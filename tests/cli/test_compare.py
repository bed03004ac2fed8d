"""`compare` and `explore` with the real library: files in, figures, tables and pages out."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from cli_harness import ROOT, environment

pytest.importorskip("tokforge._core", reason="the engine is not built")
MADE = "train-bpe text/a.txt -o {}.json --vocab-size {} --preset text --quiet"


@pytest.fixture
def tokforge(tmp_path, monkeypatch, capfd):
    """Returns ``tokforge(line)``; two tokenizers and two texts are there."""
    monkeypatch.chdir(tmp_path)
    for name, words in {"text": "the cat sat on the mat ", "other": "ein Kater sitzt "}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(words * 300)
        (tmp_path / name / "b.txt").write_text(words * 9)

    def run_line(line):
        from cli_harness import Ran
        from tokforge_cli.app import run

        code = run(line.split())
        return Ran(code, *capfd.readouterr())

    for name, size in {"one": 264, "two": 270}.items():
        assert run_line(MADE.format(name, size)).code == 0
    return run_line


def figures(ran, schema="compare"):
    import jsonschema

    assert (ran.code, ran.err) == (0, "")
    content = json.loads(ran.out)
    described = json.loads((ROOT / "docs" / "schemas" / f"{schema}.schema.json").read_text())
    jsonschema.Draft202012Validator(described).validate(content)
    return content


def test_one_option_takes_several_texts(tokforge):
    many = figures(tokforge("compare one.json two.json --text text other --json"))
    each = figures(tokforge("compare one.json two.json --text text --text other --json"))
    assert list(many["texts"]) == list(each["texts"]) == ["text", "other"]
    assert list(many["tokenizers"]) == ["one.json", "two.json"]
    better = many["metrics"]["bytes_per_token"]["values"]
    assert better["two.json"]["overall"] > better["one.json"]["overall"]


def test_tokenizers_may_follow_another_option(tokforge):
    found = figures(tokforge("compare --text text other --json one.json"))
    assert (list(found["texts"]), list(found["tokenizers"])) == (["text", "other"], ["one.json"])


def test_every_option_with_its_field(tokforge):
    Path("w").write_text("the\ncat\n")
    Path("m").write_text("sit zt\n")
    line = (
        "compare one.json --text text other --documents line --words w --morphemes m --resamples 40 --seed 3"
    )
    found = figures(tokforge(f"{line} --json"))
    assert (found["resamples"], found["seed"], found["documents"]) == (40, 3, "line")
    assert found["tokenizers"]["one.json"]["retention"]["words"] == 2
    assert found["tokenizers"]["one.json"]["morphemes"]["words"] == 1


def test_the_text_marks_the_best(tokforge):
    ran = tokforge("compare one.json two.json --text text other")
    assert ran.code == 0
    (line,) = [line for line in ran.out.splitlines() if line.startswith("Bytes per token,")]
    assert line.endswith("*")
    assert line.count("*") == 1
    assert "\nother " in ran.out


def test_what_no_test_can_decide_is_said(tokforge):
    ran = tokforge("compare one.json two.json --text text")
    assert "do not tell them apart" not in ran.out
    assert "1 of 1 pairs untested: 2 documents differ, and no test of fewer than 6 can be sure" in ran.out
    few = tokforge("compare one.json two.json --text text --resamples 10")
    assert (few.code, "use 39 to 100000" in few.err) == (2, True)


def test_outputs_are_written_together(tokforge, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    ran = tokforge(
        "compare one.json two.json --text text --html r.html --table t.csv --table t.md --plots charts"
    )
    assert ran.code == 0
    assert {"r.html", "r.recipe.yaml", "t.csv", "t.md", "charts"} <= {
        path.name for path in tmp_path.iterdir()
    }
    assert len(list((tmp_path / "charts").iterdir())) == 10
    before = (tmp_path / "r.html").stat().st_size
    again = tokforge("compare one.json --text text --html r.html")
    assert (again.code, "--force" in again.err) == (2, True)
    assert (tmp_path / "r.html").stat().st_size == before


def test_tables_hold_what_word_lists_gave(tokforge, tmp_path):
    (tmp_path / "words").write_text("the\nxyzzy\n")
    (tmp_path / "morphemes").write_text("c at\n")
    line = "compare one.json two.json --text text --words words --morphemes morphemes --json"
    ran = tokforge(f"{line} --table t.csv --table t.md --table t.tex")
    described = figures(ran)["tokenizers"]
    rows = [row.split(",") for row in (tmp_path / "t.csv").read_text().splitlines()]
    values = {row[3]: float(row[5]) for row in rows if row[0] == "retention_bare"}
    assert values == {name: one["retention"]["bare"] for name, one in described.items()}
    for name in ("t.md", "t.tex"):
        table = (tmp_path / name).read_text()
        assert "Listed words kept whole, at a text's start" in table
        assert "Morpheme boundaries, F1" in table


def test_a_wrong_table_is_refused_before_the_work(tokforge, monkeypatch):
    monkeypatch.setattr("tokforge.metrics.compare", lambda *_, **__: pytest.fail("the work began"))
    assert tokforge("compare one.json --text text --table t.xls").code == 2


@pytest.mark.parametrize("step", ["tokforge.metrics.compare", "tokforge_cli.compare.write_files"])
@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError])
def test_a_run_that_fails_leaves_no_folder_of_plots(failure, step, tokforge, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")

    def fail(*_, **__):
        raise failure

    monkeypatch.setattr(step, fail)
    assert tokforge("compare one.json --text text --plots charts").code != 0
    assert not (tmp_path / "charts").exists()
    (tmp_path / "charts").mkdir()
    tokforge("compare one.json --text text --plots charts")
    assert (tmp_path / "charts").is_dir()  # theirs


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("compare one.json", "usage"),
        ("compare --text text", "usage"),
        ("compare one.json one.json --text text", "config"),
        ("compare one.json --text missing", "input"),
        ("compare missing.json --text text", "input"),
        ("compare one.json --text text text", "config"),
        ("compare one.json --text text --documents page", "unknown_name"),
        ("compare one.json --text text --words one.json/x", "input"),
        ("compare one.json --text text --table t.xls", "config"),
        ("compare one.json --text text --html nowhere/r.html", "output"),
        ("explore missing.json", "input"),
        ("explore one.json --port 70000", "config"),
    ],
)
def test_bad_input_is_one_typed_error_and_no_file(line, code, tokforge, tmp_path):
    before = set(tmp_path.iterdir())
    ran = tokforge(f"{line} --json")
    assert (ran.code, ran.out, json.loads(ran.err)["error"]["code"]) == (2, "", code)
    assert set(tmp_path.iterdir()) == before


def test_explore_answers_until_ctrl_c(tokforge, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "tokforge_cli", "explore", "one.json", "--json"],
        cwd=tmp_path,
        env={**os.environ, **environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    found = json.loads(process.stdout.readline())
    assert found["tokenizers"] == ["one.json"]
    with urllib.request.urlopen(found["url"], timeout=30) as answer:
        assert b"tokforge explore" in answer.read()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_advise_vocab(tokforge, tmp_path):
    for number in range(12):
        (tmp_path / "text" / f"{number}.txt").write_text("the cat sat on the mat " * 20)
    line = "advise-vocab text --parameters 1000000 --hidden-size 64 --largest 512 --training-bytes 1GB"
    found = figures(tokforge(f"{line} --json"), "advise-vocab")
    assert found["recommended"][0] <= found["recommended"][1]
    ran = tokforge(line)
    assert (ran.code, "recommended: " in ran.out) == (0, True)
    assert tokforge(f"{line} --held-out missing").code == 2


def test_advise_vocab_draws_its_sizes(tokforge, tmp_path):
    pytest.importorskip("matplotlib")
    for number in range(12):
        (tmp_path / "text" / f"{number}.txt").write_text("the cat sat on the mat " * 20)
    line = "advise-vocab text --parameters 1000000 --hidden-size 64 --largest 512 --quiet --plot"
    assert tokforge(f"{line} sizes.svg").code == 0
    assert "bytes per token, held out" in (tmp_path / "sizes.svg").read_text()
    assert "sizes.svg: exists" in tokforge(f"{line} sizes.svg").err
    assert tokforge(f"{line} sizes.gif").err.startswith("tokforge: sizes.gif: a plot is .png")


def test_audit(tokforge):
    found = figures(tokforge("audit two.json --known one.json --json"), "audit")
    assert found["lineage"][0]["relation"] == "first extends second"
    ran = tokforge("audit two.json --known one.json")
    assert (ran.code, "first extends second" in ran.out) == (0, True)
    assert tokforge("audit two.json --known missing.json").code == 2


def test_audit_of_a_model(tokforge, tmp_path):
    numpy, safetensors = pytest.importorskip("numpy"), pytest.importorskip("safetensors.numpy")
    pytest.importorskip("transformers", reason="the extra [transplant] is not installed")
    size = figures(tokforge("audit two.json --json"), "audit")["vocab_size"]
    rows = numpy.random.default_rng(0).normal(0, 1, (size + 4, 16)).astype(numpy.float32)
    head = rows[::-1].copy()
    rows[[size - 2, *range(size, size + 4)]] *= 0.01  # one token, and the padding
    (tmp_path / "model").mkdir()
    tensors = {"model.embed_tokens.weight": rows, "lm_head.weight": head}
    safetensors.save_file(tensors, tmp_path / "model" / "model.safetensors")
    config = {"architectures": ["LlamaForCausalLM"], "vocab_size": size + 4, "hidden_size": 16}
    config |= {"num_hidden_layers": 0, "num_attention_heads": 1, "intermediate_size": 16}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    found = figures(tokforge("audit two.json --model model --json"), "audit")["under_trained"]
    assert found["tied"] is False
    assert found["indicator"] == "input_length"
    assert found["unused"]["rows beyond the vocabulary"] == 4
    assert found["tokens"]["candidates"][0]["id"] == size - 2
    ran = tokforge("audit two.json --model model")
    assert (ran.code, "input length" in ran.out) == (0, True)


def test_archives_are_read_by_member(tokforge, tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "text.zip", "w") as made:
        for path in sorted((tmp_path / "text").iterdir()):
            made.write(path, path.name)
    packed = figures(tokforge("compare one.json two.json --text text.zip --archives --json"))
    plain = figures(tokforge("compare one.json two.json --text text --json"))
    assert packed["texts"]["text"]["documents"] == plain["texts"]["text"]["documents"] == 2
    assert packed["metrics"]["bytes_per_token"] == plain["metrics"]["bytes_per_token"]
