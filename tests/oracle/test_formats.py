"""Ids of files that other libraries wrote, and of files written for them, equal theirs on the probe set."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import sentencepiece
import small_files as small

from tokforge import ExportError, Tokenizer, convert, train_bpe
from tokforge.tokenizer.conversion.libraries import library_of
from tokforge.tokenizer.conversion.probes import conversion_probes
from tokforge.tokenizer.edit import prune
from tokforge.tokenizer.edit.pretokens import count_pretokens
from tokforge.tokenizer.files import read_tokenizer
from tokforge.tokenizer.formats.reading import SourceFile
from tokforge.tokenizer.formats.sentencepiece import read_sentencepiece
from tokforge.tokenizer.formats.sentencepiece_proto import (
    Normalizer,
    Piece,
    SentencepieceProto,
    Trainer,
    read_proto,
    write_proto,
)

pytestmark = pytest.mark.oracle

TEXT = [
    "The quick brown fox doesn't jump over 12345 lazy dogs; it'll sleep.",
    "naïve Füße École «ça» русский текст 中文文本混合English 日本語 हिन्दी",
    "def f(x):\n    return {'a': [x**2, -1]}  # comment",
    "aaaa aaaaa ---- ----- ==== ....... \u3000 wide",
] * 20


def trained(folder, **options):
    """A model of sentencepiece's own trainer."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT), model_writer=written, minloglevel=2, hard_vocab_limit=False, **options
    )
    path = folder / "m.model"
    path.write_bytes(written.getvalue())
    return path


BPE = {"model_type": "bpe", "vocab_size": 520, "character_coverage": 1.0}
MODELS = {
    "llama": BPE
    | {"byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False},
    "bpe": BPE | {"vocab_size": 300},
    "no-prefix": BPE | {"vocab_size": 300, "add_dummy_prefix": False, "remove_extra_whitespaces": False},
    "symbols": BPE
    | {"byte_fallback": True, "user_defined_symbols": ["fox", "  ", "<sep>"], "control_symbols": ["<ctl>"]},
    "suffix": BPE | {"vocab_size": 300, "treat_whitespace_as_suffix": True},
    "folded": BPE | {"vocab_size": 300, "normalization_rule_name": "nmt_nfkc_cf"},
    "unigram": {"model_type": "unigram", "vocab_size": 200},
    "unigram-bytes": {"model_type": "unigram", "vocab_size": 420, "byte_fallback": True},
}


@pytest.fixture(params=MODELS)
def model(request, tmp_path):
    return trained(tmp_path, **MODELS[request.param])


def assert_equal(path, tokenizer, name):
    library = library_of(name, {"": path}, tokenizer)
    probes = conversion_probes(tokenizer)
    for probe, theirs in zip(probes, library.encode(probes), strict=True):
        assert tokenizer.encode(probe).tolist() == list(theirs), probe


def test_a_sentencepiece_model_is_read_as_the_library_reads_it(model):
    assert_equal(model, Tokenizer.load(model), "sentencepiece")


def test_a_sentencepiece_model_is_written_back_equal(model, tmp_path):
    result = convert(model, tmp_path / "again.model", to="sentencepiece")
    assert [one.differing for one in result.comparisons] == [0, 0, 0]
    assert Tokenizer.load(tmp_path / "again.model").table == Tokenizer.load(model).table


def test_a_pruned_model_has_sentencepieces_ids(model, tmp_path):
    before = Tokenizer.load(model)
    texts = count_pretokens(before, [[text.encode() for text in TEXT[:2]]])
    after, id_map, _ = prune(before, texts, before.vocab_size - 10)
    result = convert(after.save(tmp_path / "pruned.json"), tmp_path / "pruned.model", to="sentencepiece")
    assert all(one.differing == 0 for one in result.comparisons)
    assert_equal(tmp_path / "pruned.model", after, "sentencepiece")
    gone = {*id_map.removed.tolist()}
    for text in conversion_probes(before):
        old = before.encode(text)
        if not {*old.tolist()} & gone:
            assert after.encode(text).tolist() == id_map.apply(old).tolist()


def test_llamas_kind_of_model_becomes_a_tokenizer_json_and_comes_back(tmp_path):
    model = trained(tmp_path, **MODELS["llama"])
    result = convert(model, tmp_path / "tokenizer.json", to="hf")
    assert result.comparisons[0].left.startswith("sentencepiece")
    assert all(one.differing == 0 for one in result.comparisons)
    back = convert(tmp_path / "tokenizer.json", tmp_path / "back.model", to="sentencepiece")
    assert all(one.differing == 0 for one in back.comparisons)


def test_llamas_kind_of_model_is_extended_and_comes_back_or_is_refused(tmp_path):
    """Sentencepiece merges whatever joins to a token: a new token of three parts joins in ways never learned."""
    model = trained(tmp_path, **MODELS["llama"])
    convert(model, tmp_path / "tokenizer.json", to="hf")
    old = Tokenizer.load(tmp_path / "tokenizer.json")
    (tmp_path / "new.txt").write_text("zyxw foxes, zyxwvut, jumping dogs and été été. " * 9)

    def extended(more):
        size = old.vocab_size + more
        after = train_bpe([tmp_path / "new.txt"], vocab_size=size, preset="text", extend=old)
        after.save(tmp_path / f"{more}.json")
        result = convert(tmp_path / f"{more}.json", tmp_path / f"{more}.model", to="sentencepiece")
        assert all(one.differing == 0 for one in result.comparisons)
        return after

    new = extended(1).token_bytes(old.vocab_size).decode()
    pieces = read_proto((tmp_path / "1.model").read_bytes(), "1.model").pieces
    score = next(piece.score for piece in pieces if piece.text == new)
    assert score < min(piece.score for piece in pieces if piece.text != new)
    with pytest.raises(ExportError, match="its merges list pairs"):
        extended(12)


@pytest.mark.parametrize("to", ["hf", "vocab-merges", "tiktoken", "tokforge"])
def test_ranks_become_every_byte_level_format_and_come_back(to, tmp_path):
    (tmp_path / "in.tiktoken").write_bytes(small.ranks())
    there = convert(tmp_path / "in.tiktoken", tmp_path / "out", to=to, pretokenizer="gpt2")
    assert all(one.differing == 0 for one in there.comparisons)
    back = {"pretokenizer": "gpt2"} if to == "tiktoken" else {}
    convert(tmp_path / "out", tmp_path / "back.tiktoken", to="tiktoken", **back)
    assert (tmp_path / "back.tiktoken").read_bytes() == small.ranks()


def test_tekken_equals_mistrals_own_reader(tmp_path):
    (tmp_path / "tekken.json").write_bytes(small.tekken())
    result = convert(tmp_path / "tekken.json", tmp_path / "again.json", to="tekken")
    assert result.comparisons[0].left.startswith("mistral-common")
    assert json.loads((tmp_path / "again.json").read_bytes())["vocab"][300 - 40]["rank"] == 260


def test_renumbered_for_tekken_the_ids_follow_the_map(tmp_path):
    (tmp_path / "in.tiktoken").write_bytes(small.ranks())
    options = {"pretokenizer": "llama3", "special_tokens": ("<unk>", "<s>", "</s>")}
    result = convert(tmp_path / "in.tiktoken", tmp_path / "t.json", to="tekken", allow_lossy=True, **options)
    assert result.id_map is not None and "ids change" in result.findings[-1].message + str(result.findings)
    before = Tokenizer.load(tmp_path / "in.tiktoken", **options)
    after = Tokenizer.load(tmp_path / "t.json")
    ids = before.encode("hello world 12中")
    assert result.id_map[ids].tolist() == after.encode("hello world 12中").tolist()


# -- real files, where their packages are installed ------------------------------------------------------

REAL = (
    "pkg:mistral_common/data/tokenizer.model.v1",
    "pkg:mistral_common/data/mistral_instruct_tokenizer_240323.model.v3",
    "pkg:mistral_common/data/mistral_instruct_tokenizer_241114.model.v7",
    "pkg:mistral_common/data/tekken_240718.json",
    "pkg:litellm/litellm_core_utils/tokenizers/9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "pkg:litellm/litellm_core_utils/tokenizers/fb374d419588a4632f3f557e76b4b70aebbca790",
    "pkg:seqio/test_data/sentencepiece/sentencepiece.model",
)


@pytest.mark.nightly
@pytest.mark.parametrize("name", REAL)
def test_a_real_file_is_read_as_its_own_library_reads_it(name):
    package = name.removeprefix("pkg:").split("/")[0]
    found = subprocess.run(
        [sys.executable, "-c", f"import importlib.util as u; print(bool(u.find_spec({package!r})))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    if found.stdout.strip() != "True":
        pytest.skip(f"{package} is not installed")
    loaded = read_tokenizer(name)
    assert_equal(Path(loaded.path), loaded.tokenizer, loaded.format)


def test_unigram_scores_user_defined_pieces_as_sentencepiece_does():
    """Each user-defined piece against a longer one about as good; ties fall by float32 sums of its score."""
    for own in (",", "a,", "a,b", "é", "日本"):
        for longer in (-5.0, -4.95, -4.9, -4.85, -4.8, -4.55, -4.5, -4.45):
            pieces = [
                Piece("<unk>", 0.0, 2),
                Piece(own, 0.0, 4),
                Piece(f"{own}c", longer, 1),
                Piece("c", -5.0, 1),
            ]
            plain = Normalizer(name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False)
            data = write_proto(SentencepieceProto(pieces=tuple(pieces), trainer=Trainer(), normalizer=plain))
            found = read_sentencepiece(SourceFile("m.model", "m.model", data)).definition
            expected = sentencepiece.SentencePieceProcessor(model_proto=data).encode(f"{own}c" * 3)
            assert Tokenizer(found).encode(f"{own}c" * 3).tolist() == expected, (own, longer)


def test_long_sums_of_unigram_are_counted_from_zero_again_as_in_sentencepiece():
    """Runs of spaces whose scores tie nearly: the cut depends on how a sum far below -100,000 is rounded."""
    pieces = [
        Piece("<unk>", 0.0, 2),
        Piece("▁", -7.013, 1),
        Piece("▁▁", -14.026, 1),
        Piece("▁▁▁", -21.0391, 1),
    ]
    pieces += [Piece(char, -9.37 - number / 7, 1) for number, char in enumerate("abc")]
    plain = Normalizer(name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False)
    data = write_proto(SentencepieceProto(pieces=tuple(pieces), trainer=Trainer(), normalizer=plain))
    found = read_sentencepiece(SourceFile("m.model", "m.model", data)).definition
    text = "".join("abc"[i * i % 3] + " " * (i * 7 % 6) for i in range(12_000))
    expected = sentencepiece.SentencePieceProcessor(model_proto=data).encode(text)
    assert Tokenizer(found).encode(text).tolist() == expected
