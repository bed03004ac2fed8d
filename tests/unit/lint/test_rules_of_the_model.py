"""Vocabulary, merges, ids: each rule on the smallest file that breaks it, and on one that nearly does."""

import json
import struct

import pytest
from lint_files import BYTES, CHARACTERS, added, tokenizer

PIECES = {f"<0x{value:02X}>": value for value in range(256)}


def test_a_sound_tokenizer_has_nothing_but_the_note_on_unicode(make):
    import tokforge

    report = tokforge.lint(make(tokenizer()))
    assert [finding.rule for finding in report.findings] == ["L17"]
    assert not report.failed(strict=True)


@pytest.mark.parametrize(
    ("merges", "more", "pointer"),
    [
        ([["a", "b"], ["a", "c"]], {}, "/model/merges/1"),
        ([["a", "b"], ["zz", "ab"]], {}, "/model/merges/1"),
        ([["a", "b", "c"]], {}, "/model/merges/0"),
        ([["a", 1]], {}, "/model/merges/0"),
        ([["a", "b"]], {"continuing_subword_prefix": "####"}, "/model/merges/0"),
    ],
)
def test_l03_finds_broken_merges(found, merges, more, pointer):
    (finding,) = found("L03", tokenizer({"merges": merges, **more}))
    assert (finding.severity, finding.pointer) == ("error", pointer)


def test_l03_takes_a_prefix_that_its_products_drop(found):
    vocab = {"a": 0, "##b": 1, "ab": 2}
    model = {"vocab": vocab, "merges": [["a", "##b"]], "continuing_subword_prefix": "##"}
    assert found("L03", tokenizer(model, **CHARACTERS)) == ()


def test_l04_finds_a_token_without_a_merge_unless_merges_are_ignored(found):
    model = {"vocab": {**BYTES, "ab": 256, "abc": 257}, "merges": [["a", "b"]]}
    (finding,) = found("L04", tokenizer(model))
    assert (finding.severity, finding.value, finding.pointer) == ("error", "abc", "/model/vocab/abc")
    assert found("L04", tokenizer({**model, "ignore_merges": True})) == ()
    with_merge = {**model, "merges": [["a", "b"], ["ab", "c"]]}
    assert found("L04", tokenizer(with_merge)) == ()


def test_l04_sees_a_token_that_another_merge_takes_apart(found):
    vocab = {**BYTES, "ab": 256, "bc": 257, "abc": 258}
    (finding,) = found("L04", tokenizer({"vocab": vocab, "merges": [["b", "c"], ["a", "b"], ["ab", "c"]]}))
    assert finding.value == "ab" if finding.pointer.endswith("/ab") else "abc"


def test_l04_is_mild_on_a_few_and_leaves_added_tokens_out(found):
    words = {
        f"{a}{b}": 256 + 26 * i + j
        for i, a in enumerate("abcdefghijklmnopqrstuvwxyz")
        for j, b in enumerate("abcdefghijklmnopqrstuvwxyz")
    }
    vocab = {**BYTES, **words, "zzzz": 932, "<s>": 933}
    vocab |= {f"Ġ{word}": 934 + number for number, word in enumerate(words)}
    merges = [[word[0], word[1]] for word in words] + [["Ġ", word] for word in words]
    (finding,) = found("L04", tokenizer({"vocab": vocab, "merges": merges}, added_tokens=[added("<s>", 933)]))
    assert (finding.severity, finding.value) == ("warning", "zzzz")


def test_l04_starts_from_characters_in_sentencepiece_like_files(found):
    vocab = {**PIECES, "é": 256, "中": 257, "é中": 258, "文": 259, "中文": 260}
    model = {"vocab": vocab, "merges": [["é", "中"]], "byte_fallback": True}
    (finding,) = found("L04", tokenizer(model, **CHARACTERS))
    assert finding.value == "中文" and finding.message.startswith("1 of 261")


def test_l05_finds_holes_and_absurd_ids(found):
    (hole,) = found("L05", tokenizer({"vocab": {**BYTES, "ab": 300}, "merges": [["a", "b"]]}))
    assert (hole.severity, hole.value) == ("warning", "300")
    assert "44 ids below 301" in hole.message and "first is 256" in hole.message
    (far,) = found("L05", tokenizer({"vocab": {**BYTES, "ab": 10**6}, "merges": [["a", "b"]]}))
    assert (far.severity, far.pointer) == ("error", "/model/vocab/ab")


def test_l05_counts_added_tokens_behind_the_vocabulary(found):
    assert found("L05", tokenizer(added_tokens=[added("<s>", 258), added("<e>", 259)])) == ()


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([added("ab", 300)], "id 300 here, 256 in the vocabulary"),
        ([added("<s>", 97)], "id 97 is that of"),
        ([added("<s>", 300)], "gives it 258, not 300"),
        ([added("<s>", 258), added("<t>", 258)], "id 258 is that of '<s>'; Hugging Face gives it 259"),
        ([added("<s>", 258), added("<s>", 259)], "it stands twice"),
        ([added("", 258)], "is empty"),
    ],
)
def test_l06_finds_added_tokens_at_odds(found, tokens, message):
    findings = found("L06", tokenizer(added_tokens=tokens))
    assert [message in finding.message for finding in findings] == [True]


def test_l06_takes_added_tokens_in_and_behind_the_vocabulary(found):
    tokens = [added("ab", 256), added("<s>", 258), added("<e>", 259)]
    config = {"added_tokens_decoder": {"258": {"content": "<s>"}}}
    assert found("L06", tokenizer(added_tokens=tokens), tokenizer_config=config) == ()


def test_l06_finds_a_contradicting_configuration(found):
    config = {"added_tokens_decoder": {"300": {"content": "<s>"}}}
    (finding,) = found("L06", tokenizer(added_tokens=[added("<s>", 258)]), tokenizer_config=config)
    assert (finding.file, finding.pointer) == ("tokenizer_config.json", "/added_tokens_decoder/300")


def test_l06_finds_roles_without_a_token(found):
    config = {"bos_token": {"content": "<s>"}, "eos_token": "ab", "pad_token": "[PAD]", "unk_token": None}
    (finding,) = found("L06", tokenizer(added_tokens=[added("<s>", 258)]), tokenizer_config=config)
    assert (finding.severity, finding.pointer) == ("warning", "/pad_token")


def safetensors(folder, rows, name="model.embed_tokens.weight"):
    header = json.dumps({name: {"dtype": "F32", "shape": [rows, 2], "data_offsets": [0, 0]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)


@pytest.mark.parametrize(
    ("size", "rows", "severities"),
    [
        (258, 258, []),
        (258, None, []),
        (200, None, ["error"]),
        (256, 256, ["error", "error"]),
        (300, 258, ["error"]),
        (320, 320, ["note"]),
        (None, 320, ["note"]),
    ],
)
def test_l08_compares_config_tokens_and_rows(make, found, size, rows, severities):
    if rows:
        safetensors(make(tokenizer()), rows)
    config = {} if size is None else {"text_config": {"vocab_size": size}}
    findings = found("L08", tokenizer(), config=config)
    assert [finding.severity for finding in findings] == severities


def test_l08_reads_no_weights_from_a_damaged_header(make, found):
    (make(tokenizer()) / "model.safetensors").write_bytes(b"\xff" * 8)
    assert found("L08", tokenizer()) == ()


def test_l09_finds_missing_bytes(found):
    vocab = {token: token_id for token, token_id in BYTES.items() if token not in "cĠ"}
    (finding,) = found("L09", tokenizer({"vocab": vocab, "merges": []}))
    assert finding.value == "0x20" and finding.message.startswith("2 of the 256")
    assert found("L09", tokenizer({"vocab": {"a": 0}, "merges": []}, **CHARACTERS)) == ()


def test_l10_finds_missing_pieces_that_some_character_needs(found):
    without = {piece: value for piece, value in PIECES.items() if value not in (0x09, 0xE4)}
    model = {"vocab": {**without, "\t": 300, "a": 301}, "merges": [], "byte_fallback": True}
    (finding,) = found("L10", tokenizer(model, **CHARACTERS))
    assert "1 of the 256" in finding.message and "<0xE4>" in finding.message
    model["vocab"]["<0xE4>"] = 302
    assert found("L10", tokenizer(model, **CHARACTERS)) == ()


def test_l10_wants_strict_hex(found):
    lower = {piece.lower().replace("<0x", "<0x"): value for piece, value in PIECES.items()}
    (finding,) = found("L10", tokenizer({"vocab": lower, "merges": [], "byte_fallback": True}, **CHARACTERS))
    assert "<0x0A>" in finding.message


def test_l15_finds_two_tokens_with_one_id(found):
    (finding,) = found("L15", tokenizer({"vocab": {**BYTES, "ab": 255}, "merges": [["a", "b"]]}))
    assert finding.pointer == "/model/vocab/ab"
    assert found("L15", tokenizer()) == ()


def test_l18_finds_merges_whose_sides_are_lost(found):
    model = {"vocab": {**BYTES, "a b": 256, " b": 257}, "merges": ["a  b"]}
    (finding,) = found("L18", tokenizer(model))
    assert (finding.pointer, finding.fixable) == ("/model/merges/0", True)
    model["vocab"]["a "] = 258  # now "a" + " b" and "a " + "b" are both possible
    (finding,) = found("L18", tokenizer(model))
    assert not finding.fixable
    assert found("L18", tokenizer({"merges": ["a b", "Ġ ab"]})) == ()
    assert found("L18", tokenizer({"merges": [["a", " b"]]})) == ()


def test_l27_notes_merges_as_strings(found):
    (finding,) = found("L27", tokenizer({"merges": ["a b", "Ġ ab"]}))
    assert (finding.severity, finding.fixable) == ("note", True)
    assert found("L27", tokenizer()) == ()
