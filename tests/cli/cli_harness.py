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
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TOKFORGE", "_TOKFORGE"))
    }
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, paths)), **changes}
