"""Disk full, a failing disk, short calls: at each system call of each command that writes.

Either the command does not notice (a short write is gone on with) and its output is that of an undisturbed
run, or it ends with exit code 2 and one line, and every file is as it was, none added.
"""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TEXT = "".join(f"the cat{at % 97} sat on mat{at % 89} of {at}; " for at in range(9000))
WRITE, SYNC, RENAME, READ, MAP, CREATE = range(6)
FAULTS = {
    "disk full": (WRITE, errno.ENOSPC, True),
    "quota": (WRITE, errno.EDQUOT, False),
    "write error": (WRITE, errno.EIO, False),
    "interrupted write": (WRITE, errno.EINTR, False),
    "short write": (WRITE, 0, False),
    "sync error": (SYNC, errno.EIO, False),
    "rename error": (RENAME, errno.EIO, False),
    "read error": (READ, errno.EIO, False),
    "interrupted read": (READ, errno.EINTR, False),
    "short read": (READ, 0, False),
    "map error": (MAP, errno.EIO, False),
    "read-only": (CREATE, errno.EROFS, True),
    "too many files": (CREATE, errno.EMFILE, False),
}
"""Name -> the kind of call, its error (0: half is done), whether all later ones fail too."""
COMMANDS = {
    "train": "train-bpe text.txt -o out.json --vocab-size 400 --preset text --family 300",
    "train binary": "train-bpe text.txt -o out.json --vocab-size 300 --preset binary",
    "train bounded": "train-bpe text.txt -o out.json --vocab-size 300 --preset text --memory 400MB",
    "train on": "train-bpe text.txt -o out.json --vocab-size 500 --extend model.json --map map.json",
    "train counted": "train-bpe words.counts -o out.json --vocab-size 300 --counts",
    "supertokens": "train-bpe text.txt -o out.json --vocab-size 400 --supertokens superbpe:40",
    "checkpoint": "train-bpe text.txt -o out.json --vocab-size 300 --preset text --checkpoint kept"
    " --checkpoint-seconds 0",
    "count": "count text.txt -o out.counts --preset text",
    "merge-counts": "merge-counts words.counts words.counts -o out.counts",
    "encode": "encode model.json text.txt -o out.npy --offsets",
    "decode": "decode model.json ids.npy -o back.txt",
    "convert": "convert model.json out.tiktoken --to tiktoken --allow-lossy",
    "convert pair": "convert model.json pair --to vocab-merges --allow-lossy",
    "edit": "edit add model.json --special <new> -o out.json --map map.json",
    "compare": "compare model.json --text text.txt --html report.html --table table.csv",
    "lint": "lint broken.json --fix -o mended.json --sarif found.sarif",
    "advise-vocab": "advise-vocab text.txt --held-out kinds --largest 512 --parameters 1000000 --hidden-size 64 --plot sizes.svg",
    "infer-mixture": "infer-mixture model.json --categories kinds --merges 9 --resamples 0"
    " --save-counts counts.npz --html page.html --export-mps rows.mps",
}


class Machine:
    """A process that runs commands under the shim, each in a folder of its own."""

    def __init__(self, shim: Path, inputs: Path, folder: Path) -> None:
        self.inputs, self.root, self.used = inputs, folder / "root", 0
        self.process = subprocess.Popen(
            [sys.executable, HERE / "driver.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LD_PRELOAD": str(shim), "TMPDIR": str(self.root / "tmp")},
        )

    def fresh(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.inputs, self.root)
        (self.root / "tmp").mkdir()

    def run(self, line: str, fault: str = "short read", nth: int | None = None) -> dict:
        kind, error, sticky = FAULTS[fault]
        case = {"root": str(self.root), "arguments": line.split(), "kind": kind, "nth": nth}
        print(json.dumps(case | {"error": error, "sticky": sticky}), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.root.rglob("*") if path.is_file() and "kept" not in path.parts)
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler and a loader that preloads")
    folder = tmp_path_factory.mktemp("faults")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", folder / "shim.so", HERE / "shim.c", "-ldl"]
    subprocess.run(command, check=True)
    machine = Machine(folder / "shim.so", folder / "inputs", folder)
    make_inputs(folder / "inputs", machine)
    yield machine
    machine.process.communicate(timeout=30)


def make_inputs(folder: Path, machine: Machine) -> None:
    folder.mkdir()
    (folder / "text.txt").write_text(TEXT)
    (folder / "kinds").mkdir()
    (folder / "kinds" / "first.txt").write_text(TEXT[:90_000])
    (folder / "kinds" / "second.txt").write_text("\n".join(TEXT.split("; ")[3000:]))
    for line in (
        "train-bpe text.txt -o model.json --vocab-size 300 --preset text",
        "count text.txt -o words.counts --preset text",
        "encode model.json text.txt -o ids.npy",
    ):
        machine.fresh()
        assert machine.run(line)["code"] == 0
        for path in machine.root.glob("*"):
            if path.is_file():
                shutil.copy(path, folder)
    broken = json.loads((folder / "model.json").read_text())
    broken["model"]["merges"].append(["nothing", "there"])
    (folder / "broken.json").write_text(json.dumps(broken))


def points(calls: int, most: int) -> list[int]:
    """The calls that fail: the first, the last, and others at equal distance."""
    return sorted({round(at * (calls - 1) / (most - 1)) for at in range(most)}) if calls else []


def outcome(content: bytes, varying: bool) -> object:
    """What tells a whole file from another: its bytes, or, where it holds times, its lines and whether the last one ends."""
    return (content.count(b"\n"), content[-1:]) if varying else content


def check(
    machine: Machine, line: str, fault: str, nth: int, clean: dict[str, bytes], varying: set[str]
) -> bool:
    """Runs with one fault where files of other content stand already; returns whether it was refused."""
    machine.fresh()
    before = machine.files()
    for name in clean.keys() - before.keys():
        (machine.root / name).parent.mkdir(parents=True, exist_ok=True)
        (machine.root / name).write_bytes(b"old")
    before = machine.files()
    ran = machine.run(f"{line} --force", fault, nth)
    after = machine.files()
    news = {
        name
        for name in clean
        if outcome(after[name], name in varying) == outcome(clean[name], name in varying)
    }
    if ran["code"] in (0, 1):
        assert news == clean.keys() == after.keys()
        return False
    assert ran["code"] == 2, ran["err"]
    assert ran["err"].startswith("tokforge: ") and ran["err"].count("\n") == 1, ran["err"]
    assert "internal error" not in ran["err"], ran["err"]
    # Outputs that do not depend on each other are renamed one by one: each is the old one or the new one.
    assert {name for name in after if after[name] != before.get(name)} <= news
    assert after.keys() == before.keys()
    return True


SHORT = ("count", "decode", "encode", "merge-counts")
CASES = [(name, 3) for name in SHORT] + [
    pytest.param(name, 12, marks=pytest.mark.nightly) for name in COMMANDS
]


@pytest.mark.parametrize(("name", "most"), CASES)
def test_a_failing_call_leaves_nothing_half_written(name: str, most: int, machine: Machine) -> None:
    line = COMMANDS[name]
    machine.fresh()
    undisturbed = machine.run(line)
    assert undisturbed["code"] in (0, 1), undisturbed["err"]
    clean = machine.files()
    machine.fresh()
    machine.run(line)
    varying = {path for path, content in machine.files().items() if content != clean[path]}
    refused = tried = 0
    for fault, (kind, error, _) in FAULTS.items():
        for nth in points(undisturbed["seen"][kind], most):
            was_refused = check(machine, line, fault, nth, clean, varying)
            refused, tried = refused + was_refused, tried + 1
            if error in (0, errno.EINTR):
                assert not was_refused, (fault, nth)
            if was_refused and name == "checkpoint":
                again = machine.run(f"{line.replace('--checkpoint ', '--resume ')} --force")
                assert again["code"] == 0, again["err"]
                assert machine.files()["out.json"] == clean["out.json"]
    print(f"{name}: {tried} faults, {refused} refused")  # noqa: T201
    assert refused
