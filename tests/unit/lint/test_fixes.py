"""What `fix` writes: the repair, the proof of what it does to ids, and nothing where it may not."""

import json

import pytest
from lint_files import BYTES, added, byte_level, sequence, split, tokenizer

import tokforge
from tokforge.errors import ExportError, InputError, OutputError
from tokforge.lint import fix
from tokforge.lint.rule import Change, Fix, Rule
from tokforge.tokenizer.pretokenizers import PATTERNS

STALE = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"<s>": {"id": "<s>", "ids": [9], "tokens": ["<s>"]}},
}
TWICE = sequence(split(PATTERNS["llama3"][0]), byte_level(True))


def mended(folder, tmp_path, *select):
    result = fix(folder, tmp_path / "out", select=select)
    return result, json.loads((tmp_path / "out" / "tokenizer.json").read_text())


@pytest.mark.parametrize(
    ("code", "root", "verdicts"),
    [
        ("L02", tokenizer({"vocab": {**BYTES, "!Ċ": 256}, "merges": [["!", "Ċ"]]}, pre_tokenizer=TWICE), ["changed"]),
        ("L02", tokenizer(pre_tokenizer=sequence(byte_level(False), split(r"\s+"))), ["changed"]),
        ("L05", tokenizer({"vocab": {**BYTES, "ab": 300}, "merges": [["a", "b"]]}), ["equal"]),
        ("L07", tokenizer(added_tokens=[added("<s>", 258)], post_processor=STALE), ["equal"]),
        ("L14", tokenizer(normalizer={"type": "Precompiled", "precompiled_charsmap": ""}), ["not_loaded"]),
        (
            "L14",
            tokenizer(
                normalizer={
                    "type": "Sequence",
                    "normalizers": [{"type": "NFC"}, {"type": "Precompiled", "precompiled_charsmap": ""}],
                }
            ),
            ["not_loaded"],
        ),
        ("L18", tokenizer({"vocab": {**BYTES, "a b": 256, " b": 257}, "merges": ["a  b"]}), ["not_loaded"]),
        ("L22", tokenizer(truncation={"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}), ["changed"]),
        ("L27", tokenizer({"merges": ["a b", "Ġ ab"]}), ["equal"]),
    ],
)  # fmt: skip
def test_a_fix_removes_its_finding_and_says_what_it_did(make, tmp_path, code, root, verdicts):
    folder = make(root)
    before = (folder / "tokenizer.json").read_bytes()
    result, _ = mended(folder, tmp_path, code)
    assert [change.rule for change in result.changes] == [code] * len(result.changes) != []
    assert [one.verdict for one in result.ids] == verdicts
    assert code not in [finding.rule for finding in result.remaining.findings]
    assert (folder / "tokenizer.json").read_bytes() == before


def test_renumbering_keeps_order_and_renumbers_references(make, tmp_path):
    vocab = {**BYTES, "ab": 300, "<s>": 400}
    special = {"<s>": {"id": "<s>", "ids": [400], "tokens": ["<s>"]}}
    root = tokenizer(
        {"vocab": vocab, "merges": [["a", "b"]]},
        added_tokens=[added("<s>", 400)],
        post_processor={**STALE, "special_tokens": special},
        padding={"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 400, "pad_type_id": 0, "pad_token": "<s>"},
    )  # fmt: skip
    result, root = mended(make(root), tmp_path, "L05")
    assert (root["model"]["vocab"]["ab"], root["model"]["vocab"]["<s>"]) == (256, 257)
    assert root["added_tokens"][0]["id"] == root["padding"]["pad_id"] == 257
    assert root["post_processor"]["special_tokens"]["<s>"]["ids"] == [257]
    assert "300 -> 256" in result.changes[0].what
    assert result.ids[0].compared == "tokens"


def test_renumbering_is_refused_beside_a_model(make, tmp_path):
    folder = make(
        tokenizer({"vocab": {**BYTES, "ab": 300}, "merges": [["a", "b"]]}), config={"vocab_size": 301}
    )
    result, root = mended(folder, tmp_path, "L05")
    assert result.changes == () and root["model"]["vocab"]["ab"] == 300


def test_the_class_is_replaced_in_a_folder_only(make, tmp_path):
    folder = make(tokenizer(), tokenizer_config={"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>"})
    mended(folder, tmp_path, "L11")
    config = json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())
    assert config == {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>"}
    alone = fix(folder / "tokenizer.json", tmp_path / "alone.json", select=["L11"])
    assert alone.changes == () and not (tmp_path / "tokenizer_config.json").exists()


def test_fixes_that_change_ids_or_concern_notes_wait_to_be_named(make, tmp_path):
    root = tokenizer(
        {"merges": ["a b", "Ġ ab"]},
        pre_tokenizer=TWICE,
        added_tokens=[added("<s>", 258)],
        post_processor=STALE,
    )
    result, _ = mended(make(root), tmp_path)
    assert {change.rule for change in result.changes} == {"L07"}


def test_templates_travel_with_the_folder(make, tmp_path):
    mended(make(tokenizer(), chat_template="x"), tmp_path)
    assert (tmp_path / "out" / "chat_template.jinja").read_text() == "x"


def test_nothing_is_written_in_place_over_others_or_for_other_formats(make, tmp_path):
    folder = make(tokenizer())
    for output in (folder, folder / "tokenizer.json", folder / ".." / folder.name):
        with pytest.raises(OutputError):
            fix(folder, output)
    (tmp_path / "there.json").write_text("mine")
    with pytest.raises(OutputError):
        fix(folder / "tokenizer.json", tmp_path / "there.json")
    (tmp_path / "a.tiktoken").write_text("YQ== 0\n")
    with pytest.raises(InputError):
        fix(tmp_path / "a.tiktoken", tmp_path / "b")


def test_a_broken_promise_is_refused(make, tmp_path, monkeypatch):
    def edit(artefact, documents):
        documents[artefact.file]["model"]["merges"].clear()
        yield Change("L27", artefact.file, "/model/merges", "gone")

    from tokforge.lint.registry import RULES

    old = RULES["L27"]
    lying = Rule(old.code, old.name, old.severity, old.check, old.page, Fix(edit, keeps_ids=True))
    monkeypatch.setitem(RULES, "L27", lying)
    folder = make(tokenizer({"merges": ["a b", "Ġ ab"]}))
    with pytest.raises(ExportError, match="would change ids"):
        fix(folder, tmp_path / "out", select=["L27"])
    assert not (tmp_path / "out").exists()


def test_the_fixed_file_is_what_the_report_is_of(make, tmp_path):
    folder = make(tokenizer(added_tokens=[added("<s>", 258)], post_processor=STALE))
    assert tokforge.lint(folder).failed()
    assert not fix(folder, tmp_path / "out").remaining.failed()
