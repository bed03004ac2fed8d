"""Rényi and Shannon figures equal those of tokenization-scorer to 1e-9."""

import numpy as np
import pytest

from tokforge.metrics.entropy import renyi_efficiency, renyi_entropy

scorer = pytest.importorskip("tokenization_scorer.metrics", reason="tokenization-scorer is not installed")
pytestmark = pytest.mark.oracle

TOKENS = np.random.default_rng(5).zipf(1.4, 5000).clip(max=400)
LINES = [[str(token) for token in line] for line in TOKENS.reshape(50, 100)]
COUNTS = np.bincount(TOKENS)
TYPES = int(np.count_nonzero(COUNTS))


@pytest.mark.parametrize("alpha", [1.0, 2.0, 2.5, 3.0])
def test_renyi_entropy_and_efficiency(alpha):
    entropy = scorer.get_metric("renyi_entropy")(LINES, power=alpha)
    assert renyi_entropy(COUNTS, alpha) == pytest.approx(entropy, abs=1e-9)
    observed = scorer.get_metric("renyi_efficiency")(LINES, power=alpha)
    assert renyi_efficiency(COUNTS, alpha, TYPES) == pytest.approx(observed, abs=1e-9)
    whole = scorer.get_metric("renyi_efficiency")(LINES, power=alpha, vocab=50_000)
    assert renyi_efficiency(COUNTS, alpha, 50_000) == pytest.approx(whole, abs=1e-9)


def test_shannon():
    assert renyi_entropy(COUNTS, 1) == pytest.approx(scorer.get_metric("shannon_entropy")(LINES), abs=1e-9)
