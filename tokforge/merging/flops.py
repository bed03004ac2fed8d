"""Floating-point operations of the layers, before and after merging: from the configuration, and counted.

Definition: 2 a multiply-add; products of matrices and attention alone (softmax, norms and gathers count 0,
as in torch's counter), whole windows of attention though a causal or sliding mask hides a part. A layer on
n rows of width d, inner width q, key-value width v and feed-forward width f costs 2nd(2q + 2v) + 4n^2 q +
2ndf times 2, or 3 where the feed-forward is gated. Merging n tokens before layer k adds nd for the mean.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tokforge.errors import FormatError

__all__ = ["Shape", "count_flops", "encoder_flops", "shape_of"]


class Shape(NamedTuple):
    """The sizes of a model that its cost depends on."""

    layers: int
    dim: int
    inner: int
    """Width of all queries together."""
    keys: int
    """Width of all keys together; less than ``inner`` where heads share them."""
    feed_forward: int
    feed_forward_products: int
    """2, or 3 where it is gated."""
    window: int | None
    """Most tokens that the model has positions for."""


def shape_of(config: Any) -> Shape:
    """Reads a configuration of transformers: the object, or what its config.json holds.

    Raises FormatError for a field that is missing or no number.
    """
    fields = config if isinstance(config, Mapping) else config.to_dict()
    if fields.get("model_type") == "t5":
        inner = _number(fields, "num_heads") * _number(fields, "d_kv")
        gated = str(fields.get("feed_forward_proj", "relu")).startswith("gated")
        layers, dim, wide = (_number(fields, name) for name in ("num_layers", "d_model", "d_ff"))
        return Shape(layers, dim, inner, inner, wide, 3 if gated else 2, None)
    layers, dim, wide, heads = (
        _number(fields, name)
        for name in ("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads")
    )
    head = fields.get("head_dim") or dim // heads
    keys = head * (fields.get("num_key_value_heads") or heads)
    gated = fields.get("model_type") in ("llama", "modernbert")
    return Shape(
        layers, dim, head * heads, keys, wide, 3 if gated else 2, fields.get("max_position_embeddings")
    )


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or value < 1:
        raise FormatError(f"{name} is {value!r}", "give a model's config.json with its sizes", "config.json")
    return value


def encoder_flops(
    config: Any, n_tokens: npt.ArrayLike, n_units: npt.ArrayLike | None = None, *, at_layer: int = 0
) -> float:
    """Returns the operations of all layers for texts of these lengths, the merger included.

    Args:
        n_tokens: (texts,) - or one number. n_units: rows after merging; None for the model without merging.
    """
    shape = shape_of(config)
    tokens = np.asarray(n_tokens, np.float64)
    if n_units is None:
        return float(shape.layers * _layer(shape, tokens).sum())
    before, behind = (
        at_layer * _layer(shape, tokens),
        (shape.layers - at_layer) * _layer(shape, np.asarray(n_units)),
    )
    return float((before + behind + tokens * shape.dim).sum())


def _layer(shape: Shape, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    rows = rows.astype(np.float64)
    linear = 2 * shape.dim * (2 * shape.inner + 2 * shape.keys)
    linear += 2 * shape.dim * shape.feed_forward * shape.feed_forward_products
    result: npt.NDArray[Any] = rows * linear + 4 * rows**2 * shape.inner
    return result


def count_flops(call: Callable[[], object]) -> int:
    """Runs ``call`` and returns what torch's counter counts in it, attention on a CPU included.

    The counter knows nothing of the CPU's fused attention (pytorch issue 195460) and would count it as 0.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu

    def attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
        return int(sdpa_flop_count(query, key, value))

    with FlopCounterMode(display=False, custom_mapping={fused: attention}) as counter:
        call()
    return int(counter.get_total_flops())
