"""Edits by example: references, roles, refusals, and the faults that other editors had."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tokforge import AddedToken, ConfigError, Tokenizer, UnknownNameError
from tokforge.tokenizer import Definition, Pipeline, TokenTable, initial_bytes
from tokforge.tokenizer.edit import (
    add,
    add_tokens,
    add_vocabulary,
    find_token,
    pad,
    prune,
    remove,
    rename,
    reorder,
)
from tokforge.tokenizer.edit.moving import moved
from tokforge.tokenizer.edit.pretokens import count_pretokens
from tokforge.tokenizer.edit.remove import compacting
from tokforge.tokenizer.model import UnigramModel, WordLevelModel, WordPieceModel
from tokforge.tokenizer.normalizers import SentencePiece

TEMPLATE = {
    "type": "Sequence",
    "processors": [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}},
        },
    ],
}
ROBERTA = {"type": "RobertaProcessing", "sep": ["[SEP]", 1], "cls": ["[CLS]", 2], "trim_offsets": True}
BERT = {"type": "BertProcessing", "sep": ["[SEP]", 1], "cls": ["[CLS]", 2]}
PADDING = {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 1}
PADDING |= {"pad_type_id": 0, "pad_token": "[SEP]"}


def made(post=TEMPLATE, merged=(b"he", b"ll", b"hell", b"hello", b" w")):
    tokens = [None, None, None, *initial_bytes()]
    merges = []
    for token in merged:
        cut = next(at for at in range(len(token) - 1, 0, -1) if token[:at] in tokens and token[at:] in tokens)
        merges.append((tokens.index(token[:cut]), tokens.index(token[cut:]), len(tokens)))
        tokens.append(token)
    preserved = (("padding", json.dumps(PADDING)), ("post_processor", json.dumps(post)))
    specials = [
        AddedToken(0, "[UNUSED]"),
        AddedToken(1, "[SEP]", ("pad", "sep")),
        AddedToken(2, "[CLS]", ("cls",)),
    ]
    pipeline = Pipeline("text", ("gpt2",), preserved=preserved)
    return Tokenizer.from_parts(tokens, merges, pipeline=pipeline, added_tokens=specials)


def section(tokenizer, name):
    return json.loads(dict(tokenizer.pipeline.preserved)[name])


def test_padding_to_an_absurd_multiple_is_refused_at_once():
    with pytest.raises(ConfigError, match="multiple_of is 1000000000000, which makes"):
        pad(made(), 10**12)


def test_post_processor_and_padding_follow_their_tokens():
    """skeletoken #93: stale ids in the post-processor and in the padding after an edit."""
    after, id_map = remove(made(), [0])
    assert id_map.new_of_old[:4].tolist() == [-1, 0, 1, 2]
    assert section(after, "padding")["pad_id"] == 0
    inner = section(after, "post_processor")["processors"]
    assert inner[1]["special_tokens"]["[CLS]"]["ids"] == [1]
    assert inner[0] == TEMPLATE["processors"][0]
    assert (after.role("cls").id, after.role("pad").id) == (1, 0)


@pytest.mark.parametrize("post", [ROBERTA, BERT])
def test_pairs_follow_their_tokens(post):
    after, _ = reorder(made(post), np.roll(np.arange(264), 5))
    processor = section(after, "post_processor")
    assert (processor["sep"], processor["cls"]) == (["[SEP]", 6], ["[CLS]", 7])
    renamed, _ = rename(after, {"[SEP]": "[PAD]"})
    assert section(renamed, "post_processor")["sep"] == ["[PAD]", 6]
    assert section(renamed, "padding")["pad_token"] == "[PAD]"


def test_added_tokens_are_kept_not_made_anew():
    """skeletoken #94: added tokens were taken for new ones, and their embeddings were lost."""
    before = add_tokens(made(), ["<a>", "<b>"]).tokenizer
    for after, id_map in (remove(before, [0]), pad(before, 64), add_vocabulary(before, [b"help"])):
        for token in before.added_tokens[1:]:
            new = int(id_map.new_of_old[token.id])
            assert after.table.tokens[new] == token.text.encode()
            assert new not in id_map.added


@pytest.mark.parametrize(
    ("ids", "problem"),
    [
        ([1], "special token '[SEP]' (id 1) is named by the padding section"),
        ([2], "special token '[CLS]' (id 2) is named by the post_processor section"),
        ([3], "token '!' (id 3) is one of the 256 bytes"),
        ([259], "token 'he' (id 259) is a part of token 'hell' (id 261) and 1 more"),
        ([], "there is nothing to remove"),
        (["he"], "'he' is no id"),
        ([True], "True is no id"),
    ],
)
def test_a_needed_token_is_refused_by_name(ids, problem):
    with pytest.raises(ConfigError) as caught:
        remove(made(), ids)
    assert caught.value.problem.startswith(problem)


def test_cascade_takes_what_is_made_of_it():
    after, id_map = remove(made(), [259], cascade=True)
    assert id_map.removed.tolist() == [259, 261, 262]
    assert [after.token_bytes(i) for i in after.encode("hello w").tolist()] == [
        b"h",
        b"e",
        b"ll",
        b"o",
        b" w",
    ]
    assert after.provenance["edits"] == [{"operation": "remove", "asked": 1, "cascade": 2}]


def test_tokens_are_found_as_they_are_shown():
    tokenizer = made()
    assert find_token(tokenizer, "␣w") == find_token(tokenizer, " w") == 263
    assert find_token(tokenizer, "\\x00") == tokenizer.id_of(b"\0")
    assert find_token(tokenizer, "[CLS]") == 2
    with pytest.raises(UnknownNameError, match=r"did you mean \[CLS\]"):
        find_token(tokenizer, "[CLSS]")


@pytest.mark.parametrize("token", [b"hello", b"", b" a b"])
def test_vocabulary_that_cannot_be_added_is_refused(token):
    with pytest.raises(ConfigError):
        add_vocabulary(made(), [token])


def test_a_token_between_is_reported():
    after, id_map = add_vocabulary(made(), [b"xyz"])
    assert [after.token_bytes(i) for i in id_map.added.tolist()] == [b"xy", b"xyz"]
    assert after.encode(b"xyz").tolist() == [after.id_of(b"xyz")]


@pytest.mark.parametrize("text", ["", "[CLS]", "hello", "a"])
def test_added_texts_that_clash_are_refused(text):
    with pytest.raises(ConfigError):
        add_tokens(made(), [text])


def test_a_plain_added_token_takes_the_ordinary_ones_id():
    after, id_map = add_tokens(made(), ["hello"], special=False)
    assert not id_map.added.size
    assert after.added_tokens[-1].id == 262


def test_all_kinds_are_added_in_order_and_a_role_moves():
    after, id_map = add(
        made(), vocabulary=[b"hee"], plain=["<p>"], special=["<s>"], roles={"cls": "<s>", "eos": "<s>"}
    )
    assert [after.table.tokens[i] for i in id_map.added.tolist()] == [b"hee", b"<p>", b"<s>"]
    assert (after.role("cls").text, after.role("eos").text) == ("<s>", "<s>")
    with pytest.raises(UnknownNameError):
        add(made(), roles={"cls": "<none>"})


def test_saved_edits_come_back(tmp_path: Path):
    after, _ = remove(pad(made(), 64).tokenizer, [0])
    assert Tokenizer.load(after.save(tmp_path / "t.json")) == after


def test_pruning_keeps_what_must_stay_and_says_how_far_it_can_go():
    tokenizer = made()
    counts = count_pretokens(tokenizer, [[b"hello hello w"]])
    after, _, steps = prune(tokenizer, counts, 263, keep=[262])
    assert [step.id for step in steps] == [263]
    assert after.id_of(b"hello") is not None
    with pytest.raises(ConfigError, match="only 1 ids may go"):
        prune(tokenizer, counts, 259, keep=[262])


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ({"end_of_word_suffix": "</w>"}, "a prefix or suffix"),
        ({"atoms": "characters", "ignore_merges": True}, "with ignore_merges"),
    ],
)
def test_bpe_that_is_not_pruned_is_named(model, problem):
    other = Tokenizer(replace(made().definition, model=replace(made().definition.model, **model)))
    with pytest.raises(ConfigError, match=problem):
        prune(other, {}, 260)


def test_wordlevel_is_not_pruned():
    table = TokenTable((b"[UNK]", b"word"), ("special", "normal"))
    definition = Definition(table, WordLevelModel(0), Pipeline("text"), (AddedToken(0, "[UNK]"),))
    with pytest.raises(ConfigError, match="WordLevel is not pruned by use"):
        prune(Tokenizer(definition), {}, 1)


def test_unigram_scores_and_user_defined_tokens_move():
    tokens = (b"<unk>", b"a", b"b", b"ab", b"[X]")
    table = TokenTable(tokens, ("special", "normal", "normal", "normal", "normal"))
    model = UnigramModel((None, -1.0, -2.0, -3.0, 0.0), -20.0, 0, user_defined=(4,))
    pipeline = Pipeline("text", normalizers=(SentencePiece(user_defined=("[X]",)),))
    definition = Definition(table, model, pipeline, (AddedToken(0, "<unk>", ("unk",)),))
    after = moved(definition, compacting(5, [2, 4]))
    assert after.model.scores == (None, -1.0, -3.0)
    assert after.model.user_defined == ()
    assert after.pipeline.normalizers[0].user_defined == ()
    with pytest.raises(ConfigError, match="unknown token"):
        moved(definition, compacting(5, [0]))


def test_wordpiece_keeps_kinds_and_its_unknown_token():
    table = TokenTable((b"a", b"[UNK]", b"a", b"b"), ("normal", "special", "continuing", "normal"))
    definition = Definition(table, WordPieceModel(1), Pipeline("text"), (AddedToken(1, "[UNK]"),))
    after = moved(definition, compacting(4, [0]))
    assert after.table.kinds == ("special", "continuing", "normal")
    assert after.model.unk_id == 0


def test_a_model_that_is_no_byte_level_bpe_is_refused_by_name():
    tokenizer = made()
    model = tokenizer.definition.model
    ranked = replace(model, ranks=tuple(range(len(model.merges))))
    hints = {"added token": replace(model, end_of_word_suffix="</w>"), "convert it": ranked}
    for hint, other in hints.items():
        with pytest.raises(ConfigError, match="byte-level BPE ranked by pair only") as raised:
            add_vocabulary(Tokenizer(replace(tokenizer.definition, model=other)), [b"help"])
        assert hint in raised.value.hint


def test_a_word_that_was_unknown_is_tried_again_once_a_token_goes():
    """`ab` leads into a dead end, since there is no `##c`; without it `a` and `##bc` cover the word."""
    tokens = (b"[UNK]", b"a", b"b", b"c", b"ab", b"b", b"bc")
    table = TokenTable(tokens, ("special", *["normal"] * 4, *["continuing"] * 2))
    tokenizer = Tokenizer(Definition(table, WordPieceModel(0), Pipeline("text"), (AddedToken(0, "[UNK]"),)))
    assert tokenizer.encode("abc").tolist() == [0]
    after, _, steps = prune(tokenizer, {b"abc": 3}, 6)
    assert steps == ((4, 0, 6),)
    assert after.encode("abc").tolist() == [1, 5]


def test_unigrams_unknown_token_fuses_with_unknown_text_beside_it():
    tokens = (b"<unk>", b"a", b"b", b"ab", b">")
    table = TokenTable(tokens, ("special", *["normal"] * 4))
    model = UnigramModel((-1.0, -9.0, -2.0, -3.0, -9.0), -19.0, 0)
    tokenizer = Tokenizer(Definition(table, model, Pipeline("text"), (AddedToken(0, "<unk>"),)))
    _, _, steps = prune(tokenizer, {"ab<unk>éab".encode(): 1}, 4)
    assert steps == ((3, 2, 5),)
