"""Merging by product and by pair give the same ids wherever `by_pair` or `ranks_of` says that they do."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokforge import AddedToken, Tokenizer
from tokforge.errors import ExportError
from tokforge.tokenizer import initial_bytes
from tokforge.tokenizer.formats.ranks import by_pair, ranked_definition, ranks_of
from tokforge.tokenizer.formats.reading import SourceFile
from tokforge.tokenizer.formats.sentencepiece import read_sentencepiece, write_sentencepiece
from tokforge.tokenizer.model import BpeModel, Definition, Pipeline, product_merges, products, table_of

BYTES = initial_bytes()
# Two letters: overlaps of a product with itself (`aaa` + `a`) are the hard case, and wide alphabets hide it.
WORDS = st.lists(st.text("ab", min_size=2, max_size=6), max_size=8, unique=True)
TEXTS = st.lists(st.text("abc", max_size=14), min_size=1, max_size=6)


def merged_by_product(text, ranks):
    """The definition, word for word: of all neighbours that join to a token, the lowest-ranked, leftmost."""
    parts = [bytes((byte,)) for byte in text]
    while True:
        joined = [(ranks[a + b], at) for at, (a, b) in enumerate(zip(parts, parts[1:])) if a + b in ranks]  # noqa: B905, RUF007
        if not joined:
            return parts
        _, at = min(joined)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def byte_level(words):
    return ranked_definition([*BYTES, *(word.encode() for word in words)], (), (), "x")


@given(WORDS, TEXTS)
def test_a_byte_level_model_of_products_equals_its_definition_and_its_pairs(words, texts):
    definition = byte_level(words)
    ranks = {word.encode(): 256 + i for i, word in enumerate(words)}
    whole = set(ranks)
    direct = Tokenizer(definition)
    try:
        paired = Tokenizer(by_pair(definition))
    except ExportError:
        paired = None  # an overlap that no order of pairs resolves: named, not wrong
    for text in texts:
        data = text.encode()
        expected = [data] if data in whole else merged_by_product(data, ranks)
        ids = [(BYTES.index(part) if len(part) == 1 else ranks[part]) for part in expected]
        assert direct.encode(data).tolist() == ids
        if paired is not None:
            assert paired.encode(data).tolist() == ids


@given(WORDS, TEXTS)
def test_what_may_be_written_as_ranks_is_read_back_with_equal_ids(words, texts):
    """From pairs: one merge a token, at its last byte, as no trainer would make them."""
    tokens = [*BYTES, *(word.encode() for word in words)]
    ids = {token: i for i, token in enumerate(tokens)}
    merges = [
        (ids[token[:-1]], ids[token[-1:]], ids[token])
        for token in tokens[256:]
        if token[:-1] in ids and ids[token[:-1]] < ids[token]
    ]
    tokenizer = Tokenizer(Definition(table_of(tokens, ()), BpeModel(tuple(merges)), Pipeline("text")))
    try:
        ranks = ranks_of(tokenizer.definition)
    except ExportError:
        return
    again = Tokenizer(
        ranked_definition([token for token, _ in sorted(ranks, key=lambda one: one[1])], (), (), "x")
    )
    for text in texts:
        assert again.encode(text).tolist() == tokenizer.encode(text).tolist()


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.text("ab", min_size=2, max_size=5), st.integers(0, 3)),
        max_size=7,
        unique_by=lambda one: one[0],
    ),
    TEXTS,
)
def test_a_model_of_characters_keeps_its_ties(scored, texts):
    tokens = [b"a", b"b", b"c", *(word.encode() for word, _ in scored)]
    merges, ranks = product_merges(tokens, [(rank, 3 + i) for i, (_, rank) in enumerate(scored)])
    unknown = len(tokens)
    model = BpeModel(merges, ranks=ranks, atoms="characters", unk_id=unknown)
    added = (AddedToken(unknown, "<unk>", ("unk",)),)
    table = table_of([*tokens, None], added, ["normal"] * (unknown + 1))
    direct = Tokenizer(Definition(table, model, Pipeline("text"), added))
    by_rank = {word.encode(): rank for word, rank in scored}
    written = read_sentencepiece(SourceFile("m", "m", write_sentencepiece(direct.definition))).definition
    again = Tokenizer(replace(written, pipeline=Pipeline("text")))
    try:
        paired = Tokenizer(by_pair(direct.definition))
    except ExportError:
        paired = None
    for text in texts:
        expected = [tokens.index(part) for part in merged_by_product(text.encode(), by_rank)]
        assert direct.encode(text).tolist() == expected
        assert again.encode(text).tolist() == expected
        if paired is not None:
            assert paired.encode(text).tolist() == expected


def slow_products(tokens, scored):
    """Every split of every token."""
    ids = {token: at for at, token in enumerate(tokens)}
    for _, at in sorted(scored):
        token = tokens[at]
        for cut in range(1, len(token)):
            if token[:cut] in ids and token[cut:] in ids:
                yield ids[token[:cut]], ids[token[cut:]], at


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("ab", min_size=1, max_size=9).map(str.encode), unique=True), st.integers(1, 9))
def test_long_tokens_have_the_splits_of_short_ones(monkeypatch, tokens, short):
    monkeypatch.setattr(products, "SHORT", short)
    scored = [(at, at) for at in range(len(tokens))]
    assert list(product_merges(tokens, scored)[0]) == list(slow_products(tokens, scored))
