"""The six models of the paper by their published configurations, with random weights: forward, backward, generate."""

import pytest
import torch
import transformers
from merging_models import batch
from transformers.initialization import no_init_weights

from tokforge.merging import merge_subtokens

ROBERTA = {
    "vocab_size": 50265,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
T5 = {
    "vocab_size": 32100,
    "d_model": 768,
    "d_ff": 3072,
    "d_kv": 64,
    "num_heads": 12,
    "num_layers": 12,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 0,
}
NAMED = {
    "codebert-base": ("Roberta", ROBERTA),
    "graphcodebert-base": ("Roberta", ROBERTA),
    "unixcoder-base": (
        "Roberta",
        {**ROBERTA, "vocab_size": 51416, "max_position_embeddings": 1026, "type_vocab_size": 10},
    ),
    "codet5-base": ("T5", T5),
    "codet5p-220m": ("T5", T5),
    "codet5p-770m": ("T5", {**T5, "d_model": 1024, "d_ff": 4096, "num_heads": 16, "num_layers": 24}),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ("graphcodebert-base", "codet5-base") else pytest.mark.nightly)
        for name in NAMED
    ],
)
def test_the_named_configurations_run_both_ways(name):
    kind, options = NAMED[name]
    config = getattr(transformers, f"{kind}Config")(**options)
    head = "ForConditionalGeneration" if kind == "T5" else "ForSequenceClassification"
    with no_init_weights():
        model = getattr(transformers, f"{kind}{head}")(config)
    with torch.no_grad():
        for key, value in model.named_parameters():
            value.fill_(1.0) if "norm" in key.lower() and "weight" in key else value.uniform_(-0.03, 0.03)
    model.tie_weights()
    model = merge_subtokens(model, reducer="mean+mlp")
    inputs = batch([24, 15], largest=3)
    labels = torch.tensor([[7, 8, 2], [9, 2, -100]]) if kind == "T5" else torch.tensor([0, 1])
    loss = model(**inputs, labels=labels).loss
    loss.backward()
    assert loss.isfinite()
    assert all(value.grad.isfinite().all() for value in model.parameters() if value.grad is not None)
    assert model.get_input_embeddings().weight.grad.abs().sum() > 0
    if kind == "T5":
        assert model.generate(**inputs, max_new_tokens=3).shape[0] == 2
