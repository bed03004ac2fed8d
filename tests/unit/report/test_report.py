"""The report holds nothing that a token or a name put there, and its tables are readable by others."""

import csv
import io
import json
import re
import zlib
from base64 import b64decode
from html import unescape
from html.parser import HTMLParser

import pytest

import tokforge
from tokforge import AddedToken, Tokenizer
from tokforge.errors import ConfigError
from tokforge.metrics import METRICS, CompareConfig
from tokforge.metrics.measures import MEASURES, WORD_LISTS
from tokforge.report import csv_table, latex_table, markdown_table, report_files
from tokforge.report.charts import Series, dot_plot, line_chart
from tokforge.report.markup import element, text_of
from tokforge.report.page import page
from tokforge.report.payload import safe_json
from tokforge.tokenizer import Pipeline, initial_bytes

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\u2066\x1b[31m\x00&amp;\u2028'\""
)


def hostile_tokenizer():
    """Special tokens and merged ones that spell markup."""
    tokens = [None, *initial_bytes()]
    merges = []
    for token in (b"</", b"</s", b"<!", b"<!-", b"<!--"):
        cut = len(token) - 1
        merges.append((tokens.index(token[:cut]), tokens.index(token[cut:]), len(tokens)))
        tokens.append(token)
    added = [AddedToken(0, HOSTILE.replace("\x00", ""))]
    return Tokenizer.from_parts(tokens, merges, pipeline=Pipeline("text", ("gpt2",)), added_tokens=added)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    (folder / "<b>&.txt").write_text(HOSTILE * 30)
    (folder / "plain.txt").write_text("the other\n" * 40)
    plain = Tokenizer.from_parts(list(initial_bytes()), [], pipeline=Pipeline("text", ("gpt2",)))
    names = {'"><svg onload=alert(3)>$_&|\\': hostile_tokenizer(), "plain": plain}
    return tokforge.compare(names, [folder / "<b>&.txt", folder / "plain.txt"])


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.attributes, self.data, self._script = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        self.attributes += attrs


def test_nothing_hostile_becomes_markup(comparison):
    elements = Elements(page(comparison))
    assert elements.found.count("script") == 3  # data, vocabulary, the code
    assert not {"img", "iframe", "object", "embed", "base", "form"} & set(elements.found)
    assert not [name for name, _ in elements.attributes if name.startswith("on") or name == "style"]


def test_no_address_leaves_the_page(comparison):
    text = page(comparison)
    fetched = [value for name, value in Elements(text).attributes if name in ("src", "href") and value]
    assert all(value.startswith(("#", "data:,")) for value in fetched)
    assert not re.findall(r"@import|url\(", text)
    assert "connect-src 'none'" in text


def test_the_tooltip_of_every_metric_says_all_about_it(comparison):
    links = re.findall(r'<a href="#metric-(\w+)" title="([^"]*)"', page(comparison))
    measures = {**METRICS, **{name: one for name, one in MEASURES.items() if one not in WORD_LISTS.values()}}
    assert {name for name, _ in links} == set(measures)
    assert [name for name, _ in links][: len(METRICS)] == list(METRICS)
    for name, title in links:
        metric, lines = measures[name], unescape(title).split("\n")
        meaning = {"none": "describes, does not rank"}.get(metric.direction, f"{metric.direction} is better")
        told = [metric.definition, metric.formula, f"{metric.unit}; {meaning}", metric.source, metric.caveat]
        assert lines == [line for line in told if line]


def test_lists_of_words_are_shown_with_their_definitions(tmp_path):
    for name, text in {"a.txt": "the then", "w": "the\nthen\n", "m": "th en\n"}.items():
        (tmp_path / name).write_text(text)
    config = CompareConfig(words=tmp_path / "w", morphemes=tmp_path / "m")
    plain = Tokenizer.from_parts(initial_bytes(), [], pipeline=Pipeline("text", ("gpt2",)))
    tokenizers = {"bytes": plain, "hostile": hostile_tokenizer()}
    shown = page(tokforge.compare(tokenizers, [tmp_path / "a.txt"], config))
    assert "Given words" in shown
    for one in WORD_LISTS.values():
        assert f'<a href="#metric-{one.name}" title=' in shown
        assert f'<dt id="metric-{one.name}">' in shown


def test_superwords_are_listed_and_escaped(tmp_path):
    (tmp_path / "a.txt").write_text("a <b x" * 7)
    tokens, merges = list(initial_bytes()), []
    for token in (b"a ", b"a <", b"a <b"):
        merges.append((tokens.index(token[:-1]), tokens.index(token[-1:]), len(tokens)))
        tokens.append(token)
    whole = Tokenizer.from_parts(tokens, merges, pipeline=Pipeline("binary"))
    cut = Tokenizer.from_parts(initial_bytes(), [], pipeline=Pipeline("binary"))
    shown = page(tokforge.compare({"whole": whole, "cut": cut}, [tmp_path / "a.txt"]))
    assert "7&nbsp;<code>a␣&lt;b</code>" in shown
    assert ">whole, a<" in shown
    assert ">cut, a<" not in shown
    assert 'id="section-superwords"' not in page(tokforge.compare({"cut": cut}, [tmp_path / "a.txt"]))


def test_bidirectional_and_control_characters_are_spelled_out(comparison):
    assert not re.findall(r"[\u202a-\u202e\u2066-\u2069\x00\x1b\u2028]", page(comparison))
    assert text_of("a\u202eb\x00<") == r"a\u{202e}b\u{0}&lt;"


def test_the_vocabulary_comes_back(comparison):
    packed = re.search(r'id="vocabulary-data">([^<]*)<', page(comparison))[1]
    listed = json.loads(zlib.decompress(b64decode(packed)))
    assert [one["of"] for one in listed] == [262, 256]
    assert sum(listed[1]["counts"]) == comparison.totals["plain"].total
    assert len(listed[0]["ids"]) == len(listed[0]["texts"]) == len(listed[0]["counts"]) == 262


def test_json_in_a_page_cannot_end_its_element():
    value = {"a": "</script><!--\u2028&"}
    assert not set("<>&\u2028") & set(safe_json(value))
    assert json.loads(safe_json(value)) == value


def test_elements_escape_their_attributes():
    assert (
        element("a", text_of("<"), title='"<', hidden=True, id=None)
        == '<a title="&quot;&lt;" hidden>&lt;</a>'
    )


def test_csv_holds_every_value(comparison):
    rows = list(csv.DictReader(io.StringIO(csv_table(comparison))))
    values = [
        one
        for by in comparison.metrics.values()
        for v in by.values()
        for one in (v.overall, *v.categories.values())
    ]
    assert len(rows) == len(values)
    assert [float(row["value"]) if row["value"] else None for row in rows] == values


def test_markdown_and_latex_escape_names(comparison):
    assert r"\|" in markdown_table(comparison)
    latex = latex_table(comparison)
    assert r"\$\_\&|\textbackslash{}" in latex
    assert latex.count(r" \\") == len(comparison.metrics) + 1


def test_an_unknown_table_is_refused(comparison, tmp_path):
    with pytest.raises(ConfigError, match=r"\.csv, \.md, \.tex"):
        report_files(comparison, html=None, tables=[tmp_path / "a.xls"], plots=[])


def test_charts_of_nothing_and_of_little():
    assert "<svg" in dot_plot("t", "u", [], [])
    assert dot_plot("t", "u", ["a"], [Series("s", [(0, 0.0)])]).count("mark") == 1
    assert "<svg" in line_chart("t", "x", "y", [Series("s", [])], log_x=True)


def test_plots_are_pictures_and_repeat(comparison):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    from tokforge.report.plots import CHARTS, draw

    for name in CHARTS:
        assert draw(comparison, name, "png").startswith(b"\x89PNG")
        assert draw(comparison, name, "svg") == draw(comparison, name, "svg")
