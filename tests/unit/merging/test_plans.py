"""Units, their alignment with tokens, plans, and what is refused on the way."""

import json
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from tokforge.errors import ConfigError, InputError, MissingExtraError, UnknownNameError
from tokforge.merging import Kind, batch_plans, estimate, plan_for
from tokforge.merging._reference import segment_ids as segment_ids_slow
from tokforge.merging._reference import tokens_in_units as tokens_in_units_slow
from tokforge.merging.align import tokens_in_units
from tokforge.merging.grammars import GRAMMARS
from tokforge.merging.other_units import pygments_units
from tokforge.merging.plan import segments
from tokforge.merging.tree_sitter_units import tree_sitter_units
from tokforge.merging.units import units_from

SAMPLES = {
    "python": "def größe(x_1):  # comment\n    return f'{x_1} a' + 'ab c' + 3.5\n",
    "java": 'int größe(int x1) { /* comment */ return f(x1, "ab c", 3.5); }',
    "c": 'int f(int x1) { return g(x1, "ab c", 3.5); } // comment',
    "cpp": 'auto f(int x1) { return std::g(x1, "ab c", 3.5); } // comment',
    "c-sharp": 'int f(int x1) { return g(x1, "ab c", 3.5); } // comment',
    "javascript": "function f(x1) { return g(x1, 'ab c', 3.5); } // comment",
}


def bytes_tokenizer(special=False):
    """A byte-level tokenizer with a merge or two, and ``<s>``, ``</s>`` around if asked."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {piece: at for at, piece in enumerate(["<s>", "</s>", *alphabet, "Ġx", "ab", ");"])}
    made = Tokenizer(models.BPE(vocab, [("Ġ", "x"), ("a", "b"), (")", ";")]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    if special:
        made.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
        )
    return made


def texts(units, text):
    return [text[start:end] for start, end in zip(units.starts, units.ends, strict=True)]


@pytest.mark.parametrize("language", GRAMMARS)
def test_leaves_are_what_the_language_says(language):
    text = SAMPLES[language]
    units = tree_sitter_units(language)(text)
    named = {kind: texts(units.keep(frozenset({kind})), text) for kind in Kind}
    assert units.parse_errors == 0
    assert {"x1", "x_1"} & set(named[Kind.IDENTIFIER])
    assert not {"return", "int", "def", "comment"} & set(named[Kind.IDENTIFIER])
    assert [one.strip("'\"") for one in named[Kind.STRING]] == ["ab c"]
    assert named[Kind.NUMBER] == ["3.5"]
    assert "return" in named[Kind.OTHER]
    assert "comment" not in "".join(texts(units, text))


def test_names_are_the_same_by_pygments():
    for language in ("java", "c", "javascript"):
        text = SAMPLES[language]
        exact = tree_sitter_units(language)(text).keep(frozenset({Kind.IDENTIFIER}))
        close = pygments_units(language)(text).keep(frozenset({Kind.IDENTIFIER}))
        assert set(texts(close, text)) == set(texts(exact, text))
    assert texts(
        pygments_units("ruby")("foo_bar = Baz.new(1)\r\n").keep(frozenset({Kind.IDENTIFIER})),
        "foo_bar = Baz.new(1)",
    ) == ["foo_bar", "Baz", "new"]


def test_what_does_not_parse_keeps_its_names_and_is_counted():
    text = "def f(:\n    averylongname = (1\n"
    plan = plan_for(text, bytes_tokenizer(), language="python")
    assert plan.counts.parse_errors > 0
    assert plan.n_units < plan.n_tokens
    deep = plan_for("(" * 3000 + "xyz" + ")" * 3000, bytes_tokenizer(), language="python")
    assert deep.n_units == deep.n_tokens - 2


def test_empty_and_blank_texts_have_plans():
    for text in ("", " \n\t ", "\u3000"):
        for units in ("identifiers", "leaves", "words"):
            plan = plan_for(text, bytes_tokenizer(), language="python", units=units)
            assert plan.n_units == plan.n_tokens
            assert plan.reduction == 0


@st.composite
def tokens_and_units(draw):
    text = draw(st.text(st.sampled_from("ab _\n\u00a0é😀"), max_size=24))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=9)) | {0, len(text)})
    spans = list(pairwise(cuts))
    spans = [span for span in spans for _ in range(draw(st.integers(1, 2)))]  # a character cut into bytes
    spans = [(0, 0), *spans, (0, 0)]
    ends = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    units = [(start, end, 0) for start, end in pairwise(ends) if draw(st.booleans())]
    return text, spans, units_from(units)


@given(tokens_and_units(), st.integers(1, 4))
def test_alignment_and_segments_equal_their_definitions(case, max_unit):
    text, spans, units = case
    inside, straddles = tokens_in_units(text, np.array(spans, np.int64), units)
    slow_inside, slow_straddles = tokens_in_units_slow(text, spans, units)
    assert (inside.tolist(), straddles.tolist()) == (slow_inside, slow_straddles)
    assert segments(inside, max_unit)[0].tolist() == segment_ids_slow(slow_inside, max_unit)


def test_tokens_of_many_bytes_and_straddlers_are_exact():
    text = "größe = f(😀)\r\nx = ab"
    plan = plan_for(text, bytes_tokenizer(special=True), spans=[(0, 5), (9, 12), (14, 15)])
    rows = np.split(np.arange(plan.n_tokens), np.flatnonzero(np.diff(plan.segment_ids)) + 1)
    merged = [row.tolist() for row in rows if len(row) > 1]
    assert merged == [list(range(1, 8)), list(range(12, 18))]  # 7 bytes; "(😀)" is 1 + 4 + 1
    straddling = plan_for("f(ab);", bytes_tokenizer(), spans=[(2, 5)])  # ");" reaches over the end
    assert (straddling.counts.straddling_tokens, straddling.counts.merged_units) == (1, 0)


def test_a_leading_space_belongs_to_no_unit_and_breaks_none():
    plan = plan_for("y x1", bytes_tokenizer(), language="python")
    assert plan.segment_ids.tolist() == [0, 1, 1]  # "y", " x", "1"


def test_long_units_are_left_alone_and_counted():
    plan = plan_for("abcdefgh", bytes_tokenizer(), language="python", max_unit=6)
    assert (plan.n_units, plan.counts.too_long_units, plan.counts.merged_units) == (7, 1, 0)
    assert plan_for("abcdefgh", bytes_tokenizer(), language="python", max_unit=7).n_units == 1


@pytest.mark.parametrize("limit", ["max_units", "max_tokens"])
def test_a_cut_falls_between_units_and_keeps_the_end(limit):
    text = "alpha + beta + gamma"
    whole = plan_for(text, bytes_tokenizer(special=True), language="python")
    for size in range(3, whole.n_tokens + 1):
        plan = (
            plan_for(text, bytes_tokenizer(special=True), language="python", **{limit: size})
            if size > 6
            else None
        )
        if plan is None:
            continue
        assert (plan.n_units if limit == "max_units" else plan.n_tokens) <= size
        assert plan.input_ids[-1] == 1
        assert plan.counts.truncated_tokens == whole.n_tokens - plan.n_tokens
        body = plan.n_units - 1
        assert plan.sizes[:body].tolist() == whole.sizes[:body].tolist()
    with pytest.raises(ConfigError, match="leaves no room"):
        plan_for(text, bytes_tokenizer(special=True), language="python", **{limit: 1})


def test_plans_stack_and_are_linear_in_tokens():
    plans = [plan_for(text, bytes_tokenizer(), units="words") for text in ("hello you", "hi", "")]
    found = batch_plans(plans, pad_token_id=7)
    assert found["segment_ids"].tolist()[1] == [0, 0, *[-1] * 7]
    assert found["attention_mask"].sum(1).tolist() == [9, 2, 0]
    assert found["input_ids"][1, -1] == 7
    long = plan_for("hello " * 5000, bytes_tokenizer(), units="words")
    assert long.segment_ids.nbytes == 4 * long.n_tokens


def test_bad_arguments_are_refused_by_name(monkeypatch):
    tokenizer = bytes_tokenizer()
    with pytest.raises(UnknownNameError, match="units has no 'names'"):
        plan_for("x", tokenizer, language="python", units="names")
    with pytest.raises(UnknownNameError, match="language has no 'klingon'; use one of: python, java"):
        plan_for("x", tokenizer, language="klingon")
    with pytest.raises(UnknownNameError, match="no language is named"):
        plan_for("x", tokenizer)
    with pytest.raises(InputError, match="lone surrogate"):
        plan_for("x\ud800", tokenizer, language="python")
    with pytest.raises(ConfigError, match="overlaps another or leaves the text"):
        plan_for("abc", tokenizer, spans=[(0, 2), (1, 3)])
    with pytest.raises(ConfigError, match="a SlowTokenizer does not say where its tokens stand"):
        plan_for("x", type("SlowTokenizer", (), {"encode": lambda self, text: []})(), language="python")
    monkeypatch.setitem(GRAMMARS, "rust", GRAMMARS["c"]._replace(module="tree_sitter_rust"))
    monkeypatch.setitem(sys.modules, "tree_sitter_rust", None)
    with pytest.raises(MissingExtraError, match="pip install tree-sitter-rust"):
        plan_for("x", tokenizer, language="rust")


@pytest.fixture
def model_folder(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    sizes = {"num_hidden_layers": 2, "hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2}
    (folder / "config.json").write_text(
        json.dumps({"model_type": "roberta", **sizes, "max_position_embeddings": 64})
    )
    bytes_tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def test_estimate_adds_up_windows_by_language(model_folder, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.py").write_text("alpha = beta\n" * 20)
    (source / "b.java").write_text("class Name { int value; }")
    (source / "c.md").write_text("text")
    (source / "d.c").write_bytes(b"\xff\xfe")
    found = estimate([source], model_folder)
    assert set(found.languages) == {"java", "python"}
    python = found.languages["python"]
    assert (python.tokens, python.policies["identifiers"].rows) == (
        260,
        120 + 3,
    )  # 3 names lie on a window's end
    assert python.identifier_token_share == 180 / 260
    assert {one["path"].rpartition("/")[2] for one in found.skipped} == {"c.md", "d.c"}
    late = estimate([source / "a.py"], model_folder, at_layer=1).languages["python"].policies["identifiers"]
    assert 0 < late.flops_saved < python.policies["identifiers"].flops_saved
    with pytest.raises(InputError, match="no file is in a known language"):
        estimate([source / "c.md"], model_folder)
    with pytest.raises(ConfigError, match="use a layer from 0 to 1"):
        estimate([source], model_folder, at_layer=2)
    (model_folder / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(UnknownNameError, match="model_type is 'gpt2'"):
        estimate([source], model_folder)
