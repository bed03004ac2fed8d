"""The ordinary package clients, run as the user has set them up.

Invariant: nothing but a client touches the network, no shell is involved, no registry is ever named here, and
no
code of a package is run: pip takes wheels only, npm runs no scripts, cargo and go only download.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tokforge.errors import InputError
from tokforge_corpora._cache import cache_dir
from tokforge_corpora._manifest import Item

DEBIAN_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"

# The wheels of the manifests are built for this Python; it need not be the one that runs.
PYTHON_TAGS = (
    "--python-version",
    "311",
    "--implementation",
    "cp",
    "--abi",
    "cp311",
    "--abi",
    "abi3",
    "--abi",
    "none",
)


@dataclass(frozen=True, slots=True)
class Client:
    """How to run one client: its arguments, where its file then lies, and what to do when it fails."""

    arguments: Callable[[Item, Path], list[str]]
    locate: Callable[[Item, Path, str], Path]
    hint: str


def download(item: Item, folder: Path) -> Path:
    """Runs the item's client in an empty ``folder`` and returns the file it brought there.

    Raises InputError when the client is not installed, fails, or brings another file.
    """
    client = CLIENTS[item.client]
    output = run(client.arguments(item, folder), folder, client.hint, f"{item.package} {item.version}")
    found = client.locate(item, folder, output)
    if not found.is_file():
        present = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        problem = f"{item.client} brought {present}, not {item.file}"
        raise InputError(problem, client.hint, f"{item.package} {item.version}")
    target = folder / f"{item.file}.part"
    if found.is_relative_to(folder):
        return found.rename(target)
    return Path(shutil.copyfile(found, target))  # the client's own store keeps its copy


def run(arguments: list[str], folder: Path, hint: str, where: str) -> str:
    """Runs a client and returns its standard output; raises InputError with the end of its complaint."""
    try:
        done = subprocess.run(
            arguments,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise InputError(f"{Path(arguments[0]).name} cannot be run: {error.strerror}", hint, where) from error
    if done.returncode:
        complaint = " / ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        problem = f"{Path(arguments[0]).name} failed ({done.returncode}): {complaint}"
        raise InputError(problem, hint, where)
    return done.stdout


def _in_folder(item: Item, folder: Path, _output: str) -> Path:
    return folder / item.file


def _pip(item: Item, folder: Path) -> list[str]:
    tags = [part for tag in item.platforms for part in ("--platform", tag)]
    if tags:
        tags += PYTHON_TAGS
    wanted = f"{item.package}=={item.version}"
    options = [
        "--no-deps",
        "--only-binary=:all:",
        "--quiet",
        "--disable-pip-version-check",
        "--dest",
        str(folder),
    ]
    return [sys.executable, "-m", "pip", "download", *options, *tags, wanted]


def _apt(item: Item, _folder: Path) -> list[str]:
    """For another architecture or suite, apt has lists of its own in the cache: the system stays as it is."""
    _, _, architecture = item.package.partition(":")
    foreign = architecture or item.suite
    options = _apt_options(architecture, item.suite) if foreign else []
    return ["apt-get", *options, "download", "--quiet", f"{item.package}={item.version}"]


def _apt_options(architecture: str, suite: str | None) -> list[str]:
    """Returns the options that give apt lists of one architecture and suite, fetched once."""
    state = cache_dir() / "apt" / f"{suite or 'own'}-{architecture or 'all'}"
    listing, lists = state / "sources.list", state / "state" / "lists"
    settings = {
        "Dir::State": state / "state",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "Dir::Etc::sourcelist": listing,
        "Dir::Etc::sourceparts": os.devnull,
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",  # the cache is closed to apt's own user
    }
    options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
    if architecture:
        options += ["-o", f"APT::Architectures::={architecture}"]
    if not any(lists.glob("*Packages*")):
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        (state / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        (state / "status").touch()
        listing.write_text(_apt_sources(architecture, suite, state), encoding="utf-8")
        run(
            ["apt-get", *options, "update", "--quiet"],
            state,
            CLIENTS["apt"].hint,
            f"apt-get update for {suite}",
        )
    return options


def _apt_sources(architecture: str, suite: str | None, folder: Path) -> str:
    """Returns lines for the archives that this machine already uses, for another architecture or suite."""
    form = ["--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages", "Origin: Debian"]
    output = run(["apt-get", "indextargets", *form], folder, CLIENTS["apt"].hint, "apt-get indextargets")
    found = dict.fromkeys(tuple(line.split()) for line in output.splitlines() if len(line.split()) == 3)
    own = [(site, release, part) for site, release, part in found if "security" not in release]
    if suite:
        own = [(site, suite, part) for site, _, part in own[:1]]
    marks = f"[{f'arch={architecture} ' if architecture else ''}signed-by={DEBIAN_KEYS}]"
    return "".join(f"deb {marks} {site} {release} {part}\n" for site, release, part in own)


def _npm(item: Item, _folder: Path) -> list[str]:
    return [_program("npm"), "pack", "--ignore-scripts", "--silent", f"{item.package}@{item.version}"]


def _cargo(item: Item, folder: Path) -> list[str]:
    # Optional dependencies are off, so little more than the crate itself is downloaded.
    dependency = f'"{item.package}" = {{ version = "={item.version}", default-features = false }}'
    project = f'[package]\nname = "corpus"\nversion = "0.0.0"\n[dependencies]\n{dependency}\n'
    (folder / "Cargo.toml").write_text(project, encoding="utf-8")
    (folder / "src").mkdir()
    (folder / "src" / "lib.rs").touch()
    return ["cargo", "fetch", "--quiet", "--manifest-path", str(folder / "Cargo.toml")]


def _cargo_store(item: Item, folder: Path, _output: str) -> Path:
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    # The folder between is named after the registry or its mirror, whichever the user has set up.
    return next((home / "registry" / "cache").glob(f"*/{item.file}"), folder / item.file)


def _go(item: Item, _folder: Path) -> list[str]:
    return ["go", "mod", "download", "-json", f"{item.package}@{item.version}"]


def _go_store(item: Item, folder: Path, output: str) -> Path:
    try:
        return Path(json.loads(output)["Zip"])
    except (ValueError, KeyError, TypeError):
        return folder / item.file


def _maven(item: Item, folder: Path) -> list[str]:
    kind = item.packaging or "jar"
    artefact = ":".join([item.package, item.version, kind, *([item.classifier] if item.classifier else [])])
    options = [f"-Dartifact={artefact}", f"-DoutputDirectory={folder}"]
    return [_program("mvn"), "--batch-mode", "--quiet", "dependency:copy", *options]


def _program(name: str) -> str:
    # On Windows these clients are .cmd files, which only their full path finds without a shell.
    return shutil.which(name) or name


_REPINNED = "if the version is gone, pin another with `python -m tokforge_corpora.refresh`"

CLIENTS = {
    "apt": Client(
        _apt,
        _in_folder,
        f"this needs Debian 12 and its package lists: run `apt-get update` as root; {_REPINNED}",
    ),
    "cargo": Client(_cargo, _cargo_store, f"install Rust's cargo 1.70 or newer; {_REPINNED}"),
    "go": Client(_go, _go_store, f"install Go 1.18 or newer; {_REPINNED}"),
    "maven": Client(
        _maven, _in_folder, f"install Maven and a JDK (Debian: `apt-get install maven`); {_REPINNED}"
    ),
    "npm": Client(_npm, _in_folder, f"install Node.js with npm 7 or newer; {_REPINNED}"),
    "pip": Client(
        _pip, _in_folder, f"check that `python -m pip --version` works (`python -m ensurepip`); {_REPINNED}"
    ),
}
