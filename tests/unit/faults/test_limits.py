"""Writes that fail, threads and forks: no half-written artefact, no error, no hang."""

import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tokforge import Tokenizer, train_bpe
from tokforge.bpe.memory import resident_bytes

TEXT = "".join(f"the cat{at % 97} sat on mat{at % 89}; " for at in range(9000))
COMMANDS = {
    "train": "train-bpe text.txt -o out.json --vocab-size 600 --preset text",
    "checkpoint": "train-bpe text.txt -o out.json --vocab-size 600 --preset text --checkpoint kept",
    "count": "count text.txt -o out.counts --preset text",
    "encode": "encode model.json text.txt -o out.npy",
    "convert": "convert model.json out.tiktoken --to tiktoken",
}
LIMITS = [
    0,
    4096,
    pytest.param(100, marks=pytest.mark.nightly),
    pytest.param(20_000, marks=pytest.mark.nightly),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = tmp_path_factory.mktemp("model") / "text.txt"
    path.write_text(TEXT)
    return train_bpe(path, vocab_size=600, preset="text")


def small_files(limit: int) -> None:
    """Fails every write behind ``limit`` bytes of a file, the one that crosses it half done."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def run(line: str, folder: Path, limit: int | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tokforge_cli", *line.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        preexec_fn=None if limit is None else lambda: small_files(limit),
        timeout=300,
    )


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_failed_write_leaves_nothing_half_written(
    name: str, limit: int, model: Tokenizer, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    model.save(tmp_path / "model.json")
    before = {path.name for path in tmp_path.iterdir()}
    failed = run(COMMANDS[name], tmp_path, limit)
    after = {path.name for path in tmp_path.iterdir()} - {"kept"}
    if failed.returncode == 0:  # it fitted
        assert after > before
        return
    assert failed.returncode == 2, failed.stderr
    assert "cannot be written" in failed.stderr
    assert "Traceback" not in failed.stderr
    # Several outputs are renamed together: none of them is there, under its name or a temporary one.
    assert after == before
    again = run(COMMANDS[name].replace("--checkpoint", "--resume"), tmp_path, None)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("calls", [200, pytest.param(4000, marks=pytest.mark.nightly)])
def test_sixteen_threads_on_one_tokenizer(model: Tokenizer, calls: int) -> None:
    texts = [TEXT[at * 37 : at * 37 + 80].encode() for at in range(50)]
    expected = [model.encode(text).tolist() for text in texts]

    def work(thread: int) -> int:
        right = 0
        for call in range(calls):
            at = (thread + call) % len(texts)
            ids = model.encode(texts[at])
            right += ids.tolist() == expected[at] and model.decode(ids) == texts[at]
        return right

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(16))) == [calls] * 16


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("forks", [20, pytest.param(1000, marks=pytest.mark.nightly)])
def test_a_forked_child_encodes_in_threads(model: Tokenizer, forks: int) -> None:
    batch = [TEXT[at : at + 5000].encode() for at in range(0, 40_000, 5000)]
    expected = model.encode_batch(batch, 4)[0].tolist()
    for _ in range(forks):
        child = os.fork()
        if child == 0:
            same = model.encode_batch(batch, 4)[0].tolist() == expected
            os._exit(0 if same else 1)
        signal.alarm(60)  # a child that hangs ends the test
        _, status = os.waitpid(child, 0)
        signal.alarm(0)
        assert status == 0


def test_eight_processes_that_save_under_one_name_leave_one_of_them_whole(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    models = [train_bpe(tmp_path / "text.txt", vocab_size=400 + at, preset="text") for at in range(8)]
    children = []
    for one in models:
        child = os.fork()
        if child == 0:
            for _ in range(15):
                one.save(tmp_path / "out.json", force=True)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
    (tmp_path / "whole").mkdir()
    wanted = set()
    for one in models:
        one.save(tmp_path / "whole" / "out.json", force=True)
        wanted.add(contents(tmp_path / "whole"))
    (tmp_path / "text.txt").unlink()
    assert contents(tmp_path) in wanted


def contents(folder: Path) -> tuple[tuple[str, bytes], ...]:
    return tuple(sorted((path.name, path.read_bytes()) for path in folder.iterdir() if path.is_file()))


ENCODING = """
import multiprocessing, sys
from tokforge import Tokenizer

def encode(model, text):
    return model.encode(text).tolist()

if __name__ == "__main__":
    model, texts = Tokenizer.load(sys.argv[1]), [b"the cat sat %d" % at for at in range(40)]
    with multiprocessing.get_context(sys.argv[2]).Pool(4) as pool:
        assert pool.starmap(encode, [(model, text) for text in texts]) == [encode(model, text) for text in texts]
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_tokenizer_goes_to_processes_that_are_not_forked(
    method: str, model: Tokenizer, tmp_path: Path
) -> None:
    model.save(tmp_path / "model.json")
    (tmp_path / "encoding.py").write_text(ENCODING)
    command = [sys.executable, str(tmp_path / "encoding.py"), str(tmp_path / "model.json"), method]
    subprocess.run(command, check=True, timeout=120)


@pytest.mark.parametrize("calls", [100_000, pytest.param(10_000_000, marks=pytest.mark.nightly)])
def test_unique_strings_leave_nothing_behind(model: Tokenizer, calls: int) -> None:
    def encode(first: int, last: int) -> None:
        for at in range(first, last):
            model.encode(b"cat %d sat on %d" % (at, at * 7919))

    encode(0, 50_000)  # fills the cache of words, which holds so many and no more
    before = resident_bytes()
    encode(50_000, 50_000 + calls)
    assert resident_bytes() - before < 20_000_000


def address_space() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))


@pytest.mark.parametrize("preset", ["text", "binary"])
def test_a_bound_holds_in_an_address_space_of_its_own(preset: str, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT * 50)
    line = f"train-bpe text.txt -o out.json --vocab-size 900 --preset {preset} --threads 2"
    command = [sys.executable, "-m", "tokforge_cli", *line.split(), "--memory", "300MB"]
    done = subprocess.run(
        command, cwd=tmp_path, preexec_fn=address_space, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
