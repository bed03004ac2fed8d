"""Controlled experiments: tokenizers of known mixtures, inferred from documents they never saw.

For each tokenizer, shares are drawn uniformly from the simplex, the documents are divided at random into
a training and a reference half (by shards, so no document is in both), a BPE tokenizer is trained on the
one in those shares of bytes, and its shares are inferred from the other. With references of another
source (``shifted``), that source takes the place of the second half: the case that users have.
Scores: squared errors over shares; coverage, width and Winkler's interval score of the intervals.
Source: arXiv 2407.16607, section 4; Winkler 1972 (a missed interval costs 2 / (1 - level) its distance).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tokforge.errors import ConfigError
from tokforge.inputs import Progress
from tokforge.mixture.baselines import encoding_efficiency, fitted_efficiency, token_classes
from tokforge.mixture.config import MixtureConfig
from tokforge.mixture.history import Floats
from tokforge.mixture.inference import infer_merges
from tokforge.mixture.references import References, category_paths, count_references, subset
from tokforge.mixture.replay import replay
from tokforge.mixture.solvers import solver_named
from tokforge.mixture.training import train_mixed
from tokforge.mixture.units import pairs_from_bytes
from tokforge.tokenizer import Pipeline, parse_pretokenizer

__all__ = [
    "Simulated",
    "SimulationConfig",
    "coverage",
    "initial_pairs",
    "scores",
    "simulate",
    "simulate_folders",
    "simulate_one",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulationConfig:
    """What is simulated."""

    tokenizers: int = 10
    vocab_merges: int = 3000
    """Merges that each tokenizer is trained to."""
    pretokenizer: str = "gpt2"
    """How words are cut, as `tokforge.train_bpe` takes it."""
    reference_share: float = 0.5
    """Part of the shards that are references; the rest is trained on."""
    leak: bool = False
    """Take the training documents as references: what must not be done, as a control."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.tokenizers < 1 or self.vocab_merges < 10:
            raise ConfigError("there is nothing to simulate", "ask for 1 tokenizer and 10 merges or more")
        if not 0 < self.reference_share < 1:
            raise ConfigError(
                f"reference_share is {self.reference_share}", "use a share between 0 and 1, such as 0.5"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulated:
    """The truth and what was inferred, for each of m tokenizers."""

    names: tuple[str, ...]
    truths: Floats
    """(m, n) - shares of bytes."""
    guesses: Mapping[str, Floats]
    """Method -> (m, n) shares of bytes."""
    intervals: Floats
    """(m, n, 2); NaN where none were made."""
    level: float
    shifts: Floats
    """(m,) - misfit over the expected one; NaN where it was not calibrated."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the scores, and all shares behind them, as JSON values."""
        return {
            "categories": list(self.names),
            "tokenizers": len(self.truths),
            "methods": {name: scores(guess - self.truths) for name, guess in self.guesses.items()},
            "intervals": coverage(self.intervals, self.truths, self.level),
            "shift": _spread(self.shifts),
            "truths": self.truths.tolist(),
            "inferred": self.guesses["merges"].tolist(),
        }


def simulate(
    references: References,
    options: MixtureConfig,
    config: SimulationConfig,
    *,
    shifted: References | None = None,
    progress: Progress | None = None,
) -> Simulated:
    """Trains and infers ``config.tokenizers`` tokenizers.

    Args:
        references: the documents to train on and, unless ``shifted``, to infer from; in 10 shards or more.
        options: how shares are inferred.
        shifted: other documents of categories of the same names.

    Raises ConfigError if ``shifted`` has other categories, InputError for too few documents.
    """
    if shifted is not None and shifted.names != references.names:
        raise ConfigError("the shifted references have other categories", "name them alike")
    generator = np.random.default_rng(config.seed)
    runs = []
    for number in range(config.tokenizers):
        runs.append(simulate_one(references, shifted, options, config, generator))
        if progress:
            progress("simulate", number + 1, config.tokenizers)
    truths = np.array([run["truth"] for run in runs])
    ratios = np.array([run["efficiency"] for run in runs]) / _alone(references, config.vocab_merges)
    n = len(references.names)
    guesses = {
        "merges": np.array([run["inferred"] for run in runs]),
        "programme": np.array([run["programme"] for run in runs]),
        "uniform": np.full_like(truths, 1 / n),
        "random": np.array([run["random"] for run in runs]),
        "token_classes": np.array([run["classes"] for run in runs]),
        "encoding_efficiency": fitted_efficiency(ratios, truths),
    }
    if options.resamples:
        guesses["bagged"] = np.array([run["bagged"] for run in runs])
    return Simulated(
        names=references.names,
        truths=truths,
        guesses=guesses,
        intervals=np.array([run["intervals"] for run in runs]),
        level=options.level,
        shifts=np.array([run["shift"] for run in runs]),
    )


def simulate_folders(
    categories: str | Path,
    options: MixtureConfig,
    config: SimulationConfig,
    *,
    shifted: str | Path | None = None,
    progress: Progress | None = None,
) -> Simulated:
    """Reads the references of `simulate` from folders that hold a file or folder for each category.

    Raises as `simulate` and `tokforge.mixture.count_references` do; ConfigError without a pre-tokenizer.
    """
    stages = parse_pretokenizer(config.pretokenizer)
    if not stages:
        raise ConfigError("unsplit documents cannot be mixed by their words", "name a pre-tokenizer")
    solver_named(options.solver)
    pipeline = Pipeline(kind="text", pretokenizers=stages)
    folders = [folder for folder in (categories, shifted) if folder is not None]
    counted = [
        count_references(category_paths(folder), pipeline, options, progress=progress) for folder in folders
    ]
    return simulate(
        counted[0], options, config, shifted=counted[1] if len(counted) > 1 else None, progress=progress
    )


def simulate_one(
    references: References,
    shifted: References | None,
    options: MixtureConfig,
    config: SimulationConfig,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Trains one tokenizer and infers its shares in every way."""
    n = len(references.names)
    truth = generator.dirichlet(np.ones(n))
    order = generator.permutation(references.shards)
    cut = round(references.shards * config.reference_share)
    train = subset(references, order[cut:].tolist())
    held = train if config.leak else subset(references, order[:cut].tolist()) if shifted is None else shifted
    listed = train_mixed(
        train, pairs_from_bytes(truth, initial_pairs(train), train.bytes.sum(1)), config.vocab_merges
    )
    seed = int(generator.integers(1 << 32))
    result = infer_merges(listed, held, replace(options, seed=seed, identifiability=False))
    history = replay(held, listed)
    return {
        "truth": truth,
        "inferred": result.shares["bytes"],
        "programme": result.programme,
        "bagged": result.shares["bytes"] if result.bagged is None else result.bagged,
        "intervals": np.full((n, 2), np.nan) if result.intervals is None else result.intervals,
        "misfit": result.fit["misfit"],
        "shift": np.nan if result.fit["shift"] is None else result.fit["shift"],
        "random": generator.dirichlet(np.ones(n)),
        "classes": token_classes(history),
        "efficiency": encoding_efficiency(history),
    }


def _alone(references: References, steps: int) -> Floats:
    """(n,) - the efficiency on each category of a tokenizer that is trained on it alone."""
    corners = np.eye(len(references.names))
    histories = [replay(references, train_mixed(references, corner, steps)) for corner in corners]
    return np.array([encoding_efficiency(history)[at] for at, history in enumerate(histories)])


def initial_pairs(references: References) -> Floats:
    """(n,) - initial pairs of each category: windows of two within words."""
    history = references.table.replay(
        [], lens=[1] * 256, byte_ids=range(256), category_of=references.category_of
    )
    totals = np.frombuffer(history.totals(), np.uint64).astype(float)
    return np.asarray(totals.reshape(len(references.names), -1).sum(1))


def scores(errors: Floats) -> dict[str, float]:
    """Scores (m, n) errors of shares, tokenizers counting alike."""
    mse = (errors**2).mean(1)
    log = np.log10(np.maximum(mse, 1e-16))
    return {
        "log10_mse": float(log.mean()),
        "log10_mse_sd": float(log.std(ddof=1)) if len(log) > 1 else 0.0,
        "rmse": float(np.sqrt(mse.mean())),
        "mean_absolute_error": float(np.abs(errors).mean()),
        "largest_error": float(np.abs(errors).max()),
    }


def coverage(intervals: Floats, truths: Floats, level: float) -> dict[str, float | None]:
    """Scores intervals: how many hold the truth, how wide they are, and both together."""
    low, high = intervals[..., 0], intervals[..., 1]
    known = ~np.isnan(low).any(1)
    if not known.any():
        return {"coverage": None, "coverage_se": None, "mean_width": None, "winkler": None}
    low, high, truth = low[known], high[known], truths[known]
    inside = ((low <= truth) & (truth <= high)).mean(1)  # by tokenizer: its shares err together
    missed = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return {
        "coverage": float(inside.mean()),
        "coverage_se": float(inside.std(ddof=1) / np.sqrt(len(inside))) if len(inside) > 1 else None,
        "mean_width": float((high - low).mean()),
        "winkler": float((high - low + 2 / (1 - level) * missed).mean()),
    }


def _spread(values: Floats) -> dict[str, float | None]:
    known = values[~np.isnan(values)]
    if not len(known):
        return {"median": None, "least": None, "largest": None}
    return {"median": float(np.median(known)), "least": float(known.min()), "largest": float(known.max())}
