"""``tokforge audit``: what a stranger's tokenizer gives away."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tokforge_cli._options import Config, Json, Quiet, Tokenizer
from tokforge_cli._output import emit, pairs, table
from tokforge_cli._progress import bars
from tokforge_cli.infer_mixture import summary as mixture_summary

EXAMPLES = """
tokforge audit tokenizer.json
tokforge audit tokenizer.json --categories languages/
tokforge audit tokenizer.json --known gpt2/ --known llama3/ --json | jq .lineage
"""
SHOWN = 8
"""Tokens of each finding in the text; the JSON has 200."""


def audit(
    tokenizer: Tokenizer,
    known: Annotated[
        list[Path] | None,
        typer.Option(metavar="TOKENIZER", help="A tokenizer that it may descend from; may be repeated."),
    ] = None,
    categories: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="References to infer its mixture from: a file or folder per category, as in infer-mixture.",
            readable=False,
        ),
    ] = None,
    config: Config = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Report a tokenizer's lineage, dead and partial tokens, verbatim strings and likely secrets."""
    from tokforge.audit import audit as run

    with bars(quiet=quiet) as progress:
        figures = run(tokenizer, known or (), categories=categories, progress=progress).as_dict()
    emit(figures, summary(figures), as_json=as_json)


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out the facts, the lineage, and the beginning of every finding."""
    facts = [
        (name.replace("_", " "), figures[name]) for name in ("kind", "vocab_size", "merges", "digit_grouping")
    ]
    parts = [pairs([*facts, *((name.replace("_", " "), count) for name, count in figures["counts"].items())])]
    if figures["known_prefixes"]:
        rows = [list(one) for one in figures["known_prefixes"].items()]
        parts += ["", table(["begins with the merges of", "at least"], rows)]
    if figures["lineage"]:
        rows = [
            [one["second"], one["common_merges"], one["common_share"], one["jaccard"], one["relation"]]
            for one in figures["lineage"]
        ]
        parts += ["", table(["known", "common merges", "of the shorter", "shared tokens", "relation"], rows)]
    for finding, tokens in figures["tokens"].items():
        if tokens:
            rows = [[one["id"], one["text"], one["kind"]] for one in tokens[:SHOWN]]
            parts += ["", table(["id", finding.replace("_", " "), "why"], rows)]
    if figures["lint"]:
        rows = [
            [one["rule"], one["severity"], f"{one['file']}{one['pointer']}", one["message"]]
            for one in figures["lint"]
        ]
        parts += ["", table(["lint", "severity", "where", "what"], rows)]
    if figures["mixture"]:
        parts += ["", mixture_summary(figures["mixture"])]
    return "\n".join(parts)
