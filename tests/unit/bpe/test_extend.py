"""Training goes on from a tokenizer: its ids, merges, specials and pipeline stay."""

import json
from pathlib import Path
from typing import Any

import pytest

from tokforge import ConfigError, Tokenizer, UnknownNameError, train_bpe
from tokforge.bpe import BpeConfig, SamplingConfig, train
from tokforge.bpe._reference import learn_merges_slow
from tokforge.bpe.checkpoint import Checkpoint
from tokforge.tokenizer import BpeModel, Definition, Pipeline, TokenTable, initial_bytes
from tokforge.tokenizer.edit import pad
from tokforge.tokenizer.edit.pretokens import count_pretokens
from tokforge.tokenizer.normalizers import Replace

OLD = b"the cat sat on the mat; the dog sat on the log. " * 9
SPACES = Replace(" ", "▁", regex=False)
NEW = b"whereas heretofore the party of the first part; whereas theretofore. " * 9


@pytest.fixture
def old(tmp_path: Path) -> Tokenizer:
    (tmp_path / "old.txt").write_bytes(OLD)
    (tmp_path / "new.txt").write_bytes(NEW)
    trained = train_bpe(
        tmp_path / "old.txt", vocab_size=280, preset="text", pretokenizer="gpt2", special_tokens=("<|end|>",)
    )
    return pad(trained, 16).tokenizer


def test_all_that_was_there_stays_and_new_merges_follow(old: Tokenizer, tmp_path: Path) -> None:
    config = BpeConfig(vocab_size=320, preset="text")
    result = train([tmp_path / "new.txt"], config, extend=old)
    new = result.tokenizer
    assert new.table.tokens[: old.vocab_size] == old.table.tokens
    assert new.added_tokens == old.added_tokens
    assert new.pipeline == old.pipeline
    assert new.merges[: len(old.merges)] == old.merges
    assert result.id_map is not None
    assert result.id_map.new_of_old.tolist() == list(range(old.vocab_size))
    assert new.provenance["extends"] == old.vocab_size
    assert result.as_dict()["extends"] == old.vocab_size
    assert new.encode(b"zyx").tolist() == old.encode(b"zyx").tolist()
    assert len(new.encode(NEW)) < len(old.encode(NEW))


def test_new_merges_are_those_of_the_slow_twin(old: Tokenizer, tmp_path: Path) -> None:
    new = train_bpe(tmp_path / "new.txt", vocab_size=310, extend=old)
    expected = learn_merges_slow(
        count_pretokens(old, [[NEW]]),
        byte_ids=old.table.byte_ids(),
        first_id=old.vocab_size,
        vocab_size=310,
        merges=old.merges,
        known=old.table.ordinary(),
    )
    assert list(new.merges[len(old.merges) :]) == expected


def test_an_extended_tokenizer_is_saved_and_padded(old: Tokenizer, tmp_path: Path) -> None:
    new = train_bpe(tmp_path / "new.txt", vocab_size=5000, multiple_of=64, extend=old)
    assert new.vocab_size % 64 == 0
    texts = [token.text for token in new.added_tokens]
    assert len(set(texts)) == len(texts)
    assert Tokenizer.load(new.save(tmp_path / "t.json")) == new


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"vocab_size": 281},
        {"vocab_size": 400, "pretokenizer": "gpt2"},
        {"vocab_size": 400, "special_tokens": ("<x>",)},
        {"vocab_size": 400, "family": (300,)},
    ],
)
def test_options_that_would_change_it_are_refused(
    options: dict[str, Any], old: Tokenizer, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError):
        train_bpe(tmp_path / "new.txt", extend=old, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"vocab_size": "5"},
        {"vocab_size": True},
        {"min_frequency": None},
        {"special_tokens": (1,)},
        {"family": 300},
        {"sampling": {}},
        {"threads": 1.5},
        {"preset": 3},
    ],
)
def test_wrong_types_are_refused_by_name(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(options))} is .*, of type "):
        train_bpe("none.txt", **options)


def test_unknown_options_and_weights_get_a_guess(old: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean vocab_size"):
        train_bpe("none.txt", vocabsize=5)
    with pytest.raises(ConfigError, match="weights is"):
        SamplingConfig(weights={"a": "0.5"})  # type: ignore[dict-item]
    name = str(tmp_path / "old.txt")
    sampling = SamplingConfig(weights={name[:-1]: 0.5})
    with pytest.raises(UnknownNameError, match=f"did you mean {name}"):
        train([name, tmp_path / "new.txt"], BpeConfig(vocab_size=300, sampling=sampling))


def test_the_map_is_of_what_was_extended(old: Tokenizer, tmp_path: Path) -> None:
    result = train([tmp_path / "new.txt"], BpeConfig(vocab_size=300, preset="text"), extend=old)
    assert json.loads(result.id_map.to_json())["new_vocab_size"] == 300  # type: ignore[union-attr]


def test_a_merge_may_make_a_token_that_stood_below_its_neighbours(tmp_path: Path) -> None:
    # "cd" has an id and no merge; "ab", beside which it is made, has a higher one.
    tokens = [*initial_bytes(), b"cd", *(b"q%d" % at for at in range(40)), b"ab"]
    ids = {token: at for at, token in enumerate(tokens)}
    old = Tokenizer.from_parts(
        tokens=tokens,
        merges=[(ids[b"a"], ids[b"b"], ids[b"ab"])],
        pipeline=Pipeline(kind="text", pretokenizers=("gpt2",)),
    )
    (tmp_path / "new.txt").write_text("abcd cdab abcdab " * 50)
    new = train_bpe(tmp_path / "new.txt", vocab_size=len(tokens) + 2, extend=old)
    assert (ids[b"c"], ids[b"d"], ids[b"cd"]) in list(new.merges)
    assert new.encode("cdab").tolist()[-1] >= ids[b"ab"]


def of_characters(**options: Any) -> Tokenizer:
    tokens = (
        *(bytes((byte,)) for byte in range(256)),
        *(text.encode() for text in ("▁", "a", "b", "1", "▁a")),
    )
    table = TokenTable(tokens, (*["byte"] * 256, *["normal"] * 5))
    options = {"merges": [(256, 257, 260)], "atoms": "characters", "byte_fallback": True, **options}
    return Tokenizer(Definition(table, BpeModel(**options), Pipeline("text", normalizers=(SPACES,))))


def test_kinds_of_character_that_no_old_token_joins_stay_apart(tmp_path: Path) -> None:
    """`▁a` joins the mark and a letter; no token holds two letters, two digits, or a letter and a digit."""
    (tmp_path / "new.txt").write_text("b1 b1 11 11 éa ab " * 9)
    new = train_bpe(tmp_path / "new.txt", vocab_size=300, preset="text", extend=of_characters())
    assert [new.token_bytes(i).decode() for i in range(261, new.vocab_size)] == ["▁b"]


@pytest.mark.parametrize("options", [{"ranks": (0,)}, {"ignore_merges": True}])
def test_characters_that_cannot_be_extended_are_named(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only BPE ranked by pair"):
        train_bpe(tmp_path, vocab_size=300, preset="text", extend=of_characters(**options))


def test_characters_are_extended_without_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text("ab " * 9)
    with pytest.raises(ConfigError, match="without a checkpoint"):
        train(
            [tmp_path / "new.txt"],
            BpeConfig(vocab_size=300, preset="text"),
            extend=of_characters(),
            checkpoint=Checkpoint(folder=tmp_path / "kept"),
        )
