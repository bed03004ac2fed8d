"""The main job with the real engine, where only the whole of it shows: files, mixtures, threads, Ctrl-C."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_harness import environment

pytest.importorskip("tokforge._core", reason="the engine is not built")

PATIENCE_SECONDS = 60
LAUNCH = "from tokforge_cli.app import main; print('started', flush=True); main()"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train(capfd: pytest.CaptureFixture[str], line: str) -> dict[str, Any]:
    """Runs ``train-bpe``; returns its figures."""
    from tokforge_cli.app import run

    capfd.readouterr()
    assert run(["train-bpe", *line.split(), "--json"]) == 0
    return json.loads(capfd.readouterr().out)


def learned(path: str) -> list[bytes]:
    from tokforge import Tokenizer

    tokenizer = Tokenizer.load(path)
    return [tokenizer.token_bytes(merged) for _, _, merged in tokenizer.merges]


@pytest.mark.parametrize("preset", ["binary", "text"])
def test_no_token_crosses_from_one_file_into_the_next(preset: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("many").mkdir()
    for number in range(300):
        Path("many", f"{number:03}").write_bytes(b"ab")
    train(capfd, f"many -o t.json --vocab-size 300 --preset {preset}")
    assert learned("t.json") == [b"ab"]


@pytest.mark.parametrize(
    ("data", "option", "longest"),
    [
        (bytes(128), "", 32),
        (b"abcde" * 50, "--max-token-bytes 5", 5),
        (bytes(128), "--max-token-bytes 0", 64),
    ],
)
def test_tokens_of_binaries_end_at_their_limit(
    data: bytes, option: str, longest: int, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("data").write_bytes(data)
    train(capfd, f"data -o t.json --vocab-size 300 --preset binary {option}")
    assert max(map(len, learned("t.json"))) == longest


def test_realised_shares_are_those_of_the_artefact(capfd: pytest.CaptureFixture[str]) -> None:
    draw = random.Random(1)
    for name in ("a", "b", "c"):
        Path(name).mkdir()
        for number in range(20):
            Path(name, f"{number}.bin").write_bytes(draw.randbytes(500))
    line = "a b c -o t.json --vocab-size 300 --weight a=0.5 --weight b=0.3 --sample 9000 --preset binary"
    figures = train(capfd, line)
    shares = {source["name"]: source["share"] for source in figures["sources"]}
    assert shares == {"a": 0.5, "b": 0.3, "c": 0.2}
    assert sum(source["bytes"] for source in figures["sources"]) == figures["corpus_bytes"] == 9000
    stored = json.loads(Path("t.tokforge.json").read_text())["provenance"]
    assert stored["source_shares"] == shares


@pytest.mark.parametrize("pretokenizer", ["none", "o200k"])
def test_threads_change_no_byte(pretokenizer: str, capfd: pytest.CaptureFixture[str]) -> None:
    files = sorted(Path(json.__file__).parent.parent.glob("[a-c]*.py"))
    Path("code").mkdir()
    for path in files:
        Path("code", path.name).write_bytes(path.read_bytes())
    made = set()
    for threads in (1, 2, 8):
        line = f"code -o t.json --force --vocab-size 1000 --pretokenizer {pretokenizer} --threads {threads}"
        train(capfd, line)
        made.add(Path("t.json").read_bytes())
    assert len(made) == 1


INTERRUPTED = {
    "positions": "train-bpe noise -o o.json --vocab-size 60000 --pretokenizer none --min-frequency 0",
    "words": "train-bpe noise -o o.json --vocab-size 60000 --pretokenizer gpt2 --min-frequency 0",
    "a regex": r"train-bpe noise -o o.json --vocab-size 60000 --pretokenizer [^q]+ --min-frequency 0",
    "encode, one thread": "encode t.json noise noise noise noise -o o.npy --threads 1",
    "encode, two threads": "encode t.json noise noise noise noise -o o.npy --threads 2",
}


@pytest.mark.parametrize("quiet", [[], ["--quiet"]], ids=["", "quiet"])
@pytest.mark.parametrize("name", INTERRUPTED)
def test_ctrl_c_stops_the_engine_and_leaves_nothing(
    name: str, quiet: list[str], folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("few").write_bytes(b"ab" * 200)
    train(capfd, "few -o t.json --vocab-size 258")
    Path("noise").write_bytes(np.random.default_rng(0).bytes(40_000_000))  # long to work on anywhere
    before = sorted(folder.iterdir())
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, *INTERRUPTED[name].split(), *quiet],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    time.sleep(0.5)  # by then it reads, counts or encodes
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out, err) == (130, b"", b"tokforge: interrupted\n")
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("pretokenizer", ["none", "gpt2"])
def test_every_phase_of_training_can_be_stopped(pretokenizer: str) -> None:
    from tokforge.bpe import BpeConfig, SamplingConfig
    from tokforge.bpe import train as train_bpe

    Path("noise").write_bytes(np.random.default_rng(0).bytes(300_000))
    sampling = SamplingConfig(sample_bytes=200_000)
    config = BpeConfig(vocab_size=3000, pretokenizer=pretokenizer, preset="text", sampling=sampling)
    phases: list[str] = []
    train_bpe(["noise"], config, progress=lambda phase, done, total: phases.append(phase))
    assert {"sample", "read", "merge"} <= set(phases)
    for stopped in set(phases):

        def stop(phase: str, done: int, total: int, stopped: str = stopped) -> None:
            if phase == stopped:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train_bpe(["noise"], config, progress=stop)
