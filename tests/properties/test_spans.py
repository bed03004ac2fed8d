"""Spans of tokens of models and pipelines that rewrite text: Hugging Face's offsets are the oracle."""

import base64
import json
import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_pipelines import MODELS, NORMALIZERS, SENTENCEPIECE, STAGES, loaded, sentencepiece_model
from tokenizers import Tokenizer as HuggingFace
from tokenizers import models

from tokforge import Tokenizer, errors
from tokforge.encoding import EncodeConfig, encode_files
from tokforge.tokenizer.formats.sentencepiece_proto import read_proto

LETTERS = "abehils tTE\u00e9\u0301\u0323\u212b\ufb01\u00bd\u2122\u0130\u6f22\u2581\n\u3000\u200b#."
PROBES = (
    "Hello  world, it's na\u00efve caf\u00e9!  ",
    "\tdef f(x):\n    return x+1  # ok\n\n",
    "\u65e5\u672c\u8a9e \u6f22\u5b57 and \u4e2d\u6587\U0001f600\U0001f600 x",
    "e\u0301a\u0323\u0301 \uff26\uff55\uff4c\uff4c \ufb01ne \u00bd \u2122 \u01c5 \u0130stanbul \u0391\u03a3",
    "a<unk>b </s> <s>x [MASK] [CLS]",
    "",
    "  ",
    "\u00a0x\u200bz\u0000 \ufeffq",
    "\ud55c\uad6d\uc5b4 \u1100\u1161\u11a8",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u0928\u094d\u0926\u0940",
)


def agree(ours, theirs, text):
    ids, spans = ours.encode_spans(text, unit="characters", allowed_special="all")
    expected = theirs.encode(text, add_special_tokens=False)
    assert ids.tolist() == expected.ids == ours.encode(text, allowed_special="all").tolist()
    assert [tuple(span) for span in spans.tolist()] == expected.offsets
    _, in_bytes = ours.encode_spans(text, allowed_special="all")
    sizes = [(len(text[:a].encode()), len(text[:b].encode())) for a, b in expected.offsets]
    assert [tuple(span) for span in in_bytes.tolist()] == sizes


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=40)
@given(
    text=st.text(LETTERS, max_size=20) | st.text(max_size=8),
    normalizer=st.sampled_from([*NORMALIZERS]),
    stage=st.sampled_from([*STAGES]),
)
@example(text="e\u0301 a\u0323\u0301\u00bd<s> tte", normalizer="NFKC", stage="metaspace")
@example(text=" \u0301ab", normalizer="strip", stage="first")
@example(text="\u0301 ab", normalizer="bert", stage="first")
@example(text="ab ab", normalizer="replace", stage="first")
@example(text="\u00bda b", normalizer="NFKD", stage="first cut")
@example(text=" \u0301ab  ab\u6f22", normalizer="bert", stage="bert")
def test_spans_of_small_tokenizers_are_hugging_faces(tmp_path_factory, model, text, normalizer, stage):
    ours, theirs = loaded(tmp_path_factory.mktemp("spans"), model, normalizer, stage)
    agree(ours, theirs, text)


def test_lost_characters_lie_between_tokens(tmp_path):
    HuggingFace(models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")])).save(str(tmp_path / "tokenizer.json"))
    ids, spans = Tokenizer.load(tmp_path / "tokenizer.json").encode_spans("xa\u00e9ab", unit="characters")
    assert ids.tolist() == [0, 2]
    assert spans.tolist() == [[1, 2], [3, 5]]  # Hugging Face says 0-1 and 1-3


def test_sentencepieces_charsmap(tmp_path):
    trainer = pytest.importorskip("sentencepiece", reason="sentencepiece is not installed")
    corpus, prefix = tmp_path / "corpus", tmp_path / "made"
    corpus.write_text("this is a bet\n" * 50)
    trainer.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(prefix), vocab_size=16, minloglevel=2, hard_vocab_limit=False
    )
    proto = read_proto((tmp_path / "made.model").read_bytes(), "made.model")
    encoded = base64.b64encode(proto.normalizer.precompiled_charsmap).decode()
    content = json.loads(HuggingFace(MODELS["unigram"]).to_str())
    content["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": encoded}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    ours = Tokenizer.load(tmp_path / "tokenizer.json")
    for text in PROBES:
        agree(ours, HuggingFace.from_str(json.dumps(content)), text)


@pytest.fixture(scope="module", params=SENTENCEPIECE)
def processor(request, tmp_path_factory):
    """sentencepiece's own processor, and the same model read here."""
    library = pytest.importorskip("sentencepiece", reason="sentencepiece is not installed")
    path = sentencepiece_model(tmp_path_factory.mktemp("pieces"), request.param)
    return library.SentencePieceProcessor(model_file=path), Tokenizer.load(path)


@settings(max_examples=60)
@given(text=st.text(LETTERS, max_size=20) | st.text(max_size=8))
@example(text="  a\u3000\u3000b  \ufb01ne e\u0301 \u00bd  ")
@example(text="\u6f22\u5b57 tte a b")
def test_spans_of_sentencepiece_models_are_its_own(processor, text):
    theirs, ours = processor
    ids, spans = ours.encode_spans(text, unit="characters")
    expected = theirs.encode(text, return_type="offset_mapping")
    assert ids.tolist() == expected["ids"] == ours.encode(text).tolist()
    wanted = expected["offsets"]
    for at in range(len(wanted) - 2, -1, -1):
        # Of a character's byte tokens it gives the last one all of it, the others nothing: here each has all.
        following = expected["pieces"][at + 1]
        if following.startswith("<0x") and 0x80 <= int(following[3:5], 16) < 0xC0:
            wanted[at] = (wanted[at][0], wanted[at + 1][1])
    assert [tuple(span) for span in spans.tolist()] == wanted


def test_files_whose_text_is_rewritten_have_offsets(tmp_path):
    ours, _ = loaded(tmp_path, "byte fallback", "NFKC", "metaspace")
    text = "\ufb01ab  \u00bdb a<s>"
    (tmp_path / "text").write_text(text)
    found = encode_files(
        ours, [tmp_path / "text"], EncodeConfig(offsets=True, characters=True, special="all")
    )
    for unit, column in (("bytes", found.offsets), ("characters", found.characters[:, 0])):
        ids, spans = ours.encode_spans(text, unit=unit, allowed_special="all")
        assert found.ids.tolist() == ids.tolist()
        assert column.tolist() == spans[:, 0].tolist()
    assert found.characters.tolist() == spans.tolist()


def test_what_is_no_text_is_refused(tmp_path):
    ours, _ = loaded(tmp_path, "word piece", "bert", "bert")
    with pytest.raises(errors.InputError, match="byte 1 is not UTF-8"):
        ours.encode_spans(b"a\xff")
    with pytest.raises(errors.ConfigError, match="encode_spans"):
        ours.encode_with_offsets("a")


@pytest.mark.oracle
def test_spans_of_real_tokenizers_are_hugging_faces():
    folder = os.environ.get("TOKFORGE_TOKENIZERS")
    if not folder:
        pytest.skip("TOKFORGE_TOKENIZERS names no folder of tokenizer.json files")
    files = sorted(Path(folder).rglob("tokenizer.json"))
    assert files
    for path in files:
        content = json.loads(path.read_text())
        content |= {"post_processor": None, "truncation": None, "padding": None}
        theirs = HuggingFace.from_str(json.dumps(content))
        for text in PROBES:
            agree(Tokenizer.load(path), theirs, text)
