"""``tokforge compare``: tokenizers side by side on the same texts."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tokforge.outputs import check_output, write_files
from tokforge_cli._named import each_group, tokenizer_files
from tokforge_cli._options import ANY_FORMAT, Config, Force, Json, Quiet, Threads
from tokforge_cli._output import cell, emit, note, table
from tokforge_cli._progress import bars
from tokforge_cli._recipe import recipe_path, resolved

EXAMPLES = """
tokforge compare ours.json gpt2/ --text en.txt de.txt code/ --html report.html
tokforge compare a.json b.json --text flores/*.txt --documents line --parallel --json
tokforge compare a.json b.json --text prose/ --table table.tex --plots figures
tokforge compare a.json b.json --text text-multilingual --html report.html
"""
TEXTS, OUTPUTS, CERTAINTY = "Texts", "Outputs", "Certainty"
SHOWN = (
    *("vocab_size", "bytes_per_token", "characters_per_token", "fertility", "renyi_efficiency"),
    *("unigram_bits_per_byte", "utilisation", "residue_share", "split_word_share", "byte_fallback_share"),
    *("superword_share", "gini", "cost_ratio", "unreachable", "encode_megabytes_per_second"),
)
"""Metrics of the text on the terminal; the JSON and the report have all."""
COMMONEST = 8
"""Superwords of a text that are named on the terminal."""


def compare(
    context: typer.Context,
    tokenizers: Annotated[
        list[Path],
        typer.Argument(metavar="TOKENIZER", help=ANY_FORMAT, readable=False),
    ],
    text: Annotated[
        list[Path],
        typer.Option(
            metavar="PATH...",
            help="Texts: a file or folder a language or domain, or a named corpus; up to the next option.",
            rich_help_panel=TEXTS,
        ),
    ],
    documents: Annotated[
        str,
        typer.Option(
            metavar="file|line",
            help="What a document is; intervals and tests draw documents.",
            rich_help_panel=TEXTS,
        ),
    ] = "file",
    parallel: Annotated[
        bool,
        typer.Option(
            "--parallel",
            help="The texts are translations of one another: cost is tokens of the whole text.",
            rich_help_panel=TEXTS,
        ),
    ] = False,
    field: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The field of jsonl and parquet rows to read.", rich_help_panel=TEXTS
        ),
    ] = None,
    archives: Annotated[
        bool,
        typer.Option(
            "--archives", help="Read the members of zip, tar and ar in memory.", rich_help_panel=TEXTS
        ),
    ] = False,
    archive_password: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Opens encrypted zips; stored nowhere.", rich_help_panel=TEXTS),
    ] = None,
    words: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A word list, for single-token retention.", rich_help_panel=TEXTS),
    ] = None,
    morphemes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Words, their morphemes separated by spaces, for boundary agreement.",
            rich_help_panel=TEXTS,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write a self-contained report.", rich_help_panel=OUTPUTS
        ),
    ] = None,
    tables: Annotated[
        list[Path] | None,
        typer.Option(
            "--table",
            metavar="FILE",
            help="Write a table: .csv, .md or .tex; repeatable.",
            rich_help_panel=OUTPUTS,
        ),
    ] = None,
    plots: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write charts as PNG and SVG ([plots] extra).", rich_help_panel=OUTPUTS
        ),
    ] = None,
    resamples: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Draws of documents for intervals and tests, 39 or more; 0 for none.",
            rich_help_panel=CERTAINTY,
        ),
    ] = 1000,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the draws.", rich_help_panel=CERTAINTY)] = 0,
    threads: Threads = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare tokenizers on the same texts: compression, fairness, entropy, usage, speed, and more."""
    from tokforge.metrics import CompareConfig
    from tokforge.metrics import compare as run
    from tokforge.report import check_tables, plot_files, plot_folder, report_files

    options = CompareConfig(
        documents=documents,  # type: ignore[arg-type]  # the config refuses other names
        parallel=parallel,
        field=field,
        archives=archives,
        archive_password=archive_password,
        words=words,
        morphemes=morphemes,
        resamples=resamples,
        seed=seed,
        threads=threads,
    )
    texts = each_group(text)
    charts = plot_files(plots)
    planned = charts if plots is None or plots.exists() else [plots]
    files = [*([html, recipe_path(html)] if html else []), *(tables or []), *planned]
    read = [*tokenizer_files(*tokenizers), *texts, *(path for path in (words, morphemes) if path)]
    check_tables(tables or ())
    check_output(*files, force=force, inputs=read)
    with bars(quiet=quiet) as progress:
        result = run(
            [str(path) for path in tokenizers], [str(path) for path in texts], options, progress=progress
        )
    written = report_files(result, html=html, tables=tables or (), plots=charts)
    if written:
        with plot_folder(plots):
            write_files({**(resolved(context, html) if html else {}), **written}, force=force)
    figures = {
        **result.as_dict(),
        "html": str(html) if html else None,
        "tables": [str(path) for path in tables or ()],
        "plots": [str(path) for path in charts],
    }
    for warning in result.warnings:
        note(warning, quiet=quiet)
    emit(figures, summary(figures), as_json=as_json)


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out the main metrics, then bytes per token by text, then the pairs that are close."""
    from tokforge.metrics.tally import LEAST_SPELLED

    names = {path: one["name"] for path, one in figures["tokenizers"].items()}
    metrics = figures["metrics"]
    lossy = {path for path, one in figures["tokenizers"].items() if one["spelled_share"] < LEAST_SPELLED}
    rows = [_row(_label(metrics[name]), metrics[name], None, lossy) for name in SHOWN]
    rows += [_row(label, given, None, lossy) for label, given in _given(figures["tokenizers"])]
    by_text = [_row(text, metrics["bytes_per_token"], text, lossy) for text in figures["texts"]]
    parts = [_aligned(["", *names.values()], rows), "* best; more in --json and --html"]
    if len(by_text) > 1:
        parts += ["", _aligned(["bytes per token", *names.values()], by_text)]
    parts += _superwords(figures, names)
    for pair in figures["pairs"]:
        if pair["close"]:
            both = f"{names[pair['first']]} and {names[pair['second']]}"
            parts.append(f"{both}: the documents do not tell them apart (p = {cell(pair['p_value'])})")
    for reason, count in Counter(pair["undecided"] for pair in figures["pairs"]).items():
        if reason:
            parts.append(f"{count} of {len(figures['pairs'])} pairs untested: {reason}")
    outputs = [figures["html"], *figures["tables"], *figures["plots"]]
    return "\n".join([*parts, *(f"wrote {path}" for path in outputs if path)])


def _superwords(figures: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    """Yields how many words tokens hold in each text, and what they are, where any hold two."""
    tokenizers = {path: one for path, one in figures["tokenizers"].items() if any(one["superwords"].values())}
    if not tokenizers:
        return
    from tokforge.metrics.pieces import WORD_SHARES

    shares = [figures["metrics"][name]["values"] for name in WORD_SHARES]
    rows = [
        [f"{names[path]}, {text}", *(cell(by[path]["categories"][text]) for by in shares)]
        for path, one in tokenizers.items()
        for text in one["superwords"]
    ]
    yield from ("", _aligned(["share of the tokens", "two words", "three", "four or more"], rows))
    for path, one in tokenizers.items():
        for text, listed in one["superwords"].items():
            if listed:
                shown = " ".join(token["text"] for token in listed[:COMMONEST])
                yield f"{names[path]}, commonest in {text}: {shown}"


def _given(tokenizers: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yields what lists of words gave, where there were any, laid out as metrics are."""
    titles = {
        "Listed words kept whole": ("retention", "spaced"),
        "Morpheme boundaries, F1": ("morphemes", "f1"),
    }
    for title, (part, field) in titles.items():
        if all(one[part] for one in tokenizers.values()):
            values = {path: {"overall": one[part][field]} for path, one in tokenizers.items()}
            yield f"{title}, share ↑", {"direction": "higher", "values": values}


def _label(metric: Mapping[str, Any]) -> str:
    arrow = {"higher": " ↑", "lower": " ↓", "none": ""}[metric["direction"]]
    return f"{metric['title']}, {metric['unit']}{arrow}"


def _row(label: str, metric: Mapping[str, Any], text: str | None, lossy: Collection[str]) -> list[str]:
    """One line: the values of a metric, overall or for one text, the best with a star."""
    values = [
        one["overall"] if text is None else one["categories"].get(text) for one in metric["values"].values()
    ]
    known = [value for value in values if value is not None]
    rivals = [value for path, value in zip(metric["values"], values, strict=True) if path not in lossy]
    rivals = [value for value in rivals if value is not None]
    best = None
    if len(rivals) > 1 and metric["direction"] != "none" and min(rivals) < max(rivals):
        best = max(rivals) if metric["direction"] == "higher" else min(rivals)
    whole = bool(known) and all(value == int(value) for value in known)
    shown = [cell(int(value) if whole and value is not None else value) for value in values]
    marks = ["*" if best is not None and value == best else " " for value in values]
    return [label, *(f"{one}{mark}" for one, mark in zip(shown, marks, strict=True))]


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Sets the columns after the first to the right, the stars outside."""
    columns = list(zip(*([[header[0], *(f"{name} " for name in header[1:])], *rows]), strict=True))
    padded = [columns[0], *([text.rjust(max(map(len, column))) for text in column] for column in columns[1:])]
    first, *others = zip(*padded, strict=True)
    return table(first, others)
