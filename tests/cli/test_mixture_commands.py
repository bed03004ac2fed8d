"""`infer-mixture` and `simulate-mixture` with the real library: what they print, write and refuse."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_harness import ROOT, Ran

pytest.importorskip("tokforge._core", reason="the engine is not built")

Tokforge = Callable[..., Ran]
WORDS = {
    "a": "the cat sat on the mat and the dog lay on the log ",
    "b": "und der hund lag auf dem stein im wald ",
}


@pytest.fixture
def tokforge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Tokforge:
    """Returns ``tokforge(line)``; references ``refs/a`` and ``refs/b`` and a tokenizer of both stand there."""
    monkeypatch.chdir(tmp_path)
    for name, words in WORDS.items():
        folder = tmp_path / "refs" / name
        folder.mkdir(parents=True)
        for number in range(30):
            turned = words.split()[number % 5 :] + words.split()
            (folder / f"{number}.txt").write_text(" ".join(turned * 20))

    def run_line(line: str) -> Ran:
        from tokforge_cli.app import run

        code = run(line.split())
        return Ran(code, *capfd.readouterr())

    trained = run_line("train-bpe refs/a refs/b -o t.json --vocab-size 300 --pretokenizer gpt2 --quiet")
    assert trained.code == 0
    return run_line


def valid(ran: Ran, name: str) -> dict[str, object]:
    import jsonschema

    assert (ran.code, ran.err) == (0, "")
    content = json.loads(ran.out)
    path = ROOT / "docs" / "schemas" / f"{name}.schema.json"
    jsonschema.Draft202012Validator(json.loads(path.read_text())).validate(content)
    return content


def test_infer_mixture_prints_what_its_schema_says(tokforge: Tokforge, tmp_path: Path) -> None:
    line = "infer-mixture t.json --categories refs --shards 6 --resamples 5 --threads 1 --json"
    found = valid(tokforge(f"{line} --save-counts c.npz --export-mps m.mps"), "infer-mixture")
    assert set(found["proportions"]) == set(found["intervals"]) == {"a", "b"}
    assert sum(found["proportions"].values()) == pytest.approx(1)
    assert (tmp_path / "m.mps").read_text().startswith("*SENSE:Minimize")
    again = valid(
        tokforge("infer-mixture t.json --counts c.npz --resamples 0 --no-calibrate --json"), "infer-mixture"
    )
    assert again["proportions"] == pytest.approx(found["proportions"])
    assert (again["intervals"], again["fit"]["shift"]) == ({}, None)


def test_infer_mixture_prints_a_table_and_its_warnings(tokforge: Tokforge) -> None:
    ran = tokforge("infer-mixture t.json --categories refs --shards 6 --resamples 5 --threads 1")
    assert ran.code == 0
    assert ran.out.splitlines()[0].split() == ["category", "bytes", "90%", "interval", "pairs", "characters"]
    assert "warning: a has" in ran.err


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_infer_mixture_draws_a_chart(tokforge: Tokforge, tmp_path: Path, suffix: str, start: bytes) -> None:
    pytest.importorskip("matplotlib")
    line = f"infer-mixture t.json --categories refs --shards 6 --resamples 5 --quiet --plot p{suffix}"
    assert tokforge(line).code == 0
    assert (tmp_path / f"p{suffix}").read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("infer-mixture t.json", "there are no references"),
        ("infer-mixture t.json --categories missing", "missing: is not a folder"),
        ("infer-mixture t.json --categories refs --solver gurobi", "solver has no 'gurobi'"),
        ("infer-mixture t.json --categories refs --plot p.bmp", "a plot is .png, .svg, .pdf"),
        ("infer-mixture t.json --counts t.json", "is no file of counts"),
        ("infer-mixture t.json --categories refs --first 5000", "merges are inherited"),
        ("simulate-mixture --categories refs --pretokenizer none", "cannot be mixed by their words"),
        ("simulate-mixture --categories refs --reference-share 2", "reference_share is 2"),
    ],
)
def test_what_cannot_be_done_ends_in_one_line(tokforge: Tokforge, line: str, message: str) -> None:
    ran = tokforge(line)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert message in ran.err


def test_simulate_mixture_prints_what_its_schema_says(tokforge: Tokforge) -> None:
    line = "simulate-mixture --categories refs --tokenizers 2 --vocab-merges 40 --shards 10 --resamples 4"
    found = valid(tokforge(f"{line} --merges 30 --threads 1 --json"), "simulate-mixture")
    assert found["tokenizers"] == 2
    assert set(found["methods"]) == {
        *("merges", "programme", "bagged", "uniform", "random", "token_classes", "encoding_efficiency"),
    }
    assert tokforge(f"{line} --merges 30").out.startswith("method")


def test_audit_infers_the_mixture_too(tokforge: Tokforge) -> None:
    ran = tokforge("audit t.json --categories refs --json")
    found = json.loads(ran.out)
    assert found["mixture"]["proportions"].keys() == {"a", "b"}
    assert found["known_prefixes"] == {}
    shown = tokforge("audit t.json --categories refs --quiet").out
    assert "misfit" in shown
    assert tokforge("audit t.json --categories missing").code == 2


def test_the_page_holds_the_shares_and_no_markup_of_its_input(tokforge: Tokforge, tmp_path: Path) -> None:
    (tmp_path / "refs" / "b").rename(tmp_path / "refs" / "<b>")
    assert tokforge("infer-mixture t.json --categories refs --html page.html --quiet").code == 0
    page = (tmp_path / "page.html").read_text()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert page.count("<h2>") == 4
    assert tokforge("infer-mixture t.json --categories refs --html page.html --quiet").code == 2


def test_withheld_shares_are_in_no_column(tokforge: Tokforge, tmp_path: Path) -> None:
    """References of other words than the tokenizer's: ranges, and why, but no single number."""
    for name in WORDS:
        (tmp_path / "other" / name).mkdir(parents=True)
        (tmp_path / "other" / name / "1.txt").write_text(f"{name} qqx zzw vvy jjk xqz " * 400)
    line = "infer-mixture t.json --categories other --no-calibrate --resamples 0 --html p.html --threads 1"
    ran = tokforge(line)
    assert ran.code == 0
    assert "shares are withheld" in ran.err
    table, head = ran.out.split("\n\n")
    assert "%" not in table.split("\n", 1)[1]
    assert "not calibrated" in head
    assert "the programme's optimum, withheld" in head
    page = (tmp_path / "p.html").read_text()
    assert "<code>" in page  # tokens stand apart from the words around them
    assert page.count("<td>withheld</td>") + page.count(">withheld<") >= 2 * 3
