"""Post-processing, companions, settings, shapes."""

import pytest
from lint_files import added, byte_level, sequence, split, tokenizer

from tokforge.tokenizer.pretokenizers import PATTERNS

BOS = [added("<s>", 258)]


def template(ids, entries=None):
    pieces = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    known = {"<s>": {"id": "<s>", "ids": ids, "tokens": ["<s>"]}} if entries is None else entries
    return {"type": "TemplateProcessing", "single": pieces, "pair": [], "special_tokens": known}


@pytest.mark.parametrize(
    ("sections", "pointer"),
    [
        ({"post_processor": template([999])}, "/post_processor/special_tokens/<s>/ids/0"),
        (
            {"post_processor": {"type": "Sequence", "processors": [template([1])]}},
            "/post_processor/processors/0/special_tokens/<s>/ids/0",
        ),
        (
            {"post_processor": {"type": "BertProcessing", "sep": ["<s>", 258], "cls": ["<s>", 1]}},
            "/post_processor/cls/1",
        ),
        ({"post_processor": template([258], {})}, "/post_processor/single/0/SpecialToken/id"),
        ({"padding": {"pad_id": 0, "pad_token": "<s>"}}, "/padding/pad_id"),
        ({"padding": {"pad_id": 0, "pad_token": "<gone>"}}, "/padding/pad_id"),
    ],
)
def test_l07_finds_stale_ids(found, sections, pointer):
    (finding,) = found("L07", tokenizer(added_tokens=BOS, **sections))
    assert (finding.severity, finding.pointer) == ("error", pointer)


def test_l07_takes_right_ids(found):
    padding = {"pad_id": 258, "pad_token": "<s>"}
    assert found("L07", tokenizer(added_tokens=BOS, post_processor=template([258]), padding=padding)) == ()


def test_l07_looks_into_the_models_own_files(found):
    configs = {
        "config": {"eos_token_id": 258, "pad_token_id": -1},
        "generation_config": {"eos_token_id": [3, 900]},
    }
    (finding,) = found("L07", tokenizer(added_tokens=BOS), **configs)
    assert (finding.file, finding.pointer, finding.value) == (
        "generation_config.json",
        "/eos_token_id",
        "900",
    )
    assert finding.severity == "warning"


def of_class(name):
    return {"tokenizer_config": {"tokenizer_class": name}}


QWEN2 = {
    "normalizer": {"type": "NFC"},
    "pre_tokenizer": sequence(split(PATTERNS["qwen2"][0]), byte_level(False)),
}


def test_l11_finds_classes_that_rebuild(found):
    (finding,) = found("L11", tokenizer(), **of_class("LlamaTokenizerFast"))
    assert (finding.severity, finding.value, finding.fixable) == ("warning", "LlamaTokenizerFast", True)
    assert found("L11", tokenizer(**QWEN2), **of_class("GPT2Tokenizer"))
    assert found("L11", tokenizer(**{**QWEN2, "normalizer": None}), **of_class("Qwen2Tokenizer"))


def test_l11_lets_fitting_unknown_and_generic_classes_be(found):
    assert found("L11", tokenizer(), **of_class("GPT2Tokenizer")) == ()
    assert found("L11", tokenizer(**QWEN2), **of_class("Qwen2TokenizerFast")) == ()
    for name in ("PreTrainedTokenizerFast", "TokenizersBackend", "ClaudeTokenizer", None):
        assert found("L11", tokenizer(), **of_class(name)) == ()


def test_l19_finds_markers_that_are_no_token(found):
    text = "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.content }}<tool>{% endfor %}"
    config = {"chat_template": text, "bos_token": "<s>"}
    (finding,) = found("L19", tokenizer(), tokenizer_config=config)
    assert (finding.value, finding.severity) == ("<|im_start|>", "warning")
    assert found("L19", tokenizer(added_tokens=[added("<|im_start|>", 258)]), tokenizer_config=config) == ()


def test_l19_reads_template_files_and_lists_and_asks_for_variables(found):
    findings = found("L19", tokenizer(), chat_template="<｜User｜>", tokenizer_config={"bos_token": "<s>"})
    assert [(finding.file, finding.value) for finding in findings] == [("chat_template.jinja", "<｜User｜>")]
    config = {"chat_template": [{"name": "default", "template": "{{- bos_token + 'x' }}"}]}
    (finding,) = found("L19", tokenizer(), tokenizer_config=config)
    assert (finding.pointer, finding.value) == ("/chat_template/0/template", "bos_token")
    asking = {"chat_template": "{% if bos_token is defined %}{{ bos_token }}{% endif %}"}
    assert found("L19", tokenizer(), tokenizer_config=asking) == ()


def test_l22_finds_leftover_settings(found):
    truncation = {"max_length": 128, "strategy": "LongestFirst", "stride": 0}
    findings = found(
        "L22", tokenizer({"dropout": 0.1}, truncation=truncation, padding={"strategy": "BatchLongest"})
    )
    assert [finding.severity for finding in findings] == ["error", "warning", "warning"]
    assert found("L22", tokenizer({"dropout": 0})) == ()


def test_l23_finds_unknown_versions(found):
    assert found("L23", tokenizer(version="2.0"))[0].pointer == "/version"
    assert found("L23", tokenizer()) == found("L23", {"model": tokenizer()["model"]}) == ()


def test_l24_finds_unknown_keys_and_guesses(found):
    step = {"type": "ByteLevel", "add_prefix_space": False, "use_regx": False}
    findings = found(
        "L24",
        tokenizer({"foo": 1}, pre_tokenizer=step, added_tokens=[added("<s>", 258, lstrp=True)], vresion=1),
    )
    assert [(finding.severity, finding.pointer) for finding in findings] == [
        ("error", "/vresion"),
        ("warning", "/model/foo"),
        ("warning", "/added_tokens/0/lstrp"),
        ("warning", "/pre_tokenizer/use_regx"),
    ]
    assert findings[-1].hint == "did you mean use_regex?"


def test_l24_lets_the_fields_of_other_steps_be(found):
    step = {"type": "SomethingNew", "option": 1}
    assert found("L24", tokenizer(pre_tokenizer=step)) == ()


@pytest.mark.parametrize(
    ("root", "pointer"),
    [
        (tokenizer({"vocab": {}}), "/model/vocab"),
        (tokenizer({"vocab": {"a": -1}}), "/model/vocab/a"),
        (tokenizer({"vocab": {"a": 1.5}}), "/model/vocab/a"),
        (tokenizer({"vocab": {"a/b~": "1"}}), "/model/vocab/a~1b~0"),
        (tokenizer({"merges": None}), "/model/merges"),
        (tokenizer(added_tokens={}), "/added_tokens"),
        (tokenizer(added_tokens=[{"id": 1}]), "/added_tokens/0"),
        (tokenizer(decoder="ByteLevel"), "/decoder"),
        ('{"model": {"vocab": {"a": 0, "a": 1}, "merges": []}}', "/model/vocab/a"),
    ],
)
def test_l26_finds_parts_of_the_wrong_shape(found, root, pointer):
    assert pointer in [finding.pointer for finding in found("L26", root)]


def test_l26_names_a_companion_that_is_no_json(found):
    (finding,) = found("L26", tokenizer(), tokenizer_config="{")
    assert finding.file == "tokenizer_config.json"
    assert found("L26", tokenizer(), tokenizer_config={}) == ()


HOSTILE = [
    *(
        tokenizer({field: value})
        for field in ("vocab", "merges", "type", "byte_fallback", "dropout")
        for value in (1, "x", [], [[]], {"a": None})
    ),
    *(
        tokenizer(**{section: value})
        for section in (
            "normalizer",
            "pre_tokenizer",
            "post_processor",
            "decoder",
            "added_tokens",
            "truncation",
            "padding",
            "version",
        )
        for value in (
            1,
            "x",
            [1],
            {"type": 5},
            {"type": "Sequence", "normalizers": 3, "pretokenizers": [None]},
            {"type": "Split", "pattern": None},
            {"type": "TemplateProcessing", "single": 1, "special_tokens": {"x": None}},
        )
    ),
]


@pytest.mark.parametrize("root", HOSTILE, ids=range(len(HOSTILE)))
def test_every_rule_survives_every_shape(make, root):
    import tokforge

    config = {"tokenizer_class": 5, "added_tokens_decoder": [], "chat_template": 7}
    tokforge.lint(make(root, tokenizer_config=config, config=[1], generation_config=3))
