"""What transformers' own whole-word masking makes of unspaced text and of byte-level tokens, and ours of them."""

import numpy as np
import pytest

from tokforge.masking import WholeWordMaskingCollator, word_spans

pytestmark = pytest.mark.oracle
transformers = pytest.importorskip("transformers")
CHINESE, ENGLISH = "今天天气很好我们去公园散步", "the weather is nice today"


def units_of_theirs(feature, tokenizer):
    theirs = transformers.DataCollatorForLanguageModeling(
        tokenizer, whole_word_mask=True, mask_replace_prob=1.0, random_replace_prob=0.0
    )
    special = np.isin(feature["input_ids"], tokenizer.all_special_ids)
    ids, _ = theirs._calc_word_ids_and_prob_mask(
        np.array([feature["offset_mapping"]]), special[None].astype(int)
    )
    return len(set(ids[0].tolist()) - {-1})


def units_of_ours(feature, tokenizer):
    return len(set(WholeWordMaskingCollator(tokenizer).units(feature).tolist()) - {-1})


@pytest.mark.parametrize(("kind", "text"), [("characters", CHINESE), ("byte_level", ENGLISH)])
def test_a_text_whose_offsets_have_no_gaps_is_one_word_to_theirs(request, feature, kind, text):
    tokenizer = request.getfixturevalue(kind)
    one = feature(tokenizer, text)
    assert units_of_theirs(one, tokenizer) == 1
    assert units_of_ours(one, tokenizer) >= len(word_spans(text)) > 4


def test_bytes_of_one_character_are_words_apart_to_theirs(byte_level, feature):
    one = feature(byte_level, CHINESE)
    assert units_of_theirs(one, byte_level) > len(CHINESE)
    assert 4 < units_of_ours(one, byte_level) <= len(word_spans(CHINESE))  # some bytes span characters


def test_superwords_join_the_words_they_span_and_no_more(superwords, feature):
    one = feature(superwords, ENGLISH)
    assert superwords.convert_ids_to_tokens(one["input_ids"])[1:3] == ["theĠweatherĠis", "Ġ"]
    assert units_of_theirs(one, superwords) == 1
    units = WholeWordMaskingCollator(superwords).units(one)
    assert [int(np.sum(units == unit)) for unit in range(2)] == [1, 1]


def test_theirs_hides_all_of_a_text_or_nothing(characters, feature):
    theirs = transformers.DataCollatorForLanguageModeling(
        characters,
        whole_word_mask=True,
        mask_replace_prob=1.0,
        random_replace_prob=0.0,
        mlm_probability=0.3,
        seed=0,
    )
    one = feature(characters, CHINESE)
    one = {name: one[name] for name in ("input_ids", "offset_mapping")}
    shares = {float((theirs([dict(one)])["labels"] != -100).sum()) / len(CHINESE) for _ in range(20)}
    assert shares == {0.0, 1.0}
