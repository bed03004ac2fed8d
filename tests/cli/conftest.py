"""Runs the command line in this process, in an empty folder, with a library that answers at once."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cli_fakes
import pytest

ROOT = Path(__file__).parents[2]
LAUNCH = "import cli_fakes; cli_fakes.install(); from tokforge_cli.app import main; main()"


@dataclass(frozen=True)
class Ran:
    """How a command line ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Returns ``run(*argv)``; it works in ``tmp_path``, where the engine and the clock are fakes."""
    cli_fakes.install(partial(monkeypatch.setattr, raising=False))
    monkeypatch.setattr("tokforge.encoding.perf_counter", lambda: 0.0)
    monkeypatch.chdir(tmp_path)

    def run_line(*argv: str) -> Ran:
        from tokforge_cli.app import run as run_app

        code = run_app(argv)
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run_line


def environment(**changes: str) -> dict[str, str]:
    """The environment of a child process that imports this tree and the fakes."""
    paths = [ROOT, ROOT / "cli", ROOT / "corpora", ROOT / "tests" / "cli"]
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TOKFORGE", "_TOKFORGE"))
    }
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, paths)), **changes}


@pytest.fixture
def spawn(tmp_path: Path) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Returns ``spawn(*argv, **popen_options)``: the command line with fakes in a process of its own."""

    def start(*argv: str, **options: object) -> "subprocess.Popen[bytes]":
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment()}
        return subprocess.Popen([sys.executable, "-c", LAUNCH, *argv], cwd=tmp_path, **{**pipes, **options})

    return start
