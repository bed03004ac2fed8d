"""Simulation: disjoint documents, known shares, baselines that inference must beat."""

from dataclasses import replace

import numpy as np
import pytest

from tokforge.errors import ConfigError, InputError
from tokforge.mixture import SimulationConfig, category_paths, count_references, simulate
from tokforge.mixture.baselines import fitted_efficiency
from tokforge.mixture.intervals import deviations, interval
from tokforge.mixture.known import inherited, known_prefixes, prefix_hashes
from tokforge.mixture.references import subset

OURS = ("merges", "programme")


@pytest.fixture(scope="module")
def counted(world):
    from tokforge.mixture import MixtureConfig

    tokenizer, references = world
    return count_references(
        category_paths(references), tokenizer.pipeline, MixtureConfig(shards=10, threads=1)
    )


def test_inference_beats_every_baseline_and_leakage_beats_it(counted, quick):
    few = replace(quick, merges=200, resamples=0, calibrate=False)
    config = SimulationConfig(tokenizers=3, vocab_merges=250)
    honest = simulate(counted, few, config).as_dict()
    leaked = simulate(counted, few, replace(config, leak=True)).as_dict()
    scores = {name: one["log10_mse"] for name, one in honest["methods"].items()}
    assert scores["merges"] < min(score for name, score in scores.items() if name not in OURS) - 0.5
    assert leaked["methods"]["merges"]["log10_mse"] < scores["merges"] - 1
    assert np.array(honest["truths"]).sum(1) == pytest.approx(1)
    assert honest["intervals"]["coverage"] is None


def test_simulation_repeats_itself(counted, quick):
    config = SimulationConfig(tokenizers=2, vocab_merges=150)
    few = replace(quick, merges=100)
    assert simulate(counted, few, config).as_dict() == simulate(counted, few, config).as_dict()


def test_subsets_share_no_words_count(counted):
    parts = [subset(counted, range(half, counted.shards, 2)) for half in (0, 1)]
    assert sum(part.bytes.sum() for part in parts) == counted.bytes.sum()
    total = sum(np.frombuffer(part.table.parts()[4], np.uint64).sum() for part in parts)
    assert total == np.frombuffer(counted.table.parts()[4], np.uint64).sum()
    with pytest.raises(InputError):
        subset(counted, [])


def test_other_categories_cannot_be_the_shifted_ones(counted, quick):
    renamed = replace(counted, names=tuple(reversed(counted.names)))
    with pytest.raises(ConfigError):
        simulate(counted, quick, SimulationConfig(tokenizers=1), shifted=renamed)


def test_efficiency_recovers_a_power_law():
    truths = np.random.default_rng(0).dirichlet(np.ones(4), 20)
    assert fitted_efficiency(truths**0.2, truths) == pytest.approx(truths, abs=1e-9)


def test_intervals_are_centred_and_clipped():
    found = interval(np.array([0.05, 0.95]), np.array([0.1, 0.1]), 0.9)
    assert found[0, 0] == 0
    assert found[1, 1] == 1
    assert found[0, 1] == pytest.approx(0.05 + 1.6449 * 0.1, abs=1e-4)


def test_two_estimates_that_differ_widen_every_share():
    samples = np.array([[0.2, 0.5, 0.3], [0.3, 0.5, 0.2], [0.25, 0.5, 0.25]])
    programme = np.array([0.25, 0.5, 0.25])
    alone = deviations(samples, programme, programme)
    assert alone == pytest.approx(1.5 * samples.std(0, ddof=1))
    near, far = (deviations(samples, programme + np.array([by, 0, -by]), programme) for by in (0.01, 0.05))
    assert (far > near).all()
    assert near[1] > alone[1] == 0


def test_a_known_prefix_is_named(world, monkeypatch):
    tokenizer, _ = world
    merges, tokens = tokenizer.merges, tokenizer.table.tokens
    assert inherited(merges, tokens) == []
    table = {f"{length}:{value}": "made-up" for length, value in prefix_hashes(merges, tokens).items()}
    monkeypatch.setattr("tokforge.mixture.known._table", lambda: table)
    assert "first 300 merges or more are those of made-up" in inherited(merges, tokens)[0]
    assert inherited(merges[1:], tokens) == []


def test_the_oldest_owner_of_a_prefix_is_named_first(world, monkeypatch):
    tokenizer, _ = world
    hashes = prefix_hashes(tokenizer.merges, tokenizer.table.tokens)
    table = {f"{length}:{value}": "parent" if length == 100 else "child" for length, value in hashes.items()}
    monkeypatch.setattr("tokforge.mixture.known._table", lambda: table)
    found = known_prefixes(tokenizer.merges, tokenizer.table.tokens)
    assert list(found) == ["parent", "child"]
    assert found["parent"] == 100 < found["child"]
