"""Small tokenizers and texts to measure."""

import json

import pytest

from tokforge import Tokenizer
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.tokenizer import Pipeline, initial_bytes
from tokforge.tokenizer.normalizers import Replace

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


@pytest.fixture
def marked():
    """Spells a space as U+2581, as Gemma does: the tokens U+2581, U+2581 and t."""
    mark, decoders = "\u2581".encode(), (Replace("\u2581", " "),)
    pipeline = Pipeline("text", normalizers=(Replace(" ", "\u2581"),), decoders=decoders)
    return trained(mark[:2], mark, mark + b"t", pipeline=pipeline)


@pytest.fixture
def word_piece(tmp_path):
    """A vocabulary as BERT's: pieces inside words, one token for what is unknown, no spaces, lower case."""
    vocab = {token: i for i, token in enumerate(["[UNK]", "play", "##ing", "a", "##s"])}
    model = {"type": "WordPiece", "vocab": vocab, "unk_token": "[UNK]", "continuing_subword_prefix": "##"}
    unknown = {"id": 0, "content": "[UNK]", "special": True}
    unknown |= dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    normalizer = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True}
    document = {
        "version": "1.0",
        "added_tokens": [unknown],
        "normalizer": normalizer | {"strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": model | {"max_input_chars_per_word": 100},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(document))
    return Tokenizer.load(tmp_path / "tokenizer.json")
