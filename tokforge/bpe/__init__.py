"""Byte-level BPE: on unsplit bytes (Binary BPE, arXiv 2511.17573) and on pre-tokenized text and code.

Options are light to import; what needs numpy and the engine is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING

from tokforge.bpe.config import PRESETS, BpeConfig, CurationConfig, SamplingConfig
from tokforge.lazy import lazy_names

if TYPE_CHECKING:
    from tokforge.bpe.checkpoint import Checkpoint
    from tokforge.bpe.counting import CountResult, count, merge_counts, train_from_files
    from tokforge.bpe.demo import run_demo
    from tokforge.bpe.sources import Mixture, parse_weights
    from tokforge.bpe.training import BpeResult, train, train_bpe, train_from_counts
    from tokforge.bpe.use import pretoken_counts, token_counts

__all__ = [
    "PRESETS",
    "BpeConfig",
    "BpeResult",
    "Checkpoint",
    "CountResult",
    "CurationConfig",
    "Mixture",
    "SamplingConfig",
    "count",
    "merge_counts",
    "parse_weights",
    "pretoken_counts",
    "run_demo",
    "token_counts",
    "train",
    "train_bpe",
    "train_from_counts",
    "train_from_files",
]

_HOMES = {
    "BpeResult": "training",
    "Checkpoint": "checkpoint",
    "CountResult": "counting",
    "count": "counting",
    "merge_counts": "counting",
    "train_from_files": "counting",
    "Mixture": "sources",
    "parse_weights": "sources",
    "pretoken_counts": "use",
    "run_demo": "demo",
    "token_counts": "use",
    "train": "training",
    "train_bpe": "training",
    "train_from_counts": "training",
}

__getattr__ = lazy_names(__name__, _HOMES)
