"""Words of texts, and spans from bytes."""

from itertools import pairwise

import numpy as np
import pytest

from tokforge.bpe import BpeConfig, train_from_counts
from tokforge.errors import ConfigError, UnknownNameError
from tokforge.masking import align_words, character_spans, word_spans


@pytest.mark.parametrize("segmenter", ["jieba", "unicode", "code", "characters"])
def test_words_are_in_order_and_hold_everything_but_spaces(segmenter):
    text = "  今天 天氣很好。\t𡃉 👩‍👩‍👧 snake_case>=1.5\n"
    spans = word_spans(text, segmenter).tolist()
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert "".join(text[start:end] for start, end in spans) == "".join(text.split())
    assert word_spans("", segmenter).shape == (0, 2)
    assert word_spans(" \n", segmenter).shape == (0, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我们去公园 привет мир", ["我们", "去", "公园", "привет", "мир"]),
        ("한국어 형태소 café", ["한국어", "형태소", "café"]),
        ("T恤 カタカナ हिन्दी", ["T恤", "カタカナ", "हिन्दी"]),
        ("好👩‍👩‍👧👍🏽", ["好", "👩‍👩‍👧", "👍🏽"]),
    ],
)
def test_jieba_holds_together_what_unicode_does(text, words):
    assert [text[start:end] for start, end in word_spans(text, "jieba").tolist()] == words


def test_a_function_may_cut_the_words():
    assert word_spans("abcd", lambda text: [(0, 2), (2, len(text))]).tolist() == [[0, 2], [2, 4]]
    for wrong in ([1, 2, 3], [("a", "b")], [(0, -1)], None):
        with pytest.raises(ConfigError):
            word_spans("abcd", lambda _, spans=wrong: spans)
    with pytest.raises(UnknownNameError, match="jieba"):
        word_spans("abcd", "LTP")


def test_tokens_of_our_own_tokenizers_align_by_their_first_bytes():
    tokenizer = train_from_counts({"天气".encode(): 9}, BpeConfig(vocab_size=258, pretokenizer="o200k"))
    text = "天气x好"
    ids, starts = tokenizer.encode_with_offsets(text)
    assert len(ids) > 6
    spans = character_spans(text, starts)
    found = align_words(spans, [word_spans(text, "jieba")], special=np.zeros(len(ids)))
    by_character = dict(zip(spans[:, 0].tolist(), found.units.tolist(), strict=True))
    assert by_character[0] == by_character[1] != by_character[2] != by_character[3]
    assert found.words_per_unit.tolist() == [1, 1, 1]


def test_a_token_over_words_says_how_many():
    found = align_words([(0, 5), (5, 10)], [word_spans("a b c de f", "unicode")], special=[0, 0])
    assert found.units.tolist() == [0, 1]
    assert found.words_per_unit.tolist() == [3, 2]
