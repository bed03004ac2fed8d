"""Golden transcripts: files and a command line, then its exit code, stdout and stderr, in one block.

A file of ``transcripts/`` is one session in one folder. ``<<< PATH`` starts a file that ends at ``>>>``;
``$ tokforge ...`` is a command line, and what stands below it up to the next mark is what it must print;
``$ ls`` and ``$ cat FILE`` show what it wrote.
Run with TOKFORGE_UPDATE_TRANSCRIPTS=1 to write what is printed now; then read the difference.
"""

import os
import re
import shlex
from pathlib import Path

import pytest
from cli_harness import Ran, Run

SESSIONS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
WITH_ENGINE = sorted((Path(__file__).parent / "transcripts_engine").glob("*.txt"))
"""Sessions of commands that only make sense with the real library."""


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_transcript(session: Path, run: Run, tmp_path: Path) -> None:
    text = session.read_text()
    played = play(text, run, tmp_path)
    if os.environ.get("TOKFORGE_UPDATE_TRANSCRIPTS") == "1":
        session.write_text(played)
    assert played == text


@pytest.mark.parametrize("session", WITH_ENGINE, ids=lambda path: path.stem)
def test_transcript_with_the_engine(session: Path, run_real: Run, tmp_path: Path) -> None:
    test_transcript(session, run_real, tmp_path)


def play(text: str, run: Run, folder: Path) -> str:
    """Returns the session with every answer replaced by what the command line answers now."""
    lines, shown = iter(text.splitlines()), []
    skipping = False
    for line in lines:
        if line.startswith("<<< "):
            content = list(iter(lambda: next(lines), ">>>"))
            place(folder / line[4:], content)
            shown += [line, *content, ">>>"]
        elif line.startswith("$ tokforge "):
            skipping = True
            shown += [line, *answer(run(*shlex.split(line[11:])), folder)]
        elif line == "$ ls":
            skipping = True
            shown += [line, *sorted(path.name for path in folder.iterdir()), ""]
        elif line.startswith("$ cat "):
            skipping = True
            shown += [line, *(f"| {body}" for body in (folder / line[6:]).read_text().splitlines()), ""]
        elif line.startswith("#"):
            skipping = False
            shown.append(line)
        elif not skipping:
            shown.append(line)
    return "\n".join(shown).rstrip() + "\n"


def place(path: Path, content: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in content))


def answer(ran: Ran, folder: Path) -> list[str]:
    parts = [f"[exit {ran.code}]"]
    for name, text in (("stdout", ran.out), ("stderr", ran.err)):
        if text:
            parts += [f"[{name}]", *filtered(text, folder).rstrip("\n").split("\n")]
    return [*parts, ""]


def filtered(text: str, folder: Path) -> str:
    """Hides what differs from one machine or version to the next."""
    text = text.replace(str(folder), "[FOLDER]")
    text = re.sub(r"(tokenizers|tiktoken|sentencepiece) \d[\d.]*", r"\1 [VERSION]", text)
    return re.sub(r"^tokforge \d\S*$", "tokforge [VERSION]", text, flags=re.MULTILINE)
