"""The fast cuts and sketches against their definitions, on random bytes."""

import hashlib
import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge.inputs.similarity import (
    CUT_BITS,
    MIN_CHUNK_BYTES,
    WINDOW_BYTES,
    NearDuplicates,
    chunk_ends,
    chunk_hashes,
    gear_table,
    signature_of,
)
from tokforge.inputs.stretches import block_ends, block_entropies, entropy_spans, nul_run_spans

RUNS = st.lists(
    st.tuples(st.sampled_from([0, 0, 65, 255, None]), st.integers(1, 3000), st.integers(0, 2**32 - 1)),
    max_size=6,
)


def bytes_of(runs):
    """Runs of one byte, and of noise where the byte is None."""
    parts = [
        bytes((byte,)) * size if byte is not None else np.random.default_rng(seed).bytes(size)
        for byte, size, seed in runs
    ]
    return b"".join(parts)


def chunk_ends_slow(data, seed):
    """One byte at a time, as Gear hashing is defined."""
    table, ends, last, value = [int(one) for one in gear_table(seed)], [], 0, 0
    for at, byte in enumerate(data):
        value = ((value << 1) + table[byte]) % 2**32
        if at + 1 >= WINDOW_BYTES and value >> (32 - CUT_BITS) == 0 and at + 1 - last >= MIN_CHUNK_BYTES:
            last = at + 1
            ends.append(last)
    return ends if last == len(data) else [*ends, len(data)]


@settings(max_examples=40, deadline=None)
@given(RUNS, st.integers(0, 2**64 - 1))
def test_chunks_are_those_of_the_definition(runs, seed):
    data = bytes_of(runs)
    assert chunk_ends(data, seed) == chunk_ends_slow(data, seed)


def test_chunks_across_slabs_and_in_runs():
    data = np.random.default_rng(0).bytes((1 << 20) + 5000) + bytes(50_000)
    ends = chunk_ends(data, 3)
    assert ends == chunk_ends_slow(data, 3)
    assert max(np.diff(ends)) >= 50_000 - 4 * 1024  # a run is never cut


def test_similarity_is_estimated_within_its_error():
    rng = np.random.default_rng(1)
    for share in (0.3, 0.6, 0.85, 1.0):
        base = rng.bytes(400_000)
        other = base[: int(400_000 * share)] + rng.bytes(400_000 - int(400_000 * share))
        one, two = set(chunk_hashes(base, 0).tolist()), set(chunk_hashes(other, 0).tolist())
        exact = len(one & two) / len(one | two)
        estimate = float(np.mean(signature_of(base, 0) == signature_of(other, 0)))
        assert abs(estimate - exact) < 5 * math.sqrt(0.25 / 128)
        index = NearDuplicates(0.8)
        index.add(signature_of(base, 0))
        assert index.has_like(signature_of(other, 0)) == (estimate >= 0.8)


@settings(max_examples=60, deadline=None)
@given(RUNS.filter(bool), st.integers(256, 700), st.floats(0, 8), st.floats(0, 8))
def test_entropy_of_blocks(runs, block, low, high):
    data = bytes_of(runs)
    starts = [0, *block_ends(len(data), block)]
    blocks = [data[start:end] for start, end in pairwise(starts)]
    assert b"".join(blocks) == data
    slow = [sum(-n / len(one) * math.log2(n / len(one)) for n in Counter(one).values()) for one in blocks]
    fast = block_entropies(data, block)
    assert np.allclose(fast, slow)
    kept = b"".join(data[start:end] for start, end in entropy_spans(data, block, low, high))
    assert kept == b"".join(one for one, bits in zip(blocks, fast, strict=True) if low <= bits <= high)


@settings(max_examples=60, deadline=None)
@given(RUNS.filter(bool), st.integers(1, 400))
def test_runs_of_nul_stand_alone(runs, least):
    data = bytes_of(runs)
    pieces = [data[start:end] for start, end in nul_run_spans(data, (0, len(data)), least)]
    assert pieces == [piece for piece in re.split(rb"(\0{%d,})" % least, data) if piece]


def test_seeds_change_the_sketch():
    data = hashlib.shake_128(b"x").digest(5000)
    assert not np.array_equal(signature_of(data, 0), signature_of(data, 1))
