"""Character coverage: whole characters come first, in any library, and nothing else changes."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as HfTokenizer

from tokforge import Tokenizer, train_bpe
from tokforge.bpe import BpeConfig, count, train, train_from_counts, train_from_files
from tokforge.bpe.characters import covering_characters
from tokforge.errors import ConfigError

TEXT = "天地玄黃，宇宙洪荒。日月盈昃，辰宿列張。寒來暑往，秋收冬藏。🙂 naïve café 天地天地 " * 3 + "龘"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT * 2)
    return path


def test_each_covered_character_is_one_token(corpus: Path) -> None:
    result = train([corpus], BpeConfig(vocab_size=500, preset="text", character_coverage=1))
    made = set(Counter(TEXT)) - {chr(code) for code in range(128)}
    assert all(len(result.tokenizer.encode(character)) == 1 for character in made)
    first = {
        result.tokenizer.token_bytes(merged)
        for _, _, merged in result.tokenizer.merges[: result.character_tokens]
    }
    assert {token.decode() for token in first if _is_text(token)} == made
    assert result.character_tokens > len(made)  # and the bytes in which they agree
    assert len(result.counts) + result.character_tokens == len(result.tokenizer.merges)


def _is_text(token: bytes) -> bool:
    return token.decode(errors="replace").encode() == token


def test_hugging_face_gives_the_same_ids_after_a_round_trip(corpus: Path, tmp_path: Path) -> None:
    tokenizer = train_bpe(corpus, vocab_size=420, preset="text", character_coverage=0.99)
    tokenizer.save(tmp_path / "t.json")
    theirs = HfTokenizer.from_file(str(tmp_path / "t.json"))
    for text in (TEXT, "荒洪宙宇", "\u0939\u093f mixed 天x地", "🙂🙃"):
        assert theirs.encode(text).ids == Tokenizer.load(tmp_path / "t.json").encode(text).tolist()


def test_the_result_does_not_depend_on_threads(corpus: Path) -> None:
    one, many = (
        train_bpe(corpus, vocab_size=400, preset="text", character_coverage=0.9, threads=n) for n in (1, 4)
    )
    assert list(one.merges) == list(many.merges)


def test_words_on_disk_and_counts_files_give_the_same(corpus: Path, tmp_path: Path) -> None:
    config = BpeConfig(vocab_size=400, preset="text", character_coverage=0.9)
    expected = list(train([corpus], config).tokenizer.merges)
    bounded = train([corpus], replace(config, memory_bytes=64_000_000))
    assert list(bounded.tokenizer.merges) == expected
    count([corpus], tmp_path / "words.counts", BpeConfig(preset="text"))
    counted = train_from_files([tmp_path / "words.counts"], BpeConfig(vocab_size=400, character_coverage=0.9))
    assert list(counted.tokenizer.merges) == expected
    assert counted.character_tokens == bounded.character_tokens > 0


def test_without_it_nothing_changes(corpus: Path) -> None:
    plain = train_bpe(corpus, vocab_size=400, preset="text")
    assert list(plain.merges) == list(
        train_bpe(corpus, vocab_size=400, preset="text", character_coverage=0).merges
    )


def test_a_small_vocabulary_still_learns_pairs(corpus: Path) -> None:
    result = train([corpus], BpeConfig(vocab_size=276, preset="text", character_coverage=1))
    assert 0 < result.character_tokens <= 10
    assert len(result.counts) >= 10


def test_a_character_that_a_special_token_spells_is_left_out(corpus: Path) -> None:
    tokenizer = train_bpe(
        corpus, vocab_size=400, preset="text", character_coverage=1, special_tokens=("å¤©",)
    )  # spells 天
    assert "天".encode() not in {tokenizer.token_bytes(merged) for _, _, merged in tokenizer.merges}
    assert len(tokenizer.encode("地")) == 1


def test_counted_words_take_it_too() -> None:
    config = BpeConfig(vocab_size=264, pretokenizer="gpt2", character_coverage=1)
    tokenizer = train_from_counts({"é".encode(): 5, "地".encode(): 4, b"aa": 100, "龘".encode(): 1}, config)
    assert [len(tokenizer.encode(text)) for text in ("é", "地", "龘")] == [1, 1, 3]  # 龘 occurs once


def test_the_fewest_characters_that_reach_the_share() -> None:
    counts = [("的", 90), ("一", 9), ("龘", 1)]
    assert covering_characters(counts, 0.9, 1) == ["的"]
    assert covering_characters(counts, 0.9001, 1) == ["的", "一"]
    assert covering_characters(counts, 1, 1) == ["的", "一", "龘"]
    assert covering_characters([], 1, 1) == []


@given(st.lists(st.tuples(st.binary(max_size=12), st.integers(1, 1 << 40)), max_size=20))
def test_the_engine_counts_characters_as_python_does(words: list[tuple[bytes, int]]) -> None:
    from tokforge import _core

    table = _core.WordCounts(_core.Splitter(["gpt2"]), 2)
    table.add_counts([word for word, _ in words], [times for _, times in words])
    expected: Counter[str] = Counter()
    for word, times in words:
        for character in word.decode(errors="surrogateescape"):
            if not "\udc80" <= character <= "\udcff":
                expected[character] += times
    assert table.characters() == sorted(expected.items(), key=lambda one: (-one[1], one[0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"character_coverage": 1.5}, "character_coverage is 1.5"),
        ({"character_coverage": float("nan")}, "character_coverage is nan"),
        ({"character_coverage": 0.5, "preset": "binary"}, "unsplit bytes have none"),
    ],
)
def test_what_cannot_be_is_refused(corpus: Path, options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        train_bpe(corpus, vocab_size=300, **options)


def test_a_tokenizer_that_is_extended_keeps_its_own(corpus: Path) -> None:
    old = train_bpe(corpus, vocab_size=280, preset="text")
    with pytest.raises(ConfigError, match="the tokenizer to extend has its own"):
        train_bpe(corpus, vocab_size=300, extend=old, character_coverage=0.9)


def test_supertokens_refuse_it(corpus: Path) -> None:
    from tokforge.supertokens import SupertokensConfig
    from tokforge.supertokens import train as train_supertokens

    config = BpeConfig(vocab_size=300, preset="text", character_coverage=0.9)
    with pytest.raises(ConfigError, match="supertokens begin with words"):
        train_supertokens([corpus], config, SupertokensConfig(learner="superbpe", transitions=(280,)))
