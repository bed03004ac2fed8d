"""Properties of any tokenizer: the engine equals its slow twin, and nothing is lost on any way."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge import AddedToken, Tokenizer
from tokforge.tokenizer import Pipeline, initial_bytes, windows
from tokforge.tokenizer._reference import ReferenceEncoder, merge_piece
from tokforge.tokenizer.formats.byte_alphabet import bytes_to_hf, spell, unspell
from tokforge.tokenizer.formats.hf_json import read_definition, write_definition
from tokforge.tokenizer.prefix import prefix_definition
from tokforge.tokenizer.pretokenizers import PATTERNS

# Few symbols, so that merges apply, overlap and compete; some that splitters and UTF-8 care about.
SYMBOLS = [b"a", b"b", b" ", b"1", b"\n", b"'", b"s", "é".encode(), "中".encode(), b"\xff", b"\x00"]
TEXT_SYMBOLS = [symbol for symbol in SYMBOLS if symbol != b"\xff"]
PIPELINES = [Pipeline("binary"), Pipeline("text"), *(Pipeline("text", (name,)) for name in PATTERNS)]


def documents(symbols=SYMBOLS):
    return st.lists(st.sampled_from(symbols), max_size=30).map(b"".join)


@st.composite
def tokenizers(draw, pipelines=PIPELINES):
    """A tokenizer of random merges over the symbols' bytes; a product that exists keeps its id."""
    tokens = [None, *initial_bytes(), None]
    starts = sorted({byte for symbol in SYMBOLS for byte in symbol})
    usable = [tokens.index(bytes((byte,))) for byte in starts]
    merges = {}
    for left, right in draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=25)):
        pair = usable[left % len(usable)], usable[right % len(usable)]
        product = tokens[pair[0]] + tokens[pair[1]]
        if pair in merges or len(product) > 12:
            continue
        if product not in tokens:
            usable.append(len(tokens))
            tokens.append(product)
        merges[pair] = tokens.index(product)
    added = [AddedToken(0, "<|end|>"), AddedToken(257, "<tool>", special=False)]
    return Tokenizer.from_parts(
        tokens,
        [(left, right, merged) for (left, right), merged in merges.items()],
        pipeline=draw(st.sampled_from(pipelines)),
        added_tokens=added,
        ignore_merges=draw(st.booleans()),
    )


def twin_of(tokenizer, regex_splitter):
    stages = tokenizer.pipeline.pretokenizers
    return ReferenceEncoder(
        tokenizer.table.ordinary(),
        tokenizer.merges,
        byte_ids=tokenizer.table.byte_ids(),
        ignore_merges=tokenizer.definition.model.ignore_merges,
        splitter=regex_splitter(stages) if stages else None,
    )


@settings(deadline=None)
@given(tokenizers(), st.lists(documents(TEXT_SYMBOLS), max_size=4))
def test_engine_equals_twin(regex_splitter, tokenizer, docs):
    twin = twin_of(tokenizer, regex_splitter)
    for doc in docs:
        assert tokenizer.encode(doc).tobytes() == bytes(twin.encode(doc))
        ids, offsets = tokenizer.encode_with_offsets(doc)
        assert (ids.tobytes(), offsets.tobytes()) == tuple(map(bytes, twin.encode_offsets(doc)))
    ids, boundaries = tokenizer.encode_batch(docs, threads=2)
    assert (ids.tobytes(), boundaries.tobytes()) == tuple(map(bytes, twin.encode_batch(docs, 1)))


@settings(deadline=None)
@given(
    tokenizers(),
    st.lists(documents([*SYMBOLS, b"<|end|>", b"<tool>"]), max_size=4),
    st.sampled_from(["all", "none"]),
)
def test_nothing_is_lost(tokenizer, docs, allowed):
    ids, boundaries = tokenizer.encode_batch(docs, allowed_special=allowed)
    for doc, (start, end) in zip(docs, pairwise(boundaries.tolist()), strict=True):
        assert np.array_equal(ids[start:end], tokenizer.encode(doc, allowed_special=allowed))
        assert tokenizer.decode(ids[start:end]) == doc
        with_offsets, offsets = tokenizer.encode_with_offsets(doc, allowed_special=allowed)
        assert np.array_equal(with_offsets, ids[start:end])
        cuts = [*offsets.tolist(), len(doc)]
        assert [doc[a:b] for a, b in pairwise(cuts)] == [
            tokenizer.token_bytes(i) for i in with_offsets.tolist()
        ]
        assert allowed == "all" or 0 not in with_offsets


@settings(deadline=None)
@given(tokenizers())
def test_file_round_trip(tokenizer):
    data = write_definition(tokenizer.definition)
    again = read_definition(data, "x")
    assert again == tokenizer.definition
    assert write_definition(again) == data


@settings(deadline=None)
@given(tokenizers(), st.data(), documents())
def test_prefixes_nest(tokenizer, data, doc):
    size = data.draw(st.integers(258, tokenizer.vocab_size))
    smaller = data.draw(st.integers(258, size))
    part = prefix_definition(tokenizer.definition, size)
    assert prefix_definition(part, smaller) == prefix_definition(tokenizer.definition, smaller)
    assert part.model.merges == tokenizer.merges[: len(part.model.merges)]
    assert Tokenizer(part).decode(Tokenizer(part).encode(doc)) == doc


@given(st.lists(st.integers(0, 2), max_size=20))
def test_merge_piece_leaves_no_ranked_pair(ids):
    ranks = {(0, 0): (1, 3), (3, 0): (0, 4), (0, 1): (2, 5)}
    assert not any(pair in ranks for pair in pairwise(merge_piece(ids, ranks)))


@given(st.binary(max_size=50))
def test_byte_alphabet_is_a_bijection(data):
    assert unspell(spell(data)) == data
    assert len(bytes_to_hf(data)) == len(data)
    assert bytes_to_hf(data).isprintable()


@given(st.integers(0, 60), st.integers(1, 12), st.integers(1, 12))
def test_windows_cover_every_id(count, window, stride):
    spans = windows(range(count), max(window, stride), stride)
    assert {i for start, end in spans for i in range(start, end)} == set(range(count))
    assert all(end - start == max(window, stride) for start, end in spans[:-1])
