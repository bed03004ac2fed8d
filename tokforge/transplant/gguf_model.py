"""A Llama-type GGUF file turned into a Hugging Face folder: weights dequantised, tokenizer and config
rebuilt.

llama.cpp stores the query and key matrices with the rows of each head interleaved (its rotary embedding
turns neighbouring pairs, Hugging Face's the two halves), so they are put back; forgetting it costs 0.6 bits
per byte on SmolLM2 while short answers still look right. The tokenizer keeps its splitter (``smollm`` cuts
single
digits), which transformers' own conversion loses. Memory: one tensor. Source: ggml's docs/gguf.md; llama.cpp,
convert_hf_to_gguf.py (`permute`).
"""

import json
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tokforge.errors import FormatError, InputError, MissingExtraError, pick
from tokforge.outputs import StrPath, output_error, write_together
from tokforge.tokenizer.files import read_file, read_tokenizer
from tokforge.tokenizer.formats.gguf_metadata import read_metadata
from tokforge.tokenizer.formats.hf_config import write_config
from tokforge.tokenizer.formats.hf_json import write_definition
from tokforge.transplant.tensor_file import Array, as_dtype

__all__ = ["import_gguf", "unpermute"]

_TENSORS = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_IGNORED = ("rope_freqs.weight",)


def import_gguf(
    path: str | Path, folder: str | Path, *, dtype: str = "BF16", force: bool = False
) -> dict[str, Any]:
    """Writes the folder of the model in a Llama-type GGUF file; returns its figures.

    ``dtype``: ``BF16``, ``F16`` or ``F32``; what quantisation lost is not restored. The folder is made if
    only its
    last part is missing. Raises MissingExtraError without `gguf`, FormatError for another architecture,
    tensors or a vocabulary that it does not know, OutputError as `write_together`.
    """
    if find_spec("gguf") is None:
        raise MissingExtraError(
            "gguf is not installed", "run: pip install 'tokforge[transplant]'", "transplant"
        )
    pick("dtype", dtype, dict.fromkeys(("BF16", "F16", "F32")))
    source, folder = Path(path), Path(folder)
    metadata = read_metadata(_head(source), str(source), lambda key: True)
    if metadata.get("general.architecture") != "llama":
        raise FormatError(
            f"the architecture is {metadata.get('general.architecture')!r}",
            "only Llama-type files are read; convert the original safetensors instead",
            str(source),
        )
    tensors = _tensors(source, metadata)
    tied = "lm_head.weight" not in tensors
    tokenizer, tokenizer_config = _tokenizer(source, metadata)
    texts: dict[StrPath, bytes] = {
        folder / "tokenizer.json": tokenizer,
        folder / "tokenizer_config.json": tokenizer_config,
        folder / "generation_config.json": _json(_generation(metadata)),
        folder / "config.json": _json(_config(metadata, tensors, dtype, tied=tied)),
    }
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(error, folder) from error
    with write_together(folder / "model.safetensors", *texts, force=force) as (weights, *files):
        _write_weights(tensors, metadata, dtype, weights)
        for file, text in zip(files, texts.values(), strict=True):
            file.write(text)
    size = sum(int(tensor.n_elements) for tensor in tensors.values())
    return {
        "output": str(folder),
        "architecture": "llama",
        "tensors": len(tensors),
        "parameters": size,
        "tied": tied,
        "dtype": dtype,
    }


def _head(path: Path) -> bytes:
    data = read_file(path)
    if not data.startswith(b"GGUF"):
        raise InputError("this is no GGUF file", "give a .gguf file", str(path))
    return data


def _tensors(path: Path, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Returns Hugging Face's name -> the tensor as `gguf` reads it."""
    from gguf import GGUFReader

    found: dict[str, Any] = {}
    try:
        reader = GGUFReader(path)
    except (ValueError, IndexError, OSError) as error:
        raise FormatError(
            f"the tensors cannot be read: {error}", "fetch the file again", str(path)
        ) from error
    for tensor in reader.tensors:
        if tensor.name not in _IGNORED:
            found[_name(tensor.name, str(path))] = tensor
    layers = metadata["llama.block_count"]
    lacking = [n for n in range(layers) if f"model.layers.{n}.mlp.down_proj.weight" not in found]
    if lacking:
        raise FormatError(f"layer {lacking[0]} of {layers} is missing", "fetch the file again", str(path))
    return found


def _name(name: str, where: str) -> str:
    parts = name.split(".")
    stem, layer = (parts[2], f"model.layers.{parts[1]}.") if parts[0] == "blk" else (parts[0], "")
    known = _TENSORS.get(stem, "")
    if not known or parts[-1] != "weight":
        raise FormatError(f"the tensor {name} is not one of Llama's", "convert the original instead", where)
    prefix = layer if layer else ""
    return f"{prefix}{known}.weight"


def _write_weights(
    tensors: Mapping[str, Any], metadata: Mapping[str, Any], dtype: str, file: BinaryIO
) -> None:
    size = {"F32": 4, "F16": 2, "BF16": 2}[dtype]
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, tensor in tensors.items():
        shape = [int(n) for n in reversed(tensor.shape)]
        length = size * int(np.prod(shape))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + length]}
        at += length
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for values in _values(tensors, metadata):
        file.write(as_dtype(values, dtype).tobytes())


def _values(tensors: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterator[Array]:
    from gguf.quants import dequantize

    heads = int(metadata["llama.attention.head_count"])
    key_heads = int(metadata.get("llama.attention.head_count_kv", heads))
    for name, tensor in tensors.items():
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32, copy=False)
        values = values.reshape([int(n) for n in reversed(tensor.shape)])
        if ".q_proj." in name or ".k_proj." in name:
            values = unpermute(values, heads if ".q_proj." in name else key_heads)
        yield values


def unpermute(values: Array, heads: int) -> Array:
    """Puts the rows of each head back: (even, odd) pairs become first half, second half.

    Example:
        >>> unpermute(np.array([[0], [2], [1], [3]]), 1).ravel().tolist()
        [0, 1, 2, 3]
    """
    rows, width = values.shape
    return values.reshape(heads, rows // heads // 2, 2, width).swapaxes(1, 2).reshape(rows, width)


def _config(
    metadata: Mapping[str, Any], tensors: Mapping[str, Any], dtype: str, *, tied: bool
) -> dict[str, Any]:
    def value(name: str, default: Any = None) -> Any:
        found = metadata.get(f"llama.{name}", default)
        return found.item() if isinstance(found, np.generic) else found

    heads = value("attention.head_count")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": value("embedding_length"),
        "intermediate_size": value("feed_forward_length"),
        "num_hidden_layers": value("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": value("attention.head_count_kv", heads),
        "max_position_embeddings": value("context_length"),
        "rms_norm_eps": float(f"{value('attention.layer_norm_rms_epsilon', 1e-6):.6g}"),
        "rope_theta": value("rope.freq_base", 10000.0),
        "hidden_act": "silu",
        "vocab_size": int(tensors["model.embed_tokens.weight"].shape[1]),
        "tie_word_embeddings": tied,
        "dtype": {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}[dtype],
        **_generation(metadata),
    }


def _generation(metadata: Mapping[str, Any]) -> dict[str, Any]:
    names = {"bos": "bos", "eos": "eos", "pad": "padding"}
    found = {role: metadata.get(f"tokenizer.ggml.{name}_token_id") for role, name in names.items()}
    return {f"{role}_token_id": int(i) for role, i in found.items() if i is not None}


def _tokenizer(source: Path, metadata: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Returns tokenizer.json and tokenizer_config.json; missing bytes stay missing, as in training."""
    definition = read_tokenizer(source, "gguf").tokenizer.definition
    template = metadata.get("tokenizer.chat_template")
    config = json.loads(write_config(definition))
    return write_definition(definition), _json(config | ({"chat_template": template} if template else {}))


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
