"""What only a process of its own shows: signals, pipes, terminals, full disks, imports."""

import errno
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_harness import LAUNCH, environment

Spawn = Callable[..., "subprocess.Popen[bytes]"]
PATIENCE_SECONDS = 30


def interrupt(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    """Sends Ctrl-C once the work has started; returns the exit code and stderr."""
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, err.decode()


def test_ctrl_c_ends_with_one_line_and_no_file(spawn: Spawn, tmp_path: Path) -> None:
    assert interrupt(spawn("train-bpe", "slow", "-o", "t.json")) == (130, "tokforge: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_with_json_is_an_object(spawn: Spawn) -> None:
    code, err = interrupt(spawn("train-bpe", "slow", "-o", "t.json", "--json"))
    expected = {"code": "interrupted", "message": "interrupted", "where": None, "hint": None}
    assert (code, json.loads(err)) == (130, {"error": expected})


def test_ctrl_c_does_not_wait_for_busy_threads(spawn: Spawn, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"vocab_size": 300}')
    for name in "ab":
        (tmp_path / name).write_bytes(b"slow")  # whose encoding outlasts the patience of this test
    before = set(tmp_path.iterdir())
    process = spawn("encode", "t.json", "a", "b", "-o", "ids.npy", "--threads", "2")
    assert interrupt(process) == (130, "tokforge: interrupted\n")
    assert set(tmp_path.iterdir()) == before


def test_a_reader_that_stops_reading_is_no_error(spawn: Spawn) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = spawn("--help", stdout=writer)
    os.close(writer)
    assert (process.communicate(timeout=PATIENCE_SECONDS)[1], process.returncode) == (b"", 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output_is_reported(spawn: Spawn) -> None:
    with Path("/dev/full").open("wb") as full:
        process = spawn("--help", stdout=full)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    line = b"tokforge: standard output: no space left on device; free some space or write elsewhere\n"
    assert (process.returncode, err) == (2, line)


def on_terminal(tmp_path: Path, *argv: str, **changes: str) -> tuple[int, str, str]:
    """Runs with stderr on a terminal; returns the exit code, stdout and what the terminal was sent."""
    (tmp_path / "a.txt").write_text("x")
    main, side = pty.openpty()
    variables = {name: value for name, value in environment().items() if name not in ("NO_COLOR", "CI")}
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, *argv],
        cwd=tmp_path,
        env={**variables, "TERM": "xterm-256color", **changes},
        stdout=subprocess.PIPE,
        stderr=side,
    )
    os.close(side)
    sent = read_all(main)
    assert process.stdout is not None
    out = process.stdout.read().decode()
    process.stdout.close()
    return process.wait(timeout=PATIENCE_SECONDS), out, sent


def read_all(descriptor: int) -> str:
    chunks = []
    try:
        while chunk := os.read(descriptor, 65536):
            chunks.append(chunk)
    except OSError as error:  # Linux says so when the other side of a terminal is closed
        if error.errno != errno.EIO:
            raise
    os.close(descriptor)
    return b"".join(chunks).decode()


LINE = ("train-bpe", "a.txt", "-o", "t.json")


def test_bars_are_drawn_on_a_terminal_and_removed(tmp_path: Path) -> None:
    code, out, sent = on_terminal(tmp_path, *LINE)
    assert code == 0
    assert "Reading" in sent
    assert "100%" in sent
    assert "\x1b[3" in sent  # coloured
    assert sent.rstrip().endswith("\x1b[2K")  # the last thing done is to clear the line
    assert "\x1b" not in out


def test_no_color_is_honoured(tmp_path: Path) -> None:
    sent = on_terminal(tmp_path, *LINE, NO_COLOR="1")[2]
    assert "Reading" in sent
    assert "\x1b[3" not in sent


@pytest.mark.parametrize(("more", "term"), [(("--quiet",), "xterm"), ((), "dumb")])
def test_no_bars_when_quiet_or_on_a_dumb_terminal(more: tuple[str, ...], term: str, tmp_path: Path) -> None:
    assert on_terminal(tmp_path, *LINE, *more, TERM=term)[2] == ""


def test_no_bars_in_a_pipe(spawn: Spawn, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    out, err = spawn(*LINE).communicate(timeout=PATIENCE_SECONDS)
    assert (b"\x1b" in out, err) == (False, b"")


def python(code: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )


@pytest.mark.parametrize("line", [["--help"], ["train-bpe", "--help"], ["corpora", "fetch", "--help"]])
def test_help_loads_neither_arrays_nor_engine(line: list[str]) -> None:
    heavy = "numpy torch transformers scipy matplotlib pyarrow zstandard tokenizers yaml rich tokforge._core"
    code = f"import sys; from tokforge_cli.app import run; run({line}); print(*sys.modules)"
    loaded = python(code).stdout.splitlines()[-1].split()
    assert "tokforge_cli.app" in loaded
    assert set(heavy.split()) & set(loaded) == set()


def test_module_runs_like_the_script() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tokforge_cli", "trian"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    line = "tokforge: there is no command trian; did you mean train-bpe?\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", line)


def test_shell_completion_names_commands() -> None:
    ran = python(
        "from tokforge_cli.app import main; main()",
        _TOKFORGE_COMPLETE="complete_bash",
        COMP_WORDS="tokforge train",
        COMP_CWORD="1",
    )
    assert ran.stdout.split() == ["train-bpe", "train-hypernet"]


def test_ctrl_c_while_the_program_is_imported_ends_in_a_word():
    code = (
        "import sys\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tokforge_cli.app':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "from tokforge_cli.start import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "tokforge: interrupted\n")
