"""A comparison as CSV (every value, one a row), Markdown and LaTeX (metrics by tokenizer, best in bold)."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from tokforge.metrics import METRICS, Comparison
from tokforge.metrics.measure import Values
from tokforge.metrics.measures import WORD_LISTS
from tokforge.metrics.registry import Definition

__all__ = ["best_of", "contenders", "csv_table", "given_words", "latex_table", "markdown_table", "shown"]

_ARROWS = {"higher": "↑", "lower": "↓", "none": ""}


def best_of(metric: Definition, values: Sequence[float | None]) -> float | None:
    """Returns the best of ``values``; None where the metric does not rank, or they do not differ."""
    known = [value for value in values if value is not None]
    if metric.direction == "none" or len(known) < 2 or min(known) == max(known):
        return None
    return max(known) if metric.direction == "higher" else min(known)


def contenders(comparison: Comparison, values: Sequence[float | None]) -> list[float | None]:
    """Returns ``values`` by tokenizer, None for a lossy one: it encodes less of the text than the others."""
    by_name = zip(comparison.tokenizers, values, strict=True)
    return [None if name in comparison.lossy else value for name, value in by_name]


def shown(metric: Definition, value: float | None) -> str:
    """Returns a value with the places that its metric asks for, and grouped digits; a dash for None."""
    return "–" if value is None else f"{value:,.{metric.decimals}f}"


def given_words(comparison: Comparison) -> Iterator[tuple[Definition, dict[str, Values]]]:
    """Yields what word lists and morphemes gave, by tokenizer, where there were any."""
    described = comparison.tokenizers
    for (part, field), metric in WORD_LISTS.items():
        if all(one[part] for one in described.values()):
            yield metric, {path: Values(overall=one[part][field]) for path, one in described.items()}


def _measured(comparison: Comparison) -> Iterator[tuple[Definition, Mapping[str, Values]]]:
    """Yields every line of a table: the metrics of the texts, then those of given words."""
    yield from ((METRICS[name], by) for name, by in comparison.metrics.items())
    yield from given_words(comparison)


def csv_table(comparison: Comparison) -> str:
    """Returns one row for each value: metric, unit, direction, tokenizer, text, value, low, high."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["metric", "unit", "direction", "tokenizer", "text", "value", "low", "high"])
    for metric, by_tokenizer in _measured(comparison):
        for tokenizer, values in by_tokenizer.items():
            rows = [("", values.overall, values.interval)]
            rows += [(text, one, values.intervals[text]) for text, one in values.categories.items()]
            for text, value, bounds in rows:
                first = [metric.name, metric.unit, metric.direction, tokenizer, text]
                writer.writerow([*first, "" if value is None else repr(value), *(bounds or ("", ""))])
    return out.getvalue()


def markdown_table(comparison: Comparison) -> str:
    """Returns a pipe table, and the definition of each metric below it."""
    names = [_escape_markdown(one["name"]) for one in comparison.tokenizers.values()]
    lines = ["| metric | unit | " + " | ".join(names) + " |", "|---|---|" + "---:|" * len(names)]
    for label, unit, cells in _wide(comparison, lambda text: f"**{text}**"):
        lines.append(f"| {label} | {unit} | " + " | ".join(cells) + " |")
    lines += [
        "",
        *(
            f"- **{metric.title}**: {metric.definition} {metric.caveat}".rstrip()
            for metric, _ in _measured(comparison)
        ),
    ]
    return "\n".join(lines) + "\n"


def latex_table(comparison: Comparison) -> str:
    """Returns a booktabs tabular; needs ``\\usepackage{booktabs}``."""
    names = [_escape_latex(one["name"]) for one in comparison.tokenizers.values()]
    lines = [
        rf"\begin{{tabular}}{{ll{'r' * len(names)}}}",
        r"\toprule",
        "Metric & Unit & " + " & ".join(names) + r" \\",
        r"\midrule",
    ]
    for label, unit, cells in _wide(comparison, lambda text: rf"\textbf{{{text}}}"):
        arrows = label.replace("↑", r"$\uparrow$").replace("↓", r"$\downarrow$").replace("α", r"$\alpha$")
        body = " & ".join(cell.replace("–", "--") for cell in cells)
        lines.append(f"{arrows} & {unit} & {body}" + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _wide(comparison: Comparison, bold: Callable[[str], str]) -> list[tuple[str, str, list[str]]]:
    rows = []
    for metric, by_tokenizer in _measured(comparison):
        values = [one.overall for one in by_tokenizer.values()]
        best = best_of(metric, contenders(comparison, values))
        cells = [
            bold(shown(metric, v)) if best is not None and v == best else shown(metric, v) for v in values
        ]
        rows.append((f"{metric.title} {_ARROWS[metric.direction]}".strip(), metric.unit, cells))
    return rows


def _escape_markdown(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#!])", r"\\\1", " ".join(text.split()))


def _escape_latex(text: str) -> str:
    named = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(
        named.get(char, "\\" + char if char in "&%$#_{}" else char) for char in " ".join(text.split())
    )
