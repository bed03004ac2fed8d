"""What a training run will take, before it starts: memory and arithmetic, from sizes in headers alone.

A frozen model costs one pass forward and one backward for its activations: 4 operations a parameter and
token; the teacher's pass 2 more. The network costs 6 a parameter and piece. Activations: about 34 numbers a
width, layer and token, as in Korthikanti et al. 2022 (arXiv 2205.05198), and the logits.
"""

import math
from pathlib import Path
from typing import Any

from tokforge.tokenizer.locations import locate_model
from tokforge.transplant.checkpoint import Checkpoint
from tokforge.transplant.hypernet.config import HypernetConfig

__all__ = ["estimate"]

_PIECES = 4
"""Pieces of a new token, with the summary; measured as 3 to 4 on sampled tokenizers."""


def estimate(model: str | Path, config: HypernetConfig) -> dict[str, Any]:
    """Returns bytes and TFLOP of a step; nothing is loaded. Raises what `Checkpoint.open` raises."""
    checkpoint = Checkpoint.open(locate_model(model))
    layout = checkpoint.layout
    sizes = {n: math.prod(t.shape) for file in checkpoint.files for n, t in file.tensors.items()}
    frozen = sum(size for name, size in sizes.items() if name not in layout.names)
    rows = sizes[layout.input] + (sizes[layout.output] if layout.output else 0)
    width = checkpoint.width * (2 if layout.output else 1)
    net = _parameters(config, width)
    number = 2 if config.dtype == "bfloat16" else 4
    tokens = config.batch * config.length
    layers = int(checkpoint.config.get("num_hidden_layers", 12))
    kept = 34 * checkpoint.width * tokens * number * (2 if config.checkpointing else layers)
    logits = tokens * (tokens + config.negatives) * 4 * 3
    found = {
        "model_bytes": (frozen + rows) * number,
        "rows_bytes": rows * 4,
        "network_bytes": net * 16,
        "activation_bytes": kept + logits + (config.negatives + tokens) * _PIECES * config.net.width * 400,
    }
    backbone = frozen * tokens * (4 + 2 * (config.distill > 0))
    predicted = (config.negatives + tokens // 2) * _PIECES * net * 6
    return {
        "network_parameters": net,
        **found,
        "total_bytes": sum(found.values()),
        "tokens_a_step": tokens * config.accumulate,
        "tflop_a_step": config.accumulate * (backbone + predicted) / 1e12,
        "steps": config.reconstruction_steps + config.steps,
    }


def _parameters(config: HypernetConfig, width: int) -> int:
    net = config.net
    layer = 4 * net.width * net.width + 2 * net.width * net.feedforward + 9 * net.width + net.feedforward
    around = (256 + net.width) * width + width + net.width * (width + 6 + net.max_pieces)
    return net.layers * layer + around
