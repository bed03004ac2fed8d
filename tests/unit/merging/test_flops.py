"""The formula of operations and torch's counter agree, with and without merging."""

import pytest
import torch
from merging_models import batch, small_model

from tokforge.merging import count_flops, encoder_flops, merge_subtokens


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("name", ["roberta", "bert", "xlm-roberta", "modernbert", "t5-encoder", "llama"])
def test_counted_operations_are_those_of_the_formula(name, attention):
    inputs = batch([64], largest=4)
    rows = int(inputs["segment_ids"].max()) + 1
    plain = {key: value for key, value in inputs.items() if key != "segment_ids"}
    model = small_model(name, attention)
    ends = _ends(model, name)
    with torch.no_grad():
        counted = count_flops(lambda: model(**plain)) - ends(64)
        assert counted == pytest.approx(encoder_flops(model.config, 64), rel=0.01)
        for at_layer in (0, 2):
            merged = merge_subtokens(small_model(name, attention), at_layer=at_layer)
            less = count_flops(lambda: merged(**inputs)) - ends(rows)  # noqa: B023
            # The additions of the mean are in the formula alone: the counter knows products only.
            formula = encoder_flops(model.config, 64, rows, at_layer=at_layer)
            assert less == pytest.approx(formula, rel=0.01)
            assert less < counted


def _ends(model, name):
    """Operations outside of the layers: the pooler, the angles, the vocabulary."""
    if name == "llama":
        angles = model.config.hidden_size // model.config.num_attention_heads // 2
        return lambda rows: 2 * rows * (32 * 64 + angles)
    pooler = 2 * 32 * 32 if name in ("roberta", "bert", "xlm-roberta") else 0
    return lambda rows: pooler
