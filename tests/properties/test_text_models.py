"""Text models are pruned and extended as the slow twins do it, and all else keeps its meaning."""

from itertools import pairwise
from unicodedata import category

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tokforge import AddedToken, ConfigError, Tokenizer, train_bpe
from tokforge.bpe._reference import learn_from_sequences_slow
from tokforge.tokenizer import BpeModel, Definition, Pipeline, TokenTable
from tokforge.tokenizer._engine import make_encoder
from tokforge.tokenizer.batch import encode_documents
from tokforge.tokenizer.edit import IdMap, prune
from tokforge.tokenizer.edit._reference import prune_slow
from tokforge.tokenizer.edit.pretokens import count_pretokens
from tokforge.tokenizer.edit.proof import first_difference
from tokforge.tokenizer.edit.prune import protected_ids
from tokforge.tokenizer.model import UnigramModel, WordPieceModel, product_merges
from tokforge.tokenizer.normalizers import Replace
from tokforge.tokenizer.stages import BertPreTokenizer, Metaspace

LETTERS = "ab▁c"
SPACED = (Replace(" ", "▁", regex=False),)
words = st.text(LETTERS, min_size=2, max_size=5)
texts = (
    st.lists(st.sampled_from(["a", "b", "ab", "aa", "c", " ", "é", "<unk>", "\n"]), min_size=3, max_size=16)
    .map("".join)
    .map(str.encode)
)
corpora = st.lists(texts, min_size=1, max_size=6)
pipelines = st.sampled_from(
    [
        Pipeline("text", normalizers=SPACED),
        Pipeline("text", (Metaspace("▁", "always", split=True),)),
        Pipeline("text", (Metaspace("▁", "first", split=True),)),
    ]
)
BYTES = tuple(bytes((byte,)) for byte in range(256))
UNK = (AddedToken(0, "<unk>", ("unk",)),)


def table_of_bytes(tokens):
    """The unknown token, the bytes, then ``tokens``."""
    return TokenTable((b"<unk>", *BYTES, *tokens), ("special", *["byte"] * 256, *["normal"] * len(tokens)))


@st.composite
def character_bpe(draw):
    """Random merges over few characters, ranked by pair or by product."""
    tokens = [*map(str.encode, LETTERS), b"ab"]
    named = draw(st.booleans())
    pairs = {}
    for left, right in draw(
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=3, max_size=16)
    ):
        pair = left % len(tokens), right % len(tokens)
        product = tokens[pair[0]] + tokens[pair[1]]
        if pair in pairs or len(product) > 12 or (named and b"ab" in (product, *(tokens[i] for i in pair))):
            continue
        if product not in tokens:
            tokens.append(product)
        pairs[pair] = tokens.index(product)
    merges, ranks = [(left + 257, right + 257, merged + 257) for (left, right), merged in pairs.items()], None
    table = table_of_bytes(tokens)
    if draw(st.booleans()):
        parts = [None] * 257 + [None if named and token == b"ab" else token for token in tokens]
        scored = [(i // draw(st.integers(1, 2)), i) for i in range(261 + named, len(table))]
        merges, ranks = product_merges(parts, scored)
    fallback, unk_id = draw(st.booleans()), draw(st.sampled_from([0, None]))
    model = BpeModel(
        merges,
        ranks=ranks,
        atoms="characters",
        byte_fallback=fallback,
        unk_id=unk_id,
        fuse_unk=draw(st.booleans()),
        user_defined=(261,) if named else (),
    )
    return Tokenizer(Definition(table, model, draw(pipelines), UNK))


@st.composite
def unigrams(draw):
    """Scores are quarters, so that sums are exact and ties common."""
    tokens = sorted({*LETTERS[: draw(st.integers(2, 4))], *draw(st.sets(words, max_size=12))}, key=len)
    scores = draw(st.lists(st.integers(-20, -1), min_size=len(tokens), max_size=len(tokens)))
    scores = [score / 4 for score in scores]
    model = UnigramModel(
        (draw(st.sampled_from([None, -3.0])), *[None] * 256, *scores),
        min(scores) - 10,
        0,
        byte_fallback=draw(st.booleans()),
        arithmetic=draw(st.sampled_from(["float64", "float32"])),
        fuse_unk=draw(st.booleans()),
        user_defined=draw(st.sampled_from([(), (len(tokens) + 256,)])),
    )
    return Tokenizer(Definition(table_of_bytes([t.encode() for t in tokens]), model, draw(pipelines), UNK))


@st.composite
def word_pieces(draw):
    """Some characters have no inner form, so that words may be unknown."""
    first = sorted({*"abc", *draw(st.sets(st.text("abc", min_size=1, max_size=4), max_size=8))})
    inner = sorted(draw(st.sets(st.text("abc", min_size=1, max_size=4), max_size=10)))
    tokens = tuple(token.encode() for token in ("[UNK]", *first, *inner))
    kinds = ("special", *["normal"] * len(first), *["continuing"] * len(inner))
    model = WordPieceModel(0, max_input_chars_per_word=draw(st.sampled_from([6, 100])))
    added = (AddedToken(0, "[UNK]", ("unk",)),)
    return Tokenizer(
        Definition(TokenTable(tokens, kinds), model, Pipeline("text", (BertPreTokenizer(),)), added)
    )


def check(tokenizer, corpus, excess, docs):
    """Pruning equals its twin; a text that holds no pruned token has its old ids, mapped."""
    counts = count_pretokens(tokenizer, [corpus])
    fixed = protected_ids(tokenizer.definition, ())
    expected = prune_slow(tokenizer.definition, counts, excess, fixed)
    after, id_map, steps = prune(tokenizer, counts, tokenizer.vocab_size - len(expected))
    assert [tuple(step) for step in steps] == expected
    assert not fixed & set(id_map.removed.tolist())
    assert first_difference(tokenizer, after, id_map, [*corpus, *docs]) is None
    unk_id = tokenizer.definition.model.unk_id
    retries = unk_id if isinstance(tokenizer.definition.model, WordPieceModel) else -1
    for doc in docs:
        old, new = tokenizer.encode(doc), after.encode(doc)
        if not np.isin(old, [*id_map.removed, retries]).any():
            assert new.tolist() == id_map.apply(old).tolist()
        if unk_id not in old and unk_id is not None and isinstance(after.definition.model, UnigramModel):
            assert id_map.new_of_old[unk_id] not in new
    if steps:
        assert steps[-1].tokens == sum(len(after.encode(doc)) for doc in corpus)


@settings(max_examples=120)
@given(character_bpe(), corpora, st.integers(0, 16), corpora)
def test_pruning_bpe_of_characters(tokenizer, corpus, excess, docs):
    check(tokenizer, corpus, excess, docs)


@settings(max_examples=150)
@given(unigrams(), corpora, st.integers(0, 12), corpora)
def test_pruning_unigram(tokenizer, corpus, excess, docs):
    check(tokenizer, corpus, excess, docs)


@settings(max_examples=120)
@given(word_pieces(), corpora, st.integers(0, 12), corpora)
def test_pruning_wordpiece(tokenizer, corpus, excess, docs):
    check(tokenizer, corpus, excess, docs)


def kind(character):
    return character if character == "▁" else category(character)


def sequences_of(tokenizer, corpus):
    """Ids of each pretoken, cut at tokens that never merge and between characters that no token joins."""
    table, model = tokenizer.table, tokenizer.definition.model
    merging = [i for i, k in enumerate(table.kinds) if k == "normal" and i not in model.user_defined]
    text = {i: table.tokens[i].decode() for i in merging}
    normal = [token.decode() for token, k in zip(table.tokens, table.kinds, strict=True) if k == "normal"]
    joined = {pair for token in normal for pair in pairwise(map(kind, token))}
    encoder = make_encoder(tokenizer.definition, split=False)
    found = []
    for pretoken, count in count_pretokens(tokenizer, [corpus]).items():
        run = []
        for token_id in encode_documents(encoder, [pretoken], 1)[0].tolist():
            parted = (
                run
                and token_id in text
                and ((kind(text[run[-1]][-1]), kind(text[token_id][0])) not in joined)
            )
            if run and (parted or token_id not in text):
                found.append((run, count))
                run = []
            if token_id in text:
                run.append(token_id)
        found.append((run, count))
    return found


@settings(max_examples=60, deadline=None)
@given(character_bpe(), corpora, st.integers(1, 8), corpora)
def test_extending_bpe_of_characters_equals_the_slow_twin(tmp_path_factory, tokenizer, corpus, more, docs):
    folder = tmp_path_factory.mktemp("corpus")
    for number, text in enumerate(corpus):
        (folder / f"{number}.txt").write_bytes(text)
    goal = tokenizer.vocab_size + more
    if tokenizer.definition.model.ranks_by_product:
        try:
            train_bpe([folder], vocab_size=goal, preset="text", extend=tokenizer)
        except ConfigError as error:
            assert "ranked by pair" in str(error)
            return
    tokens = dict(enumerate(tokenizer.table.tokens))
    known = {i: tokens[i] for i, k in enumerate(tokenizer.table.kinds) if k == "normal"}
    size = tokenizer.vocab_size
    expected = learn_from_sequences_slow(sequences_of(tokenizer, corpus), known, size, goal)
    after = train_bpe([folder], vocab_size=goal, preset="text", extend=tokenizer)
    assert list(after.merges) == list(dict.fromkeys([*tokenizer.merges, *expected]))
    assert after.table.tokens[:size] == tokenizer.table.tokens
    assert after.table.kinds[:size] == tokenizer.table.kinds
    # An old token that only a new merge makes reachable counts as touched, as a new one does.
    id_map = IdMap.identity(size, after.vocab_size)
    assert first_difference(tokenizer, after, id_map, [*corpus, *docs]) is None
