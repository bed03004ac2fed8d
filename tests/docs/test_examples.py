"""Every example in README and docs runs: `python` blocks as one script a page, `console` lines in turn."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    return BLOCK.findall(page.read_text())


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder as the examples find it: programs to learn from, and some text and code."""
    (tmp_path / "programs").mkdir()
    shutil.copy(Path(sys.executable).resolve(), tmp_path / "programs" / "python")
    shutil.copy(shutil.which("ls"), tmp_path / "programs" / "ls")
    for kind, files in {"text": PAGES, "code": sorted(ROOT.glob("tokforge/**/*.py"))}.items():
        (tmp_path / kind).mkdir()
        for number, path in enumerate(files):
            shutil.copy(path, tmp_path / kind / f"{number}-{path.name}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    return tmp_path


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_examples_run(page, workplace):
    script = []
    for language, block in blocks(page):
        if language == "python":
            script.append(block)
            continue
        for command in re.findall(r"^\$ ((?:.*\\\n)*.*)", block, re.MULTILINE):
            done = subprocess.run(command, shell=True, capture_output=True, text=True)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    if script:
        done = subprocess.run([sys.executable, "-c", "\n".join(script)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_pages_are_found():
    assert sum(bool(blocks(page)) for page in PAGES) >= 2
