"""The arrays agree with the slow twins, on any bytes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tokforge.metrics._reference import (
    formed_slow,
    gini_slow,
    renyi_slow,
    spans_slow,
    tokens_in_slow,
    words_slow,
)
from tokforge.metrics.entropy import renyi_entropy
from tokforge.metrics.fairness import gini
from tokforge.metrics.tally import tally
from tokforge.metrics.text import analyse
from tokforge.metrics.usage import formed_counts
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.tokenizer import Pipeline, Tokenizer, initial_bytes

# Letters, marks, digits, both kinds of case, spaces, scripts without spaces, and bytes that are no text.
ALPHABET = "aZ_9 \n\u0301é中กཀ་١\u2028\U00020000\U0001f600"
documents = st.lists(
    st.one_of(
        st.text(ALPHABET, max_size=12).map(str.encode),
        st.text(max_size=6).map(lambda t: t.encode("utf-8", "ignore")),
        st.binary(max_size=8),
    ),
    min_size=1,
    max_size=5,
)


@st.composite
def vocabularies(draw):
    tokens, merges = list(initial_bytes()), []
    for _ in range(draw(st.integers(0, 12))):
        left = draw(
            st.one_of(
                st.integers(0, len(tokens) - 1), st.sampled_from([tokens.index(b"a"), tokens.index(b"Z")])
            )
        )
        right = draw(st.integers(0, len(tokens) - 1))
        if tokens[left] + tokens[right] not in tokens:
            merges.append((left, right, len(tokens)))
            tokens.append(tokens[left] + tokens[right])
    pipeline = draw(st.sampled_from([Pipeline("binary"), Pipeline("text", ("gpt2",))]))
    return Vocabulary("t", Tokenizer.from_parts(tokens, merges, pipeline=pipeline))


@given(documents)
def test_text_equals_its_twin(docs):
    text, joined = analyse(docs), b"".join(docs)
    assert text.bytes.tolist() == [len(doc) for doc in docs]
    assert text.characters.tolist() == [len(doc.decode("utf-8", "surrogateescape")) for doc in docs]
    assert text.words.tolist() == [words_slow(doc) for doc in docs]
    for kind in ("lexical", "numbers", "identifiers"):
        spans = getattr(text, kind)
        found = [joined[start:end] for start, end in zip(spans.starts, spans.ends, strict=True)]
        assert found == [span for doc in docs for span in spans_slow(doc, kind)], kind


@given(vocabularies(), documents)
def test_tally_equals_its_twin(vocabulary, docs):
    text = analyse(docs)
    found, tokens = tally(vocabulary, text, threads=1), []
    for doc in docs:
        tokens += [vocabulary.tokens[i] for i in vocabulary.tokenizer.encode(doc).tolist()]
    assert found.total == len(tokens)
    for kind in ("lexical", "numbers", "identifiers"):
        spans = getattr(text, kind)
        held = [
            tokens_in_slow(tokens, start, end) for start, end in zip(spans.starts, spans.ends, strict=True)
        ]
        count = getattr(found, kind)
        assert (count.spans, count.whole, count.tokens) == (len(held), held.count(1), sum(held)), kind


@given(vocabularies(), st.data())
def test_formed_counts_equal_their_twin(vocabulary, data):
    counts = np.zeros(vocabulary.size, np.int64)
    for _ in range(data.draw(st.integers(0, 6))):
        counts[data.draw(st.integers(0, vocabulary.size - 1))] += data.draw(st.integers(1, 9))
    expected = formed_slow(vocabulary.tokenizer.merges, counts.tolist())
    assert formed_counts(vocabulary, counts).tolist() == expected


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.sampled_from([1, 2, 2.5, 3]))
def test_entropy_equals_its_twin(tokens, alpha):
    assert abs(renyi_entropy(np.bincount(tokens), alpha) - abs(renyi_slow(tokens, alpha))) < 1e-9


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=20))
def test_gini_equals_its_twin(costs):
    assert abs(gini(np.array(costs)) - gini_slow(costs)) < 1e-9
