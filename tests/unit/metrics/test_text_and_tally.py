"""Documents to counts: batching changes nothing, and tokens that do not lie on their bytes are left out."""

import numpy as np
import pytest

from tokforge.metrics.offsets import encode_with_starts
from tokforge.metrics.tally import tally, token_marks
from tokforge.metrics.text import analyse
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.tokenizer import Pipeline
from tokforge.tokenizer.normalizers import Prepend, Replace

TEXTS = ["the other then", "中文。字", "กำลัง", "བོད་ཡིག", "né\u0301 x", ""]


def test_words_of_scripts():
    assert analyse([text.encode() for text in TEXTS]).words.tolist() == [3, 4, 4, 2, 2, 0]


def test_a_sum_of_tallies_is_the_tally_of_all(vocabulary):
    documents = [text.encode() for text in TEXTS]
    parts = [tally(vocabulary, analyse(documents[:2])), tally(vocabulary, analyse(documents[2:]), threads=1)]
    whole, summed = tally(vocabulary, analyse(documents)), parts[0] + parts[1]
    for name in ("bytes", "characters", "words", "lexical", "identifiers", "numbers", "unaligned", "total"):
        assert getattr(whole, name) == getattr(summed, name), name
    assert (whole.counts == summed.counts).all()
    assert (whole.tokens == summed.tokens).all()


def test_marks_count_the_tokens_that_begin(vocabulary):
    text = analyse([b"the", b"then"])
    ids, bounds = vocabulary.tokenizer.encode_batch(text.documents)
    marks, aligned = token_marks(vocabulary, text, ids, bounds.astype(np.int64))
    assert marks[:7].tolist() == [1, 1, 1, 2, 2, 2, 3]
    assert aligned.all()


@pytest.mark.parametrize("order", [0, 1])
def test_a_normalised_document_is_left_out(trained, order):
    vocabulary = Vocabulary("t", trained(pipeline=Pipeline("text", ("gpt2",), ("NFC",))))
    documents = ["e\u0301te ab".encode(), b"ab cd"]
    found = tally(vocabulary, analyse(documents[::-1] if order else documents))
    assert found.unaligned == 1
    assert found.lexical.spans == 2
    assert found.lexical.tokens == 4


SPACED = (Replace(" ", "\u2581"),)
MARKED = [b"\xe2\x96", b"\xe2\x96\x81", b"th", b"the", b"\xe2\x96\x81the"]


@pytest.mark.parametrize("normalizers", [SPACED, (Prepend("\u2581"), *SPACED)], ids=["gemma", "llama2"])
@pytest.mark.parametrize(
    "text", ["the then the", " the", "", "  ", "the\u2581the \u2581", "né 中文 the\n", "a \x00 b"]
)
def test_tokens_that_spell_spaces_lie_where_spans_say(trained, normalizers, text):
    tokenizer = trained(*MARKED, pipeline=Pipeline("text", (), normalizers))
    ids, starts = encode_with_starts(tokenizer, text.encode())
    expected, spans = tokenizer.encode_spans(text)
    assert ids.tolist() == expected.tolist()
    # A span covers its whole first character; a token that begins inside one begins later.
    assert all(
        span <= start < span + 4 for start, span in zip(starts.tolist(), spans[:, 0].tolist(), strict=True)
    )
    assert not text.isascii() or starts.tolist() == spans[:, 0].tolist()


@pytest.mark.parametrize("normalizers", [SPACED, (Prepend("\u2581"), *SPACED)], ids=["gemma", "llama2"])
def test_words_of_tokenizers_that_spell_spaces_are_counted(trained, normalizers):
    vocabulary = Vocabulary("t", trained(*MARKED, pipeline=Pipeline("text", (), normalizers)))
    found = tally(vocabulary, analyse([b"x the then the"]))
    assert (found.unaligned, found.lexical.spans, found.lexical.whole, found.lexical.tokens) == (0, 4, 3, 5)


def test_word_counts_of_tokens():
    from tokforge.metrics.vocabulary import words_in

    assert [words_in(token) for token in (b" of the", b"the", b" ", b"a\nb\tc")] == [2, 1, 0, 3]
    assert words_in(b"-" * 1_000_000) == 0  # in linear time: a search from each place takes hours


def test_a_share_of_other_words_than_its_neighbours_is_not_given(trained):
    from tokforge.metrics.pieces import METRICS

    vocabulary = Vocabulary("t", trained(pipeline=Pipeline("text", ("gpt2",), ("NFC",))))
    share = next(one for one in METRICS if one.name == "split_word_share").function
    changed, plain = "e\u0301te".encode(), b"ab cd "
    few, many = (
        tally(vocabulary, analyse([changed, plain * 20])),
        tally(vocabulary, analyse([changed, plain])),
    )
    assert (few.lexical.left, few.lexical.spans) == (1, 40)
    assert share(few) == 1
    assert (many.lexical.left, share(many)) == (1, None)
