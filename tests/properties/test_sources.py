"""Sampling equals its definition, written down slowly, and depends on content and seed alone."""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge.bpe import sources as module
from tokforge.bpe.sources import SampledSources, SamplingConfig
from tokforge.inputs import open_sources
from tokforge.inputs.units import unit_spans

UNIT = 16  # small, so that small documents have several units

documents = st.one_of(
    st.binary(min_size=1, max_size=60),
    st.text("ab\né漢", min_size=1, max_size=40).map(str.encode),
    st.sampled_from([b"same", b"a line\n" * 7]),  # identical documents are the hard case
)
corpora = st.lists(st.lists(documents, min_size=1, max_size=6), min_size=1, max_size=4)


@pytest.fixture(autouse=True, scope="module")
def small_units() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "unit_spans", lambda data: unit_spans(data, UNIT))
        yield


@contextmanager
def planted(corpus: list[list[bytes]], prefix: str = "") -> Iterator[list[str]]:
    """A folder for each source; yields their paths."""
    with tempfile.TemporaryDirectory() as root:
        folders = [Path(root) / f"{prefix}{number}" for number in range(len(corpus))]
        for folder, contents in zip(folders, corpus, strict=True):
            folder.mkdir()
            for number, content in enumerate(contents):
                (folder / f"{number:03}").write_bytes(content)
        yield [str(folder) for folder in folders]


def sample(
    corpus: list[list[bytes]], config: SamplingConfig, prefix: str = ""
) -> tuple[list[tuple[int, bytes]], list[int]]:
    """Returns (source number, bytes) of every buffer, and the bytes each source gave."""
    with planted(corpus, prefix) as folders:
        sampled = SampledSources(open_sources(folders), config)
        given = [(folders.index(name), bytes(data)) for name, data in sampled]
        return given, [row.bytes for row in sampled.mixture.sources]


def slow_units(corpus: list[list[bytes]], seed: int) -> list[tuple[bytes, int, int, int, bytes]]:
    """Every unit as (key, source, document, number, bytes): the definition, all in memory."""
    units = []
    for at, contents in enumerate(corpus):
        for number, content in enumerate(contents):
            secret = seed.to_bytes(8, "little")
            digest = hashlib.blake2b(content, digest_size=16, key=secret, person=b"tokforge sample").digest()
            for unit, (start, end) in enumerate(unit_spans(content, UNIT)):
                salt = unit.to_bytes(8, "little")
                key = hashlib.blake2b(digest, digest_size=8, salt=salt).digest() if unit else digest[:8]
                units.append((key[::-1], at, number, unit, content[start:end]))
    return sorted(units)


def slow_sample(corpus: list[list[bytes]], seed: int, target: int) -> Counter[int]:
    """The first ``target`` bytes of all units in the order of their keys, counted."""
    joined = b"".join(data for *_, data in slow_units(corpus, seed))
    return Counter(joined[:target])


@given(corpora, st.integers(0, 3), st.data())
@settings(max_examples=60, deadline=None)
def test_a_sample_is_the_first_bytes_by_key(
    corpus: list[list[bytes]], seed: int, data: st.DataObject
) -> None:
    target = data.draw(st.integers(1, sum(len(document) for group in corpus for document in group)))
    given, _ = sample(corpus, SamplingConfig(sample_bytes=target, seed=seed))
    taken = Counter(byte for _, buffer in given for byte in buffer)
    expected = slow_sample(corpus, seed, target)
    assert not taken - expected
    assert (expected - taken).total() <= 3  # a character that the last cut would have split


@given(corpora, st.integers(0, 3), st.randoms(use_true_random=False), st.data())
@settings(max_examples=60, deadline=None)
def test_order_and_names_do_not_matter(
    corpus: list[list[bytes]], seed: int, random: Random, data: st.DataObject
) -> None:
    target = data.draw(st.integers(1, sum(len(document) for group in corpus for document in group)))
    config = SamplingConfig(sample_bytes=target, seed=seed)
    shuffled = [random.sample(group, len(group)) for group in corpus]
    random.shuffle(shuffled)
    before, _ = sample(corpus, config)
    after, _ = sample(shuffled, config, prefix="renamed-")
    assert Counter(buffer for _, buffer in before) == Counter(buffer for _, buffer in after)


@given(corpora, st.integers(0, 3), st.data())
@settings(max_examples=60, deadline=None)
def test_shares_are_met_and_nothing_is_repeated(
    corpus: list[list[bytes]], seed: int, data: st.DataObject
) -> None:
    parts = data.draw(st.lists(st.integers(1, 9), min_size=len(corpus), max_size=len(corpus)))
    shares = [part / sum(parts) for part in parts]
    sizes = [sum(map(len, group)) for group in corpus]
    most = int(min(size / share for size, share in zip(sizes, shares, strict=True)))
    total = data.draw(st.one_of(st.none(), st.integers(1, most)))
    weights = {str(number): share for number, share in enumerate(shares)}
    given, realised = sample(corpus, SamplingConfig(weights=weights, sample_bytes=total, seed=seed))
    for at, share in enumerate(shares):
        target = share * (most if total is None else total)
        assert target - 5 <= realised[at] <= target + 1  # a byte of rounding, one of the total, a character
        available = Counter(byte for document in corpus[at] for byte in document)
        assert not Counter(byte for source, buffer in given if source == at for byte in buffer) - available


@given(corpora)
@settings(max_examples=30, deadline=None)
def test_a_sample_of_all_is_every_document(corpus: list[list[bytes]]) -> None:
    everything = [(at, document) for at, group in enumerate(corpus) for document in group]
    size = sum(len(document) for _, document in everything)
    assert sample(corpus, SamplingConfig(sample_bytes=size))[0] == everything
    assert sample(corpus, SamplingConfig())[0] == everything


def test_seeds_differ_and_repeat() -> None:
    corpus = [[f"document {number}".encode() for number in range(200)]]
    samples = [sample(corpus, SamplingConfig(sample_bytes=500, seed=seed))[0] for seed in (1, 2, 1)]
    assert samples[0] == samples[2]
    assert samples[0] != samples[1]


def test_a_sample_is_spread_over_the_corpus() -> None:
    """Halves of a corpus give about half each: 6 standard deviations of a fair coin."""
    corpus = [[f"{number:08}".encode() for number in range(1000)]]
    given, _ = sample(corpus, SamplingConfig(sample_bytes=8 * 250))
    early = sum(int(data) < 500 for _, data in given)
    assert abs(early - 125) < 6 * (250 * 0.25) ** 0.5
