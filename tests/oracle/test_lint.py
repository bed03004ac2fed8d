"""What the pages of the rules say that other libraries do, shown in those libraries."""

import json
import logging

import pytest
from lint_files import BYTES, CHARACTERS, added, byte_level, sequence, split, tokenizer

import tokforge
from tokforge.tokenizer.pretokenizers import PATTERNS

pytestmark = pytest.mark.oracle
tokenizers = pytest.importorskip("tokenizers")


def load(root):
    return tokenizers.Tokenizer.from_str(json.dumps(root))


def ids(root, text):
    return load(root).encode(text, add_special_tokens=False).ids


def crashes(call):
    """Returns the error of a call into Rust, whose panics are no Exception."""
    try:
        call()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return ""


def errors(tmp_path, root):
    (tmp_path / "tokenizer.json").write_text(json.dumps(root))
    return {finding.rule for finding in tokforge.lint(tmp_path).findings if finding.severity == "error"}


@pytest.mark.parametrize(
    ("code", "root", "message"),
    [
        ("L03", tokenizer({"merges": [["a", "c"]]}), "out of vocabulary"),
        ("L03", tokenizer({"continuing_subword_prefix": "####"}), "Panic"),
        ("L14", tokenizer(normalizer={"type": "Precompiled", "precompiled_charsmap": None}), "Panic"),
        ("L14", tokenizer(normalizer={"type": "Precompiled", "precompiled_charsmap": ""}), "Panic"),
        (
            "L18",
            tokenizer({"vocab": {**BYTES, "a b": 256, " b": 257}, "merges": ["a  b"]}),
            "Merges text file",
        ),
        ("L23", tokenizer(version="2.0"), "Unknown tokenizer version"),
        ("L24", tokenizer(foo=1), "expected"),
        ("L25", tokenizer(pre_tokenizer=sequence(split("(a"), byte_level())), "Oniguruma"),
        ("L26", tokenizer({"vocab": {"a": -1}, "merges": []}), ""),
    ],
)
def test_hugging_face_refuses_what_the_rule_finds(tmp_path, code, root, message):
    assert message in (crashes(lambda: load(root)) or pytest.fail("it loads"))
    assert code in errors(tmp_path, root)


def test_l01_the_literal_never_matches():
    text = "12 ab"
    literal = tokenizer(pre_tokenizer=sequence(split(r"\p{N}", "String"), byte_level(False)))
    real = tokenizer(pre_tokenizer=sequence(split(r"\p{N}"), byte_level(False)))
    cut = [
        [piece for piece, _ in load(root).pre_tokenizer.pre_tokenize_str(text)] for root in (literal, real)
    ]
    assert cut[0] == ["12Ġab"] and len(cut[1]) == 3


def test_l02_splitters_behind_byte_level_see_no_spaces():
    parts = (split(r"\s"), byte_level(False))
    for order, pieces in ((parts, 3), (parts[::-1], 1)):
        root = tokenizer(pre_tokenizer=sequence(*order))
        assert len(load(root).pre_tokenizer.pre_tokenize_str("a b")) == pieces


def test_l04_the_token_is_never_made():
    root = tokenizer({"vocab": {**BYTES, "ab": 256, "abc": 257}, "merges": [["a", "b"]]})
    assert ids(root, "abc") == [256, BYTES["c"]]
    assert ids(tokenizer({**root["model"], "ignore_merges": True}), "abc") == [257]


def test_l05_the_count_is_less_than_the_highest_id():
    root = tokenizer({"vocab": {**BYTES, "ab": 300}, "merges": [["a", "b"]]})
    assert (load(root).get_vocab_size(), ids(root, "ab")) == (257, [300])


def test_l06_the_files_ids_are_ignored():
    root = tokenizer(added_tokens=[added("<s>", 300), added("<t>", 300), added("ab", 999)])
    assert [ids(root, text) for text in ("<s>", "<t>", "ab")] == [[258], [259], [256]]


def test_l07_the_stale_id_is_put_out_and_a_missing_entry_panics():
    pieces = {
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    }
    pieces |= {
        "type": "TemplateProcessing",
        "pair": [{"Sequence": {"id": one, "type_id": 0}} for one in "AB"],
    }
    stale = {**pieces, "special_tokens": {"<s>": {"id": "<s>", "ids": [999], "tokens": ["<s>"]}}}
    assert load(tokenizer(post_processor=stale, added_tokens=[added("<s>", 258)])).encode("a").ids[0] == 999
    missing = load(
        tokenizer(post_processor={**pieces, "special_tokens": {}}, added_tokens=[added("<s>", 258)])
    )
    assert "Panic" in crashes(lambda: missing.encode("a"))


def test_l09_and_l10_text_is_dropped_in_silence():
    vocab = {token: token_id for token, token_id in BYTES.items() if token != "c"}
    assert ids(tokenizer({"vocab": vocab, "merges": []}), "aca") == [BYTES["a"], BYTES["a"]]
    root = tokenizer({"vocab": {"a": 0}, "merges": [], "byte_fallback": True}, **CHARACTERS)
    assert ids(root, "ażb") == [0]


def test_l09_and_l15_tiktoken_panics():
    tiktoken = pytest.importorskip("tiktoken")
    some = {bytes((value,)): value for value in range(255)}
    without_a = {token: rank for token, rank in some.items() if token != b"a"}
    holed = tiktoken.Encoding("holed", pat_str=".", mergeable_ranks=without_a, special_tokens={})
    assert crashes(lambda: holed.encode_ordinary("a"))
    twice = {**some, b"ab": 0}
    assert crashes(lambda: tiktoken.Encoding("twice", pat_str=".", mergeable_ranks=twice, special_tokens={}))


@pytest.mark.parametrize("name", ["LlamaTokenizer", "Qwen2Tokenizer", "GPTNeoXTokenizer"])
def test_l11_the_class_gives_other_ids(tmp_path, name):
    transformers = pytest.importorskip("transformers", minversion="5.0")
    logging.disable(logging.CRITICAL)
    root = tokenizer(pre_tokenizer=sequence(split(PATTERNS["o200k"][0]), byte_level(False)))
    (tmp_path / "tokenizer.json").write_text(json.dumps(root))
    text = "ab  12 e\u0301 can't"
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name}))
    (finding,) = tokforge.lint(tmp_path, select=["L11"]).findings
    assert finding.value == name
    by_class = getattr(transformers, name).from_pretrained(tmp_path)
    assert by_class.encode(text, add_special_tokens=False) != ids(root, text)
    tokforge.lint.fix(tmp_path, tmp_path / "mended", select=["L11"])
    mended = transformers.AutoTokenizer.from_pretrained(tmp_path / "mended")
    assert mended.encode(text, add_special_tokens=False) == ids(root, text)
    logging.disable(logging.NOTSET)


def test_l13_the_engine_gives_up():
    root = tokenizer(pre_tokenizer=sequence(split("(a+)+b"), byte_level()))
    assert "retry-limit" in crashes(lambda: load(root).pre_tokenizer.pre_tokenize_str("a" * 40))


def test_l21_tokens_that_the_splitter_cuts_never_come_out():
    root = tokenizer({"vocab": {**BYTES, "a1": 256}, "merges": [["a", "1"]]})
    for text in ("a1", " a1", "xa1y", "a1 1", "!a1"):
        assert 256 not in ids(root, text)


def test_l22_text_is_cut_and_padded():
    truncation = {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}
    assert len(ids(tokenizer(truncation=truncation), "a b c d")) == 2
    assert len(set(map(tuple, (ids(tokenizer({"dropout": 0.5}), "ab" * 20) for _ in range(9))))) > 1


def test_l24_a_misspelt_option_is_passed_over():
    step = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regx": False}
    pieces = load(tokenizer(pre_tokenizer=step)).pre_tokenizer.pre_tokenize_str("a b")
    assert len(pieces) == 2


def test_l25_the_engines_differ():
    pattern = r"\p{N}{1,3}+"
    hf = load(tokenizer(pre_tokenizer=sequence(split(pattern), byte_level(False))))
    assert len(hf.pre_tokenizer.pre_tokenize_str("12345")) == 1
    tiktoken = pytest.importorskip("tiktoken")
    ranks = {bytes((value,)): value for value in range(256)} | {b"123": 256, b"45": 257, b"12": 258}
    there = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    assert there.encode_ordinary("12345") == [256, 257]


def test_l16_sentencepiece_refuses_nul(tmp_path):
    sentencepiece = pytest.importorskip("sentencepiece", minversion="0.2.2")
    piece = b"\x0a\x03a\0b\x15" + bytes(4)
    data = b"\x0a" + bytes([len(piece)]) + piece
    assert crashes(lambda: sentencepiece.SentencePieceProcessor(model_proto=data))


def test_l06_transformers_adds_the_token_of_a_role(tmp_path):
    transformers = pytest.importorskip("transformers", minversion="4.57")
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer()))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    loaded = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert (loaded.pad_token_id, len(loaded)) == (258, 259)
