"""Every metric on cases small enough to count by hand."""

from math import log2

import numpy as np
import pytest

from tokforge.metrics import METRICS
from tokforge.metrics.fairness import gini, parity
from tokforge.metrics.measure import registered
from tokforge.metrics.profile import superwords
from tokforge.metrics.reach import digit_grouping, never_split_to, unreachable
from tokforge.metrics.tally import tally
from tokforge.metrics.text import analyse
from tokforge.metrics.usage import formed_counts, residue_suspects
from tokforge.metrics.vocabulary import Vocabulary, words_in
from tokforge.tokenizer import Pipeline
from tokforge.tokenizer.normalizers import Prepend, Replace

NUMBERS = ("two", "three", "four")


def measured(name, vocabulary, *documents):
    return METRICS[name].function(tally(vocabulary, analyse(list(documents))))


# "the then 123" is cut as: the| the|n| |1|2|3 -> 7 tokens, 12 bytes, 3 words, 2 lexical words, 1 number.
BY_HAND = {
    "bytes_per_token": 12 / 7,
    "characters_per_token": 12 / 7,
    "words_per_token": 3 / 7,
    "fertility": 7 / 3,
    "tokens": 7,
    "shannon_entropy": log2(7),
    "renyi_efficiency": log2(7) / log2(259),
    "renyi_efficiency_observed": 1,
    "unigram_bits_per_byte": 7 * log2(7) / 12,
    "utilisation": 7 / 259,
    "never_used": 252,
    "mean_token_rank": 4,
    "residue_share": 0,
    "split_word_share": 1 / 2,
    "tokens_per_number": 3,
    "byte_fallback_share": 0,
    "partial_utf8_share": 0,
    "superword_share": 0,
    "two_word_share": 0,
    "three_word_share": 0,
    "four_word_share": 0,
    "used_token_bytes": 12 / 7,
}


@pytest.mark.parametrize(("name", "expected"), BY_HAND.items())
def test_by_hand(name, expected, vocabulary):
    assert measured(name, vocabulary, b"the then 123") == pytest.approx(expected, abs=1e-12)


def test_identifiers(trained):
    vocabulary = Vocabulary("t", trained(b"a_", b"a_b", pipeline=Pipeline("binary")))
    assert measured("split_identifier_share", vocabulary, b"a_b cD plain") == 1 / 2
    assert measured("tokens_per_identifier", vocabulary, b"a_b cD plain") == (1 + 2) / 2


def test_pieces_of_characters(vocabulary):
    # e-acute is two bytes, each a token.
    assert measured("byte_fallback_share", vocabulary, "né".encode()) == 2 / 3
    assert measured("partial_utf8_share", vocabulary, "né".encode()) == 2 / 3


def test_superwords(trained):
    vocabulary = Vocabulary("t", trained(b"of", b"of ", b"of t", pipeline=Pipeline("binary")))
    assert measured("superword_share", vocabulary, b"of to") == 4 / 5
    assert METRICS["superword_tokens"].function(vocabulary) == 1


def test_tokens_of_several_words(trained):
    parts = [b"a b c d e"[:end] for end in range(2, 10)]
    vocabulary = Vocabulary("t", trained(*parts, pipeline=Pipeline("binary")))
    shares = [measured(f"{words}_word_share", vocabulary, b"a b|a b c|a b c d e") for words in NUMBERS]
    assert shares == [1 / 5, 1 / 5, 1 / 5]
    listed = superwords(tally(vocabulary, analyse([b"a b|a b|a b c d e"])))
    assert [(one["text"], one["words"], one["count"]) for one in listed] == [
        ("a␣b", 2, 2),
        ("a␣b␣c␣d␣e", 5, 1),
    ]


def test_punctuation_is_no_word():
    tokens = {b", the": 1, b" = {": 0, b"a-b c": 2, "— der".encode(): 1, "中文".encode(): 1}
    assert {token: words_in(token) for token in tokens} == tokens


def test_undefined_is_none_and_never_a_number(vocabulary):
    empty = tally(vocabulary, analyse([b""]))
    none = {
        name for name, metric in METRICS.items() if metric.scope == "text" and metric.function(empty) is None
    }
    counted = {"tokens", "never_used", "utilisation"}
    assert none == {name for name, metric in METRICS.items() if metric.scope == "text"} - counted


def test_the_static_ones(vocabulary, trained):
    values = {
        name: metric.function(vocabulary) for name, metric in METRICS.items() if metric.scope == "vocabulary"
    }
    assert values == {
        "vocab_size": 259,
        "mean_token_bytes": (256 + 2 + 3 + 4) / 259,
        "unreachable": 0,
        "partial_utf8_tokens": 0,
        "superword_tokens": 0,
    }
    dead = Vocabulary("t", trained(b"he", b"el", b"hel"))
    assert unreachable(dead) == [] != unreachable(Vocabulary("t", _with_dead_token(trained)))


def _with_dead_token(trained):
    from tokforge import Tokenizer

    base = trained(b"he", b"el")
    ids = {token: i for i, token in enumerate(base.table.tokens)}
    merges = [*base.merges, (ids[b"h"], ids[b"el"], 258)]
    return Tokenizer.from_parts([*base.table.tokens, b"hel"], merges, pipeline=base.pipeline)


def test_a_token_that_the_splitter_always_cuts(trained):
    found = never_split_to(Vocabulary("t", trained(b"a,")))
    assert found == {256: "the splitter always cuts it"}


def test_a_token_that_the_normaliser_rewrites(trained):
    forms = Pipeline("text", ("gpt2",), normalizers=("NFC",))
    found = never_split_to(Vocabulary("t", trained(b"e\xcc", "e\u0301".encode(), pipeline=forms)))
    assert found == {257: "the normaliser rewrites it"}


def test_a_space_put_in_front_kills_no_token(trained):
    """Llama 2: no splitter, and every text begins with U+2581."""
    spaces = (Prepend("\u2581"), Replace(" ", "\u2581"))
    mark = "\u2581".encode()
    tokenizer = trained(b"in", mark[:2], mark, mark + b"t", pipeline=Pipeline("text", normalizers=spaces))
    assert never_split_to(Vocabulary("t", tokenizer)) == {}


def test_pieces_inside_words_are_not_dead(word_piece):
    """WordPiece has no merges, so nothing that merges could give is lost."""
    assert never_split_to(Vocabulary("t", word_piece)) == {}


def test_a_spelled_space_is_one_byte(marked):
    vocabulary = Vocabulary("t", marked)
    assert vocabulary.spelled[-2:] == (b" ", b" t")
    assert METRICS["mean_token_bytes"].function(vocabulary) == (256 + 2 + 1 + 2) / 259
    assert measured("used_token_bytes", vocabulary, b" t t") == 2
    assert METRICS["superword_tokens"].function(vocabulary) == 0
    assert tally(vocabulary, analyse([b" t x"])).spelled_share == 1


def test_dropped_and_unknown_text_is_not_spelled(word_piece):
    """Of ``plays a zz`` the pieces play, s and a are spelled, neither the spaces nor zz."""
    assert tally(Vocabulary("t", word_piece), analyse([b"plays a zz"])).spelled_share == 6 / 10


def test_gini_and_parity():
    assert gini(np.array([1.0, 1.0, 1.0])) == 0
    assert gini(np.array([1.0, 3.0])) == 0.25
    assert gini(np.array([1.0])) is None
    assert parity({"a": 2.0, "b": 3.0}) == {"a": 1.0, "b": 1.5}
    assert METRICS["cost_ratio"].function(np.array([2.0, 3.0])) == 1.5


def test_formed_counts_and_residue(vocabulary):
    counts = np.zeros(259, np.int64)
    counts[258] = 1000  # " the"
    formed = formed_counts(vocabulary, counts)
    # " the" is made of " " and "the", that of "th" and "e".
    assert [formed[i] for i in (256, 257, 258)] == [1000, 1000, 1000]
    assert residue_suspects(vocabulary, counts).tolist() == [256, 257]


def test_digit_grouping(trained):
    threes = Pipeline("text", ("llama3",))
    every = [str(n).encode() for n in range(10, 1000)] + [f"{n:02d}".encode() for n in range(10)]
    every += [f"{n:03d}".encode() for n in range(100)]
    assert digit_grouping(trained()) == "single digits"
    assert digit_grouping(trained(*every, pipeline=threes, ignore_merges=True)) == "threes from the left"
    assert digit_grouping(trained(b"20", b"202")) == "learned"


def test_the_registry_is_whole():
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.definition.endswith(".")
        assert metric.formula and metric.source and metric.unit
        assert (metric.per_document is None) or metric.scope == "text"
    assert len(METRICS) == len({metric.title for metric in METRICS.values()})
    assert registered([METRICS.values()]) == METRICS
