"""Where each family of models is entered: one entry a family.

A family names the module that holds the layers, the layers, and what a layer behind the merger is given.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from tokforge.errors import ConfigError, UnknownNameError
from tokforge.merging.models.merged_pass import MergedPass

__all__ = ["FAMILIES", "Family", "family_of", "stack_of"]

Arguments: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]
Rewrite: TypeAlias = Callable[
    [MergedPass, nn.Module, nn.Module, Tensor, tuple[Any, ...], dict[str, Any]], Arguments
]


class Family(NamedTuple):
    """How one architecture of transformers is entered."""

    stack: str
    """Class of the module whose forward runs the layers."""
    layers: str
    """Where it holds them."""
    rewrite: Rewrite
    """Gives the arguments of a layer behind the merger, from those it was called with."""
    absolute: bool = False
    """Whether positions are learned vectors, added to the embeddings before the first layer."""
    causal: bool = False


def _bert(
    active: MergedPass, stack: nn.Module, layer: nn.Module, hidden: Tensor, args: Any, kwargs: Any
) -> Arguments:
    return (active.mask(hidden), *args[1:]), kwargs


def _t5(
    active: MergedPass, stack: Any, layer: nn.Module, hidden: Tensor, args: Any, kwargs: Any
) -> Arguments:
    """The stack hands the bias that a block returns to the next one, so that all get the rows' own."""
    bias = active.once("bias", lambda: _relative_bias(active, stack.block[0].layer[0].SelfAttention))
    return (active.mask(hidden), bias, *args[2:]), kwargs


def _relative_bias(active: MergedPass, attention: Any) -> Tensor:
    """Returns (batch, heads, rows, rows): T5's bias of the distances between rows, in whole tokens."""
    at = active.positions().round().long()
    if active.config.positions == "compact":
        at = torch.arange(active.packing.rows, device=at.device)[None]
    buckets = attention._relative_position_bucket(
        at[:, None, :] - at[:, :, None],
        bidirectional=True,
        num_buckets=attention.relative_attention_num_buckets,
        max_distance=attention.relative_attention_max_distance,
    )
    bias: Tensor = attention.relative_attention_bias(buckets).permute(0, 3, 1, 2)
    return bias


def _modernbert(
    active: MergedPass, stack: Any, layer: Any, hidden: Tensor, args: Any, kwargs: Any
) -> Arguments:
    sliding = layer.attention_type == "sliding_attention"
    window = stack.config.sliding_window if sliding else None
    angles = active.rotary(stack.rotary_emb, hidden, layer.attention_type)
    return args, {
        **kwargs,
        "attention_mask": active.mask(hidden, window=window),
        "position_embeddings": angles,
    }


def _llama(active: MergedPass, stack: Any, layer: Any, hidden: Tensor, args: Any, kwargs: Any) -> Arguments:
    angles = active.rotary(stack.rotary_emb, hidden)
    return args, {
        **kwargs,
        "attention_mask": active.mask(hidden, causal=True),
        "position_embeddings": angles,
        "position_ids": active.positions(),
    }


FAMILIES: Mapping[str, Family] = {
    "bert": Family("BertModel", "encoder.layer", _bert, absolute=True),
    "roberta": Family("RobertaModel", "encoder.layer", _bert, absolute=True),
    "xlm-roberta": Family("XLMRobertaModel", "encoder.layer", _bert, absolute=True),
    "modernbert": Family("ModernBertModel", "layers", _modernbert),
    "t5": Family("T5Stack", "block", _t5),
    "llama": Family("LlamaModel", "layers", _llama, causal=True),
}
"""Model type -> family. CodeBERT, GraphCodeBERT and UniXcoder are roberta; CodeT5 and CodeT5+ are t5."""


def family_of(model: Any) -> Family:
    """Returns the family of a model.

    Raises UnknownNameError, with the families there are; ConfigError for one that runs as a decoder, or whose
    attention takes no mask of our making.
    """
    config = model.config
    if config.model_type not in FAMILIES:
        raise UnknownNameError(
            f"subtokens cannot be merged in a model of type {config.model_type!r}",
            f"use one of: {', '.join(sorted(FAMILIES))}",
        )
    family = FAMILIES[config.model_type]
    if family.absolute and config.is_decoder:
        raise ConfigError("the model is configured as a decoder", "set config.is_decoder = False")
    attention = config._attn_implementation
    if attention not in ("eager", "sdpa"):
        raise ConfigError(
            f"attention {attention!r} takes no additive mask",
            "load with attn_implementation='sdpa' or 'eager'",
        )
    return family


def stack_of(model: nn.Module, family: Family) -> Any:
    """Returns the module that runs the layers: of two stacks the encoder."""
    stacks = [
        module
        for module in model.modules()
        if family.stack in {base.__name__ for base in type(module).__mro__}
    ]
    return next(stack for stack in stacks if not getattr(stack, "is_decoder", False))
