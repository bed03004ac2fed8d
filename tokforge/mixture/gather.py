"""References from folders, from files of counts, or from both."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokforge.errors import ConfigError
from tokforge.inputs import Progress
from tokforge.mixture.config import MixtureConfig
from tokforge.mixture.counts_file import load_counts
from tokforge.mixture.merge_list import cut_of, merge_list
from tokforge.mixture.references import References, category_paths, count_references, joined
from tokforge.mixture.solvers import solver_named
from tokforge.tokenizer import Tokenizer

__all__ = ["gather_references"]


def gather_references(
    tokenizer: Tokenizer,
    config: MixtureConfig,
    *,
    categories: str | Path | Mapping[str, str | Path] | None = None,
    counts: Sequence[str | Path] = (),
    progress: Progress | None = None,
) -> tuple[References, float]:
    """Returns the references of a tokenizer, and the seconds that counting them took.

    Args:
        categories: a folder with a file or folder for each category, or name -> path.
        counts: files of `tokforge.mixture.save_counts`; categories of one name are added up.

    What would fail later (no merges, no solver) is refused first. Raises as `infer_mixture` does.
    """
    started = time.perf_counter()
    solver_named(config.solver)
    merge_list(tokenizer, config.merges, config.first)
    parts = [load_counts(counts)] if counts else []
    if categories is not None:
        paths = _paths(categories)
        parts.append(count_references(paths, cut_of(tokenizer), config, progress=progress))
    if not parts:
        raise ConfigError("there are no references", "name categories, or files of counts")
    return (joined(parts) if len(parts) > 1 else parts[0]), time.perf_counter() - started


def _paths(categories: str | Path | Mapping[str, str | Path]) -> dict[str, str]:
    if isinstance(categories, Mapping):
        return {name: str(path) for name, path in categories.items()}
    return category_paths(categories)
