"""inspect_tokenizer: its counts, and that its dictionary is JSON."""

import json

import pytest

from tokforge import Tokenizer
from tokforge.metrics import inspect_tokenizer
from tokforge.metrics.inspect import content_of


def test_counts(text):
    found = inspect_tokenizer(text)
    assert (found.kind, found.vocab_size, found.merges) == ("text", 264, 6)
    assert found.kinds == {"byte": 256, "normal": 6, "special": 2}
    assert found.token_bytes == {1: 256, 2: 4, 4: 1, 5: 1}
    assert found.mean_token_bytes == pytest.approx((256 + 8 + 9) / 262)
    assert [token.text for token in found.longest[:2]] == ["hello", "hell"]
    assert [(token.text, token.roles) for token in found.added_tokens] == [
        ("<|start|>", ("bos", "eos")),
        ("<|pad|>", ("pad",)),
    ]
    assert sum(found.content_shares.values()) == pytest.approx(1)
    assert (found.pretokenizers, len(found.patterns)) == (("gpt2",), 1)
    assert found.provenance == text.provenance


def test_merges_are_shown_by_rank(text):
    found = inspect_tokenizer(text, listed=2)
    assert [(merge.rank, merge.merged) for merge in found.first_merges] == [(0, "he"), (1, "ll")]
    assert [(merge.rank, merge.merged) for merge in found.last_merges] == [(4, "␣w"), (5, r"\xff\xff")]
    assert len(found.longest) == 2
    assert inspect_tokenizer(text, listed=0).last_merges == ()


def test_unreachable_tokens_are_found(make):
    base = make(merged=(b"he", b"el"))
    assert inspect_tokenizer(base).unreachable == ()
    # "h" + "el" comes too late: in "hel", the first merge has taken the "e".
    dead = Tokenizer.from_parts(
        [*base.table.ordinary(), b"hel"],
        [*base.merges, (base.id_of(b"h"), base.id_of(b"el"), base.vocab_size)],
        pipeline=base.pipeline,
        added_tokens=base.added_tokens,
    )
    assert [token.text for token in inspect_tokenizer(dead).unreachable] == ["hel"]


def test_a_tokenizer_of_bytes_alone(make):
    found = inspect_tokenizer(make(merged=(), specials=()))
    assert (found.merges, found.first_merges, found.unreachable, found.added_tokens) == (0, (), (), ())


def test_as_dict_is_json(text):
    fields = json.loads(json.dumps(inspect_tokenizer(text).as_dict()))
    assert fields["token_bytes"]["5"] == 1
    assert fields["added_tokens"][1] == {"id": 1, "text": "<|pad|>", "bytes": 7, "roles": ["pad"]}


@pytest.mark.parametrize(
    ("token", "content"),
    [
        (b" \n\t", "whitespace"),
        ("\u3000".encode(), "whitespace"),
        (b"123", "digits"),
        ("٣".encode(), "digits"),
        (b" the", "ascii"),
        (b"x\r\n", "ascii"),
        ("né".encode(), "utf8"),
        (b"\xe4\xb8", "partial_utf8"),
        (b"\xad\xe4\xb8\xad", "partial_utf8"),
        (b"a\xc3", "partial_utf8"),
        (b"\x80\x80\x80", "partial_utf8"),
        (b"\x80\x80\x80\x80", "binary"),
        (b"\x00", "binary"),
        (b"a\x00", "binary"),
        (b"\xff", "binary"),
        (b"\xc0", "binary"),
        ("\x85a".encode(), "binary"),
    ],
)
def test_content_classes(token, content):
    assert content_of(token) == content
