"""The site: builds strictly, holds every public name and command, and asks no other machine for anything."""

import importlib.util
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from command_tree import commands

ROOT = Path(__file__).parents[2]
LOADED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//[^\">]*")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "-d", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def packages():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "hooks" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.packages()


def test_every_public_name_stands_in_the_reference_with_its_docstring(site, packages):
    _, _, body = (site / "objects.inv").read_bytes().partition(b"zlib.\n")
    documented = {line.split(" ")[0] for line in zlib.decompress(body).decode().splitlines()}
    names = {
        (package, name) for package, names in packages.items() if package != "tokforge" for name in names
    }
    missing = [
        (package, name)
        for package, name in sorted(names)
        if not {f"{package}.{name}", f"{package}.{name}.{name}"} & documented
    ]
    assert len(names) > 150 and missing == []
    front = (site / "reference" / "tokforge.html").read_text()
    assert [name for name in packages["tokforge"] if f"<code>{name}</code>" not in front] == []


def test_every_command_has_its_section(site):
    page = (site / "commands.html").read_text()
    assert [words for words in commands() if f'id="{words.replace(" ", "-")}"' not in page] == []


def test_no_page_loads_anything_from_elsewhere(site):
    found = [(page.name, LOADED.findall(page.read_text())) for page in site.rglob("*.html")]
    assert [one for one in found if one[1]] == []
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert not re.search(r"url\(['\"]?https?:|@import", styles)
