"""``tokforge simulate-mixture``: how accurate inference is on one's own categories."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tokforge_cli._named import corpus_or_path
from tokforge_cli._options import Config, Field, Json, Quiet, Threads
from tokforge_cli._output import emit, pairs, table
from tokforge_cli._progress import bars

EXAMPLES = """
tokforge simulate-mixture --categories references --tokenizers 20
tokforge simulate-mixture --categories wikipedia --shifted news --pretokenizer o200k
"""
SIMULATION, INFERENCE = "Simulation", "Inference"


def simulate_mixture(
    categories: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="A folder with a file or folder for each category, or the name of a fetched corpus.",
            readable=False,
        ),
    ],
    shifted: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="References of another source, with the same categories; half of --categories if not set.",
            readable=False,
        ),
    ] = None,
    tokenizers: Annotated[
        int, typer.Option(metavar="N", help="Tokenizers to train.", rich_help_panel=SIMULATION)
    ] = 10,
    vocab_merges: Annotated[
        int, typer.Option(metavar="M", help="Merges of each.", rich_help_panel=SIMULATION)
    ] = 3000,
    pretokenizer: Annotated[
        str,
        typer.Option(metavar="NAME", help="As for train-bpe; any but none.", rich_help_panel=SIMULATION),
    ] = "gpt2",
    reference_share: Annotated[
        float,
        typer.Option(
            metavar="P", help="Part of the documents that is reference.", rich_help_panel=SIMULATION
        ),
    ] = 0.5,
    leak: Annotated[
        bool,
        typer.Option(
            "--leak", help="Infer from the training documents, as a control.", rich_help_panel=SIMULATION
        ),
    ] = False,
    merges: Annotated[
        int, typer.Option(metavar="T", help="How many merges to use; 0 takes all.", rich_help_panel=INFERENCE)
    ] = 1000,
    solver: Annotated[
        str,
        typer.Option(
            metavar="highs|scipy|pulp", help="All find the same optimum.", rich_help_panel=INFERENCE
        ),
    ] = "highs",
    resamples: Annotated[
        int,
        typer.Option(metavar="N", help="Bootstrap samples; 0 gives no intervals.", rich_help_panel=INFERENCE),
    ] = 20,
    calibrate: Annotated[
        bool, typer.Option(help="Tell misfit from sampling noise.", rich_help_panel=INFERENCE)
    ] = True,
    shards: Annotated[
        int,
        typer.Option(metavar="K", help="Parts into which documents are divided.", rich_help_panel=INFERENCE),
    ] = 40,
    field: Field = None,
    seed: Annotated[
        int, typer.Option(metavar="S", help="Seed of the shares and divisions.", rich_help_panel=SIMULATION)
    ] = 0,
    threads: Threads = None,
    config: Config = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure how accurately mixtures are inferred: tokenizers of known shares, disjoint documents."""
    from tokforge.mixture import MixtureConfig, SimulationConfig, simulate_folders

    options = MixtureConfig(
        merges=merges or None,
        solver=solver,
        shards=shards,
        resamples=resamples,
        calibrate=calibrate,
        threads=threads,
        field=field,
    )
    simulation = SimulationConfig(
        tokenizers=tokenizers,
        vocab_merges=vocab_merges,
        pretokenizer=pretokenizer,
        reference_share=reference_share,
        leak=leak,
        seed=seed,
    )
    with bars(quiet=quiet) as progress:
        result = simulate_folders(
            corpus_or_path(categories),
            options,
            simulation,
            shifted=corpus_or_path(shifted) if shifted else None,
            progress=progress,
        )
    figures = result.as_dict()
    emit(figures, summary(figures), as_json=as_json)


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out the errors of all methods, and what the intervals are worth."""
    header = ("method", "log10 MSE", "sd", "RMSE", "largest error")
    rows = [
        [
            name.replace("_", " "),
            f"{scores['log10_mse']:.2f}",
            f"{scores['log10_mse_sd']:.2f}",
            f"{scores['rmse']:.2%}",
            f"{scores['largest_error']:.2%}",
        ]
        for name, scores in figures["methods"].items()
    ]
    head = [("tokenizers", figures["tokenizers"]), ("categories", len(figures["categories"]))]
    scores = figures["intervals"]
    if scores["coverage"] is not None:
        head.append(("intervals hold the truth", f"{scores['coverage']:.0%} of the time"))
        head.append(("their mean width", f"{scores['mean_width']:.2%}"))
    if figures["shift"]["median"] is not None:
        head.append(("misfit over expected", f"{figures['shift']['median']:.2f} (median)"))
    return f"{table(header, rows)}\n\n{pairs(head)}"
