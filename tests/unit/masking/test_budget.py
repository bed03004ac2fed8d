"""The share of a batch: within half a point for every segmenter, tokenizer and length of examples."""

import numpy as np
import pytest

from tokforge.errors import ConfigError
from tokforge.masking import MaskingConfig, WholeWordMaskingCollator
from tokforge.masking.budget import BatchBudget


def halves(text):
    """A segmenter of one's own: words of two characters."""
    return [(at, min(at + 2, len(text))) for at in range(0, len(text), 2)]


def masked_and_maskable(batch, special):
    hidden = batch["labels"] != -100
    true = np.where(hidden, batch["labels"], batch["input_ids"])
    return int(hidden.sum()), int((~np.isin(true, special)).sum())


@pytest.mark.parametrize("probability", [0.15, 0.3])
@pytest.mark.parametrize("segmenter", ["jieba", "unicode", "code", "characters", "tokens", halves])
@pytest.mark.parametrize("kind", ["byte_level", "superwords", "characters"])
@pytest.mark.parametrize("repeats", [1, 12])
def test_the_share_is_within_half_a_point(request, texts, feature, kind, segmenter, probability, repeats):
    """Sentences too: 15% of ten tokens is 10 or 20%, so they make up for each other."""
    tokenizer = request.getfixturevalue(kind)
    features = [
        feature(tokenizer, text * repeats, example_index=at)
        for at, text in enumerate(texts * (20 // repeats + 1))
    ]
    collator = WholeWordMaskingCollator(tokenizer, segmenter, probability, return_tensors="np")
    for epoch in range(3):
        collator.set_epoch(epoch)
        masked, maskable = masked_and_maskable(collator(features), tokenizer.all_special_ids)
        assert abs(masked / maskable - probability) <= 0.005


@pytest.mark.parametrize("weights", [(1.0,), (0.4, 0.3, 0.2, 0.1)])
def test_spans_of_words_meet_the_same_share(byte_level, texts, feature, weights):
    collator = WholeWordMaskingCollator(
        byte_level, config=MaskingConfig(span_weights=weights), return_tensors="np"
    )
    features = [feature(byte_level, text, example_index=at) for at, text in enumerate(texts * 8)]
    masked, maskable = masked_and_maskable(collator(features), byte_level.all_special_ids)
    assert abs(masked / maskable - 0.3) <= 0.005


def test_nothing_and_everything_can_be_masked(byte_level, texts, feature):
    features = [feature(byte_level, text) for text in texts]
    shares = {}
    for probability in (0, 1):
        batch = WholeWordMaskingCollator(byte_level, mask_probability=probability, return_tensors="np")(
            features
        )
        masked, maskable = masked_and_maskable(batch, byte_level.all_special_ids)
        shares[probability] = masked / maskable
    assert shares == {0: 0.0, 1: 1.0}


def test_what_one_example_leaves_over_the_next_ones_make_up():
    budget = BatchBudget(0.15)
    dealt = []
    for _ in range(20):
        dealt.append(budget.due(10))
        budget.spend(dealt[-1])
    assert set(dealt) == {1, 2}
    assert sum(dealt) == 30


def test_no_example_pays_for_a_long_word_alone():
    budget = BatchBudget(0.3)
    assert budget.due(100) == 30
    budget.spend(0)  # a single word of 100 tokens
    assert budget.due(100) == 46  # not 60
    budget.spend(46)
    assert budget.due(100) == 44
    budget.spend(44)
    assert budget.due(100) == 30
    budget.spend(100)
    assert budget.due(100) == 14


def test_a_share_that_is_none_is_refused():
    for wrong in (float("nan"), -0.1, 1.1, None, "0.3"):
        with pytest.raises(ConfigError, match="mask probability"):
            BatchBudget(wrong)


@pytest.mark.parametrize("probability", [0.3, 0.5])
def test_clauses_meet_the_share_to_a_token(byte_level, probability):
    """Units of 3 to 6 tokens: what no unit fits, an exchange of two closes."""
    word_ids = np.repeat(np.arange(24), [3, 4, 5, 6] * 6).tolist()
    ids = np.full(len(word_ids), byte_level("x")["input_ids"][0])
    collator = WholeWordMaskingCollator(byte_level, mask_probability=probability, return_tensors="np")
    for at in range(20):
        batch = collator([{"input_ids": ids, "word_ids": word_ids, "example_index": at}])
        hidden = batch["labels"][0] != -100
        assert abs(hidden.mean() - probability) <= 1 / len(ids)
        assert all(len(set(hidden[np.equal(word_ids, unit)])) == 1 for unit in range(24))


@pytest.mark.parametrize("weights", [(1.0,), (0.4, 0.3, 0.2, 0.1)])
@pytest.mark.parametrize("probability", [0.3, 0.8])
def test_one_very_long_word_leaves_the_share_exact(byte_level, probability, weights):
    """Taken or left, it weighs more than the few units that the last exchange looks at."""
    lengths = [*[1] * 800, 500, *[1] * 800]
    word_ids = np.repeat(np.arange(len(lengths)), lengths).tolist()
    ids = np.full(len(word_ids), byte_level("x")["input_ids"][0])
    config = MaskingConfig(span_weights=weights)
    collator = WholeWordMaskingCollator(
        byte_level, mask_probability=probability, config=config, return_tensors="np"
    )
    for at in range(60):
        batch = collator([{"input_ids": ids, "word_ids": word_ids, "example_index": at}])
        assert abs((batch["labels"] != -100).sum() - probability * len(ids)) <= 0.5


def test_a_share_that_whole_words_cannot_meet_is_said_once(byte_level):
    ids = byte_level("x" * 400)["input_ids"]
    one_word = [{"input_ids": ids, "word_ids": [0] * len(ids)}]
    collator = WholeWordMaskingCollator(byte_level)
    with pytest.warns(UserWarning, match=r"0\.0% of its tokens masked, not 30\.0%.*split_units") as said:
        collator(one_word)
        collator(one_word)
    assert len(said) == 1
    WholeWordMaskingCollator(byte_level, config=MaskingConfig(split_units=True))(one_word)
