"""encode, decode, offsets, batches: what they return and how they refuse."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from tokforge import AddedToken, Tokenizer, errors
from tokforge.tokenizer import Pipeline, windows


def spelled(tokenizer, ids):
    return [tokenizer.token_bytes(int(token_id)) for token_id in ids]


def test_encodes_by_merges(text):
    ids = text.encode("hello world")
    assert ids.dtype == np.uint32
    assert spelled(text, ids) == [b"hello", b" w", b"o", b"r", b"l", b"d"]


@pytest.mark.parametrize(
    "kind", [bytes, bytearray, memoryview, lambda data: memoryview(np.frombuffer(data, np.int8))]
)
def test_takes_every_kind_of_buffer(text, kind):
    assert text.encode(kind(b"hello")).tolist() == text.encode("hello").tolist()


def test_takes_a_strided_view(text):
    assert spelled(text, text.encode(memoryview(b"h.e.")[::2])) == [b"he"]


def test_empty_input(text):
    assert text.encode("").tolist() == [] == text.encode(b"").tolist()
    assert text.decode([]) == b""
    ids, offsets = text.encode_with_offsets("")
    assert (ids.dtype, offsets.dtype, len(ids), len(offsets)) == (np.uint32, np.uint64, 0, 0)
    ids, boundaries = text.encode_batch([])
    assert (ids.tolist(), boundaries.tolist()) == ([], [0])


def test_every_byte_survives(binary):
    data = bytes(range(256)) * 2
    assert binary.decode(binary.encode(data)) == data


def test_text_is_never_a_special_token_unless_allowed(text):
    assert 0 not in text.encode("a<|start|>b")
    assert text.encode("a<|start|>b", allowed_special="all").tolist()[1] == 0
    assert text.encode("<|start|><|pad|>", allowed_special={"<|pad|>"}).tolist()[-1] == 1
    assert 0 not in text.encode("<|start|><|pad|>", allowed_special={"<|pad|>"})


def test_unknown_allowed_special_names_the_known(text):
    with pytest.raises(errors.UnknownNameError, match=r"<\|pad\|>, <\|start\|>"):
        text.encode("a", allowed_special={"<|end|>"})
    with pytest.raises(errors.UnknownNameError, match="all, none"):
        text.encode("a", allowed_special="some")


def test_lone_surrogate_is_an_input_error_or_replaced(text):
    with pytest.raises(errors.InputError, match=r"character 2 is the lone surrogate U\+D800"):
        text.encode("ab\ud800")
    assert text.decode_text(text.encode("ab\ud800", errors="replace")) == "ab\ufffd"
    with pytest.raises(errors.UnknownNameError, match="ignore"):
        text.encode("a", errors="ignore")


def test_lone_surrogate_in_a_batch_names_the_document(text):
    with pytest.raises(errors.InputError, match="document 1"):
        text.encode_batch(["a", "\udfff"])


def test_other_types_are_refused(text):
    with pytest.raises(errors.ConfigError, match="not int"):
        text.encode(3)


def test_offsets_are_first_bytes(text):
    ids, offsets = text.encode_with_offsets("é<|pad|> hello", allowed_special="all")
    assert offsets.dtype == np.uint64
    assert offsets.tolist() == [0, 1, 2, 9, 10]
    assert spelled(text, ids)[2:] == [b"<|pad|>", b" ", b"hello"]


def test_batch_boundaries_with_special_tokens(text):
    docs = ["<|pad|>", "", b"hello<|start|>", "<|start|><|pad|>he<|pad|>"]
    ids, boundaries = text.encode_batch(docs, threads=2, allowed_special="all")
    parts = [ids[a:b].tolist() for a, b in pairwise(boundaries)]
    assert parts == [text.encode(doc, allowed_special="all").tolist() for doc in docs]
    assert boundaries.dtype == np.uint64


def test_batch_threads_are_checked(text):
    with pytest.raises(errors.ConfigError, match="threads is 0"):
        text.encode_batch(["a"], threads=0)


def test_decode_gives_special_tokens_as_text_or_skips_them(text):
    ids = [0, *text.encode("hello"), 1]
    assert text.decode(ids) == b"<|start|>hello<|pad|>"
    assert text.decode(np.array(ids, np.int64), skip_special_tokens=True) == b"hello"


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([5, -1], "id -1 at position 1"),
        ([9999], "id 9999 at position 0 is no token; ids run from 0 to 263"),
        ([1.5], "float64"),
        ([[1, 2]], "shape"),
        (["a"], "type"),
        ([2**70], "type|integers"),
        ([True], "bool"),
        ([[1], [1, 2]], "flat sequence"),
    ],
)
def test_ids_out_of_range_are_typed(text, ids, message):
    with pytest.raises(errors.TokenIdError, match=message):
        text.decode(ids)


def test_unused_ids_have_no_bytes(make):
    base = make()
    holed = Tokenizer.from_parts(
        [*base.table.ordinary(), None], base.merges, pipeline=base.pipeline, added_tokens=base.added_tokens
    )
    with pytest.raises(errors.TokenIdError, match="unused"):
        holed.decode([holed.vocab_size - 1])
    with pytest.raises(errors.TokenIdError, match="unused"):
        holed.token_bytes(holed.vocab_size - 1)
    with pytest.raises(errors.TokenIdError, match="no id"):
        holed.token_bytes(holed.vocab_size)


def test_decode_text_replaces_or_refuses(text):
    ids = text.encode(b"a\xff")
    assert text.decode_text(ids) == "a\ufffd"
    with pytest.raises(errors.InputError, match="byte 1"):
        text.decode_text(ids, "strict")


def test_lookups(text):
    assert text.token_bytes(text.id_of(b"hello")) == b"hello"
    assert text.id_of(b"nothing") is None
    assert text.id_of(b"<|pad|>") is None
    assert text.role("pad").text == "<|pad|>"
    assert text.role("bos") == text.role("eos")
    assert text.role("mask") is None
    assert [token.text for token in text.special_tokens] == ["<|start|>", "<|pad|>"]


def test_provenance_is_a_copy(text):
    text.provenance["order"] = "changed"
    assert text.provenance["order"] == "hf"


def test_is_frozen_and_comparable(text, make):
    with pytest.raises(AttributeError):
        text.definition = None
    assert make() == make()
    assert hash(make()) == hash(make())
    assert make() != text  # provenance differs
    assert make().fingerprint == text.fingerprint


def test_pickles_after_use(text):
    text.encode("warm up")
    again = pickle.loads(pickle.dumps(text))
    assert again == text
    assert again.encode("hello").tolist() == text.encode("hello").tolist()


def test_threads_share_one_tokenizer(text):
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: text.encode("hello hello").tolist(), range(50)))
    assert all(result == results[0] for result in results)


def test_offsets_are_refused_where_normalisation_moves_bytes(make):
    nfc = make(pipeline=Pipeline("text", ("gpt2",), ("NFC",)))
    assert nfc.encode_with_offsets("abc")[1].tolist() == [0, 1, 2]
    with pytest.raises(errors.ConfigError, match="NFC changes"):  # encode_spans takes it
        nfc.encode_with_offsets("e\u0301")
    assert nfc.decode_text(nfc.encode("e\u0301")) == "\u00e9"


def test_added_tokens_that_are_not_special_always_match(make):
    base = make()
    ours = Tokenizer.from_parts(
        [*base.table.ordinary(), None],
        base.merges,
        pipeline=base.pipeline,
        added_tokens=[*base.added_tokens, AddedToken(base.vocab_size, "<tool>", special=False)],
    )
    assert ours.encode("a<tool>").tolist()[-1] == base.vocab_size
    assert ours.decode(ours.encode("<tool>"), skip_special_tokens=True) == b"<tool>"
    assert ours.special_tokens == base.special_tokens


@pytest.mark.parametrize(
    ("count", "window", "stride", "expected"),
    [
        (0, 4, 2, []),
        (3, 4, 2, [(0, 3)]),
        (4, 4, 4, [(0, 4)]),
        (5, 4, 4, [(0, 4), (4, 5)]),
        (10, 4, 3, [(0, 4), (3, 7), (6, 10)]),
        (11, 4, 3, [(0, 4), (3, 7), (6, 10), (9, 11)]),
        (3, 1, 1, [(0, 1), (1, 2), (2, 3)]),
    ],
)
def test_windows(count, window, stride, expected):
    assert windows(range(count), window, stride) == expected


@pytest.mark.parametrize(("window", "stride"), [(4, 0), (4, 5), (0, 0), (4, -1)])
def test_windows_that_would_lose_ids_are_refused(window, stride):
    with pytest.raises(errors.ConfigError, match="stride"):
        windows(range(9), window, stride)
