"""A tiny Llama written as GGUF, and read back: the same logits, the same ids."""

import numpy as np
import pytest

from tokforge.errors import FormatError, InputError
from tokforge.transplant import Vocabulary, import_gguf

gguf = pytest.importorskip("gguf", reason="the extra [transplant] is not installed")


def permuted(rows, heads):
    """llama.cpp's order of the rows of q and k: the halves of each head interleaved."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(rows.shape)


@pytest.fixture
def model():
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"vocab_size": 260, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64}
    return LlamaForCausalLM(LlamaConfig(**sizes, **heads, tie_word_embeddings=True)).eval()


@pytest.fixture
def path(model, tmp_path):
    from tokforge.tokenizer.formats.byte_alphabet import spell

    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "llama")
    writer.add_block_count(2)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(48)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    tokens = ["<|end|>", *(spell(bytes([n])) for n in range(256) if n != 4), "12", "Ġa", "ab", "bc"]
    writer.add_token_list(tokens)
    writer.add_token_types([3] + [1] * 259)
    writer.add_token_merges(["1 2", "Ġ a", "a b", "b c"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
    for name, value in model.state_dict().items():
        if name != "lm_head.weight":
            rows = value.numpy()
            heads = 4 if "q_proj" in name else 2 if "k_proj" in name else 0
            rows = permuted(rows, heads) if heads else rows
            writer.add_tensor(
                names.get_name(name.removesuffix(".weight")) + ".weight", np.ascontiguousarray(rows)
            )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tmp_path / "m.gguf"


def test_logits_and_ids_are_the_originals(path, model, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    figures = import_gguf(path, tmp_path / "out", dtype="F32")
    assert figures["tied"] is True
    ids = torch.arange(40)[None]
    with torch.inference_mode():
        again = AutoModelForCausalLM.from_pretrained(tmp_path / "out")(ids).logits
        assert torch.allclose(again, model(ids).logits, atol=1e-5)


def test_digits_stay_apart_and_missing_bytes_stay_missing(path, tmp_path):
    import_gguf(path, tmp_path / "out")
    vocabulary = Vocabulary.load(tmp_path / "out")
    assert len(vocabulary.encode("12")) == 2
    assert vocabulary.pieces([b"\x04"]) == [[]]
    assert vocabulary.roles == {"bos": 0, "eos": 0}


def test_other_files_are_refused(path, tmp_path):
    (tmp_path / "other.gguf").write_bytes(path.read_bytes().replace(b"llama", b"lllll"))
    with pytest.raises(FormatError, match="Llama-type"):
        import_gguf(tmp_path / "other.gguf", tmp_path / "out")
    (tmp_path / "text").write_text("GGGG")
    with pytest.raises(InputError, match="no GGUF"):
        import_gguf(tmp_path / "text", tmp_path / "out")
    assert not (tmp_path / "out").exists()
