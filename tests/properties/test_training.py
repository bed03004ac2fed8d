"""The engine's trainer equals its slow twin, whatever the threads, and continues what it began."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge import _core
from tokforge.bpe._reference import learn_merges_slow

TOKENS = [bytes((byte,)) for byte in range(256)]
# Few letters, so that runs (`aaa`) and ties are common.
words = st.binary(min_size=1, max_size=24).map(lambda data: bytes(97 + byte % 3 for byte in data))


def learn(corpus, size, *, longest=None, threads=1, tokens=TOKENS, merges=()):
    return _core.train(
        corpus,
        tokens=tokens,
        byte_ids=range(256),
        vocab_size=size,
        merges=merges,
        min_frequency=1,
        max_token_bytes=longest,
        threads=threads,
    )


def counted(counts):
    table = _core.WordCounts(_core.Splitter([]), 1)
    table.add_counts(list(counts), list(counts.values()))
    return table


def unsplit(documents):
    corpus = _core.ByteCorpus()
    for document in documents:
        corpus.add(document)
    return corpus


@given(
    st.dictionaries(words, st.integers(1, 2**40), min_size=1, max_size=12),
    st.integers(256, 290),
    st.none() | st.integers(2, 8),
)
def test_words_agree_with_the_twin(counts, size, longest):
    expected = learn_merges_slow(
        counts,
        byte_ids=range(256),
        first_id=256,
        vocab_size=size,
        min_frequency=1,
        max_token_bytes=longest,
    )
    assert learn(counted(counts), size, longest=longest).merges == expected


@given(st.lists(words, min_size=1, max_size=12), st.integers(256, 290), st.sampled_from([1, 2, 8]))
def test_documents_agree_with_the_twin(documents, size, threads):
    expected = learn_merges_slow(
        Counter(documents), byte_ids=range(256), first_id=256, vocab_size=size, min_frequency=1
    )
    assert learn(unsplit(documents), size, threads=threads).merges == expected


@settings(max_examples=200)
@given(st.lists(words, min_size=1, max_size=12), st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_continuing_equals_training_at_once(documents, first, more, split):
    def corpus():
        return counted(Counter(documents)) if split else unsplit(documents)

    begun = learn(corpus(), 256 + first)
    tokens = list(TOKENS)
    for left, right, _ in begun.merges:
        tokens.append(tokens[left] + tokens[right])
    goal = len(tokens) + more
    continued = learn(corpus(), goal, tokens=tokens, merges=begun.merges)
    assert begun.merges + continued.merges == learn(corpus(), goal).merges


@given(st.lists(st.text("ab ,\n'1é", max_size=30), max_size=12), st.sampled_from(["gpt2", "o200k", "qwen2"]))
def test_threads_count_the_same_words(documents, splitter):
    def items(threads):
        table = _core.WordCounts(_core.Splitter([splitter]), threads)
        table.add([document.encode() for document in documents])
        return table.items()

    expected = Counter(
        document.encode()[start:end]
        for document in documents
        for start, end in _core.Splitter([splitter]).split(document.encode())
    )
    assert dict(items(1)) == expected
    assert items(1) == items(2) == items(8)
