"""advise_vocab: the published rule, nested sizes, and which bound decides."""

from dataclasses import replace
from pathlib import Path

import pytest

from tokforge.advice import AdviseConfig, advise_vocab, tao_vocab_sizes
from tokforge.errors import ConfigError


@pytest.mark.parametrize(
    ("parameters", "hidden_size", "isoflops", "derivative"),
    [(3e9, 3200, 39, 43), (7e9, 4096, 62, 67), (13e9, 5120, 83, 91), (70e9, 8192, 212, 231)],
)
def test_the_rule_gives_the_papers_table(parameters, hidden_size, isoflops, derivative):
    found = tao_vocab_sizes(int(parameters), hidden_size)
    assert {name: round(size / 1000) for name, size in found.items()} == {
        "isoflops": isoflops,
        "derivative": derivative,
    }


@pytest.fixture
def corpus(tmp_path):
    words = [
        "the",
        "cat",
        "sat",
        "on",
        "the",
        "mat",
        "while",
        "a",
        "dog",
        "sang",
        "of",
        "rain",
        "and",
        "snow",
        "over",
        "hills",
    ]
    for number in range(20):
        turned = words[number % 7 :] + words[: number % 7]
        (tmp_path / f"{number:02d}.txt").write_text(" ".join(turned * 20))
    return str(tmp_path)


def advice(corpus, **options):
    shape = {"parameters": 1_000_000, "hidden_size": 64, "largest": 512, "preset": "text"}
    return advise_vocab([corpus], AdviseConfig(**{**shape, **options}))


def test_the_figures_of_a_size(corpus):
    found = advice(corpus, kv_bytes_per_token=100, tied=True)
    (last,) = found.sizes[-1:]
    size = last.vocab_size
    assert last.embedding_share == size * 64 / (size * 64 + 1_000_000)
    assert last.softmax_share == 2 * size * 64 / (2_000_000 + 2 * size * 64)
    assert last.flops_per_byte == pytest.approx((2_000_000 + 2 * size * 64) / last.bytes_per_token)
    assert last.kv_bytes_per_byte == pytest.approx(100 / last.bytes_per_token)
    assert found.held_out_bytes + found.corpus_bytes == sum(
        len(p.read_bytes()) for p in Path(corpus).iterdir()
    )


def test_the_corpus_bounds_the_rule(corpus):
    found = advice(corpus, parameters=10_000_000_000)
    assert found.recommended[0] <= found.recommended[1]
    assert all(size % 128 == 0 for size in found.recommended)
    assert found.limited_by in ("corpus", "largest")
    assert advice(corpus, training_bytes=10**12).sizes[0].expected_frequency > 1e6


def test_a_corpus_without_pairs_is_said_to_be_too_small_not_its_merges_too_rare(tmp_path):
    for number in range(10):
        (tmp_path / f"{number}.txt").write_text("the cat sat on the mat\n" * 20)
    options = {"parameters": 10_000_000_000, "largest": 4096, "training_bytes": 10**12}
    found = advice(str(tmp_path), **options)
    assert found.sizes[-1].vocab_size < 4096
    assert (found.largest_learnable, found.limited_by) == (found.sizes[-1].vocab_size, "pairs")


def test_the_rule_bounds_a_small_model(corpus):
    found = advice(corpus, parameters=1000, hidden_size=64, training_bytes=10**12)
    assert found.limited_by == "rule"
    assert found.recommended == (128, 128)


@pytest.mark.parametrize(
    "options", [{"parameters": 0}, {"hidden_size": 0}, {"largest": 100}, {"training_bytes": 0}]
)
def test_bad_options(options, corpus):
    with pytest.raises(ConfigError):
        advice(corpus, **options)


def test_one_file_needs_something_to_measure_on(tmp_path):
    (tmp_path / "a.txt").write_text("the cat " * 50)
    with pytest.raises(ConfigError, match="held-out"):
        advice(str(tmp_path / "a.txt"))
    (tmp_path / "b.txt").write_text("the dog " * 50)
    assert advice(str(tmp_path / "a.txt"), held_out=(str(tmp_path / "b.txt"),)).held_out_bytes == 400


def test_what_is_held_out_is_not_trained_on(tmp_path):
    (tmp_path / "test").mkdir()
    for name in ("a.txt", "b.txt", "test/c.txt"):
        (tmp_path / name).write_text(f"the cat of {name} " * 50)
    (tmp_path / "link").symlink_to(tmp_path / "test")
    whole = sum(len((tmp_path / name).read_bytes()) for name in ("a.txt", "b.txt"))
    for held in ("test", "link", "test/c.txt"):
        assert advice(str(tmp_path), held_out=(str(tmp_path / held),)).corpus_bytes == whole
    with pytest.raises(ConfigError, match="all files are held out"):
        advice(str(tmp_path / "test"), held_out=(str(tmp_path),))


def test_a_notebook_shows_every_size_and_the_range(corpus):
    found = advice(corpus)
    assert found._repr_html_().count("<tr>") == len(found.sizes) + 3
    for recommended, said in {(384, 384): "384", (384, 1024): "384 to 1,024"}.items():
        assert f"<td>{said}</td>" in replace(found, recommended=recommended)._repr_html_()
