"""A hostile or broken tokenizer.json ends in a FormatError that names file, field and value."""

import json

import pytest

from tokforge import Tokenizer, errors
from tokforge.tokenizer.formats.hf_json import read_definition, write_definition

A = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
BL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
SPLIT = {"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Isolated", "invert": False}
DELETE = object()


def added(**fields):
    return [{"id": 264, "content": "<x>"} | A | fields]


def steps(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


# field path -> value put there -> words of the message. `DELETE` removes the field.
CASES = [
    ("model", DELETE, "'model' is missing"),
    ("model", None, "model: expected an object, found null"),
    ("model", [], "model: expected an object, found an array"),
    ("model", "BPE", 'found "BPE"'),
    ("model.type", "Unigram", "model.vocab: expected an array"),
    ("model.type", "WordPiece", "WordPiece over ByteLevel is not supported"),
    ("model.type", "WordLevel", "WordLevel over ByteLevel is not supported"),
    ("model.type", 3, "model.type: expected a string, found 3"),
    ("model.vocab", DELETE, "model: the field 'vocab' is missing"),
    ("model.vocab", [], "model.vocab: expected an object"),
    ("model.vocab", {}, "model.vocab: the vocabulary is empty"),
    ("model.vocab", None, "found null"),
    ("model.vocab.he", -1, "model.vocab.he: expected a token id"),
    ("model.vocab.he", 1.0, "found 1.0"),
    ("model.vocab.he", "7", 'found "7"'),
    ("model.vocab.he", True, "found true"),
    ("model.vocab.he", None, "found null"),
    ("model.vocab.he", [1], "found an array"),
    ("model.vocab.he", 2**31, "'he' has id 2147483648, above"),
    ("model.vocab.he", 10**30, "above"),
    ("model.vocab.he", 5000, "number the tokens densely"),
    ("model.vocab.he", 3, "id 3 is that of"),
    ("model.vocab.he", DELETE, "'he' is not in the vocabulary"),
    ("model.vocab.h", DELETE, "'h' is not in the vocabulary"),
    ("model.vocab.あ", 264, "model.vocab.あ: 'あ' is outside the GPT-2 byte alphabet"),
    ("model.vocab.a b", 264, "' ' is outside the GPT-2 byte alphabet"),
    ("model.vocab.\ud800", 264, r"'\\ud800' is outside"),
    ("model.vocab.", 264, "a token is empty"),
    ("model.merges", DELETE, "'merges' is missing"),
    ("model.merges", {}, "model.merges: expected an array"),
    ("model.merges", "h e", "expected an array"),
    ("model.merges.0", "he", r"model.merges\[0\]: a merge is two tokens"),
    ("model.merges.0", "h e l", "a merge is two tokens"),
    ("model.merges.0", " h", "a merge is two tokens"),
    ("model.merges.0", "", "a merge is two tokens"),
    ("model.merges.0", ["h"], "a merge is two tokens"),
    ("model.merges.0", ["h", "e", "l"], "a merge is two tokens"),
    ("model.merges.0", ["h", 5], "a merge is two tokens"),
    ("model.merges.0", ["", "he"], "a merge is two tokens"),
    ("model.merges.0", None, "a merge is two tokens"),
    ("model.merges.0", {"h": "e"}, "a merge is two tokens"),
    ("model.merges.1", ["h", "zz"], r"model.merges\[1\]: 'zz' is not in the vocabulary"),
    ("model.merges.1", ["h", "h"], "'hh' is not in the vocabulary"),
    ("model.merges.1", ["hello" * 50, "e"], "is not in the vocabulary"),
    ("model.merges.1", ["h", "e"], "merge 1: .* is merge 0 already"),
    ("model.dropout", 0.1, "model.dropout: dropout makes ids random"),
    ("model.dropout", "x", "dropout"),
    ("model.ignore_merges", "yes", "model.ignore_merges: expected true or false"),
    ("model.continuing_subword_prefix", "##", "lacks the prefix"),
    ("model.end_of_word_suffix", 4, "expected a string, found 4"),
    ("added_tokens", {}, "added_tokens: expected an array"),
    ("added_tokens", [3], r"added_tokens\[0\]: expected an object, found 3"),
    ("added_tokens", [{}], r"added_tokens\[0\]: the field 'id' is missing"),
    ("added_tokens", added(id=-4), r"added_tokens\[0\].id: expected a token id"),
    ("added_tokens", added(id=2.5), "found 2.5"),
    ("added_tokens", added(id=2**40), "expected a token id"),
    ("added_tokens", added(id=2**31), "above"),
    ("added_tokens", added(id=5), r"added_tokens\[0\].id: id 5 is that of"),
    ("added_tokens", added(content=""), r"added_tokens\[0\].content: .* is empty"),
    ("added_tokens", added(content=7), "expected a string, found 7"),
    ("added_tokens", added(content="\udfff"), "lone surrogate"),
    ("added_tokens", added(content="hello"), "'hello' has id 264 here and 261 in the vocabulary"),
    ("added_tokens", added(id=261, content="hello"), "plain text could become this special token"),
    ("added_tokens", added(special=1), "expected true or false"),
    ("added_tokens", added(single_word=1), "expected true or false"),
    ("added_tokens", added() + added(), "is that of '<x>' already"),
    ("added_tokens", added() + added(id=265), "two ids"),
    ("normalizer", {"type": "Upper"}, "normalizer: the normaliser 'Upper' is not supported here"),
    ("normalizer", {"type": "Sequence"}, "'normalizers' is missing"),
    ("normalizer", {"type": "Sequence", "normalizers": [{"type": "Strip"}]}, r"normalizers\[0\]: .* 'strip_left' is missing"),
    ("normalizer", {"type": "Precompiled", "precompiled_charsmap": None}, "expected a string, found null"),
    ("normalizer", "NFC", "expected an object"),
    ("decoder", {"type": "Metaspace"}, "the decoder is another; use the decoder ByteLevel"),
    ("decoder", {}, "decoder: the field 'type' is missing"),
    ("pre_tokenizer", {"type": "Metaspace"}, "'replacement' is missing"),
    ("pre_tokenizer", {"type": "Sequence"}, "'pretokenizers' is missing"),
    ("pre_tokenizer", steps(BL, SPLIT), "ByteLevel is not the last step"),
    ("pre_tokenizer", steps(BL, BL), "ByteLevel is not the last step"),
    ("pre_tokenizer", steps({"type": "FixedLength", "length": 3}, BL), "'FixedLength' is not supported here"),
    ("pre_tokenizer", {"type": "ByteLevel"}, "'add_prefix_space' is missing"),
    ("pre_tokenizer", BL | {"use_regex": "no"}, "pre_tokenizer.use_regex: expected true or false"),
    ("pre_tokenizer", steps(SPLIT | {"behavior": "Kept"}, BL), "there is no behaviour 'Kept'"),
    ("pre_tokenizer", steps(SPLIT | {"pattern": "a"}, BL), r"pretokenizers\[0\].pattern: expected an object"),
    ("pre_tokenizer", steps(SPLIT | {"pattern": {}}, BL), "'String' is missing"),
    ("pre_tokenizer", steps(SPLIT | {"pattern": {"Regex": r"\w+"}}, BL), "means something else"),
    ("pre_tokenizer", steps(SPLIT | {"pattern": {"Regex": ""}}, BL), "the regex is empty"),
    ("pre_tokenizer", steps({"type": "Digits"}, BL), "'individual_digits' is missing"),
    ("post_processor", {"type": "\ud800"}, "post_processor: it holds a lone surrogate"),
]  # fmt: skip

RAW = [
    (b"", "line 1, column 1"),
    (b"{", "not valid JSON at line 1"),
    (b"[]", "expected an object, found an array"),
    (b"null", "found null"),
    (b"\xff\xfe{}", "byte 0 is not UTF-8"),
    (b"\xef\xbb\xbf{}", "BOM"),
    (b'{"model": {"type": "BPE", "type": "BPE"}}', 'model: the key "type" stands twice'),
    (b'{"added_tokens": [[{"a": 1, "a": 1}]]}', r"added_tokens\[0\]\[0\]: the key"),
    (b'{"model": {"vocab": {"a": NaN}}}', "NaN is no JSON number"),
    (b'{"model": {"vocab": {"a": Infinity}}}', "Infinity"),
    (b'{"model": {"vocab": {"a": ' + b"9" * 5000 + b"}}}", "not valid JSON"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"a":' * 100_000, "nested too deeply"),
    (b'{"model": 1}\x00', "not valid JSON"),
    (b"GGUF\x03\x00\x00\x00", "8 bytes are claimed, 0 are left at byte 8"),
]


@pytest.fixture
def parts(make):
    return json.loads(write_definition(make().definition))


def put(root, path, value):
    *way, last = path.split(".")
    for key in way:
        root = root[key]
    if isinstance(root, list):
        root[int(last)] = value
    elif value is DELETE:
        del root[last]
    else:
        root[last] = value


@pytest.mark.parametrize(("path", "value", "message"), CASES, ids=range(len(CASES)))
def test_malformed_field(parts, tmp_path, path, value, message):
    put(parts, path, value)
    if path == "added_tokens":  # the specials of the fixture would be characters outside the alphabet
        parts["model"]["vocab"].pop("<|start|>"), parts["model"]["vocab"].pop("<|pad|>")
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(parts))
    with pytest.raises(errors.FormatError, match=message) as caught:
        Tokenizer.load(file)
    assert str(caught.value).startswith(str(file))
    assert caught.value.hint


@pytest.mark.parametrize(("data", "message"), RAW, ids=range(len(RAW)))
def test_malformed_file(tmp_path, data, message):
    file = tmp_path / "tokenizer.json"
    file.write_bytes(data)
    with pytest.raises(errors.FormatError, match=message) as caught:
        Tokenizer.load(file)
    assert str(caught.value).startswith(str(file))


def test_every_truncation_is_refused(parts):
    data = json.dumps(parts).encode()
    for end in range(0, len(data), 97):
        with pytest.raises(errors.FormatError):
            read_definition(data[:end], "cut")


def test_neither_byte_level_pretokenizer_nor_decoder(parts):
    parts["pre_tokenizer"] = parts["decoder"] = None
    assert read_definition(json.dumps(parts).encode(), "x").model.atoms == "characters"


def test_binary_with_a_normaliser(parts):
    parts["pre_tokenizer"], parts["normalizer"] = None, {"type": "NFC"}
    with pytest.raises(errors.FormatError, match="cannot normalise bytes"):
        read_definition(json.dumps(parts).encode(), "x")


@pytest.mark.parametrize("depth", [300, 480, 490, 5000])
def test_a_tower_of_sequences_is_read_or_refused(parts, depth):
    del parts["pre_tokenizer"]
    tower = '{"type": "Sequence", "pretokenizers": [' * depth + json.dumps(BL) + "]}" * depth
    data = json.dumps(parts)[:-1] + f', "pre_tokenizer": {tower}}}'
    try:
        assert read_definition(data.encode(), "x").pipeline.pretokenizers == ()
    except errors.FormatError as error:
        assert "nested too deeply" in str(error)


def test_a_message_stays_one_short_line(parts):
    parts["model"]["vocab"]["x" * 10_000] = "y" * 10_000
    with pytest.raises(errors.FormatError) as caught:
        read_definition(json.dumps(parts).encode(), "x")
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_files_with_missing_optional_fields_are_read(parts):
    expected = read_definition(json.dumps(parts).encode(), "x")
    for field in ("version", "truncation", "padding", "normalizer", "post_processor"):
        del parts[field]
    for field in ("type", "dropout", "unk_token", "fuse_unk", "byte_fallback", "ignore_merges"):
        del parts["model"][field]
    assert read_definition(json.dumps(parts).encode(), "x") == expected


def test_holes_in_the_ids_are_kept(parts):
    parts["model"]["vocab"]["hello"] = 400
    definition = read_definition(json.dumps(parts).encode(), "x")
    assert len(definition.table) == 401
    assert definition.table.kinds[399] == "unused"
    assert definition.table.tokens[400] == b"hello"
    assert read_definition(write_definition(definition), "x") == definition
