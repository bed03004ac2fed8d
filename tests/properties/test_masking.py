"""The engine's masking equals its slow twin, whatever the spans, units, shares and keys."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tokforge.masking import MaskingConfig, TokenMasker, align_words
from tokforge.masking._reference import Random, align_slow, choose_slow, mask_slow

STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.booleans()), max_size=40)
WORDS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=20)


def tokens_from(steps):
    """Starts that go on by small steps, lengths from 0, some special."""
    starts = np.cumsum([step for step, _, _ in steps])
    return [(int(at), int(at) + length) for at, (_, length, _) in zip(starts, steps, strict=True)]


def words_from(gaps):
    at, words = 0, []
    for gap, length in gaps:
        words.append((at + gap, at + gap + length))
        at += gap + length
    return words


@given(STEPS, WORDS)
def test_alignment_equals_slow(steps, gaps):
    tokens, words, special = tokens_from(steps), words_from(gaps), [one[2] for one in steps]
    found = align_words(tokens, [np.array(words, np.uint32).reshape(-1, 2)], special=special)
    assert found.units.tolist() == align_slow(tokens, special, words)


@given(
    lengths=st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=30),
    probability=st.floats(0, 1),
    weights=st.sampled_from([(1.0,), (0.4, 0.3, 0.2, 0.1), (0.0, 1.0)]),
    split=st.booleans(),
    by_unit=st.booleans(),
    mask_share=st.floats(0, 1),
    key=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=3),
)
def test_masking_equals_slow(lengths, probability, weights, split, by_unit, mask_share, key):
    units = []
    for unit, (length, special_behind) in enumerate(lengths):
        units += [unit] * length + [-1] * special_behind
    ids, random_ids = [100 + at for at in range(len(units))], [5, 6, 7]
    shares = (mask_share, (1 - mask_share) / 2)
    config = MaskingConfig(
        mask_share=shares[0],
        random_share=shares[1],
        span_weights=weights,
        split_units=split,
        replace_units=by_unit,
    )
    masked = TokenMasker(4, random_ids, config).mask(ids, units, probability=probability, key=key)
    random = Random(key)
    chosen = choose_slow(units, probability, weights, split, random)
    expected = mask_slow(ids, chosen, 4, random_ids, shares, by_unit, random)
    assert (masked.input_ids.tolist(), masked.labels.tolist()) == expected
    assert masked.masked == masked.budget or not split
