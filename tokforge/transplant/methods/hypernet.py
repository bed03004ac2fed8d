"""Rows predicted by a hypernetwork that ``train-hypernet`` has trained for this model, or its base."""

from typing import Any

import numpy as np

from tokforge.errors import ConfigError
from tokforge.transplant.method import Dense, Method, Task, from_pieces, spelled
from tokforge.transplant.mix import Mix

__all__ = ["METHOD"]

_BLOCK = 1024
"""Tokens that are predicted at once."""


def _compose(task: Task) -> Dense:
    from tokforge.transplant.hypernet.cuts import Cutter

    network, host = task.resources.once("hypernet", lambda: _opened(task))
    alignment = task.alignment
    keys = [alignment.new.keys[i] or alignment.new.added[i].encode() for i in alignment.composed.tolist()]
    cutter = Cutter(alignment.old, alignment.old_rows)
    side = task.side if task.side in network.sides else "input"

    def predict(side: str, begin: int, end: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        parts = [
            _predicted(network, host, cutter.cut(keys[at : min(at + _BLOCK, end)]), side)
            for at in range(begin, end, _BLOCK)
        ]
        return np.concatenate([np.empty((0, network.sides[side]), np.float32), *parts])

    base = _base(task)
    bias = Dense(len(keys), lambda a, b: predict("bias", a, b), base) if "bias" in network.sides else None
    return Dense(len(keys), lambda a, b: predict(side, a, b), base, bias)


def _base(task: Task) -> Mix:
    return from_pieces(task, lambda pieces: [len(spelled(task, piece)) for piece in pieces])


def _opened(task: Task) -> tuple[Any, Any]:
    from tokforge.transplant.hypernet.host import Host
    from tokforge.transplant.hypernet.storage import load_hypernet

    resources = task.resources
    if resources.hypernet is None or resources.model is None:
        raise ConfigError("hypernet needs a trained network", "name its folder with --hypernet", "--method")
    host = Host.open(resources.model, task.alignment.old)
    network = load_hypernet(resources.hypernet, host)
    host.rows.to(resources.device)
    return network.to(resources.device), host


def _predicted(network: Any, host: Any, cuts: Any, side: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    import torch

    device = host.rows.table.device
    with torch.inference_mode():
        found = network(
            host.rows, torch.from_numpy(cuts.ids).to(device), torch.from_numpy(cuts.weights).to(device)
        )
    return np.asarray(found[side].cpu().numpy(), np.float32)


METHOD = Method(
    name="hypernet",
    summary="predicted by a network trained for this model",
    source="zero-shot tokenizer transfer (2405.07883), in a residual form; docs/hypernet.md",
    compose=_compose,
    needs=("hypernet",),
)
