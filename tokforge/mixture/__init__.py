"""Data mixture inference: a tokenizer's training shares, read out of its merges (arXiv 2407.16607)."""

from typing import TYPE_CHECKING

from tokforge.lazy import lazy_names
from tokforge.mixture.config import SOLVERS, MixtureConfig

if TYPE_CHECKING:
    from tokforge.mixture.chart import save_chart
    from tokforge.mixture.counts_file import load_counts, save_counts
    from tokforge.mixture.export import write_mps
    from tokforge.mixture.gather import gather_references
    from tokforge.mixture.inference import MixtureResult, infer, infer_mixture
    from tokforge.mixture.page import mixture_page
    from tokforge.mixture.references import References, category_paths, count_references
    from tokforge.mixture.simulation import Simulated, SimulationConfig, simulate, simulate_folders

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
    "mixture_page",
    "save_chart",
    "save_counts",
    "simulate",
    "simulate_folders",
    "write_mps",
]

_HOMES = {
    "MixtureResult": "inference",
    "References": "references",
    "category_paths": "references",
    "save_chart": "chart",
    "write_mps": "export",
    "count_references": "references",
    "gather_references": "gather",
    "load_counts": "counts_file",
    "mixture_page": "page",
    "save_counts": "counts_file",
    "simulate": "simulation",
    "simulate_folders": "simulation",
    "Simulated": "simulation",
    "SimulationConfig": "simulation",
    "infer": "inference",
    "infer_mixture": "inference",
}

__getattr__ = lazy_names(__name__, _HOMES)
