"""SentencePiece's BPE: characters are built first, and pairs no trainer could make do not compete."""

import io

import numpy as np
import pytest

from tokforge.mixture import infer_mixture
from tokforge.mixture.characters import character_merges
from tokforge.mixture.merge_list import merge_list
from tokforge.tokenizer import Tokenizer

TRUTH = {"north": 0.6, "south": 0.3, "east": 0.1}
TOKENS = [*(bytes((byte,)) for byte in range(256)), "▁".encode(), b"a", "é".encode(), "▁a".encode(),
          "aé".encode(), b"1", "▁▁".encode(), "é1".encode()]  # fmt: skip


def test_characters_are_built_of_bytes_and_runs_of_spaces_left_out():
    merges = [(256, 257, 259), (257, 258, 260), (256, 256, 262)]
    found = character_merges(merges, TOKENS, range(256))
    assert found.merges[found.built :] == ((256, 257, 259), (257, 258, 260))
    (build,) = found.merges[: found.built]
    assert build[2] == 258
    assert [found.tokens[one] for one in build] == [b"\xc3", b"\xa9", "é".encode()]
    assert found.byte_ids[ord(" ")] == 256
    assert found.byte_ids[ord("a")] == 257
    assert all(
        found.tokens[left] + found.tokens[right] == found.tokens[made] for left, right, made in found.merges
    )


def test_pairs_across_boundaries_that_no_token_crosses_are_barred():
    found = character_merges([(256, 257, 259), (257, 258, 260)], TOKENS, range(256))
    stray = found.byte_ids[0xFF]
    pairs = [(257, 258), (258, 257), (257, 256), (257, 261), (257, stray), (259, 258)]
    assert found.barred(np.array(pairs, np.uint32)).tolist() == [False, False, True, True, True, True]


@pytest.fixture(scope="module")
def sentencepiece_model(world, tmp_path_factory):
    sentencepiece = pytest.importorskip("sentencepiece")
    _, references = world
    rest = references.parent / "train"
    smallest = min(sum(len(f.read_text()) for f in (rest / name).iterdir()) for name in TRUTH)
    lines = []
    for name, share in TRUTH.items():
        text = "".join(f.read_text() for f in sorted((rest / name).iterdir()))
        # Shares are of bytes, and one of the alphabets takes two for a letter.
        lines += text.encode()[: int(smallest * share)].decode(errors="ignore").splitlines()
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe", vocab_size=700,
        byte_fallback=True, minloglevel=2, normalization_rule_name="identity", num_threads=1,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("sp") / "sp.model"
    path.write_bytes(model.getvalue())
    return path


def test_sentencepiece_is_read(sentencepiece_model, world):
    _, references = world
    tokenizer = Tokenizer.load(sentencepiece_model)
    assert merge_list(tokenizer, 50).built > 0
    result = infer_mixture(tokenizer, references, merges=300, shards=10, resamples=5, threads=1)
    found = dict(zip(result.names, result.shares["bytes"], strict=True))
    assert all(abs(found[name] - share) < 0.04 for name, share in TRUTH.items())
    assert result.solution.optimal
    assert result.fit["missing_merges"] == 0
