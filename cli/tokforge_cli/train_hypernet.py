"""``tokforge train-hypernet``: a network that predicts the rows of any tokenizer's tokens for one model."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tokforge_cli._options import Config, Field, Force, Json, Quiet
from tokforge_cli._output import emit, outline
from tokforge_cli._progress import bars
from tokforge_cli.transplant import Model

EXAMPLES = """
tokforge train-hypernet SmolLM2/ --text corpus/en corpus/code -o hypernet --tokenizer bpe-64k.json --dry-run
tokforge train-hypernet SmolLM2/ --text corpus/en -o hypernet --tokenizer bpe-64k.json --minutes 120
tokforge train-hypernet SmolLM2/ --text corpus/en -o hypernet --tokenizer bpe-64k.json --resume
"""
TRAINING, TOKENIZERS = "Training", "Sampled tokenizers"


def train_hypernet(
    model: Model,
    text: Annotated[
        list[str],
        typer.Option("--text", metavar="PATH", help="Text to train on; each PATH is drawn from as often."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The network's folder.")],
    field: Field = None,
    tokenizer: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Byte-level BPE, of which prefixes are sampled; repeatable.",
            rich_help_panel=TOKENIZERS,
        ),
    ] = None,
    validation_tokenizer: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Never sampled: decides which weights are kept; repeatable.",
            rich_help_panel=TOKENIZERS,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="An option of the network or the training; an unknown name lists all.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    steps: Annotated[
        int,
        typer.Option(metavar="N", help="Steps on text, after those of stage 1.", rich_help_panel=TRAINING),
    ] = 1000,
    reconstruction_steps: Annotated[
        int,
        typer.Option(
            metavar="N", help="Steps of stage 1, on the model's own tokens.", rich_help_panel=TRAINING
        ),
    ] = 100,
    learning_rate: Annotated[
        float, typer.Option(metavar="R", help="Its peak.", rich_help_panel=TRAINING)
    ] = 3e-4,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of all draws.", rich_help_panel=TRAINING)] = 0,
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where it trains.", rich_help_panel=TRAINING)
    ] = "auto",
    minutes: Annotated[
        float | None,
        typer.Option(
            metavar="M", help="End this piece of the run after M minutes.", rich_help_panel=TRAINING
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint in DIR.", rich_help_panel=TRAINING)
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it would take.", rich_help_panel=TRAINING)
    ] = False,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a hypernetwork for a model: it predicts embeddings for any tokenizer, without training on it."""
    from tokforge.transplant.hypernet import HypernetConfig, estimate
    from tokforge.transplant.hypernet import train_hypernet as run
    from tokforge.transplant.processes import is_first_process

    options = {"steps": steps, "reconstruction_steps": reconstruction_steps, "learning_rate": learning_rate}
    chosen = HypernetConfig.parse({**options, "seed": seed, "device": device}, settings or [])
    needed = estimate(model, chosen)
    if dry_run:
        emit({"estimate": needed, "trained": None}, outline(needed), as_json=as_json)
        return
    with bars(quiet=quiet or not is_first_process()) as progress:
        trained = run(
            model, text, output, field=field, tokenizers=tokenizer or (),
            validation_tokenizers=validation_tokenizer or (), config=chosen, resume=resume, force=force,
            minutes=minutes, progress=progress,
        )  # fmt: skip
    if is_first_process():
        emit(
            {"estimate": needed, "trained": asdict(trained)},
            outline({**needed, **asdict(trained)}),
            as_json=as_json,
        )
