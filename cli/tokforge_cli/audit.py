"""``tokforge audit``: what a stranger's tokenizer gives away."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tokforge_cli._failure import UsageProblem
from tokforge_cli._named import corpus_or_path
from tokforge_cli._options import Config, Json, Quiet, Tokenizer, whole_numbers
from tokforge_cli._output import cell, emit, note, pairs, table
from tokforge_cli._progress import bars
from tokforge_cli.infer_mixture import summary as mixture_summary

EXAMPLES = """
tokforge audit tokenizer.json
tokforge audit tokenizer.json --categories languages/
tokforge audit tokenizer.json --known gpt2/ --known llama3/ --json | jq .lineage
tokforge audit model/ --model model/
"""
SHOWN = 8
"""Tokens of each finding in the text; the JSON has 200."""


def audit(
    tokenizer: Tokenizer,
    known: Annotated[
        list[Path] | None,
        typer.Option(metavar="TOKENIZER", help="A tokenizer that it may descend from; repeatable."),
    ] = None,
    categories: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="References to infer its mixture from: a file or folder per category, or a named corpus.",
            readable=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A model trained with it: a folder of safetensors, or a .gguf; finds under-trained tokens.",
            readable=False,
        ),
    ] = None,
    unused: Annotated[
        list[str] | None,
        typer.Option(metavar="IDS", help="Ids that no training text held, as 100-120,130; with --model."),
    ] = None,
    config: Config = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Report a tokenizer's lineage, dead, partial and under-trained tokens, verbatim strings, secrets."""
    from tokforge.audit import audit as run

    if unused and not model:
        raise UsageProblem("--unused is of a model's rows", "add --model DIR", "audit")
    references = corpus_or_path(categories) if categories else None
    ids = whole_numbers("--unused", unused or (), ranges=True)
    with bars(quiet=quiet) as progress:
        found = run(tokenizer, known or (), categories=references, model=model, unused=ids, progress=progress)
    figures = found.as_dict()
    for warning in (*found.warnings, *(found.under_trained.warnings if found.under_trained else ())):
        note(f"warning: {warning}", quiet=quiet or as_json)
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
    if figures["under_trained"]:
        parts += ["", trained(figures["under_trained"])]
    return "\n".join(parts)


def trained(found: Mapping[str, Any]) -> str:
    """Lays out how the model was judged, then the tokens of each kind with the lowest indicators."""
    unused = ", ".join(f"{count:,} {reason}" for reason, count in found["unused"].items()) or "none"
    facts = [
        ("model", f"{found['model']}, {found['matrix']}, {found['rows']:,} x {found['width']:,}"),
        ("input and output", "one matrix" if found["tied"] else "two matrices"),
        ("indicator", found["indicator"].replace("_", " ")),
        ("rows known unused", unused),
        (
            "candidates",
            f"{found['counts']['candidates']:,}, up to {cell(found['threshold'])}; no prompt verified them",
        ),
        ("as low as unused", found["counts"]["as_unused"]),
    ]
    parts = [pairs(facts)]
    for kind, tokens in found["tokens"].items():
        if tokens:
            rows = [[one["id"], one["text"], cell(one["indicator"])] for one in tokens[:SHOWN]]
            title = "under-trained" if kind == "candidates" else f"as low, {kind.replace('_', ' ')}"
            parts += ["", table(["id", title, "indicator"], rows)]
    return "\n".join(parts)
