"""Small tokenizers to test with."""

import pytest

from tokforge import AddedToken, Tokenizer
from tokforge.tokenizer import Pipeline, initial_bytes

MERGED = (b"he", b"ll", b"hell", b"hello", b" w", b"\xff\xff")


def make(
    merged=MERGED, pipeline=None, specials=("<|start|>", "<|pad|>"), roles=(("bos", "eos"), ("pad",)), **more
):
    """A tokenizer with the specials, the bytes, and each of ``merged`` made of two earlier tokens."""
    tokens = [*[None] * len(specials), *initial_bytes()]
    merges = []
    for token in merged:
        cut = next(at for at in range(len(token) - 1, 0, -1) if token[:at] in tokens and token[at:] in tokens)
        merges.append((tokens.index(token[:cut]), tokens.index(token[cut:]), len(tokens)))
        tokens.append(token)
    added = [AddedToken(i, text, roles[i] if i < len(roles) else ()) for i, text in enumerate(specials)]
    return Tokenizer.from_parts(
        tokens, merges, pipeline=pipeline or Pipeline("text", ("gpt2",)), added_tokens=added, **more
    )


@pytest.fixture(name="make")
def make_fixture():
    return make


@pytest.fixture
def text():
    provenance = {
        "tool_version": "1",
        "order": "hf",
        "source_shares": {"a": 0.25, "b": 0.75},
        "options": {"x": [1]},
    }
    return make(provenance=provenance)


@pytest.fixture
def binary():
    return make(pipeline=Pipeline("binary"))
