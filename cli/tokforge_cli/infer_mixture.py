"""``tokforge infer-mixture``: a tokenizer's training mixture out of its merges."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokforge.outputs import check_output, write_files
from tokforge_cli._checkpoints import kept_in, resume_option
from tokforge_cli._failure import UsageProblem
from tokforge_cli._named import corpus_or_path, tokenizer_files
from tokforge_cli._options import Config, Force, Json, Plot, Quiet, Threads, Tokenizer
from tokforge_cli._output import emit, note, pairs, table
from tokforge_cli._progress import bars

if TYPE_CHECKING:
    from tokforge.mixture import MixtureResult

EXAMPLES = """
tokforge infer-mixture tokenizer.json --categories references
tokforge infer-mixture tokenizer.json --categories references --merges 1000 --save-counts counts.npz
tokforge infer-mixture tokenizer.json --counts counts.npz --json
"""
REFERENCES, PROGRAMME, OUTPUTS = "References", "Programme", "Outputs"


def infer_mixture(
    tokenizer: Tokenizer,
    categories: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder with a file or folder for each category, or the name of a fetched corpus.",
            readable=False,
            rich_help_panel=REFERENCES,
        ),
    ] = None,
    counts: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Counts of an earlier run, instead of or beside --categories; repeatable.",
            readable=False,
            rich_help_panel=REFERENCES,
        ),
    ] = None,
    save_counts: Annotated[
        Path | None,
        typer.Option(metavar="FILE.npz", help="Keep the counts for later runs.", rich_help_panel=REFERENCES),
    ] = None,
    field: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Field of jsonl and parquet rows that is the document.",
            rich_help_panel=REFERENCES,
        ),
    ] = None,
    shards: Annotated[
        int,
        typer.Option(
            metavar="K",
            help="Parts of each category that are resampled for intervals.",
            rich_help_panel=REFERENCES,
        ),
    ] = 20,
    merges: Annotated[
        int, typer.Option(metavar="T", help="How many merges to use; 0 takes all.", rich_help_panel=PROGRAMME)
    ] = 3000,
    first: Annotated[
        int,
        typer.Option(
            metavar="F",
            help="Merges inherited from another tokenizer: applied, not judged.",
            rich_help_panel=PROGRAMME,
        ),
    ] = 0,
    solver: Annotated[
        str,
        typer.Option(
            metavar="highs|scipy|pulp", help="All find the same optimum.", rich_help_panel=PROGRAMME
        ),
    ] = "highs",
    resamples: Annotated[
        int,
        typer.Option(metavar="N", help="Bootstrap samples; 0 gives no intervals.", rich_help_panel=PROGRAMME),
    ] = 40,
    calibrate: Annotated[
        bool,
        typer.Option(
            help="Train a tokenizer of known shares, to tell misfit from sampling noise.",
            rich_help_panel=PROGRAMME,
        ),
    ] = True,
    level: Annotated[
        float,
        typer.Option(
            metavar="P", help="Part of intervals that should hold the truth.", rich_help_panel=PROGRAMME
        ),
    ] = 0.9,
    seed: Annotated[
        int, typer.Option(metavar="S", help="Seed of the resampling.", rich_help_panel=PROGRAMME)
    ] = 0,
    plot: Plot = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page of it.", rich_help_panel=OUTPUTS)
    ] = None,
    export_mps: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.mps", help="Write the programme for any other solver.", rich_help_panel=OUTPUTS
        ),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Stop solving after so long; the best bound is printed with its gap.",
            rich_help_panel=PROGRAMME,
        ),
    ] = None,
    estimator: Annotated[
        str,
        typer.Option(
            metavar="combined|programme",
            help="combined: the mean of the programme's shares and a regression's; programme: its own alone.",
            rich_help_panel=PROGRAMME,
        ),
    ] = "combined",
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep the programme's rows there, for --resume DIR after a crash.",
            rich_help_panel=PROGRAMME,
        ),
    ] = None,
    resume: Annotated[Path | None, resume_option(PROGRAMME)] = None,
    threads: Threads = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Infer the mixture of data that a tokenizer was trained on from the order of its merges."""
    from tokforge import Tokenizer as TokenizerModel
    from tokforge.mixture import MixtureConfig, gather_references, infer
    from tokforge.mixture import save_counts as save
    from tokforge.report import check_plot

    require_references(categories, counts)
    options = MixtureConfig(
        merges=merges or None,
        first=first,
        solver=solver,
        shards=shards,
        resamples=resamples,
        calibrate=calibrate,
        level=level,
        time_limit=time_limit,
        estimator=estimator,
        seed=seed,
        threads=threads,
        field=field,
    )
    kept = kept_in(checkpoint, resume, 60.0, "infer-mixture")
    texts = corpus_or_path(categories) if categories else None
    read = [*tokenizer_files(tokenizer), *(counts or ()), *([texts] if texts else [])]
    check_output(*(path for path in (save_counts, plot, html, export_mps) if path), force=force, inputs=read)
    if plot:
        check_plot(plot)
    model = TokenizerModel.load(tokenizer)
    with bars(quiet=quiet) as progress:
        references, seconds = gather_references(
            model, options, categories=texts, counts=counts or (), progress=progress
        )
        if save_counts:
            save(references, save_counts, force=force)
        result = infer(
            model, references, options, progress=progress, counted_seconds=seconds, checkpoint=kept
        )
    write_outputs(result, tokenizer, plot=plot, html=html, mps=export_mps, force=force)
    figures = result.as_dict()
    for warning in figures["warnings"]:
        note(f"warning: {warning}", quiet=quiet or as_json)
    emit(figures, summary(figures), as_json=as_json)


def write_outputs(
    result: "MixtureResult",
    tokenizer: Path,
    *,
    plot: Path | None,
    html: Path | None,
    mps: Path | None,
    force: bool,
) -> None:
    """Writes what was asked for: the chart, the page, the programme."""
    from tokforge.mixture import mixture_page, save_chart, write_mps

    if plot:
        save_chart(result, plot, force=force)
    if mps:
        write_mps(result.solution.rows, mps, force=force)
    if html:
        write_files({html: mixture_page(result.as_dict(), str(tokenizer))}, force=force)


def require_references(categories: Path | None, counts: list[Path] | None) -> None:
    """Refuses to infer from nothing."""
    if categories is None and not counts:
        hint = "give --categories DIR, or --counts FILE"
        raise UsageProblem("there are no references", hint, "infer-mixture")


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out the shares with their intervals, and how far to trust them."""
    from tokforge.mixture.config import ESTIMATORS

    rows = []
    for name, share in sorted(figures["proportions"].items(), key=lambda item: -item[1]):
        low, high = figures["intervals"].get(name, (None, None))
        interval = "-" if low is None else f"{low:.2%} to {high:.2%}"
        others = [figures["proportions_by_unit"][unit][name] for unit in ("pairs", "characters")]
        shown, *beside = ("-" if figures["withheld"] else f"{value:.2%}" for value in (share, *others))
        rows.append([name, shown, interval, *beside])
    header = ("category", "bytes", f"{figures['level']:.0%} interval", "pairs", "characters")
    solution, shift = figures["solution"], figures["fit"]["shift"]
    head = pairs(
        [
            ("merges used", figures["merges"]),
            ("missing merges", figures["fit"]["missing_merges"]),
            ("misfit", f"{figures['fit']['misfit']:.2%} of the merges' counts"),
            ("shift", "not calibrated" if shift is None else f"{shift:.2f} times the misfit expected"),
            ("estimate", ESTIMATORS[figures["estimator"]] + (", withheld" if figures["withheld"] else "")),
            ("optimal", "yes" if solution["optimal"] else f"no: gap {solution['gap']:.1%}"),
            ("seconds", figures["seconds"]),
        ]
    )
    return f"{table(header, rows)}\n\n{head}"
