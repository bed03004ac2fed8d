"""The programme with lazy rows equals the programme written out, whatever the merges and the words."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge import _core
from tokforge.mixture._reference import dense_optimum
from tokforge.mixture.history import History
from tokforge.mixture.programme import solve
from tokforge.mixture.solvers import solver_named

LETTERS = b"abc"


@st.composite
def cases(draw):
    """(words by category, merges, lens): merges are of tokens that exist, in any order at all."""
    n = draw(st.integers(2, 4))
    word = st.binary(min_size=1, max_size=9).map(lambda raw: bytes(LETTERS[byte % 3] for byte in raw))
    words = [draw(st.dictionaries(word, st.integers(1, 50), min_size=1, max_size=6)) for _ in range(n)]
    tokens, ids, merges = [bytes((byte,)) for byte in range(256)], [97, 98, 99], []
    for _ in range(draw(st.integers(1, 8))):
        left, right = draw(st.sampled_from(ids)), draw(st.sampled_from(ids))
        joined = tokens[left] + tokens[right]
        merged = tokens.index(joined) if joined in tokens else len(tokens)
        if (left, right, merged) in merges:
            continue
        if merged == len(tokens):
            tokens.append(joined)
            ids.append(merged)
        merges.append((left, right, merged))
    return words, merges, [len(token) for token in tokens]


def history_of(words, merges, lens, shards=1):
    columns = _core.MixtureColumns(None, len(words) * shards, 1)
    for category, counts in enumerate(words):
        for number, (word, count) in enumerate(counts.items()):
            for _ in range(count):
                columns.add(category * shards + number % shards, [word])
    category_of = [category for category in range(len(words)) for _ in range(shards)]
    engine = columns.table().replay(merges, lens=lens, byte_ids=list(range(256)), category_of=category_of)
    return History.of(engine, category_of)


def slow(words, merges):
    return dense_optimum(
        [Counter({tuple(word): count for word, count in one.items()}) for one in words], merges
    )


@settings(max_examples=250, deadline=None)
@given(cases(), st.integers(1, 3))
def test_lazy_programme_equals_the_dense_one(case, shards):
    words, merges, lens = case
    _, optimum = slow(words, merges)
    solution = solve(history_of(words, merges, lens, shards), solver_named("highs"), tolerance=1e-7)
    assert solution.optimal
    assert solution.objective == pytest.approx(optimum, rel=1e-7, abs=1e-4)
    # The proof does not lean on the solver: both bounds come from the counts and the multipliers alone.
    assert solution.lower_bound <= optimum * (1 + 1e-7) + 1e-4
    assert solution.upper_bound >= optimum * (1 - 1e-7) - 1e-4
    assert solution.upper_bound - solution.lower_bound <= 1e-6 * optimum + 1e-2


@settings(max_examples=15, deadline=None)
@given(cases())
def test_all_solvers_find_the_same_optimum(case):
    words, merges, lens = case
    history = history_of(words, merges, lens)
    found = [solve(history, solver_named(name), tolerance=1e-6) for name in ("highs", "scipy", "pulp")]
    for other in found[1:]:
        assert other.objective == pytest.approx(found[0].objective, rel=1e-6, abs=1e-3)
        assert other.lower_bound == pytest.approx(found[0].lower_bound, rel=1e-5, abs=1e-2)


@settings(max_examples=25, deadline=None)
@given(cases(), st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
def test_where_the_search_starts_does_not_change_the_optimum(case, start):
    words, merges, lens = case
    history = history_of(words, merges, lens)
    shares = np.array(start[: len(words)]) / sum(start[: len(words)])
    here = solve(history, solver_named("highs"), tolerance=1e-7, start=shares)
    there = solve(history, solver_named("highs"), tolerance=1e-7)
    assert here.objective == pytest.approx(there.objective, rel=1e-7, abs=1e-4)
