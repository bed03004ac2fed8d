"""Small tokenizers and texts to measure."""

import pytest

from tokforge import Tokenizer
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.tokenizer import Pipeline, initial_bytes

WORDS = Pipeline("text", ("gpt2",))


def trained(*merged, pipeline=WORDS, **more):
    """A tokenizer with the bytes, and each of ``merged`` made of two earlier tokens."""
    tokens, merges = list(initial_bytes()), []
    for token in merged:
        cut = next(at for at in range(len(token) - 1, 0, -1) if token[:at] in tokens and token[at:] in tokens)
        merges.append((tokens.index(token[:cut]), tokens.index(token[cut:]), len(tokens)))
        tokens.append(token)
    return Tokenizer.from_parts(tokens, merges, pipeline=pipeline, **more)


@pytest.fixture(name="trained", scope="session")
def trained_fixture():
    return trained


@pytest.fixture
def vocabulary():
    """Cuts ``the`` whole, ``then`` into ``the`` and ``n``."""
    return Vocabulary("t", trained(b"th", b"the", b" the"))
