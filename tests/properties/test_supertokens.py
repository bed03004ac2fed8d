"""The learners against their slow twins, on tiny corpora: runs, ties and vetoes are the hard cases."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge import _core
from tokforge.bpe import BpeConfig
from tokforge.bpe import train as train_words
from tokforge.errors import ConfigError, CorpusExhaustedError
from tokforge.supertokens import SupertokensConfig, train
from tokforge.supertokens._reference import boundless_slow, interleave_slow, superbpe_slow
from tokforge.supertokens.config import chunk_ranges

WORDS = ["a", "b", "ab", "no", "the", "The", "don't", ":", "12", "ä", "中文", "\n", "--", "  "]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=8, max_size=60).map(" ".join)


def corpus(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("corpus")
    for at, text in enumerate(texts):
        (folder / f"{at}.txt").write_text(text)
    return folder


def split(name, text):
    data = text.encode()
    return [data[a:b] for a, b in _core.Splitter([name]).split(data)]


def table(tokenizer, size=None):
    return [token or b"" for token in tokenizer.table.ordinary()][:size]


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=4), words=st.integers(1, 6), most=st.sampled_from([None, 0, 2])
)
def test_superbpe_equals_its_definition(tmp_path_factory, texts, words, most):
    folder = corpus(tmp_path_factory, texts * 2)
    supertokens = SupertokensConfig(learner="superbpe", transitions=(words,), max_words=most)
    try:
        result = train([folder], BpeConfig(vocab_size=280, threads=2), supertokens)
    except (ConfigError, CorpusExhaustedError) as error:
        assert "neighbouring" in str(error) or "word stage ends" in str(error)
        return
    merges, first = result.tokenizer.merges, result.words
    old = [merge for merge in merges if merge[2] < first][:words]
    pieces = [piece for text in texts * 2 for piece in split("superbpe", text)]
    slow = superbpe_slow(pieces, table(result.tokenizer, first), old, supertokens.rules, 280)
    assert list(merges[len(old) :]) == slow


@settings(max_examples=15, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_boundless_equals_its_definition(tmp_path_factory, texts):
    folder = corpus(tmp_path_factory, texts * 3)
    config = BpeConfig(vocab_size=276, threads=1)
    supertokens = SupertokensConfig(learner="boundless")
    words = train_words([folder], BpeConfig(vocab_size=276, pretokenizer="boundless-words", preset="text"))
    encoder = words.tokenizer
    documents = [[encoder.encode(p).tolist() for p in split("boundless-words", text)] for text in texts * 3]
    eligible = {
        at
        for at, token in enumerate(table(encoder))
        if any(char.isalpha() for char in token.decode(errors="replace").replace("\ufffd", " "))
        and len(split("boundless", token.decode(errors="replace"))) == 1
    }
    room = 276 - 256
    size = encoder.vocab_size + room
    _, counts = boundless_slow(documents, eligible, table(encoder), supertokens.rules, size)
    kept, taken = interleave_slow(words.counts, counts, room)
    if not taken:
        with pytest.raises(ConfigError, match=r"neighbouring|fill the table"):
            train([folder], config, supertokens)
        return
    result = train([folder], config, supertokens)
    assert result.words == 256 + kept
    expected = [encoder.token_bytes(at) for at in range(256, 256 + kept)]
    assert table(result.tokenizer)[256 : 256 + kept] == expected
    assert result.tokenizer.vocab_size == 256 + kept + taken


def test_the_draw_sees_all_inputs_whatever_their_order(tmp_path):
    rng = random.Random(1)
    english = [" ".join(rng.choices(["of", "the", "in", "and"], k=400)) for _ in range(40)]
    german = [" ".join(rng.choices(["von", "der", "und", "im"], k=400)) for _ in range(40)]
    tokens = {}
    for name, order in {"ab": english + german, "ba": german + english}.items():
        folder = tmp_path / name
        folder.mkdir()
        for at, text in enumerate(order):
            (folder / f"{at:03}.txt").write_text(text)
        supertokens = SupertokensConfig(learner="superbpe", transitions=(14,), sample_documents=20)
        result = train([folder], BpeConfig(vocab_size=300), supertokens)
        tokens[name] = [result.tokenizer.token_bytes(at) for at in range(result.words, 300)]
    assert tokens["ab"] == tokens["ba"]
    joined = b"|".join(tokens["ab"])
    assert b"in the" in joined
    assert b"von der" in joined


def test_chunks_depend_on_content_and_seed_alone():
    ranges = chunk_ranges(SupertokensConfig(learner="random-chunks").chunks)
    text = "Füße und 中文 " * 200
    spans = _core.ChunkCounts(ranges, 3).split(text.encode())
    lengths = [len(text.encode()[a:b].decode()) for a, b in spans]
    assert sum(lengths) == len(text)
    assert all(4 <= length <= 23 for length in lengths[:-1])
    assert spans == _core.ChunkCounts(ranges, 3).split(text.encode())
    assert spans != _core.ChunkCounts(ranges, 4).split(text.encode())
