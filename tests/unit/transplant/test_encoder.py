"""Encoder measures on small cases, and the healing of one."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from tokforge.errors import ConfigError
from tokforge.transplant import transplant
from tokforge.transplant.evaluate.encoder import compare_encoders, hits, neighbour_overlap
from tokforge.transplant.heal.encoder import heal_encoder

torch = pytest.importorskip("torch", reason="the extra [transplant] is not installed")
transformers = pytest.importorskip("transformers", reason="the extra [transplant] is not installed")


@pytest.fixture
def encoder(tmp_path, tokenizers_of):
    torch.manual_seed(0)
    sizes = {"vocab_size": 336, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1}
    config = transformers.BertConfig(**sizes, num_attention_heads=2, max_position_embeddings=256)
    transformers.BertModel(config).save_pretrained(tmp_path / "encoder")
    (tmp_path / "encoder" / "tokenizer.json").write_bytes(tokenizers_of["old"].read_bytes())
    roles = {"cls_token": "<|start|>", "sep_token": "<|end|>"}
    (tmp_path / "encoder" / "tokenizer_config.json").write_text(json.dumps(roles))
    return tmp_path / "encoder"


def test_hits_and_overlap_are_those_of_hand():
    points = np.eye(4, dtype=np.float32)
    assert hits(points, points[[0, 1, 3, 2]]).tolist() == [True, True, False, False]
    line = np.array([[np.cos(a), np.sin(a)] for a in (0, 0.1, 0.3, 0.7)], np.float32)
    assert neighbour_overlap(line, line, 2).tolist() == [1, 1, 1, 1]
    assert neighbour_overlap(line, line[[3, 1, 2, 0]], 1).tolist() == [0, 0, 1, 0]


def test_an_encoder_is_healed_towards_the_original_and_never_away(encoder, tokenizers_of, texts, tmp_path):
    transplant(encoder, tokenizers_of["new"], tmp_path / "out", method="fvt", checks="tensors", device="cpu")
    lines = [f"the cathedral {n} of the dogma {n * 7 % 10} and matter" for n in range(40)]
    done = heal_encoder(tmp_path / "out", encoder, lines, tmp_path / "healed", steps=25, batch=8)
    assert done["after"] > done["before"]
    before, after = (load_file(tmp_path / name / "model.safetensors") for name in ("out", "healed"))
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved == {"embeddings.word_embeddings.weight"}
    worse = heal_encoder(tmp_path / "out", encoder, lines, tmp_path / "bad", steps=1, learning_rate=1e4)
    assert worse["after"] >= worse["before"]
    figures = compare_encoders(encoder, encoder, [str(texts / "old.txt")], window=40, windows=20, k=3)
    assert figures["overlap_at_3"]["value"] == 1 and figures["r_at_1"] == figures["original_r_at_1"]
    assert figures["cosine_p5"] == pytest.approx(1)
    with pytest.raises(ConfigError, match="neighbours"):
        compare_encoders(encoder, encoder, [str(texts / "old.txt")], window=40, windows=5)
