"""Builds the wheel, checks every file in it, and uses it in an environment that holds nothing else.

With ``--sdist`` the wheel is built from the source distribution, which so proves to be whole.
"""

import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = {"tokforge": ".", "tokforge_cli": "cli", "tokforge_corpora": "corpora"}
ENGINES = {"tokforge/_core.abi3.so", "tokforge/_core.pyd"}
DATA = {
    "tokforge/_core.pyi",
    "tokforge/py.typed",
    "tokforge/mixture/known.json",
    "tokforge/tokenizer/binary.merges",
    *(f"tokforge/report/assets/{name}.js" for name in ("explore", "report", "static", "tokens")),
    "tokforge/report/assets/style.css",
    *(f"tokforge_corpora/manifests/binaries-{name}.toml" for name in ("heldout", "large", "small")),
    *(f"tokforge_corpora/manifests/{name}.toml" for name in ("code-c", "code-mixed", "text-multilingual")),
}
ABOUT = {"licenses/LICENSE", "METADATA", "WHEEL", "entry_points.txt", "top_level.txt", "RECORD"}


def main() -> None:
    """Exits with a message where the wheel is not what it should be."""
    with tempfile.TemporaryDirectory() as folder:
        source = _sdist(Path(folder)) if "--sdist" in sys.argv[1:] else ROOT
        wheel = _build(source, Path(folder))
        _check_contents(wheel)
        _use(wheel, Path(folder))
    sys.stdout.write(f"wheel: {wheel.name} built from {source.name}, installed alone and used\n")


def _sdist(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "build", "--sdist", "-o", str(folder), str(ROOT)], check=True)
    (sdist,) = folder.glob("*.tar.gz")
    return sdist


def _build(source: Path, folder: Path) -> Path:
    # What an earlier version left there would be packed too.
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(source)]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _check_contents(wheel: Path) -> None:
    if "-abi3-" not in wheel.name:
        sys.exit(f"{wheel.name} is no abi3 wheel")
    name, version = wheel.name.split("-")[:2]
    about = {f"{name}-{version}.dist-info/{file}" for file in ABOUT}
    names = {file for file in zipfile.ZipFile(wheel).namelist() if not file.endswith("/")}
    if len(names & ENGINES) != 1:
        sys.exit(f"the wheel holds the engines {sorted(names & ENGINES)}, not one")
    expected = _modules() | DATA | about
    if missing := expected - names:
        sys.exit(f"the wheel lacks {sorted(missing)}")
    if stray := names - expected - ENGINES:
        sys.exit(f"the wheel holds what no list names: {sorted(stray)}")


def _modules() -> set[str]:
    """Returns every module of the tree, by its path in the wheel."""
    return {
        str(path.relative_to(ROOT / parent))
        for package, parent in SOURCES.items()
        for path in (ROOT / parent / package).rglob("*.py")
    }


def _use(wheel: Path, folder: Path) -> None:
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", str(wheel)], check=True)
    subprocess.run([python, ROOT / "tests" / "smoke.py"], check=True, cwd=folder)
    subprocess.run([python.parent / "tokforge", "--version"], check=True, cwd=folder)


if __name__ == "__main__":
    main()
