"""Methods against their slow twins and published definitions."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge.transplant import METHODS, Checkpoint, Vocabulary, _reference, align
from tokforge.transplant.embedding import token_vectors
from tokforge.transplant.method import Resources, Task, spelled
from tokforge.transplant.methods.focus import sparsemax
from tokforge.transplant.methods.omp import pursue
from tokforge.transplant.methods.procrustes import rotation
from tokforge.transplant.methods.trans_tokenizer import overlaps
from tokforge.transplant.mix import Matrix, Mix
from tokforge.transplant.neighbours import nearest, unit
from tokforge.transplant.tensor_file import as_dtype, as_float32

SOME = settings(max_examples=25)


@pytest.fixture
def task(llama, tokenizers_of):
    def make(name, side="tied", **given_):
        checkpoint = Checkpoint.open(llama)
        alignment = align(Vocabulary.load(llama), Vocabulary.load(tokenizers_of["new"]), checkpoint.rows)
        matrix = Matrix.of(checkpoint.array(checkpoint.layout.input))
        method = METHODS[name]
        options = method.checked(given_.pop("options", {}))
        return method, Task(alignment, matrix, side, options, Resources(**given_))

    return make


@SOME
@given(st.integers(0, 2**32))
def test_a_mix_equals_its_twin(seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((9, 4)).astype(np.float32)
    rows = [(rng.integers(10, size=n).tolist(), rng.random(n).tolist()) for n in rng.integers(0, 4, size=6)]
    made = Mix.of(rows).rows(Matrix.of(matrix))
    for row, (ids, weights) in zip(made, rows, strict=True):
        wanted = _reference.mix_row(matrix.astype(np.float64), ids, weights) if ids else np.zeros(4)
        assert np.allclose(row, wanted, atol=1e-5)


@SOME
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_nearest_equals_its_twin_ties_included(seed, count):
    rng = np.random.default_rng(seed)
    keys = rng.choice([-1.0, 0.0, 1.0], (12, 3)).astype(np.float32)
    queries = rng.choice([-1.0, 0.0, 1.0], (4, 3)).astype(np.float32)
    found, values = nearest(queries, keys, 12)
    for query, ids, cosines in zip(queries, found, values, strict=True):
        assert ids.tolist()[:count] == _reference.nearest(query, keys, count)
        assert cosines.tolist() == (keys[ids] @ query).tolist()


@SOME
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=9))
def test_sparsemax_equals_its_twin(values):
    assert np.allclose(sparsemax(values), _reference.simplex_point(values), atol=1e-9)


@SOME
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_matching_pursuit_equals_its_twin(seed, k):
    rng = np.random.default_rng(seed)
    atoms, targets = rng.standard_normal((15, 8)), rng.standard_normal((3, 8))
    taken, found = pursue(targets.astype(np.float32), atoms.astype(np.float32), k)
    for target, ids, coefficients in zip(targets, taken, found, strict=True):
        wanted = _reference.pursue_one(target, atoms, k)
        assert set(ids.tolist()) == set(wanted)
        assert np.allclose([wanted[i] for i in ids.tolist()], coefficients, atol=1e-3)


def test_a_rotation_is_found_again():
    rng = np.random.default_rng(0)
    source = rng.standard_normal((50, 6)).astype(np.float32)
    turn = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    assert np.allclose(rotation(source, (2 * source @ turn).astype(np.float32)), 2 * turn, atol=1e-4)


@given(st.lists(st.integers(0, 20), max_size=5), st.lists(st.integers(0, 20), max_size=5))
def test_overlaps_are_the_bytes_in_common(left, right):
    spans = [list(pairwise(edges)) for edges in (sorted({0, 21, *left}), sorted({0, 21, *right}))]
    wanted = {
        (i, j): len(set(range(*a)) & set(range(*b)))
        for i, a in enumerate(spans[0])
        for j, b in enumerate(spans[1])
    }
    found = {(i, j): shared for i, j, shared in overlaps(*spans)}
    assert found == {pair: shared for pair, shared in wanted.items() if shared}


def test_bfloat16_rounds_as_torch_does():
    import torch

    values = np.random.default_rng(0).standard_normal(1000).astype(np.float32) * 1e3
    wanted = torch.from_numpy(values).to(torch.bfloat16)
    assert np.array_equal(as_float32(as_dtype(values, "BF16")), wanted.float().numpy())


def test_tokenadapt_equals_its_formulas(task):
    method, made = task("tokenadapt")
    mix = method.compose(made)
    old, new = token_vectors(made)
    matrix = made.matrix.take(np.arange(made.matrix.shape[0])).astype(np.float64)
    rows = mix.rows(made.matrix)
    for at, new_id in enumerate(made.alignment.composed.tolist()):
        pieces = made.pieces(new_id)
        if max(pieces) >= len(old):
            continue
        wanted = _reference.tokenadapt_row(
            matrix, old.astype(np.float64), new[at].astype(np.float64), pieces,
            [len(spelled(made, i)) for i in pieces], tau=0.3 + 1e-5, k=3, share=0.3,
        )  # fmt: skip
        assert np.allclose(rows[at], wanted, atol=1e-4)


def test_position_weights_by_hand(task):
    method, made = task("position-weighted", side="input")
    row = next(
        method.compose(made).row(at)
        for at, i in enumerate(made.alignment.composed.tolist())
        if len(made.pieces(i)) == 2
    )
    assert row[1] == pytest.approx([1 / (1 + np.e**2), np.e**2 / (1 + np.e**2)])
    method, made = task("position-weighted", side="output", options={"variant": "ends"})
    assert all(method.compose(made).row(at)[1][0] == 1 for at in range(3))


@pytest.mark.parametrize("name", ["focus", "trans-tokenizer"])
def test_methods_from_text_give_convex_rows(name, task, texts):
    method, made = task(name, text=(str(texts / "new.txt"),))
    mix = method.compose(made)
    sums = np.add.reduceat(mix.weights, mix.starts[:-1])
    assert np.allclose(sums, 1, atol=1e-5) and (mix.weights >= 0).all()


def test_a_donor_that_is_the_model_itself_gives_back_its_rows(llama, tokenizers_of, tmp_path):
    """OMP with one atom a token: a donor whose rows of two tokens are equal names the right one."""
    checkpoint = Checkpoint.open(llama)
    rows = checkpoint.array(checkpoint.layout.input)
    ids, weights = pursue(np.array(rows[5:9]), np.array(rows[:40]), 1)
    assert ids[:, 0].tolist() == [5, 6, 7, 8]
    assert np.allclose(weights, 1, atol=1e-4)


def test_random_rows_do_not_depend_on_blocks(task):
    method, made = task("random")
    recipe = method.compose(made)
    whole = recipe.rows(made.matrix)
    assert np.array_equal(whole[7:11], recipe.rows(made.matrix, 7, 11))
    assert unit(whole).shape == whole.shape
