"""Edits keep what they do not touch, renumber what names ids, and prune as the slow twin does."""

import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tokforge import AddedToken, ConfigError, Tokenizer, _core
from tokforge.bpe._reference import learn_merges_slow
from tokforge.tokenizer import BpeModel, Definition, Pipeline, TokenTable, initial_bytes
from tokforge.tokenizer.edit import (
    ORDERS,
    add_tokens,
    add_vocabulary,
    order_by_use,
    pad,
    prune,
    remove,
    rename,
    reorder,
)
from tokforge.tokenizer.edit._reference import prune_slow
from tokforge.tokenizer.edit.proof import first_difference
from tokforge.tokenizer.edit.prune import protected_ids
from tokforge.tokenizer.edit.remove import dependents
from tokforge.tokenizer.formats.hf_json import read_definition, write_definition
from tokforge.tokenizer.model import product_merges

PIPELINES = [Pipeline("binary"), Pipeline("text", ("gpt2",)), Pipeline("text", ("llama3",))]
POST_PROCESSOR = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<|end|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"<|end|>": {"id": "<|end|>", "ids": [0], "tokens": ["<|end|>"]}},
}
PADDING = {
    "strategy": "BatchLongest",
    "direction": "Right",
    "pad_to_multiple_of": None,
    "pad_id": 0,
    "pad_type_id": 0,
    "pad_token": "<|end|>",
}
documents = st.lists(st.sampled_from([b"a", b"b", b"c", b" ", b"ab", b"abc"]), max_size=24).map(b"".join)


@st.composite
def tokenizers(draw, pipelines=PIPELINES, ignore_merges=None):
    """Random merges over few letters, products that exist keep their id, specials at both ends."""
    tokens = [None, *initial_bytes(), None]
    usable = [tokens.index(bytes((byte,))) for byte in b"abc "]
    merges = {}
    for left, right in draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=20)):
        pair = usable[left % len(usable)], usable[right % len(usable)]
        product = tokens[pair[0]] + tokens[pair[1]]
        if pair in merges or len(product) > 10:
            continue
        if product not in tokens:
            usable.append(len(tokens))
            tokens.append(product)
        merges[pair] = tokens.index(product)
    pipeline = draw(st.sampled_from(pipelines))
    preserved = (("padding", json.dumps(PADDING)), ("post_processor", json.dumps(POST_PROCESSOR)))
    return Tokenizer.from_parts(
        tokens,
        [(left, right, merged) for (left, right), merged in merges.items()],
        pipeline=Pipeline(pipeline.kind, pipeline.pretokenizers, preserved=preserved),
        added_tokens=[AddedToken(0, "<|end|>", ("eos",)), AddedToken(257, "<tool>", special=False)],
        ignore_merges=draw(st.booleans()) if ignore_merges is None else ignore_merges,
    )


def normal_ids(tokenizer):
    return [i for i, kind in enumerate(tokenizer.table.kinds) if kind == "normal"]


def check(before, after, id_map, docs):
    """What holds after every edit."""
    assert first_difference(before, after, id_map, docs) is None
    for doc in docs:
        assert after.decode(after.encode(doc)) == doc
    kept = np.flatnonzero(id_map.new_of_old >= 0)
    for old, new in zip(kept.tolist(), id_map.new_of_old[kept].tolist(), strict=True):
        assert after.table.tokens[new] == before.table.tokens[old]
        assert after.table.kinds[new] == before.table.kinds[old]
    preserved = dict(after.pipeline.preserved)
    end = after.role("eos")
    assert json.loads(preserved["padding"])["pad_id"] == end.id
    assert json.loads(preserved["post_processor"])["special_tokens"][end.text]["ids"] == [end.id]
    for left, right, merged in after.merges:
        tokens = after.table.ordinary()
        assert tokens[left] + tokens[right] == tokens[merged]
    data = write_definition(after.definition)
    assert write_definition(read_definition(data, "x")) == data


def fired(tokenizer, text):
    """The merges that a run on one pretoken takes, by definition."""
    ranks = {(left, right): (rank, merged) for rank, (left, right, merged) in enumerate(tokenizer.merges)}
    ids, taken = [tokenizer.table.byte_ids()[byte] for byte in text], set()
    while found := [(ranks[pair], at) for at, pair in enumerate(pairwise(ids)) if pair in ranks]:
        (rank, merged), at = min(found)
        taken.add(rank)
        ids = [*ids[:at], merged, *ids[at + 2 :]]
    return taken, ids


@settings(max_examples=60)
@given(tokenizers(), st.data(), st.lists(documents, max_size=5))
def test_removing_keeps_every_text_in_which_no_removed_merge_fires(tokenizer, data, docs):
    usable = normal_ids(tokenizer)
    assume(usable)
    asked = data.draw(st.sets(st.sampled_from(usable), min_size=1, max_size=4))
    more = dependents(tokenizer.merges, asked)
    if more:
        with pytest.raises(ConfigError, match="is a part of"):
            remove(tokenizer, asked)
    after, id_map = remove(tokenizer, asked, cascade=True)
    assert set(id_map.removed.tolist()) == asked | more
    check(tokenizer, after, id_map, docs)
    lost = {rank for rank, merge in enumerate(tokenizer.merges) if set(merge) & (asked | more)}
    if not tokenizer.definition.model.ignore_merges and not tokenizer.pipeline.pretokenizers:
        for doc in docs:
            taken, ids = fired(tokenizer, doc)
            if not taken & lost:
                assert after.encode(doc).tolist() == id_map.apply(ids).tolist()


@settings(max_examples=40)
@given(tokenizers(), st.lists(documents, max_size=4), st.permutations(range(7)))
def test_reordering_keeps_every_token(tokenizer, docs, order):
    size = tokenizer.vocab_size
    shuffled = np.random.default_rng(order).permutation(size)
    counts = np.bincount(tokenizer.encode_batch(docs)[0], minlength=size)
    named = [make(tokenizer) for make in ORDERS.values()]
    for ids in [shuffled, order_by_use(tokenizer, counts), *named]:
        after, id_map = reorder(tokenizer, ids)
        check(tokenizer, after, id_map, docs)
        for doc in docs:
            assert after.encode(doc).tolist() == id_map.apply(tokenizer.encode(doc)).tolist()
        again, back = reorder(after, id_map.new_of_old)
        assert again.definition == tokenizer.definition
        assert np.array_equal(id_map.then(back).new_of_old, np.arange(size))


@settings(max_examples=40)
@given(tokenizers(), st.lists(documents, max_size=4), st.integers(1, 70))
def test_added_tokens_and_padding_come_last(tokenizer, docs, multiple):
    after, id_map = pad(tokenizer, multiple)
    assert after.vocab_size % multiple == 0
    assert after.vocab_size - tokenizer.vocab_size < multiple
    check(tokenizer, after, id_map, docs)
    for doc in docs:
        assert after.encode(doc).tolist() == tokenizer.encode(doc).tolist()
    more, added = add_tokens(after, ["<plain>"], special=False)
    check(after, more, added, [*docs, b"a<plain>b"])
    assert more.vocab_size - 1 in more.encode(b"a<plain>b")


@settings(max_examples=60)
@given(
    tokenizers(), st.lists(documents, max_size=4), st.lists(documents, min_size=1, max_size=3, unique=True)
)
def test_added_vocabulary_is_reached(tokenizer, docs, tokens):
    fresh = [token for token in tokens if len(token) > 1 and tokenizer.id_of(token) is None]
    try:
        after, id_map = add_vocabulary(tokenizer, fresh)
    except ConfigError as error:
        assert "splitter" in str(error) or "nothing to add" in str(error)
        return
    check(tokenizer, after, id_map, docs)
    assert after.merges[: len(tokenizer.merges)] == tokenizer.merges
    for token in fresh:
        assert after.encode(token).tolist() == [after.id_of(token)]


@settings(max_examples=30)
@given(tokenizers(), st.lists(documents, max_size=4))
def test_renaming_changes_names_alone(tokenizer, docs):
    after, id_map = rename(tokenizer, {"<|end|>": "<tool>", "<tool>": "<|end|>"})
    assert [(token.id, token.text) for token in after.added_tokens] == [(0, "<tool>"), (257, "<|end|>")]
    assert after.role("eos").text == "<tool>"
    preserved = dict(after.pipeline.preserved)
    assert json.loads(preserved["padding"])["pad_token"] == "<tool>"
    template = json.loads(preserved["post_processor"])
    assert template["special_tokens"] == {"<tool>": {"id": "<tool>", "ids": [0], "tokens": ["<tool>"]}}
    assert template["single"][0]["SpecialToken"]["id"] == "<tool>"
    assert first_difference(tokenizer, after, id_map, docs) is None
    assert (
        rename(after, {"<|end|>": "<tool>", "<tool>": "<|end|>"}).tokenizer.definition == tokenizer.definition
    )


@settings(max_examples=150)
@given(
    tokenizers([Pipeline("binary")]),
    st.dictionaries(documents.filter(bool), st.integers(1, 9), max_size=8),
    st.integers(0, 20),
)
def test_pruning_equals_its_slow_twin(tokenizer, texts, excess):
    fixed = protected_ids(tokenizer.definition, ())
    expected = prune_slow(tokenizer.definition, texts, excess, fixed)
    excess = len(expected)
    after, id_map, steps = prune(tokenizer, texts, tokenizer.vocab_size - excess)
    assert [tuple(step) for step in steps] == expected
    check(tokenizer, after, id_map, list(texts))
    if steps:
        assert steps[-1].tokens == sum(weight * len(after.encode(text)) for text, weight in texts.items())


@settings(max_examples=60)
@given(tokenizers([Pipeline("binary")], ignore_merges=False), st.lists(documents, max_size=5), st.data())
def test_removal_from_a_model_ranked_by_product(tokenizer, docs, data):
    usable = normal_ids(tokenizer)
    assume(usable)
    gone = data.draw(st.sampled_from(usable))
    merges, ranks = product_merges(tokenizer.table.ordinary(), [(i, i) for i in usable])
    old = tokenizer.definition
    model = BpeModel(merges, ranks=ranks)
    table = TokenTable(old.table.tokens, old.table.kinds)
    before = Tokenizer(Definition(table, model, old.pipeline, old.added_tokens))
    lost = {gone} | dependents(merges, {gone})
    try:
        after, id_map = remove(before, [gone], cascade=True)
    except ConfigError as error:
        assert "cannot encode yet" in str(error)
        return
    assert set(id_map.removed.tolist()) == lost
    assert first_difference(before, after, id_map, docs) is None


words = st.binary(min_size=1, max_size=16).map(lambda data: bytes(97 + byte % 3 for byte in data))


@settings(max_examples=150)
@given(
    st.lists(words, min_size=1, max_size=6),
    st.lists(words, min_size=1, max_size=10),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_extending_equals_the_slow_twin(old, new, first, more):
    """The engine goes on from merges that were learned on another corpus as the definition does."""
    tokens = [None, *initial_bytes(), None]
    byte_ids = [tokens.index(bytes((byte,))) for byte in range(256)]
    begun = learn_merges_slow(
        Counter(old), byte_ids=byte_ids, first_id=258, vocab_size=258 + first, min_frequency=1
    )
    for left, right, _ in begun:
        tokens.append(tokens[left] + tokens[right])
    goal = len(tokens) + more
    expected = learn_merges_slow(
        Counter(new),
        byte_ids=byte_ids,
        first_id=len(tokens),
        vocab_size=goal,
        min_frequency=1,
        merges=begun,
        known=tokens,
    )
    table = _core.WordCounts(_core.Splitter([]), 1)
    table.add_counts(list(Counter(new)), list(Counter(new).values()))
    learned = _core.train(
        table, tokens=tokens, byte_ids=byte_ids, merges=begun, vocab_size=goal, min_frequency=1
    )
    assert learned.merges == expected
