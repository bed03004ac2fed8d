"""Normalisers, splitters, regexes: what each rule finds, and the near misses that are meant so."""

import base64

import pytest
from lint_files import BYTES, CHARACTERS, added, byte_level, sequence, split, tokenizer

from tokforge.lint.readers import LLAMA_CPP
from tokforge.tokenizer.pretokenizers import PATTERNS

LLAMA3 = PATTERNS["llama3"][0]


@pytest.mark.parametrize("pattern", [r"\p{N}{1,3}", r"[^\s]+", "(?i:'s|'t)", r"\s+|x", "[0-9]+", r".*\n"])
def test_l01_finds_a_regex_written_as_a_string(found, pattern):
    (finding,) = found("L01", tokenizer(pre_tokenizer=sequence(split(pattern, "String"), byte_level())))
    assert (finding.severity, finding.pointer) == ("error", "/pre_tokenizer/pretokenizers/0/pattern/String")


@pytest.mark.parametrize(
    "pattern", [" ", "▁", "\n", "|", "(", "[CLS]", "...", "$", "a+b", "C++", "{}", "<|x|>"]
)
def test_l01_lets_literals_be(found, pattern):
    assert found("L01", tokenizer(pre_tokenizer=sequence(split(pattern, "String"), byte_level()))) == ()
    assert found("L01", tokenizer(pre_tokenizer=sequence(split(r"\s+"), byte_level()))) == ()


def test_l01_looks_into_normalisers_too(found):
    replace = {"type": "Replace", "pattern": {"String": r"\s+"}, "content": " "}
    (finding,) = found(
        "L01", tokenizer(normalizer={"type": "Sequence", "normalizers": [{"type": "NFC"}, replace]})
    )
    assert finding.pointer == "/normalizer/normalizers/1/pattern/String"


@pytest.mark.parametrize(
    "parts",
    [
        [byte_level(False), split(r"\s+")],
        [byte_level(), split("\n", "String")],
        [byte_level(False), {"type": "Whitespace"}],
        [split(LLAMA3), byte_level(True)],
    ],
)
def test_l02_finds_steps_in_the_wrong_order(found, parts):
    (finding,) = found("L02", tokenizer(pre_tokenizer=sequence(*parts)))
    assert (finding.severity, finding.fixable) == ("error", True)


@pytest.mark.parametrize(
    "parts",
    [
        [split(LLAMA3), byte_level(False)],
        [{"type": "Digits", "individual_digits": True}, byte_level(True)],  # StarCoder
        [
            byte_level(True),
            {"type": "Digits", "individual_digits": False},
            split("[0-9][0-9][0-9]"),
        ],  # Falcon
        [split(PATTERNS["gpt2"][0]), byte_level(True)],  # twice the same cuts nothing more
        [split(r"\p{N}"), byte_level(True)],
    ],
)
def test_l02_lets_meant_orders_be(found, parts):
    assert found("L02", tokenizer(pre_tokenizer=sequence(*parts))) == ()


@pytest.mark.parametrize(("name", "regexes"), [(n, r) for n, r in LLAMA_CPP.items() if n != "deepseek-llm"])
def test_l12_knows_what_llama_cpp_knows(found, name, regexes):
    parts = [split(regex) for regex in regexes]
    findings = found("L12", tokenizer(pre_tokenizer=sequence(*parts, byte_level(False))))
    assert [finding for finding in findings if "llama.cpp" in finding.message] == []


def test_l12_finds_a_regex_that_nobody_knows(found):
    findings = found("L12", tokenizer(pre_tokenizer=sequence(split(r"\p{L}{1,7}|."), byte_level(False))))
    assert [finding.severity for finding in findings] == ["warning", "warning"]
    assert "llama.cpp" in findings[0].message and "onnxruntime" in findings[1].message


@pytest.mark.parametrize("name", ["gpt2", "llama3", "qwen2", "o200k", "deepseek-v3"])
def test_l12_says_nothing_on_the_common_ones(found, name):
    parts = [split(regex) for regex in PATTERNS[name]]
    assert found("L12", tokenizer(pre_tokenizer=sequence(*parts, byte_level(False)))) == ()


def test_l12_takes_raw_characters_for_their_escapes(found):
    raw = [split(regex.replace(r"\r", "\r").replace(r"\n", "\n")) for regex in PATTERNS["deepseek-v3"]]
    raw[1] = split("[一-龥\u3040-ゟ゠-ヿ]+")
    assert found("L12", tokenizer(pre_tokenizer=sequence(*raw, byte_level(False)))) == ()


@pytest.mark.parametrize(
    ("pattern", "severity"), [("(a+)+b", "error"), (r"(\w|\d)*!", "error"), (r"\d+(?=x)", "warning")]
)
def test_l13_finds_superlinear_regexes(found, pattern, severity):
    (finding,) = found("L13", tokenizer(pre_tokenizer=sequence(split(pattern), byte_level())))
    assert finding.severity == severity


@pytest.mark.parametrize("pattern", [r"\d{1,3}(?=x)", r"\s+(?!\S)|\s+", r"\w+|[^\w\s]+|\s+", "a{1,9}b"])
def test_l13_lets_linear_regexes_be(found, pattern):
    assert found("L13", tokenizer(pre_tokenizer=sequence(split(pattern), byte_level()))) == ()


def test_l13_tries_what_it_cannot_parse_on_the_engine(found):
    (finding,) = found("L13", tokenizer(pre_tokenizer=sequence(split(r"(?:(a+)+)\1+(?=!)"), byte_level())))
    assert "budget" in finding.message
    assert found("L13", tokenizer(pre_tokenizer=sequence(split(r"(a)\1"), byte_level()))) == ()


@pytest.mark.parametrize("charsmap", [None, "", "AA==", "no base64!"])
def test_l14_finds_empty_character_maps(found, charsmap):
    step = {"type": "Precompiled", "precompiled_charsmap": charsmap}
    (finding,) = found("L14", tokenizer(normalizer=step))
    assert (finding.severity, finding.fixable) == ("error", True)


def test_l14_grades_nfkc_and_lets_maps_and_nfc_be(found):
    (plain,) = found("L14", tokenizer(normalizer={"type": "NFKC"}))
    assert plain.severity == "note"
    steps = {"type": "Sequence", "normalizers": [{"type": "NFKC"}, CHARACTERS["normalizer"]]}
    (stand_in,) = found("L14", tokenizer(**{**CHARACTERS, "normalizer": steps}))
    assert stand_in.severity == "warning"
    assert found("L14", tokenizer(normalizer={"type": "NFC"})) == ()
    charsmap = base64.b64encode(bytes(100)).decode()
    assert found("L14", tokenizer(normalizer={"type": "Precompiled", "precompiled_charsmap": charsmap})) == ()


def test_l17_notes_classes_and_lets_ranges_be(found):
    (finding,) = found("L17", tokenizer())
    assert finding.severity == "note" and "Lo" in finding.value and "Mn" not in finding.value
    ascii_only = sequence(split("[a-z]+|[0-9]+"), byte_level(False))
    assert found("L17", tokenizer(pre_tokenizer=ascii_only)) == ()


MISTRAL = [added(text, 258 + number) for number, text in enumerate(["<s>", "[INST]", "[TOOL_CALLS]"])]


def test_l20_finds_llama_3s_regex_over_a_mistral_vocabulary(found):
    parts = sequence(split(LLAMA3), byte_level(False))
    (finding,) = found("L20", tokenizer(pre_tokenizer=parts, added_tokens=MISTRAL))
    assert finding.pointer == "/pre_tokenizer/pretokenizers/0/pattern/Regex"
    (by_config,) = found("L20", tokenizer(pre_tokenizer=parts), config={"model_type": "mistral3"})
    assert by_config.severity == "error"


def test_l20_lets_others_be(found):
    right = sequence(split(LLAMA_CPP["tekken"][0]), byte_level(False))
    assert found("L20", tokenizer(pre_tokenizer=right, added_tokens=MISTRAL)) == ()
    wrong = sequence(split(LLAMA3), byte_level(False))
    assert found("L20", tokenizer(pre_tokenizer=wrong)) == ()
    digits = {"vocab": {**BYTES, "12": 256}, "merges": [["1", "2"]]}  # a fine-tune of Llama 3 with [INST]
    assert found("L20", tokenizer(digits, pre_tokenizer=wrong, added_tokens=MISTRAL)) == ()


def vocabulary(*words):
    tokens = {**BYTES, **{word: 256 + number for number, word in enumerate(words)}}
    return {"vocab": tokens, "merges": [[word[:-1], word[-1]] for word in words]}


def test_l21_finds_tokens_that_the_splitter_cuts(found):
    (finding,) = found("L21", tokenizer(vocabulary("a1", "ab", "Ġa", "!?")))
    assert (finding.severity, finding.value) == ("warning", "a1")


def test_l21_knows_that_a_token_may_need_its_neighbours(found):
    # Alone, o200k cuts " I'"; before "m" it does not.
    parts = sequence(split(PATTERNS["o200k"][0]), byte_level(False))
    assert found("L21", tokenizer(vocabulary("ĠI", "ĠI'"), pre_tokenizer=parts)) == ()


def test_l21_finds_tokens_that_the_normaliser_rewrites(found):
    model = vocabulary("aÌ", "aÌĢ")  # "a" and U+0300, which NFC composes
    findings = found("L21", tokenizer(model, pre_tokenizer=byte_level(False), normalizer={"type": "NFC"}))
    assert [finding.severity for finding in findings] == ["warning", "note"]
    assert "normaliser" in findings[0].message
    plain = found("L21", tokenizer(model, pre_tokenizer=byte_level(False)))
    assert [finding.severity for finding in plain] == ["note"]


@pytest.mark.parametrize(
    ("pattern", "severity"),
    [
        ("(a", "error"),
        (r"\p{N}{1,3}+", "warning"),
        (r"\s+$", "warning"),
        (r"\w+", "warning"),
        ("(?P<x>a)", "error"),
    ],
)
def test_l25_finds_faulty_regexes(found, pattern, severity):
    (finding,) = found("L25", tokenizer(pre_tokenizer=sequence(split(pattern), byte_level())))
    assert finding.severity == severity


@pytest.mark.parametrize("name", ["gpt2", "llama3", "qwen2", "o200k", "deepseek-v3"])
def test_l25_lets_portable_regexes_be(found, name):
    parts = [split(regex) for regex in PATTERNS[name]]
    assert found("L25", tokenizer(pre_tokenizer=sequence(*parts, byte_level(False)))) == ()
