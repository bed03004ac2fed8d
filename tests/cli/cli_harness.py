"""What the tests of the command line share."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAUNCH = "import cli_fakes; cli_fakes.install(); from tokforge_cli.app import main; main()"


@dataclass(frozen=True)
class Ran:
    """How a command line ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


def environment(**changes: str) -> dict[str, str]:
    """The environment of a child process that imports this tree and the fakes."""
    paths = [ROOT, ROOT / "cli", ROOT / "corpora", ROOT / "tests" / "cli"]
    # Without a buffer nothing is left to be flushed at exit, which hides what users would see.
    dropped = ("TOKFORGE", "_TOKFORGE", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, paths)), **changes}
