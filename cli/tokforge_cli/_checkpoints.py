"""``--checkpoint`` and ``--resume``, of every command that has them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tokforge_cli._failure import UsageProblem

if TYPE_CHECKING:
    from tokforge.bpe import Checkpoint


def resume_option(panel: str) -> Any:
    """Returns the option ``--resume``, shown in a panel of the command's help."""
    return typer.Option(
        metavar="DIR",
        help="Go on from this checkpoint, with the same inputs and options.",
        rich_help_panel=panel,
    )


def kept_in(
    checkpoint: Path | None, resume: Path | None, seconds: float, command: str
) -> "Checkpoint | None":
    """Returns where the run keeps what it has done, if anywhere."""
    from tokforge.bpe import Checkpoint

    if checkpoint and resume:
        raise UsageProblem(
            "--checkpoint begins anew and --resume goes on",
            "keep one; --resume keeps the folder up to date",
            command,
        )
    folder = checkpoint or resume
    return Checkpoint(folder=folder, resume=resume is not None, seconds=seconds) if folder else None
