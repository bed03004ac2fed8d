"""The hypernetwork: a small network that predicts the rows of any tokenizer's tokens for one model.

Reading order: `config`, `cuts` (tokens as pieces), `network`, `host` (the model's rows), stage 1 in
`reconstruction`, stage 2 in `texts`, `samplers`, `batches` and `language`, then `training` and `storage`.
Source: zero-shot tokenizer transfer (arXiv 2405.07883), in a residual form that starts as a heuristic.
"""

from typing import TYPE_CHECKING

from tokforge.lazy import lazy_names
from tokforge.transplant.hypernet.config import HypernetConfig, NetConfig

if TYPE_CHECKING:
    from tokforge.transplant.hypernet.estimate import estimate
    from tokforge.transplant.hypernet.storage import load_hypernet
    from tokforge.transplant.hypernet.training import Trained, train_hypernet

__all__ = ["HypernetConfig", "NetConfig", "Trained", "estimate", "load_hypernet", "train_hypernet"]

_HOMES = {
    "Trained": "training",
    "estimate": "estimate",
    "load_hypernet": "storage",
    "train_hypernet": "training",
}

__getattr__ = lazy_names(__name__, _HOMES)
