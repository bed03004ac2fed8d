"""compare from files to figures: categories, parallel texts, intervals, JSON."""

import json

import numpy as np
import pytest

import tokforge
from tokforge.errors import ConfigError, InputError
from tokforge.metrics import METRICS, CompareConfig
from tokforge.report import markdown_table
from tokforge.report.sections import headline


@pytest.fixture
def texts(tmp_path):
    """Two folders of four files, all but one of the same names."""
    for name, words in {"en": "the then other", "xx": "zz the qq zz"}.items():
        (tmp_path / name).mkdir()
        for number in range(4):
            (tmp_path / name / f"{number}.txt").write_text(f"{words} {number} " * (number + 1))
    (tmp_path / "xx" / "more.txt").write_text("left out")
    return [tmp_path / "en", tmp_path / "xx"]


@pytest.fixture
def tokenizers(trained):
    return {"small": trained(b"th"), "large": trained(b"th", b"the", b" the")}


def test_figures_are_those_of_the_whole_text(texts, tokenizers):
    found = tokforge.compare(tokenizers, texts)
    data = b"".join(path.read_bytes() for text in texts for path in sorted(text.iterdir()))
    for name, tokenizer in tokenizers.items():
        tokens = sum(len(tokenizer.encode(p.read_bytes())) for t in texts for p in t.iterdir())
        values = found.metrics["bytes_per_token"][name]
        assert values.overall == len(data) / tokens
        assert values.interval[0] <= values.overall <= values.interval[1]
        assert set(values.categories) == {"en", "xx"}
    assert found.texts["xx"].documents == 5
    assert (
        found.metrics["bytes_per_token"]["large"].overall > found.metrics["bytes_per_token"]["small"].overall
    )


def test_the_json_is_whole_and_repeats(texts, tokenizers):
    first, second = (tokforge.compare(tokenizers, texts).as_dict() for _ in range(2))
    for one in (first, second):
        one.pop("seconds")
        one["metrics"].pop("encode_megabytes_per_second")
    assert json.loads(json.dumps(first, allow_nan=False)) == json.loads(json.dumps(second))
    assert set(first["metrics"]) == METRICS.keys() - {"encode_megabytes_per_second"}
    assert first["kinships"][0]["relation"] == "second extends first"


def test_parallel_keeps_what_both_have(texts, tokenizers):
    found = tokforge.compare(tokenizers, texts, CompareConfig(parallel=True))
    assert (found.texts["en"].left_out, found.texts["xx"].left_out) == (0, 1)
    assert found.texts["en"].documents == found.texts["xx"].documents == 4
    costs = found.metrics["tokens"]["small"].categories
    assert found.parity["small"] == {name: cost / min(costs.values()) for name, cost in costs.items()}


def test_parallel_lines_must_match(tmp_path, tokenizers):
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "b.txt").write_text("eins\n")
    config = CompareConfig(parallel=True, documents="line")
    with pytest.raises(ConfigError, match="b has 1 documents and a 2"):
        tokforge.compare(tokenizers, [tmp_path / "a.txt", tmp_path / "b.txt"], config)


def test_one_document_has_no_interval_and_says_so(tmp_path, tokenizers):
    (tmp_path / "a.txt").write_text("the then\nthe other\n")
    found = tokforge.compare(tokenizers, [tmp_path / "a.txt"])
    assert found.metrics["fertility"]["small"].interval is None
    assert (found.pairs[0].p_value, found.pairs[0].close) == (None, False)
    assert found.pairs[0].undecided == "there is one document"
    assert "--documents line" in found.warnings[0]
    lines = tokforge.compare(tokenizers, [tmp_path / "a.txt"], CompareConfig(documents="line"))
    assert lines.texts["a"].documents == 2
    assert lines.warnings == ()


def test_word_lists(tmp_path, texts, tokenizers):
    (tmp_path / "w").write_text("the\nzz\n")
    (tmp_path / "m").write_text("th en\n")
    config = CompareConfig(words=tmp_path / "w", morphemes=tmp_path / "m")
    found = tokforge.compare(tokenizers, texts, config)
    assert found.tokenizers["large"]["retention"] == {"words": 2, "bare": 0.5, "spaced": 0.5}
    assert found.tokenizers["small"]["morphemes"]["recall"] == 1


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: CompareConfig(documents="page"), ConfigError, "file, line"),
        (lambda: CompareConfig(resamples=-1), ConfigError, "resamples"),
        (lambda: CompareConfig(resamples=38), ConfigError, "use 39 to 100000"),
        (lambda: tokforge.compare({}, ["LICENSE"]), ConfigError, "no tokenizer"),
        (lambda: tokforge.compare(["a", "a"], ["LICENSE"]), ConfigError, "twice"),
        (lambda: tokforge.compare(["missing"], ["LICENSE"]), InputError, "missing"),
        (lambda: tokforge.compare(["missing"], ["nowhere"]), InputError, "nowhere"),
    ],
)
def test_bad_input(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_long_document_is_cut_at_a_line(tmp_path, tokenizers, monkeypatch):
    monkeypatch.setattr("tokforge.metrics.corpus.PIECE_BYTES", 20)
    (tmp_path / "a.txt").write_bytes(b"the other\n" * 10)
    found = tokforge.compare(tokenizers, [tmp_path / "a.txt"])
    assert (found.texts["a"].documents, found.texts["a"].bytes) == (5, 100)


def test_batches_change_nothing(texts, tokenizers, monkeypatch):
    whole = tokforge.compare(tokenizers, texts)
    monkeypatch.setattr("tokforge.metrics.corpus.BATCH_BYTES", 10)
    parts = tokforge.compare(tokenizers, texts)
    for name in tokenizers:
        assert np.array_equal(whole.totals[name].counts, parts.totals[name].counts)
    assert whole.metrics["gini"] == parts.metrics["gini"]
    assert whole.pairs == parts.pairs


def test_the_encoding_speed_is_without_the_making_of_the_engine(texts, tokenizers, monkeypatch):
    made = []

    def encode_batch(self, *arguments, original=tokforge.Tokenizer.encode_batch):
        made.append("_encoder" in vars(self))
        return original(self, *arguments)

    monkeypatch.setattr(tokforge.Tokenizer, "encode_batch", encode_batch)
    tokforge.compare(tokenizers, texts)
    assert made
    assert all(made)


def test_a_notebook_shows_a_table(texts, tokenizers):
    shown = tokforge.compare({"<b>": tokenizers["small"]}, texts)._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown


def test_a_tokenizer_that_loses_text_is_best_at_nothing(texts, tokenizers, word_piece):
    found = tokforge.compare({"lossy": word_piece, **tokenizers}, texts)
    assert found.lossy == {"lossy"}
    assert found.metrics["tokens"]["lossy"].overall < found.metrics["tokens"]["large"].overall
    assert [warning for warning in found.warnings if "the tokens of lossy spell" in warning]
    table = markdown_table(found).splitlines()[2]
    assert table.startswith("| Bytes per token")
    assert [cell.strip().startswith("**") for cell in table.split("|")[3:6]] == [False, False, True]
    assert "<strong>large</strong> needs the fewest tokens" in headline(found)
