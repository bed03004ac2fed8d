"""Data mixture inference: a tokenizer's training shares, read out of its merges (arXiv 2407.16607)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tokforge.mixture.config import SOLVERS, MixtureConfig

if TYPE_CHECKING:
    from tokforge.mixture.counts_file import load_counts, save_counts
    from tokforge.mixture.gather import gather_references
    from tokforge.mixture.infer import MixtureResult, infer, infer_mixture
    from tokforge.mixture.references import References, category_paths, count_references
    from tokforge.mixture.simulate import Simulated, SimulationConfig, simulate, simulate_folders

__all__ = [
    "SOLVERS",
    "MixtureConfig",
    "MixtureResult",
    "References",
    "Simulated",
    "SimulationConfig",
    "category_paths",
    "count_references",
    "gather_references",
    "infer",
    "infer_mixture",
    "load_counts",
    "save_counts",
    "simulate",
    "simulate_folders",
]

_HOMES = {
    "MixtureResult": "infer",
    "References": "references",
    "category_paths": "references",
    "count_references": "references",
    "gather_references": "gather",
    "load_counts": "counts_file",
    "save_counts": "counts_file",
    "simulate": "simulate",
    "simulate_folders": "simulate",
    "Simulated": "simulate",
    "SimulationConfig": "simulate",
    "infer": "infer",
    "infer_mixture": "infer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
