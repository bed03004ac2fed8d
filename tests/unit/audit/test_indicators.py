"""The indicators of rows: by hand, and equal to their definition on the whole matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge.audit import _reference, indicators, model_rows
from tokforge.audit.model_rows import Matrix


def matrix_of(values):
    rows = np.asarray(values, np.float32)
    return Matrix("m", *rows.shape, lambda first, behind: rows[first:behind])


def test_by_hand():
    # The rows vary along the first axis most, so that axis goes; what is left of unused row 0 is (0, 1).
    found = indicators.indicators(matrix_of([[0, 1], [10, 1], [-10, 0], [8, -1], [0, 0]]), [0])
    assert found["euclidean"].tolist() == pytest.approx([0, 10, 101**0.5, 68**0.5, 1])
    assert found["cosine"].tolist() == pytest.approx([0, 1 - 101**-0.5, 1, 1 + 65**-0.5, 0])
    flat = found["cosine_without_first_component"].tolist()
    assert flat[0] == pytest.approx(0, abs=1e-12)
    assert flat[3] > 1.9 and flat[4] == 0


def test_lengths_by_hand():
    assert indicators.lengths(matrix_of([[3, 4], [0, 0], [1, 0]])).tolist() == [5, 0, 1]


def test_equal_rows_are_those_bit_for_bit_and_not_zero():
    values = [[1, 2], [0, 0], [1, 2], [2, 1], [0, 0], [np.nextafter(np.float32(2), np.float32(3)), 1]]
    assert indicators.equal_rows(matrix_of(values)) == [0, 2]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_blocks_equal_the_definition(data):
    width = data.draw(st.integers(2, 6), "width")
    rows = data.draw(st.integers(width + 1, 40), "rows")
    values = np.random.default_rng(data.draw(st.integers(0, 10_000), "seed")).normal(0.3, 1, (rows, width))
    values[:, 0] *= 4  # one component leads: where two are equal, either is first
    values[data.draw(st.integers(0, rows - 1), "zero")] = 0
    unused = [i for i in data.draw(st.sets(st.integers(0, rows - 1), min_size=1)) if values[i].any()] or [
        int(np.flatnonzero(values.any(axis=1))[0])
    ]
    before = model_rows._BLOCK
    model_rows._BLOCK = width * data.draw(st.integers(1, rows), "rows a block")
    try:
        found = indicators.indicators(matrix_of(values), unused)
    finally:
        model_rows._BLOCK = before
    expected = _reference.indicators(np.asarray(values, np.float32).astype(np.float64), unused)
    for name, numbers in expected.items():
        np.testing.assert_allclose(found[name], numbers, atol=1e-7, err_msg=name)
