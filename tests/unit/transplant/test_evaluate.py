"""Bits per byte against transformers' own loss, windows and intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokforge.errors import ConfigError, InputError
from tokforge.transplant import transplant
from tokforge.transplant.evaluate import bootstrap, cut_windows, evaluate
from tokforge.transplant.evaluate.windows import pieces_of

SIZES = {"window": 40, "windows": 6, "device": "cpu"}


@given(st.text(), st.integers(1, 9))
def test_pieces_are_the_text_and_none_is_too_long(text, size):
    pieces = pieces_of(text, size)
    assert "".join(pieces) == text
    assert all(len(piece.encode()) <= max(size, 4) for piece in pieces)


def test_bits_are_those_of_transformers_loss(llama, texts):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    found = evaluate(llama, [str(texts / "old.txt")], **SIZES)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(llama), AutoTokenizer.from_pretrained(llama)
    for window, own in zip(found.windows, found.bits, strict=True):
        ids = torch.tensor([[0, *tokenizer(window.text, add_special_tokens=False).input_ids]])
        with torch.inference_mode():
            loss = model(ids, labels=ids).loss.item()
        assert own.bits == pytest.approx(loss * (ids.shape[1] - 1) / np.log(2), rel=1e-4)
        assert own.bytes == len(window.text.encode()) and not own.lossy


def test_a_model_against_itself_differs_by_nothing(llama, texts):
    figures = evaluate(llama, [str(texts)], against=llama, **SIZES).as_dict()
    assert figures["against"]["all"]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert figures["against"]["all"]["token_ratio"] == 1.0


def test_bits_of_new_tokens_are_apart(llama, tokenizers_of, texts, tmp_path):
    transplant(llama, tokenizers_of["new"], tmp_path / "out", method="fvt", checks="tensors", device="cpu")
    split = evaluate(tmp_path / "out", [str(texts / "new.txt")], **SIZES).as_dict()["split"]
    assert 0 < split["new_token_share"] < 1 and split["new"] > 0 and split["shared"] > 0


def test_intervals_hold_the_value_and_are_repeatable():
    values = np.random.default_rng(0).standard_normal(200)
    found = [bootstrap(lambda at: float(values[at].mean()), 200) for _ in range(2)]
    assert found[0] == found[1] and found[0].low < found[0].value < found[0].high
    assert found[0].high - found[0].low == pytest.approx(4 * values.std() / np.sqrt(200), rel=0.2)


def test_what_cannot_be_measured_is_refused(llama, bert, texts):
    with pytest.raises(ConfigError, match="no causal model"):
        evaluate(bert, [str(texts)], **SIZES)
    with pytest.raises(InputError, match="no document"):
        cut_windows([str(texts / "new.txt")], size=10_000, count=1)
