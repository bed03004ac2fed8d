"""The inference as a page of the report's kind: shares with intervals, how far to trust them, and why."""

from collections.abc import Mapping
from typing import Any

from tokforge.mixture.config import ESTIMATORS
from tokforge.report.charts import interval_plot
from tokforge.report.markup import element, html_table, text_of
from tokforge.report.page import document

__all__ = ["mixture_page"]


def mixture_page(figures: Mapping[str, Any], name: str) -> str:
    """Returns the page of ``figures``, as `MixtureResult.as_dict` gives them, for the tokenizer ``name``."""
    blocks = [
        _headline(figures, name),
        _shares(figures),
        _fit(figures),
        _unexplained(figures),
        _data(figures),
    ]
    return document("Data mixture inference", "".join(blocks), script="static.js")


def _headline(figures: Mapping[str, Any], name: str) -> str:
    order = sorted(figures["proportions"].items(), key=lambda item: -item[1])
    largest = ", ".join(f"{category} {share:.1%}" for category, share in order[:3])
    said = "shares are withheld: the references do not fit" if figures["withheld"] else f"mostly {largest}"
    warnings = [element("p", text_of(warning), class_="note") for warning in figures["warnings"]]
    scope = f"from {figures['merges']:,} merges; shares of bytes, among the categories given and no others"
    return element(
        "section",
        element("p", element("strong", text_of(name)), text_of(f": {said}."), class_="lead"),
        element("p", text_of(scope), class_="note"),
        *warnings,
        id="section-headline",
    )


def _shares(figures: Mapping[str, Any]) -> str:
    names = sorted(figures["proportions"], key=lambda one: -figures["proportions"][one])
    level, intervals, by_unit = figures["level"], figures["intervals"], figures["proportions_by_unit"]
    rows = []
    for name in names:
        values = [by_unit[unit][name] for unit in ("bytes", "pairs", "characters")]
        share, *others = ("withheld" if figures["withheld"] else f"{value:.2%}" for value in values)
        span = "{:.2%} to {:.2%}".format(*intervals[name]) if intervals else "–"
        rows.append([text_of(name), share, span, *others])
    header = ["Category", "Bytes", f"{level:.0%} interval", "Pairs", "Characters"]
    parts = [html_table("Shares by category", header, rows)]
    if not figures["withheld"]:
        heights = [figures["proportions"][name] * 100 for name in names]
        spans = [[end * 100 for end in intervals[name]] for name in names] if intervals else []
        chart = interval_plot(f"Shares with {level:.0%} intervals", "% of bytes", names, heights, spans)
        parts.insert(0, element("div", element("figure", chart), class_="charts"))
    return element("section", element("h2", "Shares"), *parts, id="section-shares")


def _fit(figures: Mapping[str, Any]) -> str:
    fit, solution = figures["fit"], figures["solution"]
    expected = fit["misfit_expected"]
    rows = [
        ["Misfit", f"{fit['misfit']:.2%} of the merges' counts"],
        ["Misfit of fitting references", "–" if expected is None else f"{expected:.2%}"],
        ["How many times that", "–" if fit["shift"] is None else f"{fit['shift']:.2f}"],
        ["Merges in no reference", f"{fit['missing_merges']:,}"],
        ["Estimate", ESTIMATORS[figures["estimator"]]],
        ["Optimal", "yes" if solution["optimal"] else f"no, gap {solution['gap']:.1%}"],
    ]
    deciles = [
        [f"{at * 10} to {at * 10 + 10} %", f"{value:.2%}"] for at, value in enumerate(fit["misfit_by_decile"])
    ]
    return element(
        "section",
        element("h2", "Fit"),
        html_table("How well the mixture explains the merges", ["", "Value"], rows, wordy=True),
        html_table("Misfit along the merges", ["Merges", "Misfit"], deciles),
        id="section-fit",
    )


def _unexplained(figures: Mapping[str, Any]) -> str:
    fit = figures["fit"]
    over = [[_token(one["token"]), f"{one['slack_ppm']:.1f}"] for one in fit["over_represented"]]
    under = [
        [f"{_token(one['left'])} + {_token(one['right'])}", f"{one['slack_ppm']:.1f}"]
        for one in fit["under_represented"]
    ]
    note = (
        "Merges commoner in the training data than in the references, and pairs rarer, in parts per million."
    )
    return element(
        "section",
        element("h2", "What the references do not explain"),
        element("p", note, class_="note"),
        html_table("Over-represented merges", ["Commoner merge", "ppm"], over, wordy=True) if over else "",
        html_table("Under-represented pairs", ["Rarer pair", "ppm"], under, wordy=True) if under else "",
        id="section-unexplained",
    )


def _token(shown: str) -> str:
    return element("code", text_of(shown))


def _data(figures: Mapping[str, Any]) -> str:
    rows = [
        [text_of(name), f"{one['documents']:,}", f"{one['bytes']:,}"]
        for name, one in figures["references"].items()
    ]
    table = html_table("References", ["Category", "Documents", "Bytes"], rows)
    return element("section", element("h2", "References"), table, id="section-references")
