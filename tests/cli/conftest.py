"""Runs the command line in this process, in an empty folder, with a library that answers at once."""

import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cli_fakes
import pytest
from cli_harness import LAUNCH, Ran, Run, environment


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Returns ``run(*argv)``; it works in ``tmp_path``, where the engine and the clock are fakes."""
    cli_fakes.install(monkeypatch.setattr, partial(monkeypatch.setitem, sys.modules))
    for module in ("encode", "decode", "stretches"):
        monkeypatch.setattr(f"tokforge.encoding.{module}.perf_counter", lambda: 0.0)
    monkeypatch.chdir(tmp_path)

    def run_line(*argv: str) -> Ran:
        from tokforge_cli.app import run as run_app

        code = run_app(argv)
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run_line


@pytest.fixture
def run_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Returns ``run_real(*argv)``; it works in ``tmp_path`` with the real library."""
    pytest.importorskip("tokforge._core", reason="the engine is not built")
    monkeypatch.chdir(tmp_path)

    def run_line(*argv: str) -> Ran:
        from tokforge_cli.app import run as run_app

        code = run_app(argv)
        sys.stdout.flush()
        out, err = capfd.readouterr()
        out = re.sub(r"^(seconds|peak memory)( +)\S.*$", r"\1\2[MEASURED]", out, flags=re.MULTILINE)
        return Ran(code, out, err)

    return run_line


@pytest.fixture
def spawn(tmp_path: Path) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Returns ``spawn(*argv, **popen_options)``: the command line with fakes in a process of its own."""

    def start(*argv: str, **options: object) -> "subprocess.Popen[bytes]":
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment()}
        return subprocess.Popen([sys.executable, "-c", LAUNCH, *argv], cwd=tmp_path, **{**pipes, **options})

    return start
