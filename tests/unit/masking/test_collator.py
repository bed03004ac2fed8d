"""The collator: whole words of any tokenizer, an exact budget, equal batches for any number of workers."""

import numpy as np
import pytest
import tokenizers
from tokenizers import models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from tokforge.errors import ConfigError
from tokforge.masking import MaskingConfig, WholeWordMaskingCollator, word_spans

IGNORED = -100


@pytest.fixture(params=["byte_level", "superwords"])
def tokenizer(request):
    return request.getfixturevalue(request.param)


def masked(batch):
    return np.asarray(batch["labels"]) != IGNORED


def masked_shares(batch, tokenizer):
    maskable = ~np.isin(
        np.where(masked(batch), batch["labels"], batch["input_ids"]), tokenizer.all_special_ids
    )
    return masked(batch).sum() / maskable.sum()


def collator_of(tokenizer, **options):
    return WholeWordMaskingCollator(tokenizer, return_tensors="np", **options)


@pytest.mark.parametrize("segmenter", ["jieba", "unicode", "code", "characters"])
def test_every_word_is_masked_wholly_or_not(tokenizer, texts, feature, segmenter):
    collator = collator_of(tokenizer, segmenter=segmenter)
    features = [feature(tokenizer, text) for text in texts]
    hidden = masked(collator(features))
    for row, one in zip(hidden, features, strict=True):
        for start, end in word_spans(one["text"], segmenter).tolist():
            touching = [
                bool(row[at])
                for at, (first, last) in enumerate(one["offset_mapping"])
                if first < end and start < last
            ]
            assert len(set(touching)) == 1, one["text"][start:end]
    assert hidden.any()


def test_special_tokens_are_never_masked(byte_level, texts, feature):
    features = [feature(byte_level, text) for text in texts]
    for probability in (0.5, 1.0):
        batch = collator_of(byte_level, mask_probability=probability)(features)
        assert masked(batch).any()
        assert not np.isin(batch["labels"], byte_level.all_special_ids).any()


def test_special_tokens_without_a_role_are_neither_masked_nor_drawn():
    backend = tokenizers.Tokenizer(models.WordLevel({"[PAD]": 0, "[MASK]": 1, "a": 2}))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.add_special_tokens([f"<|reserved_{at}|>" for at in range(40)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="[PAD]", mask_token="[MASK]")
    text = "a <|reserved_3|> " * 200
    config = MaskingConfig(mask_share=0.0, random_share=1.0)
    one = {**tokenizer(text, return_offsets_mapping=True), "text": text}
    batch = collator_of(tokenizer, mask_probability=0.5, config=config)([one])
    assert set(batch["labels"][masked(batch)]) == {2}
    assert set(batch["input_ids"][masked(batch)]) == {2}
    assert masked(batch).sum() == 100


@pytest.mark.parametrize("shares", [(0.8, 0.1), (0.5, 0.3), (1.0, 0.0), (0.0, 1.0)])
def test_the_replacements_have_the_shares_asked_for_and_are_never_special(byte_level, texts, feature, shares):
    features = [feature(byte_level, text * 60) for text in texts]
    config = MaskingConfig(mask_share=shares[0], random_share=shares[1])
    assert config == MaskingConfig() or shares != (0.8, 0.1)  # 80/10/10 without a word
    batch = collator_of(byte_level, config=config)(features)
    hidden = masked(batch)
    ids, labels = batch["input_ids"][hidden], batch["labels"][hidden]
    is_mask = ids == byte_level.mask_token_id
    assert abs(is_mask.mean() - shares[0]) < 0.03
    assert abs((~is_mask & (ids != labels)).mean() - shares[1]) < 0.03
    assert not np.isin(ids[~is_mask], byte_level.all_special_ids).any()


def test_units_share_one_fate_if_asked(byte_level, texts, feature):
    one = feature(byte_level, texts[0] * 20)
    collator = collator_of(byte_level, config=MaskingConfig(replace_units=True))
    batch, units = collator([one]), collator.units(one)
    is_mask = batch["input_ids"][0] == byte_level.mask_token_id
    for unit in set(units[masked(batch)[0]].tolist()):
        assert len(set(is_mask[units == unit].tolist())) == 1


def test_spans_of_words_hide_more_neighbours(byte_level, texts, feature):
    one = feature(byte_level, texts[0] * 40)

    def stretches(weights):
        row = masked(collator_of(byte_level, config=MaskingConfig(span_weights=weights))([one]))[0]
        return int(np.count_nonzero(np.diff(row.astype(int)) == 1))

    assert stretches((0, 0, 0, 1)) < stretches((1.0,)) / 1.5


def test_prepared_words_mask_as_text_does(byte_level, texts, feature):
    collator = collator_of(byte_level)
    features = [feature(byte_level, text, example_index=at) for at, text in enumerate(texts)]
    prepared = [
        {"input_ids": one["input_ids"], "example_index": one["example_index"], **collator.prepare(one)}
        for one in features
    ]
    given = [
        {**{key: value for key, value in one.items() if key != "text"}, "word_spans": word_spans(one["text"])}
        for one in features
    ]
    batches = [collator(some) for some in (features, prepared, given)]
    for other in batches[1:]:
        assert all((batches[0][name] == other[name]).all() for name in ("input_ids", "labels"))


def test_padding_is_not_masked_and_other_fields_are_kept(byte_level, texts, feature):
    features = [feature(byte_level, text, score=at) for at, text in enumerate(texts)]
    for one in features:
        one["token_type_ids"] = [0] * len(one["input_ids"])
    batch = WholeWordMaskingCollator(byte_level, pad_to_multiple_of=32)(features)
    assert {
        tuple(batch[name].shape) for name in ("input_ids", "labels", "attention_mask", "token_type_ids")
    } == {tuple(batch["input_ids"].shape)}
    assert batch["input_ids"].shape[1] % 32 == 0
    assert (batch["labels"][batch["attention_mask"] == 0] == IGNORED).all()
    assert batch["score"].tolist() == [0, 1, 2, 3, 4]


def test_words_do_not_cross_from_one_packed_document_into_the_next(byte_level, feature):
    one, other = (feature(byte_level, text) for text in ("天", "天气"))
    packed = {
        "input_ids": one["input_ids"][1:-1] + other["input_ids"][1:-1],
        "offset_mapping": one["offset_mapping"][1:-1] + other["offset_mapping"][1:-1],
        "text": ["天", "天气"],
    }
    first = len(one["input_ids"]) - 2
    collator = collator_of(byte_level)
    positions = [*range(first), *range(len(packed["input_ids"]) - first)]
    for where in (
        {"position_ids": positions},
        {"document_ids": [0] * first + [1] * (len(positions) - first)},
    ):
        units = collator.units({**packed, **where})
        assert set(units[:first]).isdisjoint(units[first:])
        prepared = {"input_ids": packed["input_ids"], "word_ids": [0] * len(positions), **where}
        assert collator.units(prepared).tolist() == [0] * first + [1] * (len(positions) - first)


def test_packed_documents_are_found_behind_special_tokens(byte_level, feature):
    features = [feature(byte_level, text) for text in ("今天天气", "天气很好")]
    packed = {name: features[0][name] + features[1][name] for name in ("input_ids", "offset_mapping")}
    packed["text"] = ["今天天气", "天气很好"]
    collator = collator_of(byte_level)
    alone = [collator.units(one) for one in features]
    both = collator.units(packed)
    assert (both[: len(alone[0])] == alone[0]).all()
    assert len(set(both.tolist()) - {-1}) == sum(len(set(one.tolist()) - {-1}) for one in alone)
    with pytest.raises(ConfigError, match="2 documents and 3 texts"):
        collator.units({**packed, "text": ["今天天气"] * 3})


@pytest.mark.filterwarnings("ignore:a batch has")  # of two sentences
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more than this machine has cores
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_any_number_of_workers_gives_equal_batches(byte_level, texts, feature, workers):
    import torch

    from tokforge.masking import Linear

    features = [feature(byte_level, text, example_index=at) for at, text in enumerate(texts * 4)]
    expected = collator_of(byte_level, mask_probability=Linear(0.1, 0.6, 20))
    collator = WholeWordMaskingCollator(byte_level, mask_probability=Linear(0.1, 0.6, 20))
    loader = torch.utils.data.DataLoader(
        features, batch_size=2, collate_fn=collator, num_workers=workers, persistent_workers=workers > 0
    )
    for epoch in range(2):
        collator.set_epoch(epoch, step=10 * epoch)
        expected.set_epoch(epoch, step=10 * epoch)
        batches = list(loader)
        assert len(batches) == 10
        for at, batch in enumerate(batches):
            alone = expected(features[2 * at : 2 * at + 2])
            assert (batch["input_ids"].numpy() == alone["input_ids"]).all()


def test_epochs_seeds_and_examples_mask_otherwise(byte_level, texts, feature):
    one = feature(byte_level, texts[0] * 9)

    def labels(seed=0, epoch=0, **more):
        collator = collator_of(byte_level, seed=seed)
        collator.set_epoch(epoch)
        return collator([{**one, **more}])["labels"].tobytes()

    assert labels() == labels()
    assert len({labels(), labels(seed=1), labels(epoch=1), labels(example_index=3)}) == 4


def test_tokens_stand_alone_under_the_segmenter_of_that_name(byte_level, texts, feature):
    collator = collator_of(byte_level, segmenter="tokens", mask_probability=0.3)
    batch = collator([{"input_ids": feature(byte_level, text * 5)["input_ids"]} for text in texts])
    assert abs(masked_shares(batch, byte_level) - 0.3) <= 0.005


def test_the_length_of_words_does_not_bias_their_chance(byte_level):
    ids = byte_level("x" * 400)["input_ids"]
    assert len(ids) >= 300
    word_ids = np.repeat(np.arange(200), [1, 2, 3, 4] * 50)[: len(ids)].tolist()
    collator = collator_of(byte_level)
    hidden = sum(
        masked(collator([{"input_ids": ids, "word_ids": word_ids, "example_index": at}]))[0].astype(int)
        for at in range(400)
    )
    lengths = np.bincount(word_ids)[word_ids]
    for length in (1, 2, 3, 4):
        assert abs(hidden[lengths == length].mean() / 400 - 0.3) < 0.02


@pytest.mark.parametrize("probability", [0.15, 0.3, 0.8])
def test_short_examples_of_long_words_are_masked_exactly_and_without_bias(byte_level, probability):
    """100 tokens as `code` cuts Chinese: clauses beside single marks."""
    lengths = np.array([*[1] * 11, 3, 3, 3, 4, 5, 5, 6, 6, 8, 9, 11, 13, 14])
    word_ids = np.repeat(np.arange(len(lengths)), lengths).tolist()
    ids = np.full(len(word_ids), byte_level("x")["input_ids"][0])
    collator = collator_of(byte_level, mask_probability=probability)
    chosen = np.zeros(len(lengths))
    for at in range(1500):
        hidden = masked(collator([{"input_ids": ids, "word_ids": word_ids, "example_index": at}]))[0]
        assert abs(hidden.sum() - probability * len(ids)) <= 0.5
        chosen += hidden[np.cumsum(lengths) - 1]
    for some in (lengths == 1, lengths >= 8):
        assert abs(chosen[some].mean() / 1500 - probability) < 0.05


def test_what_words_cannot_be_found_from_is_refused(byte_level, texts, feature):
    collator = collator_of(byte_level)
    with pytest.raises(ConfigError, match="remove_unused_columns=False"):
        collator([{"input_ids": [10, 11]}])
    with pytest.raises(ConfigError, match="no 'klingon'"):
        collator_of(byte_level, segmenter="klingon")([feature(byte_level, texts[0])])
    with pytest.raises(ConfigError, match="text order"):
        collator([{**feature(byte_level, "ab"), "word_spans": [(1, 2), (0, 1)]}])
    with pytest.raises(ConfigError, match="sum to"):
        MaskingConfig(mask_share=0.9, random_share=0.2)


def test_a_tokenizer_without_a_mask_is_refused(byte_level):
    import copy

    bare = copy.deepcopy(byte_level)
    bare.mask_token = None
    with pytest.raises(ConfigError, match="no mask token"):
        WholeWordMaskingCollator(bare)
