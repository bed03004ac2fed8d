"""``tokforge advise-vocab``: how large a vocabulary."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from tokforge.outputs import check_output
from tokforge_cli._named import corpus_or_path
from tokforge_cli._options import Config, Force, Json, Plot, Quiet, Threads, byte_count
from tokforge_cli._output import emit, table
from tokforge_cli._progress import bars

EXAMPLES = """
tokforge advise-vocab corpus/ --parameters 7000000000 --hidden-size 4096
tokforge advise-vocab corpus/ --parameters 125000000 --hidden-size 768 --held-out test/ --plot sizes.svg
"""
MODEL, SEARCH = "Model", "Search"


def advise_vocab(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="Files, folders, globs or named corpora to learn from."),
    ],
    parameters: Annotated[
        int,
        typer.Option(metavar="N", help="The model's parameters without embeddings.", rich_help_panel=MODEL),
    ],
    hidden_size: Annotated[int, typer.Option(metavar="D", help="Width of the model.", rich_help_panel=MODEL)],
    tied: Annotated[
        bool,
        typer.Option("--tied", help="Input and output embeddings are one matrix.", rich_help_panel=MODEL),
    ] = False,
    kv_bytes_per_token: Annotated[
        int | None, typer.Option(metavar="N", help="Bytes of cache for each token.", rich_help_panel=MODEL)
    ] = None,
    held_out: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH", help="Texts to measure on; every tenth file if not set.", rich_help_panel=SEARCH
        ),
    ] = None,
    training_bytes: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Text the model will see, as 10GB.", rich_help_panel=MODEL),
    ] = None,
    largest: Annotated[
        int, typer.Option(metavar="N", help="The largest size tried.", rich_help_panel=SEARCH)
    ] = 65_536,
    multiple_of: Annotated[
        int, typer.Option(metavar="N", help="Round up to a multiple of this.", rich_help_panel=SEARCH)
    ] = 128,
    preset: Annotated[
        str, typer.Option(metavar="NAME", help="As in train-bpe.", rich_help_panel=SEARCH)
    ] = "auto",
    plot: Plot = None,
    threads: Threads = None,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Recommend a vocabulary size for a corpus and a model."""
    from tokforge.advice import AdviseConfig, save_chart
    from tokforge.advice import advise_vocab as run
    from tokforge.report import check_plot

    options = AdviseConfig(
        parameters=parameters,
        hidden_size=hidden_size,
        tied=tied,
        kv_bytes_per_token=kv_bytes_per_token,
        held_out=tuple(str(corpus_or_path(path)) for path in held_out or ()),
        training_bytes=byte_count("training_bytes", training_bytes),
        largest=largest,
        multiple_of=multiple_of,
        preset=preset,
        threads=threads,
    )
    if plot:
        read = [corpus_or_path(path) for path in (*inputs, *(held_out or ()))]
        check_output(plot, force=force, inputs=read)
        check_plot(plot)
    with bars(quiet=quiet) as progress:
        advice = run([str(corpus_or_path(path)) for path in inputs], options, progress=progress)
    if plot:
        save_chart(advice, plot, force=force)
    figures = {**advice.as_dict(), "plot": str(plot) if plot else None}
    emit(figures, summary(figures), as_json=as_json)


def summary(figures: Mapping[str, Any]) -> str:
    """Lays out every size, then the range."""
    from tokforge.advice.advising import span

    names = list(figures["sizes"][0])
    rows = [[one[name] for name in names] for one in figures["sizes"]]
    rule = ", ".join(f"{size:,} ({name})" for name, size in figures["rule"].items())
    why = {
        "rule": "by the rule",
        "corpus": "limited by the corpus: beyond it the model sees the last merges fewer than 100 times",
        "pairs": "limited by the text given: it holds no more pairs to merge; give more of it",
        "largest": "limited by --largest: nothing beyond it was tried",
    }[figures["limited_by"]]
    lines = [table([name.replace("_", " ") for name in names], rows), ""]
    recommended = span(*figures["recommended"])
    return "\n".join([*lines, f"Tao et al. 2024: {rule}", f"recommended: {recommended}, {why}"])
