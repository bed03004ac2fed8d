"""The name of a fetched corpus where a command takes texts; one that is not fetched is an error, and stays so."""

import json
from pathlib import Path

import pytest
import tokforge_corpora
from cli_harness import Run

pytest.importorskip("tokforge._core", reason="the engine is not built")


@pytest.fixture
def folder(
    tmp_path: Path, run_real: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Path:
    """A tokenizer, and a corpus of two groups that is in the cache under the name of a real one."""
    monkeypatch.setenv("TOKFORGE_CACHE", str(tmp_path / "cache"))
    corpus = tmp_path / "corpus"
    for group, words in {"de": "ein Kater sitzt ", "en": "the cat sat "}.items():
        (corpus / group).mkdir(parents=True)
        for number in range(10):
            (corpus / group / f"{number}.txt").write_text(words * (10 + number))
    line = "train-bpe corpus -o t.json --vocab-size 270 --preset text --quiet"
    assert run_real(*line.split()).code == 0
    monkeypatch.setattr(tokforge_corpora, "exported", lambda name: corpus)
    capfd.readouterr()
    return tmp_path


def test_each_group_of_a_corpus_is_a_text_of_a_comparison(run_real: Run, folder: Path) -> None:
    ran = run_real(*["compare", "t.json", "--text", "text-multilingual", "--json"])
    assert ran.code == 0, ran.err
    assert list(json.loads(ran.out)["texts"]) == ["de", "en"]


def test_a_folder_of_that_name_comes_first(run_real: Run, folder: Path) -> None:
    (folder / "text-multilingual").mkdir()
    (folder / "text-multilingual" / "a.txt").write_text("mine")
    ran = run_real(*["compare", "t.json", "--text", "text-multilingual", "--json"])
    assert list(json.loads(ran.out)["texts"]) == ["text-multilingual"]


def test_a_corpus_serves_advice_and_an_audit(run_real: Run, folder: Path) -> None:
    line = "advise-vocab text-multilingual --parameters 1000000 --hidden-size 64 --largest 512 --json"
    advised = run_real(*line.split())
    assert advised.code == 0, advised.err
    ran = run_real(*["audit", "t.json", "--categories", "text-multilingual", "--json"])
    assert ran.code == 0, ran.err
    assert set(json.loads(ran.out)["mixture"]["proportions"]) == {"de", "en"}


def test_the_groups_of_a_corpus_are_the_categories_of_a_mixture(run_real: Run, folder: Path) -> None:
    ran = run_real(
        *["infer-mixture", "t.json", "--categories", "text-multilingual", "--json", "--no-calibrate"]
    )
    assert ran.code == 0, ran.err
    assert set(json.loads(ran.out)["proportions"]) == {"de", "en"}
    line = (
        "simulate-mixture --categories text-multilingual --tokenizers 1 --vocab-merges 10 --merges 10 --json"
    )
    assert set(json.loads(run_real(*line.split()).out)["categories"]) == {"de", "en"}


def test_nothing_is_fetched(run_real: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("TOKFORGE_CACHE", str(folder / "empty"))
    monkeypatch.chdir(folder)
    ran = run_real(*["compare", "t.json", "--text", "code-c"])
    assert ran.code == 2
    assert "tokforge corpora fetch code-c" in ran.err
