"""What is wrong with a feature or an option ends in an error of ours that says what."""

import builtins
import math

import numpy as np
import pytest

from tokforge.errors import ConfigError, MissingExtraError, TokenIdError, TokforgeError
from tokforge.masking import (
    Constant,
    Linear,
    MaskingCallback,
    MaskingConfig,
    TokenMasker,
    WholeWordMaskingCollator,
    align_words,
    character_spans,
    damped_cosine,
    damped_cosine_schedule,
    schedule_from_dict,
    word_spans,
)

TEXT = "今天天气很好，我们去公园散步。"


@pytest.fixture
def good(byte_level, feature):
    return feature(byte_level, TEXT)


@pytest.fixture
def collate(byte_level):
    return WholeWordMaskingCollator(byte_level)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_ids": None}, "input_ids is no list of whole numbers"),
        ({"input_ids": [[4, 5]]}, "input_ids is no list of whole numbers"),
        ({"input_ids": ["a", "b"]}, "input_ids is no list of whole numbers"),
        ({"input_ids": [4.5]}, "input_ids is no list of whole numbers"),
        ({"input_ids": [1, 9999]}, "input_ids hold 9999, and the tokenizer has"),
        ({"input_ids": [-1, 4]}, "input_ids hold -1"),
        ({"offset_mapping": [(0, 1)]}, "input_ids and 1 offsets"),
        ({"offset_mapping": None}, "offset_mapping are no numbers"),
        ({"offset_mapping": [(-1, 1)]}, "negative"),
        ({"attention_mask": [1, 1]}, "2 attention_mask"),
        ({"special_tokens_mask": [1, 1]}, "2 special_tokens_mask"),
        ({"document_ids": [0, 1]}, "2 document_ids"),
        ({"position_ids": [0, 1]}, "2 position_ids"),
        ({"word_ids": [0, 1]}, "2 word_ids"),
        ({"word_ids": 5}, "word_ids is no list of whole numbers"),
        ({"word_ids": None}, "word_ids is no list of whole numbers"),
        ({"word_spans": 3}, "word_spans are no spans"),
        ({"word_spans": "ab"}, "word spans are no numbers"),
        ({"text": None}, "text is no text"),
        ({"text": [3]}, "text is no text"),
        ({"text": "今天"}, "beyond the text's 2 characters"),
        ({"text": "\ud800" * len(TEXT)}, "half a surrogate pair at character 0"),
        ({"example_index": -1}, "example_index is -1"),
        ({"source": "news.txt"}, "hold source, which is no array of numbers"),
    ],
)
def test_a_field_that_does_not_fit_is_named(collate, good, change, message):
    with pytest.raises((ConfigError, TokenIdError), match=message):
        collate([{**good, **change}])


def test_fields_that_some_features_lack_or_hold_otherwise_are_named(collate, good):
    with pytest.raises(ConfigError, match="some features hold score"):
        collate([{**good, "score": 1}, good])
    with pytest.raises(ConfigError, match="score of several lengths"):
        collate([{**good, "score": [1, 2]}, {**good, "score": [1]}])
    with pytest.raises(ConfigError, match="holds text; add input_ids"):
        collate([{"text": "a"}])
    with pytest.raises(ConfigError, match="a feature is a str"):
        collate(good)  # not in a list


def test_empty_texts_and_batches_are_masked_nowhere(collate, byte_level, feature, good):
    assert collate([])["input_ids"].shape == (0, 0)
    assert collate([{"input_ids": [], "offset_mapping": [], "text": ""}])["labels"].shape == (1, 0)
    labels = collate([feature(byte_level, ""), good])["labels"].numpy()
    assert (labels[0] == -100).all()
    assert (labels[1] != -100).any()


def test_tensors_and_what_tokenizers_return_are_taken_as_lists_are(collate, byte_level, good):
    import torch

    tensors = {name: torch.tensor(good[name]) for name in ("input_ids", "offset_mapping")}
    attention = torch.ones(len(good["input_ids"]))
    batch = collate([{**tensors, "attention_mask": attention, "text": TEXT}])
    assert (batch["labels"] == collate([good])["labels"]).all()
    encoding = byte_level(TEXT, return_offsets_mapping=True)
    encoding["text"] = TEXT
    assert (collate([encoding])["labels"] != -100).any()


@pytest.mark.parametrize(
    "options",
    [
        {"segmenter": "klingon"},
        {"segmenter": None},
        {"mask_probability": math.nan},
        {"mask_probability": 1.5},
        {"mask_probability": "0.3"},
        {"mask_probability": None},
        {"evaluation_probability": 2},
        {"seed": -1},
        {"seed": 1.5},
        {"seed": 1 << 64},
        {"pad_to_multiple_of": 0},
        {"return_tensors": "tf"},
    ],
)
def test_options_that_make_no_sense_are_refused_before_a_batch(byte_level, options):
    with pytest.raises(ConfigError):
        WholeWordMaskingCollator(byte_level, **options)


@pytest.mark.parametrize("share", [math.nan, -0.1, 2, None])
def test_a_schedule_that_gives_no_share_is_refused(byte_level, good, share):
    with pytest.raises(ConfigError, match="the mask probability is"):
        WholeWordMaskingCollator(byte_level, mask_probability=lambda step: share)([good])


def test_jieba_without_rjieba_names_the_extra(collate, good, monkeypatch):
    true_import = builtins.__import__

    def without(name, *args, **options):
        if name == "rjieba":
            raise ImportError(name)
        return true_import(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"tokforge\[masking\]"):
        collate([good])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda collator: collator.set_epoch(-1),
        lambda collator: collator.set_epoch(0, step=0.5),
        lambda collator: collator.set_epoch(0, batches_a_step=0),
        lambda collator: collator.load_state_dict([]),
        lambda collator: collator.load_state_dict({**collator.state_dict(), "epoch": "x"}),
    ],
)
def test_epochs_steps_and_states_that_are_none_are_refused(collate, wrong):
    with pytest.raises(ConfigError):
        wrong(collate)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Constant("a"),
        lambda: Linear(0.1, 0.2, math.nan),
        lambda: Linear(0.1, 0.2, math.inf),
        lambda: schedule_from_dict([]),
        lambda: MaskingConfig(mask_share="x"),
        lambda: MaskingConfig(span_weights=1),
        lambda: MaskingConfig(span_weights=(math.nan, 1)),
        lambda: TokenMasker(3, [5]).mask([1, 2, 3], [0], probability=0.3, key=(0,)),
        lambda: TokenMasker(3, [5]).mask([1], [0], probability=0.3, key=(-1,)),
        lambda: align_words([(0, 1), (1, 2)], [[(0, 1)]], special=[0]),
        lambda: align_words([(-1, 1)], [[(0, 1)]], special=[0]),
        lambda: character_spans("ab", [0, 5]),
        lambda: word_spans(None),
        lambda: word_spans("\ud800", "unicode"),
    ],
)
def test_parts_used_alone_are_guarded_as_well(wrong):
    with pytest.raises(TokforgeError):
        wrong()


def test_a_text_of_no_tokens_has_no_spans():
    assert character_spans("", np.empty(0)).shape == (0, 2)


@pytest.mark.parametrize("wrong", [None, "folder", object()])
def test_a_tokenizer_of_another_library_is_told_where_to_go(wrong):
    with pytest.raises(ConfigError, match="the tokenizer is a "):
        WholeWordMaskingCollator(wrong)


def test_features_may_come_one_by_one(collate, good):
    assert collate(iter([good, good]))["attention_mask"].shape == collate([good, good])["input_ids"].shape


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda tokenizer: WholeWordMaskingCollator(tokenizer, config={"mask_share": 0.8}),
            "config is a dict",
        ),
        (lambda tokenizer: WholeWordMaskingCollator(tokenizer, config={}), "config is a dict"),
        (lambda tokenizer: WholeWordMaskingCollator(tokenizer)(None), "the features are a NoneType"),
        (lambda tokenizer: WholeWordMaskingCollator(tokenizer, mask_probability=2), "mask_probability is 2"),
        (
            lambda tokenizer: WholeWordMaskingCollator(tokenizer, evaluation_probability=-1),
            "evaluation_probability is -1",
        ),
        (lambda _: schedule_from_dict({"schedule": [1]}), r"schedule has no \[1\]"),
        (lambda _: Linear(0.1, 0.2, 10)("a"), "step is 'a'"),
        (lambda _: MaskingConfig(split_units="no"), "split_units is 'no'"),
        (lambda _: MaskingConfig(mask_share=10**400), "mask_share is 1000"),
        (lambda _: TokenMasker(3, ["a"]), "random_ids is no list"),
        (lambda _: TokenMasker(None, [4]), "mask_id is None"),
        (lambda _: TokenMasker(3, [4]).mask([4], [0], probability=0.5, key=None), "the key is None"),
        (lambda _: TokenMasker(3, [4]).mask(None, [0], probability=0.5, key=[1]), "input_ids is no list"),
        (lambda _: align_words([(0, 1)], None, special=[0]), "words or special marks"),
        (
            lambda _: align_words([(0, 1)] * 2, [[(0, 1)]] * 2, special=[0, 0], starts=np.ones(2, bool)),
            "0 lengths",
        ),
        (lambda _: character_spans("\ud800", [0]), "the text is none"),
        (lambda _: damped_cosine(2, cycles=1, final_peak=0.5, least=0.1), "progress is 2"),
        (lambda _: damped_cosine_schedule(None, 10), "the optimizer is a NoneType"),
        (lambda _: MaskingCallback(None), "the collator is a NoneType"),
    ],
)
def test_an_argument_that_is_none_of_the_kind_is_refused(characters, wrong, message):
    with pytest.raises(ConfigError, match=message):
        wrong(characters)


@pytest.mark.parametrize("wrong", [lambda: [], lambda text, more: [], lambda *, text: []])
def test_functions_of_ones_own_must_take_one_argument(byte_level, wrong):
    with pytest.raises(ConfigError, match=r"segmenter takes .* one argument, the text"):
        WholeWordMaskingCollator(byte_level, wrong)
    with pytest.raises(ConfigError, match=r"segmenter takes .* one argument, the text"):
        word_spans(TEXT, wrong)
    with pytest.raises(ConfigError, match=r"mask_probability takes .* one argument, the step"):
        WholeWordMaskingCollator(byte_level, mask_probability=wrong)


@pytest.mark.parametrize("given", [None, "0.3", 1.5, [0.3]])
def test_a_schedule_of_ones_own_must_give_a_share(byte_level, good, given):
    with pytest.raises(ConfigError, match="mask probability"):
        WholeWordMaskingCollator(byte_level, mask_probability=lambda step: given)([good])
