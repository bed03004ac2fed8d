"""Intervals, tests, kinship, word lists, sections: by hand and by simulation."""

import struct

import numpy as np
import pytest

from tokforge.errors import InputError
from tokforge.metrics.kinship import kinships
from tokforge.metrics.names import short_names
from tokforge.metrics.reach import digit_grouping
from tokforge.metrics.resampling import draws, interval, sign_flip_p
from tokforge.metrics.sections import code_section, sections
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.metrics.words import Retention, morpheme_agreement, parse_words, retention
from tokforge.tokenizer import Pipeline
from tokforge.tokenizer.normalizers import SentencePiece


def test_draws_keep_the_number_of_documents_of_each_category():
    values = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    sums = draws(values, np.array([0, 0, 1, 1, 1]), resamples=50, seed=1)
    assert (sums == [2, 3]).all()
    assert (
        draws(values, np.zeros(5), resamples=9, seed=1) == draws(values, np.zeros(5), resamples=9, seed=1)
    ).all()


def test_the_interval_of_a_mean_has_its_standard_error():
    values = np.random.default_rng(0).normal(10, 1, (400, 1))
    low, high = interval(draws(values, np.zeros(400), resamples=2000, seed=0)[:, 0] / 400)
    expected = 2 * 1.96 * values.std() / 20
    assert high - low == pytest.approx(expected, rel=0.1)


def test_sign_flips():
    assert sign_flip_p(np.zeros(5), resamples=100, seed=0) == 1
    assert sign_flip_p(np.ones(20), resamples=1000, seed=0) == pytest.approx(1 / 1001)
    # Three documents have 8 sign patterns, 2 of which reach the sum.
    assert sign_flip_p(np.ones(3), resamples=20_000, seed=0) == pytest.approx(0.25, abs=0.02)
    assert sign_flip_p(np.array([1, -1, 2, -2]), resamples=1000, seed=0) == 1


def test_kinship(trained):
    base, more = trained(b"th", b"the"), trained(b"th", b"the", b"he")
    other = trained(b"in")
    found = kinships([Vocabulary(name, one) for name, one in {"a": base, "b": more, "c": other}.items()])
    assert [(one.relation, one.common_merges) for one in found] == [
        ("second extends first", 2),
        ("none", 0),
        ("none", 0),
    ]
    assert (found[0].shared_tokens, found[0].jaccard) == (258, 258 / 259)
    assert kinships([Vocabulary("a", base), Vocabulary("b", base)])[0].relation == "same merges"


def test_shared_tokens_are_those_of_the_same_text(trained, marked):
    found = kinships([Vocabulary("a", marked), Vocabulary("b", trained(b" t"))])[0]
    assert found.shared_tokens == 257  # a space, in both, is one token twice: as a byte and as U+2581


def test_single_token_retention(trained):
    found = retention(trained(b"th", b"the", b" a"), ["the", "a", "then"])
    assert (found.words, found.bare, found.spaced) == (3, 2 / 3, 2 / 3)


def test_morphemes(trained):
    # " un" + "do" is cut where the morphemes meet, "ing" into letters: boundaries 2, 4, 5, 6 against 2, 4.
    tokenizer = trained(b"un", b" un", b"do")
    found = morpheme_agreement(tokenizer, [["un", "do", "ing"]])
    assert (found.precision, found.recall, found.f1) == (0.5, 1.0, pytest.approx(2 / 3))
    assert morpheme_agreement(tokenizer, [["do"]]).recall is None


def test_word_lists_are_refused_with_the_place():
    assert parse_words("\ufeffa\n\n b \n".encode(), "w") == ["a", "b"]
    with pytest.raises(InputError, match=r"w: is not UTF-8 at byte 1"):
        parse_words(b"a\xff", "w")
    with pytest.raises(InputError, match="holds no word"):
        parse_words(b"\n", "w")


def test_short_names():
    assert short_names(["a/qwen/models", "b/llama/models"]) == ["qwen", "llama"]
    assert short_names(["a.json", "b.json"]) == ["a", "b"]
    assert short_names(["qwen/models", "/tmp/ours.json"]) == ["qwen", "ours"]
    assert short_names(["a/t.json", "b/t.json"]) == ["a", "b"]
    assert short_names(["tokenizer.json"]) == ["tokenizer.json"]


def elf():
    names = b"\0.text\0"
    header = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, 64, 0, 64, 0, 0, 64, 3, 2)
    )
    rows = [(0, 0, 0, 0), (1, 1, 300, 40), (0, 3, 256, len(names))]
    table = b"".join(
        struct.pack("<IIQQQQIIQQ", n, kind, 6 * n, 0, at, size, 0, 0, 0, 0) for n, kind, at, size in rows
    )
    return (header + table + names).ljust(400, b"\x90")


def test_sections_of_an_executable():
    assert sections(elf()) == [("", 256, 7, "read-only data"), (".text", 300, 40, "code")]
    assert [one.place(310) for one in sections(elf())] == [
        ("unnamed (read-only data)", -54),
        (".text (code)", -10),
    ]
    assert code_section(elf()) == 300
    assert sections(b"plain text") == []


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_malformed_header_gives_no_error(cut):
    data = elf()
    assert isinstance(sections(data[:cut]), list)
    assert isinstance(sections(data[:cut] + b"\xff" * 40 + data[cut + 40 :]), list)
    assert isinstance(sections(b"MZ" + data[:cut]), list)
    assert isinstance(sections(b"\xcf\xfa\xed\xfe" + data[:cut] + b"\xff" * 99), list)


def test_a_text_of_one_document_takes_the_intervals_and_leaves_the_test(trained, tmp_path):
    import tokforge

    (tmp_path / "one.txt").write_text("the then")
    (tmp_path / "many").mkdir()
    for number in range(30):
        (tmp_path / "many" / f"{number}.txt").write_text("the then the " * (number + 1))
    tokenizers = {"bytes": trained(), "words": trained(b"th", b"the", b" t", b" th", b" the")}
    (pair,) = tokforge.compare(tokenizers, [tmp_path / "one.txt", tmp_path / "many"]).pairs
    assert pair.interval is None and pair.p_value < 0.05 and not pair.close


@pytest.mark.parametrize(
    ("documents", "resamples"), [(1, 1000), (5, 1000), (6, 1000), (6, 39), (30, 39), (9, 0)]
)
def test_a_pair_is_undecided_exactly_where_no_difference_could_show(documents, resamples, trained, tmp_path):
    """Every document favours one side: the clearest case there is."""
    import tokforge

    for number in range(documents):
        (tmp_path / f"{number}.txt").write_text("the then the " * 40)
    tokenizers = {"bytes": trained(), "words": trained(b"th", b"the", b" t", b" th", b" the")}
    config = tokforge.metrics.CompareConfig(resamples=resamples)
    (pair,) = tokforge.compare(tokenizers, [tmp_path], config).pairs
    assert not pair.close
    assert (pair.undecided is None) == (documents >= 6 and resamples > 0)
    assert pair.undecided or pair.p_value <= 0.05


def test_boundaries_where_a_normaliser_moves_bytes(trained, word_piece):
    # SentencePiece puts a space in front and spells each by three bytes: "▁" "▁t" "h" for " th".
    mark = "\u2581".encode()
    pipeline = Pipeline("text", normalizers=(SentencePiece(remove_extra_whitespaces=False),))
    moved = trained(mark[:2], mark, mark + b"t", pipeline=pipeline)
    assert retention(moved, ["t", "th"]) == Retention(words=2, bare=0.5, spaced=0.5)
    found = morpheme_agreement(word_piece, [["play", "ing"], ["play", "s"]])  # "##" is no byte of the word
    assert (found.precision, found.recall) == (1, 1)


def test_digits_where_a_normaliser_moves_bytes(trained):
    pipeline = Pipeline("text", normalizers=(SentencePiece(remove_extra_whitespaces=False),))
    assert digit_grouping(trained(pipeline=pipeline)) == "single digits"
