"""With no unit of several tokens a merging model is the model it was made from, and padding changes nothing."""

from itertools import product

import pytest
import torch
from merging_models import FAMILIES, MODELS, batch, main_output, small_model, with_decoder

from tokforge.merging import MergeConfig, merge_subtokens
from tokforge.merging.config import MASKS, POSITIONS, REDUCERS
from tokforge.merging.models.reducers import make_reducer

CLOSE = {"atol": 1e-5, "rtol": 1e-5}


SETTINGS = [
    {"at_layer": at_layer, **change}
    for at_layer in (0, 1, 2)
    for change in [
        *({"reducer": reducer} for reducer in REDUCERS),
        *({"positions": positions, "mask": mask} for positions, mask in product(POSITIONS, MASKS)),
    ]
]


def configure(model, **changes):
    """Sets the options of a merging model: making one anew for each would take most of the time."""
    model.subtoken_merging = MergeConfig(**changes)
    model.subtoken_merger = make_reducer(model.subtoken_merging.reducer, 32)


def valid(found, inputs):
    """What stands at tokens, not at padding; the heads that pool, and decoders, have none."""
    value = main_output(found)
    mask = inputs["attention_mask"].bool()
    return value[mask] if value.shape[:2] == mask.shape else value


@torch.no_grad()
def outputs(model, inputs):
    return valid(model(**with_decoder(model, inputs)), inputs)


def without_plan(inputs):
    return {name: value for name, value in inputs.items() if name != "segment_ids"}


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("name", MODELS)
def test_units_of_one_token_change_nothing(name, attention):
    inputs = batch([40, 23, 7])
    model = small_model(name, attention)
    expected = outputs(model, without_plan(inputs))
    merged = merge_subtokens(model)
    for change in SETTINGS:
        configure(merged, **change)
        torch.testing.assert_close(outputs(merged, inputs), expected, **CLOSE)


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", MODELS)
def test_a_batch_equals_its_texts_one_by_one(name, mask, positions):
    inputs = batch([40, 23, 7], largest=4)
    model = merge_subtokens(small_model(name))
    for at_layer in (0, 2):
        configure(model, at_layer=at_layer, positions=positions, mask=mask)
        with torch.no_grad():
            whole = model(**with_decoder(model, inputs))
        for row, length in enumerate((40, 23, 7)):
            alone = {key: value[row : row + 1, :length] for key, value in inputs.items()}
            with torch.no_grad():
                single = main_output(model(**with_decoder(model, alone)))[0]
            rows = slice(None) if "ForConditional" in type(model).__name__ else slice(len(single))
            torch.testing.assert_close(main_output(whole)[row][rows], single, **CLOSE)


@pytest.mark.parametrize("name", FAMILIES)
def test_learned_reducers_begin_as_the_mean(name):
    inputs = batch([40, 23], largest=4)
    mean, *learned = (
        outputs(merge_subtokens(small_model(name), reducer=reducer, at_layer=1), inputs)
        for reducer in ("mean", "attention", "mean+mlp")
    )
    for one in learned:
        torch.testing.assert_close(one, mean, **CLOSE)


def test_equal_rows_with_the_proportional_mask_weigh_as_their_tokens_did():
    """The tokens of a unit are one token repeated, and nothing tells where it stands: merging is exact."""
    inputs = batch([30, 11], largest=4)
    first = torch.zeros_like(inputs["input_ids"])
    for row, segments in enumerate(inputs["segment_ids"]):
        for at, segment in enumerate(segments.tolist()):
            before = (segments == segment).nonzero()[0, 0]
            first[row, at] = inputs["input_ids"][row, before]
    inputs["input_ids"] = first
    plain, merged = (small_model("t5-encoder") for _ in range(2))
    for model in (plain, merged):
        model.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight.data.zero_()
    expected = outputs(plain, without_plan(inputs))
    found = outputs(merge_subtokens(merged, mask="proportional"), inputs)
    torch.testing.assert_close(found, expected, **CLOSE)
    assert not torch.allclose(
        outputs(merge_subtokens(small_model("t5-encoder")), inputs), expected, atol=1e-3
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_merging_shortens_what_every_layer_behind_it_sees(name):
    inputs = batch([40, 23], largest=4)
    rows = int(inputs["segment_ids"].max()) + 1
    assert rows < 25
    for at_layer in (0, 1):
        model = merge_subtokens(small_model(name), at_layer=at_layer)
        lengths = []
        for module in model.modules():
            if hasattr(module, "_merging_index"):
                module.register_forward_pre_hook(lambda _, args, to=lengths: to.append(args[0].shape[1]))
        outputs(model, inputs)
        assert lengths == [40] * at_layer + [rows] * (3 - at_layer)


def test_the_mask_of_pairs_is_merged_on_both_sides():
    """GraphCodeBERT's attention: a unit sees what any of its tokens sees, and a plain mask of pairs is a mask."""
    inputs = batch([12, 9], largest=3)
    pairs = inputs["attention_mask"][:, None, None, :].bool().expand(-1, 1, 12, -1)
    merged = merge_subtokens(small_model("roberta"))
    expected = outputs(merged, inputs)
    found = merged(inputs["input_ids"], attention_mask=pairs, segment_ids=inputs["segment_ids"])
    torch.testing.assert_close(valid(found, inputs), expected, **CLOSE)


def test_options_hold_what_they_say():
    assert MergeConfig() == MergeConfig(**MergeConfig().as_dict())
