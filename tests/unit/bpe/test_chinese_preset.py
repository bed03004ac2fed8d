"""The preset chinese-32k: no unknowns, Han apart from all else, a size that fills tiles."""

import re

import pytest

from tokforge.bpe import BpeConfig, train

TEXT = (
    "今天天气很好，我们去公园散步。機器學習需要大量資料！香港嘅天氣好熱，A股上涨3.5%。Hello中文world。" * 30
)
HAN = re.compile(r"[\u3400-\u9fff]")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "zh.txt"
    path.write_text(TEXT)
    return train([path], BpeConfig(preset="chinese-32k", vocab_size=330))


def test_the_size_is_a_multiple_and_what_fills_it_is_counted(trained):
    tokenizer = trained.tokenizer
    assert tokenizer.vocab_size % 64 == 0
    learned = 260 + trained.character_tokens + len(trained.counts)
    assert trained.reserved_tokens == tokenizer.vocab_size - learned == trained.as_dict()["reserved_tokens"]
    assert [token.text for token in tokenizer.added_tokens[:4]] == ["[PAD]", "[CLS]", "[SEP]", "[MASK]"]
    assert all(token.id >= learned for token in tokenizer.added_tokens[4:])


def test_any_text_comes_back_whole(trained):
    tokenizer = trained.tokenizer
    for text in ("繁體中文", "佢哋喺度食緊飯，㗎嘞", "𡃉王 ㇏", "emoji 👩‍👩‍👧 Ｆｕｌｌ", "\u3400\U00030000"):
        assert tokenizer.decode_text(tokenizer.encode(text)) == text


def test_han_joins_neither_marks_nor_latin_nor_digits(trained):
    tokenizer = trained.tokenizer
    texts = [(tokenizer.token_bytes(one) or b"").decode("utf-8", "ignore") for one in tokenizer.encode(TEXT)]
    mixed = [text for text in texts if HAN.search(text) and HAN.sub("", text)]
    assert mixed == []
    assert any(len(HAN.findall(text)) > 1 for text in texts)
    assert max(len(tokenizer.token_bytes(one) or b"") for one in tokenizer.encode(TEXT)) <= 24


def test_what_is_set_wins_over_the_preset():
    config = BpeConfig(preset="chinese-32k", special_tokens=("<s>",), multiple_of=128, max_token_bytes=8)
    resolved = config.resolved("chinese-32k")
    assert (resolved.special_tokens, resolved.multiple_of, resolved.max_token_bytes) == (("<s>",), 128, 8)
    assert BpeConfig(preset="chinese-32k").table_size == 32768
    assert BpeConfig(preset="chinese-32k", vocab_size=32001).table_size == 32064
