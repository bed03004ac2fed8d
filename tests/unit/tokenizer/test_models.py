"""Models other than byte-level BPE: what contradicts itself is refused."""

import pytest

from tokforge import AddedToken, Tokenizer, errors
from tokforge.tokenizer import Pipeline, initial_bytes
from tokforge.tokenizer.model import (
    BpeModel,
    Definition,
    TokenTable,
    UnigramModel,
    WordLevelModel,
    WordPieceModel,
    product_merges,
    table_of,
)
from tokforge.tokenizer.normalizers import Bert, Precompiled, Prepend, Replace
from tokforge.tokenizer.stages import Digits, Metaspace, Split

TEXT = Pipeline("text")
FALLBACK = [bytes((value,)) for value in range(256)]


def characters(tokens, model, fallback=(), kinds=None):
    kinds = kinds or ["normal"] * len(tokens)
    table = table_of([*tokens, *fallback], (), [*kinds, *["byte"] * len(fallback)])
    return Definition(table, model, TEXT)


def scored(tokens, *scores, **more):
    return characters(tokens, UnigramModel(scores, -20.0, 0, **more))


def test_a_byte_token_may_hold_the_bytes_of_a_character():
    made = characters(
        [b"a", b"b", b"ab"], BpeModel(((0, 1, 2),), atoms="characters", byte_fallback=True), FALLBACK
    )
    assert made.table.byte_ids()[ord("a")] == 3 + ord("a")
    assert made.table.kinds[0] == "normal"


def test_products_share_a_rank_and_ties_stay_ties():
    tokens = [b"a", b"b", b"c", b"ab", b"bc", b"abc"]
    merges, ranks = product_merges(tokens, [(0.0, 3), (0.0, 4), (1.0, 5)])
    assert merges == ((0, 1, 3), (1, 2, 4), (0, 4, 5), (3, 2, 5))
    assert ranks == (0, 0, 1, 1)
    made = characters(tokens, BpeModel(merges, ranks=ranks, atoms="characters"))
    assert not made.model.is_byte_level


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: characters([b"a", b"a"], BpeModel((), atoms="characters")), "same bytes"),
        (lambda: characters([b"a"], BpeModel((), atoms="characters", unk_id=9)), "unknown token's id 9"),
        (
            lambda: characters([b"a"], BpeModel((), atoms="characters", user_defined=(1,))),
            "user-defined token 1 is no",
        ),
        (
            lambda: characters([b"a", b"b", b"ab"], BpeModel(((0, 1, 2),), atoms="characters", ranks=())),
            "0 ranks for 1",
        ),
        (
            lambda: characters([b"a", b"aa"], BpeModel(((0, 0, 1),), atoms="characters", ranks=(-1,))),
            "do not ascend",
        ),
        (lambda: scored([b"a", b"b"], -1.0), "1 scores for 2 ids"),
        (lambda: scored([b"a", b"b"], -1.0, float("nan")), "score of id 1 is nan"),
        (lambda: scored([b"a", b"b"], -1.0, None), "id 1 has no score"),
        (
            lambda: characters([b"a"], UnigramModel((-1.0,), float("-inf"), None)),
            "unknown token's score is -inf",
        ),
        (lambda: characters([b"a"], WordPieceModel(unk_id=-1)), "unknown token's id -1"),
        (lambda: characters([b"a"], WordLevelModel(unk_id=1)), "unknown token's id 1"),
        (
            lambda: Definition(TokenTable((b"ab",), ("byte",)), WordLevelModel(0), TEXT),
            "of kind byte is empty, or too long: b'ab'",
        ),
        (
            lambda: characters([*initial_bytes(), b"a"], BpeModel(()), kinds=["byte"] * 256 + ["normal"]),
            "same bytes as the byte token",
        ),
    ],
)
def test_contradictions_are_format_errors(build, message):
    with pytest.raises(errors.FormatError, match=message):
        build()


@pytest.mark.parametrize(
    "build",
    [
        lambda: BpeModel((), atoms="words"),
        lambda: BpeModel((), unk_id=0),
        lambda: BpeModel((), byte_fallback=True),
        lambda: UnigramModel((), 0.0, None, arithmetic="float16"),
        lambda: Split("", "isolated"),
        lambda: Split("a", "kept"),
        lambda: Metaspace("__"),
        lambda: Metaspace(prepend_scheme="last"),
        lambda: Replace("", "x"),
        lambda: Pipeline("binary", (Digits(),)),
        lambda: Pipeline("binary", normalizers=(Prepend("x"),)),
    ],
)
def test_bad_options_are_config_errors(build):
    with pytest.raises(errors.ConfigError):
        build()


def test_continuing_tokens_may_share_bytes_with_normal_ones():
    made = characters([b"[UNK]", b"a", b"a"], WordPieceModel(0), kinds=["normal", "normal", "continuing"])
    assert made.table.ordinary() == [b"[UNK]", b"a", b"a"]


def test_an_isolated_regex_is_its_text_and_known_patterns_are_named():
    digits = Split(r"\p{N}{1,3}")
    assert Pipeline("text", (digits, Metaspace(), Split("x"))).pretokenizers == (
        r"regex:\p{N}{1,3}",
        Metaspace(),
        "regex:x",
    )


def test_parts_are_shown_without_their_tables():
    assert str(Precompiled(b"\0" * 9)) == "Precompiled()"
    assert Pipeline("text", (Metaspace(),), (Bert(),)).splitter_names() == (str(Metaspace()),)


def test_added_tokens_keep_their_word_flag():
    table = table_of([b"a", None], [AddedToken(1, "<x>", single_word=True)], ["normal", "normal"])
    made = Tokenizer(Definition(table, WordLevelModel(0), TEXT, (AddedToken(1, "<x>", single_word=True),)))
    assert made.added_tokens[0].single_word
    assert made.merges == ()
