"""``tokforge heal``: a short training that makes a transplanted model better, and never worse."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tokforge_cli._options import Config, Field, Force, Json, Quiet
from tokforge_cli._output import emit, outline, table
from tokforge_cli._progress import bars
from tokforge_cli.transplant import Model

if TYPE_CHECKING:
    from tokforge.transplant.heal import Healed

EXAMPLES = """
tokforge heal SmolLM2-new --text corpus/ -o SmolLM2-healed --steps 200
tokforge heal SmolLM2-new --text corpus/ -o healed --train lora --loss chunks --teacher SmolLM2
tokforge heal SmolLM2-new --text corpus/ --dry-run
"""
TRAINING, RUN = "Training", "Run"


def heal(
    model: Model,
    text: Annotated[
        list[str], typer.Option("--text", metavar="PATH", help="Files, folders or globs of text; repeatable.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Where the healed model goes.")
    ] = None,
    train: Annotated[
        str, typer.Option(metavar="rows|new-rows|lora|all", help="What moves.", rich_help_panel=TRAINING)
    ] = "rows",
    loss: Annotated[
        str,
        typer.Option(
            metavar="next-token|hidden|chunks", help="What is made small.", rich_help_panel=TRAINING
        ),
    ] = "next-token",
    teacher: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The original model, for hidden and chunks.", rich_help_panel=TRAINING
        ),
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", help="Most steps.", rich_help_panel=TRAINING)] = 200,
    learning_rate: Annotated[
        float, typer.Option(metavar="R", help="Highest learning rate.", rich_help_panel=TRAINING)
    ] = 1e-4,
    batch: Annotated[
        int, typer.Option(metavar="N", help="Windows that run at once.", rich_help_panel=TRAINING)
    ] = 3,
    accumulate: Annotated[
        int, typer.Option(metavar="N", help="Batches in a step.", rich_help_panel=TRAINING)
    ] = 1,
    window: Annotated[
        int, typer.Option(metavar="BYTES", help="Bytes of a window.", rich_help_panel=TRAINING)
    ] = 1024,
    rank: Annotated[
        int, typer.Option(metavar="R", help="Rank of LoRA's matrices.", rich_help_panel=TRAINING)
    ] = 16,
    validate_every: Annotated[
        int, typer.Option(metavar="N", help="Steps between validations.", rich_help_panel=RUN)
    ] = 20,
    patience: Annotated[
        int,
        typer.Option(
            metavar="N", help="End after N validations without a better one; 0: never.", rich_help_panel=RUN
        ),
    ] = 5,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep the run's state here, and go on from it.", rich_help_panel=RUN
        ),
    ] = None,
    checkpoint_every: Annotated[
        int, typer.Option(metavar="N", help="Steps between writings of --state.", rich_help_panel=RUN)
    ] = 50,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append a JSON line a step.", rich_help_panel=RUN)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Run one batch; say what it would take.", rich_help_panel=RUN)
    ] = False,
    field: Field = None,
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where it runs.", rich_help_panel=RUN)
    ] = "auto",
    dtype: Annotated[
        str, typer.Option(metavar="float32|bfloat16", help="In which precision.", rich_help_panel=RUN)
    ] = "float32",
    seed: Annotated[
        int, typer.Option(metavar="S", help="Seed of the order of windows.", rich_help_panel=RUN)
    ] = 0,
    config: Config = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a transplanted model for a few steps; write its best weights, or those it had."""
    from tokforge.transplant.heal import HealConfig
    from tokforge.transplant.heal import heal as run
    from tokforge.transplant.processes import is_first_process

    settings = HealConfig(
        train=train, loss=loss, steps=steps, learning_rate=learning_rate, batch=batch, accumulate=accumulate,
        window=window, rank=rank, validate_every=validate_every, patience=patience,
        checkpoint_every=checkpoint_every, text_field=field, device=device, dtype=dtype, seed=seed,
    )  # fmt: skip
    with bars(quiet=quiet or not is_first_process()) as progress:
        result = run(
            model, text, output, teacher=teacher, config=settings, state=state, log=log,
            dry_run=dry_run, force=force, progress=progress,
        )  # fmt: skip
    if is_first_process():
        emit(result.as_dict(), _summary(result), as_json=as_json)


def _summary(result: "Healed") -> str:
    figures = result.as_dict()
    log = figures.pop("log")
    head = outline({name: value for name, value in figures.items() if value is not None})
    rows = [[one["step"], one["held_out_bits_per_byte"]] for one in log]
    return head + ("\n\n" + table(["step", "held-out bits/byte"], rows) if rows else "")
