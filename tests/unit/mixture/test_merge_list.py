"""Merges are read in the order they were made, out of every kind of file that has one."""

import base64

import pytest

from tokforge.errors import ConfigError
from tokforge.mixture.merge_list import merge_list, one_merge_a_token
from tokforge.tokenizer import Definition, Pipeline, Tokenizer, TokenTable
from tokforge.tokenizer.model import UnigramModel, WordPieceModel


def every_split(tokens, first):
    """As converters write it: all pairs of tokens that make a token, in the order of ids."""
    ids = {token: one for one, token in enumerate(tokens)}
    return [
        (ids[token[:at]], ids[token[at:]], merged)
        for merged, token in enumerate(tokens)
        for at in range(1, len(token))
        if merged >= first and token[:at] in ids and token[at:] in ids
    ]


def test_a_list_of_every_split_gives_one_merge_a_token_back(world):
    tokenizer, _ = world
    tokens = [token or b"" for token in tokenizer.table.ordinary()]
    split = every_split(tokens, 256)
    assert len(split) > 1.2 * len(tokenizer.merges)
    found, lost = one_merge_a_token(split, tokens)
    assert (list(found), lost) == (list(tokenizer.merges), ())


def test_a_token_that_no_merge_makes_is_named(world):
    tokenizer, _ = world
    tokens = [*(token or b"" for token in tokenizer.table.ordinary()), b"xxqq"]
    found, lost = one_merge_a_token([*every_split(tokens, 256), (0, 0, len(tokens) - 1)], tokens)
    assert lost == (b"xxqq",)
    assert list(found)[: len(tokenizer.merges)] == list(tokenizer.merges)


def test_ranks_of_tiktoken_are_merges(world, tmp_path):
    tokenizer, _ = world
    lines = [
        base64.b64encode(token) + b" %d\n" % rank
        for rank, token in enumerate(token or b"" for token in tokenizer.table.ordinary())
    ]
    (tmp_path / "world.tiktoken").write_bytes(b"".join(lines))
    ranks = Tokenizer.load(tmp_path / "world.tiktoken", pretokenizer="gpt2")
    assert merge_list(ranks, None).merges == merge_list(tokenizer, None).merges


@pytest.mark.parametrize(
    "model", [UnigramModel((-1.0, -2.0), -20.0, 0), WordPieceModel(0)], ids=["Unigram", "WordPiece"]
)
def test_what_has_no_order_of_merges_is_refused_with_the_reason(model):
    table = TokenTable((b"a", b"b"), ("normal", "normal"))
    definition = Definition(table, model, Pipeline("text"), ())
    with pytest.raises(ConfigError, match="order") as caught:
        merge_list(Tokenizer(definition), 10)
    assert "do not record the order" in caught.value.hint
