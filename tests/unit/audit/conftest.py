"""A tokenizer, and models of given rows with it."""

import json

import numpy as np
import pytest

from tokforge import train_bpe

WORDS = " ".join(f"{a}{b}{c}" for a in "bdfgk" for b in ("an", "er", "in", "ol") for c in ("t", "nd", "ster"))


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    (folder / "a.txt").write_text(f"{WORDS} " * 4)
    options = {"pretokenizer": "gpt2", "special_tokens": ("<|end|>", "<|reserved_0|>")}
    trained = train_bpe([str(folder / "a.txt")], vocab_size=400, min_frequency=1, **options)
    trained.save(folder / "tokenizer.json")
    return folder / "tokenizer.json"


@pytest.fixture
def model(tmp_path, tokenizer):
    """Returns ``model(rows, head=None)``: a Llama's folder with these matrices, and the tokenizer."""
    pytest.importorskip("transformers", reason="the extra [transplant] is not installed")
    safetensors = pytest.importorskip("safetensors.numpy", reason="the extra [transplant] is not installed")

    def write(rows, head=None):
        folder = tmp_path / "model"
        folder.mkdir(exist_ok=True)
        config = {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": len(rows),
            "hidden_size": rows.shape[1],
            "intermediate_size": 8,
            "num_hidden_layers": 0,
            "num_attention_heads": 1,
            "tie_word_embeddings": head is None,
        }
        tensors = {"model.embed_tokens.weight": rows, "model.norm.weight": np.ones(rows.shape[1])}
        tensors |= {} if head is None else {"lm_head.weight": head}
        (folder / "config.json").write_text(json.dumps(config))
        safetensors.save_file(
            {name: np.ascontiguousarray(values, np.float32) for name, values in tensors.items()},
            folder / "model.safetensors",
        )
        (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())
        return folder

    return write
