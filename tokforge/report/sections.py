"""The sections of the report that need no script: headline, tables, charts, definitions."""

from collections.abc import Iterable, Sequence
from typing import Any

from tokforge.metrics import METRICS, Comparison
from tokforge.metrics.measure import PairTest, Values
from tokforge.metrics.measures import MEASURES
from tokforge.metrics.pieces import WORD_SHARES
from tokforge.metrics.registry import Definition
from tokforge.report.charts import Series, dot_plot, legend, line_chart
from tokforge.report.markup import element, html_table, text_of
from tokforge.report.tables import best_of, contenders, given_words, shown

__all__ = [
    "definitions",
    "fairness",
    "headline",
    "kin",
    "summary",
    "superwords",
    "texts",
    "usage",
    "word_lists",
]

_ARROWS = {"higher": ("↑", "higher is better"), "lower": ("↓", "lower is better"), "none": ("", "")}
_FACTS = ("Digits", "Pre-tokenizer", "Merge residue, the most formed")


def headline(comparison: Comparison) -> str:
    """Says which tokenizer needs the fewest tokens, by how much, and how sure that is."""
    tokens = {name: one.total for name, one in comparison.totals.items()}
    names = _names(comparison)
    order = sorted(tokens.keys() - comparison.lossy or tokens, key=lambda name: tokens[name])
    best = comparison.metrics["bytes_per_token"][order[0]].overall
    size = sum(text.bytes for text in comparison.texts.values())
    documents = sum(text.documents for text in comparison.texts.values())
    counts = {"tokenizer": len(names), "text": len(comparison.texts), "document": documents}
    scope = ", ".join([*(_count(number, noun) for noun, number in counts.items()), f"{size / 1e6:,.1f} MB"])
    lead = [
        element("strong", text_of(names[order[0]])),
        f" needs the fewest tokens: {best:.3f} bytes each" if best else "",
    ]
    if len(order) > 1:
        lead.append(text_of(_margin(comparison, order[0], order[1])))
    notes = [element("p", text_of(warning), class_="note") for warning in comparison.warnings]
    return element(
        "section",
        element("p", *lead, ".", class_="lead"),
        element("p", text_of(scope), class_="note"),
        *notes,
        id="section-headline",
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _margin(comparison: Comparison, best: str, next_best: str) -> str:
    pair = next(one for one in comparison.pairs if {one.first, one.second} == {best, next_best})
    more = comparison.totals[next_best].total / comparison.totals[best].total - 1
    said = f", and {_names(comparison)[next_best]}, the next, {more:.1%} more"
    if pair.undecided or pair.p_value is None:
        return f"{said}, untested: {pair.undecided}"
    if pair.close:
        return f"{said}, which these documents do not tell apart from chance"
    return f"{said} (p {_p(pair.p_value)})"


def summary(comparison: Comparison) -> str:
    """Every metric by tokenizer, the best marked, with intervals where there are any."""
    rows = [
        _metric_row(comparison, METRICS[name], list(by.values())) for name, by in comparison.metrics.items()
    ]
    table = html_table("All metrics by tokenizer", ["Metric", *_names(comparison).values()], rows)
    note = (
        "★ marks the best by the metric's own intent. Ranges are 95% intervals over documents. "
        "All of it is intrinsic: it says nothing about a model's quality."
    )
    return element(
        "section", element("h2", "Summary"), element("p", note, class_="note"), table, id="section-summary"
    )


def _metric_row(comparison: Comparison, metric: Definition, values: Sequence[Values]) -> list[str]:
    arrow, meaning = _ARROWS[metric.direction]
    hint = element("abbr", arrow, title=meaning, class_="arrow") if arrow else ""
    head = f"{_label(metric)} {hint}" + element("small", text_of(metric.unit))
    best = best_of(metric, contenders(comparison, [one.overall for one in values]))
    return [head, *(_value(metric, one, best) for one in values)]


def _label(metric: Definition) -> str:
    """The title, with its tooltip, as a link to the definition."""
    return element("a", text_of(metric.title), href=f"#metric-{metric.name}", title=_tooltip(metric))


def _defined(*names: str) -> str:
    """A line that names these measures, each with its tooltip."""
    return _links(MEASURES[name] for name in names)


def _links(definitions: Iterable[Definition]) -> str:
    return element("p", f"Defined: {', '.join(map(_label, definitions))}.", class_="note")


def word_lists(comparison: Comparison) -> str:
    """Single-token retention and morpheme agreement, where lists of words were given."""
    rows = [_metric_row(comparison, metric, list(by.values())) for metric, by in given_words(comparison)]
    if not rows:
        return ""
    table = html_table("Given words by tokenizer", ["Measure", *_names(comparison).values()], rows)
    return element("section", element("h2", "Given words"), table, id="section-words")


def superwords(comparison: Comparison) -> str:
    """How many words tokens hold, and the commonest of two and more, where a tokenizer has any."""
    shares = [METRICS[name] for name in WORD_SHARES]
    rows = [
        [
            text_of(f"{one['name']}, {text}"),
            *(text_of(shown(by, comparison.metrics[by.name][path].categories[text])) for by in shares),
            _commonest(listed),
        ]
        for path, one in comparison.tokenizers.items()
        for text, listed in one["superwords"].items()
        if any(one["superwords"].values())
    ]
    if not rows:
        return ""
    caption = "Share of the tokens by the words they hold, and the commonest of two words and more"
    head = ["Tokenizer and text", "Two words", "Three", "Four or more", "How often, and what"]
    return element(
        "section",
        element("h2", "Superwords"),
        _links(shares),
        html_table(caption, head, rows, wordy=True),
        id="section-superwords",
    )


def _commonest(listed: Sequence[dict[str, Any]]) -> str:
    tokens = (f"{one['count']:,}&nbsp;" + element("code", text_of(one["text"])) for one in listed)
    return " ".join(tokens) or "–"


def _tooltip(metric: Definition) -> str:
    """On a line each: definition, formula, unit and direction, source, and when not to believe it."""
    lines = [metric.definition, metric.formula, f"{metric.unit}; {_direction(metric)}", metric.source]
    return "\n".join([*lines, *([metric.caveat] if metric.caveat else [])])


def _direction(metric: Definition) -> str:
    return _ARROWS[metric.direction][1] or "describes, does not rank"


def _value(metric: Definition, values: Values, best: float | None) -> str:
    overall, bounds = values.overall, values.interval
    text = text_of(shown(metric, overall))
    is_best = best is not None and overall == best
    mark = (
        element("b", text, element("span", "★", title="best", role="img", aria_label="best"))
        if is_best
        else text
    )
    between = f"{shown(metric, bounds[0])} – {shown(metric, bounds[1])}" if bounds else ""
    return mark + (element("small", text_of(between)) if between else "")


def texts(comparison: Comparison) -> str:
    """Bytes per token and fertility by text: charts, and the same as tables."""
    names = list(_names(comparison).values())
    parts = [element("h2", "By text"), legend(names)]
    charts = []
    for name in ("bytes_per_token", "fertility"):
        metric, rows = METRICS[name], list(comparison.texts)
        series = [
            Series(label, [(i, v) for i, row in enumerate(rows) if (v := values.categories[row]) is not None])
            for label, values in zip(names, comparison.metrics[name].values(), strict=True)
        ]
        figure = dot_plot(f"{metric.title} by text", metric.unit, rows, series)
        charts.append(
            _figure(f"{metric.title} {_ARROWS[metric.direction][0]}", figure, _by_text(comparison, metric))
        )
    return element("section", *parts, element("div", *charts, class_="charts"), id="section-texts")


def _by_text(comparison: Comparison, metric: Definition) -> str:
    by = comparison.metrics[metric.name]
    rows = []
    for text in comparison.texts:
        values = [one.categories[text] for one in by.values()]
        best = best_of(metric, contenders(comparison, values))
        cells = [
            element("b", text_of(shown(metric, v)))
            if v == best and best is not None
            else text_of(shown(metric, v))
            for v in values
        ]
        rows.append([text_of(text), *cells])
    return html_table(f"{metric.title} by text", ["Text", *_names(comparison).values()], rows)


def fairness(comparison: Comparison) -> str:
    """Cost of each text over that of the cheapest, as a table with shades."""
    if len(comparison.texts) < 2:
        return ""
    kind = (
        "tokens of the whole text"
        if comparison.config.parallel
        else "tokens per character, a stand-in: the texts are not known to be translations"
    )
    rows = [
        [text_of(text), *(_shade(by.get(text)) for by in comparison.parity.values())]
        for text in comparison.texts
    ]
    table = html_table("Cost over that of the cheapest text", ["Text", *_names(comparison).values()], rows)
    note = f"How many times the cheapest text each one costs, in {kind}."
    return element(
        "section",
        element("h2", "Parity"),
        element("p", note, class_="note"),
        _defined("parity"),
        table,
        id="section-parity",
    )


def _shade(value: float | None) -> str:
    if value is None:
        return "–"
    level = min(8, int((value - 1) * 2.5))
    return element("span", f"{value:.2f}", class_=f"shade s{level}")


def usage(comparison: Comparison) -> str:
    """How far the first ranks reach, and how long the tokens are."""
    names = list(_names(comparison).values())
    described = list(comparison.tokenizers.values())
    ranks = [
        Series(n, [(float(r), s) for r, s in one["rank_curve"]])
        for n, one in zip(names, described, strict=True)
    ]
    lengths = [
        Series(n, _length_shares(one["used_token_bytes"])) for n, one in zip(names, described, strict=True)
    ]
    charts = [
        _figure(
            "Tokens covered by the most frequent ones",
            line_chart("Share of tokens by rank", "rank", "share", ranks, log_x=True, y_max=1.0),
        ),
        _figure(
            "Length of tokens as they occur",
            line_chart("Share of tokens by length", "bytes", "share", lengths),
        ),
    ]
    rows = [_facts(name, one) for name, one in zip(names, described, strict=True)]
    table = html_table("Digits, splitting and residue", ["Tokenizer", *_FACTS], rows, wordy=True)
    note = (
        "Merge residue: tokens that merging forms often and hardly ever keeps, such as halves of characters."
    )
    return element(
        "section",
        element("h2", "Use of the vocabulary"),
        legend(names),
        element("div", *charts, class_="charts"),
        table,
        element("p", note, class_="note"),
        _defined("digit_grouping"),
        id="section-usage",
    )


def _facts(name: str, described: dict[str, Any]) -> list[str]:
    residue = " ".join(element("code", text_of(found["text"])) for found in described["residue"][:8])
    splitters = ", ".join(described["pretokenizers"]) or "none"
    shown_splitter = splitters if len(splitters) <= 40 else splitters[:39] + "…"
    return [text_of(name), text_of(described["digit_grouping"]), text_of(shown_splitter), residue or "–"]


def _length_shares(counts: dict[str, int]) -> list[tuple[float, float]]:
    total = sum(counts.values()) or 1
    longest = min(max(map(int, counts), default=1), 16)
    return [(float(n), counts.get(str(n), 0) / total) for n in range(1, longest + 1)]


def kin(comparison: Comparison) -> str:
    """Pairs: the difference with its test, and what the two vocabularies share."""
    names, tests = _names(comparison), comparison.pairs
    if not tests:
        return ""
    rows = []
    for test, one in zip(tests, comparison.kinships, strict=True):
        bounds = f"{test.interval[0]:+.2%} to {test.interval[1]:+.2%}" if test.interval else "–"
        cells = [names[test.first], names[test.second], f"{test.difference:+.2%}", bounds, _verdict(test)]
        cells += [f"{one.jaccard:.1%}", f"{one.common_merges:,}", one.relation]
        rows.append([text_of(cell) for cell in cells])
    head = [
        "First",
        "Second",
        "Tokens of the second",
        "95% interval",
        "p",
        "Shared tokens",
        "Common first merges",
        "Kinship",
    ]
    note = (
        "The test exchanges the two tokenizers of each document at random. "
        "Untested: no such test of these documents could show a difference (one alone, or fewer than six "
        "that differ). Shared tokens: those of both over those of either."
    )
    return element(
        "section",
        element("h2", "Pairs"),
        element("p", note, class_="note"),
        _defined("token_difference", "shared_tokens", "common_merges"),
        html_table("Pairs of tokenizers", head, rows),
        id="section-pairs",
    )


def _verdict(test: PairTest) -> str:
    return "untested" if test.undecided else _p(test.p_value)


def _p(value: float | None) -> str:
    return "–" if value is None else f"≤ {value:.3f}" if value < 0.0015 else f"= {value:.3f}"


def definitions(metrics: Iterable[Definition]) -> str:
    """Every metric: what it is, its formula, unit, direction, source, and when not to believe it."""
    items = []
    for metric in metrics:
        facts = [
            element("p", text_of(metric.definition)),
            element("p", element("code", text_of(metric.formula))),
        ]
        if metric.caveat:
            facts.append(element("p", text_of(metric.caveat), class_="caveat"))
        facts.append(
            element(
                "p", text_of(f"{metric.unit}; {_direction(metric)}. Source: {metric.source}."), class_="note"
            )
        )
        items.append(element("dt", text_of(metric.title), id=f"metric-{metric.name}") + element("dd", *facts))
    symbols = "N tokens, B bytes, C characters, W words, V ids, c_t occurrences of token t, p_t = c_t / N."
    return element(
        "section",
        element("h2", "Definitions"),
        element("p", symbols, class_="note"),
        element("dl", *items),
        id="section-definitions",
    )


def _figure(title: str, chart: str, table: str = "") -> str:
    details = element("details", element("summary", "As a table"), table) if table else ""
    return element("figure", element("figcaption", text_of(title)), chart, details)


def _names(comparison: Comparison) -> dict[str, str]:
    return {path: one["name"] for path, one in comparison.tokenizers.items()}
