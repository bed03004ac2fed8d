"""Metrics equal TokEval's definitions to 1e-9, computed here anew, token by token, from the ids themselves.

TokEval is swiss-ai/tokenizer-intrinsic-evals (cimeister/tokenizer-analysis-suite): compression rate, unigram entropy,
Rényi efficiency by the declared and by the observed vocabulary, vocabulary utilisation, average token rank, and
the Tokenizer Fairness Gini. Its Gini takes tokens per byte as the cost, where `compare` takes tokens of a parallel
text or tokens per character: the formula is what is held equal, on both costs.
"""

from collections import Counter
from math import log2

import pytest

import tokforge
from tokforge import Tokenizer
from tokforge.metrics.fairness import gini

pytestmark = pytest.mark.oracle
TEXTS = {
    "en": "the cat sat on the mat and the dog lay on the log\n" * 9 + "whereas heretofore 12345\n",
    "de": "ein Kater saß auf der Matte und der Hund lag im Gras\n" * 7 + "äöü 2024\n",
    "el": "η γάτα κάθισε στο χαλί και ο σκύλος στο γρασίδι\n" * 5,
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    for name, text in TEXTS.items():
        (folder / f"{name}.txt").write_text(text)
    paths = [str(folder / f"{name}.txt") for name in TEXTS]
    trained = tokforge.train_bpe(paths, vocab_size=330, pretokenizer="gpt2", min_frequency=1)
    found = tokforge.compare({"t": trained}, paths)
    ids = {name: [int(i) for i in trained.encode(text)] for name, text in TEXTS.items()}
    return trained, found, ids


def entropy(ids, alpha):
    counts = Counter(ids)
    shares = [count / len(ids) for count in counts.values()]
    if alpha == 1:
        return -sum(share * log2(share) for share in shares)
    return log2(sum(share**alpha for share in shares)) / (1 - alpha)


def rank(ids):
    ranks = {token: place for place, (token, _) in enumerate(Counter(ids).most_common(), 1)}
    return sum(ranks[token] for token in ids) / len(ids)


def expected(ids, text, trained: Tokenizer):
    ordinary = [token for token in trained.table.ordinary() if token is not None]
    return {
        "bytes_per_token": len(text.encode()) / len(ids),
        "characters_per_token": len(text) / len(ids),
        "shannon_entropy": entropy(ids, 1),
        "renyi_efficiency": entropy(ids, 2.5) / log2(trained.vocab_size),
        "renyi_efficiency_observed": entropy(ids, 2.5) / log2(len(set(ids))),
        "utilisation": len(set(ids)) / len(ordinary),
        "mean_token_rank": rank(ids),
    }


@pytest.mark.parametrize("name", TEXTS)
def test_each_language(measured, name):
    trained, found, ids = measured
    for metric, value in expected(ids[name], TEXTS[name], trained).items():
        assert found.metrics[metric]["t"].categories[name] == pytest.approx(value, abs=1e-9), metric


def test_all_languages_are_pooled(measured):
    trained, found, ids = measured
    pooled = [i for one in ids.values() for i in one]
    for metric, value in expected(pooled, "".join(TEXTS.values()), trained).items():
        assert found.metrics[metric]["t"].overall == pytest.approx(value, abs=1e-9), metric


@pytest.mark.parametrize("unit", [lambda text: len(text.encode()), len], ids=["bytes", "characters"])
def test_gini_is_the_mean_difference_of_costs(measured, unit):
    import numpy as np

    _, found, ids = measured
    costs = [len(ids[name]) / unit(text) for name, text in TEXTS.items()]
    differences = sum(abs(one - other) for one in costs for other in costs)
    by_hand = differences / (2 * len(costs) ** 2 * (sum(costs) / len(costs)))
    assert gini(np.array(costs)) == pytest.approx(by_hand, abs=1e-9)
    if unit is len:
        assert found.metrics["gini"]["t"].overall == pytest.approx(by_hand, abs=1e-9)
