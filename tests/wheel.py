"""Builds the wheel, checks what is in it, and uses it in an environment that holds nothing else."""

import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = {"tokforge", "tokforge_cli", "tokforge_corpora"}
SMOKE = """
import sys, tokforge
from pathlib import Path
Path("corpus.bin").write_bytes(Path(sys.executable).resolve().read_bytes()[:200_000])
tokenizer = tokforge.train_bpe(["corpus.bin"], vocab_size=512, preset="binary")
data = Path("corpus.bin").read_bytes()
assert tokenizer.decode(tokenizer.encode(data)) == data
tokenizer.save("tokenizer.json")
assert tokforge.Tokenizer.load("tokenizer.json") == tokenizer
heavy = {"torch", "transformers", "scipy", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""


def main() -> None:
    """Exits with a message where the wheel is not what it should be."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = _build(Path(folder))
        _check_contents(wheel)
        _use(wheel, Path(folder))
    sys.stdout.write(f"wheel: {wheel.name} built, installed in an empty environment and used\n")


def _build(folder: Path) -> Path:
    shutil.rmtree(
        ROOT / "build", ignore_errors=True
    )  # what an earlier version left there would be packed too
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _check_contents(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    if top != PACKAGES:
        sys.exit(f"the wheel's top-level names are {sorted(top)}, not {sorted(PACKAGES)}")
    if "-abi3-" not in wheel.name:
        sys.exit(f"{wheel.name} is no abi3 wheel")
    expected = {
        "tokforge/py.typed",
        "tokforge/_core.pyi",
        "tokforge/report/assets/report.js",
        "tokforge_corpora/manifests/binaries-small.toml",
    }
    engines = [name for name in names if name.startswith("tokforge/_core.") and name.endswith(".so")]
    if len(engines) != 1:
        sys.exit(f"the wheel holds the engines {engines}, not one")
    if missing := expected - set(names):
        sys.exit(f"the wheel lacks {sorted(missing)}")


def _use(wheel: Path, folder: Path) -> None:
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", str(wheel)], check=True)
    subprocess.run([python, "-c", SMOKE], check=True, cwd=folder)
    subprocess.run([python.parent / "tokforge", "--version"], check=True, cwd=folder)


if __name__ == "__main__":
    main()
