"""A bound on memory and checkpoints change nothing in what is learned, and refuse what they cannot use."""

import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tokforge.bpe import BpeConfig, BpeResult, Checkpoint, train
from tokforge.bpe.memory import resident_bytes
from tokforge.errors import ConfigError, FormatError, InputError, OutputError


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three hundred kilobytes of made-up words in several files, many of them rare."""
    folder, rng = tmp_path / "corpus", random.Random(14)
    folder.mkdir()
    for number in range(6):
        words = ("".join(rng.choices("abcdefgh", k=rng.randint(1, 9))) for _ in range(9000))
        (folder / f"{number}.txt").write_text(" ".join(words))
    return folder


def config(pretokenizer: str = "gpt2", **options: object) -> BpeConfig:
    return BpeConfig(vocab_size=700, pretokenizer=pretokenizer, **options)


def learned(result: BpeResult) -> tuple[object, ...]:
    return result.tokenizer.merges, result.counts, result.corpus_tokens, result.tokenizer.provenance


@pytest.mark.parametrize("pretokenizer", ["gpt2", "none"])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_bound_changes_nothing(corpus: Path, pretokenizer: str, threads: int) -> None:
    bound = resident_bytes() + (120 << 20)
    bounded = train([corpus], config(pretokenizer, memory_bytes=bound, threads=threads))
    assert learned(bounded) == learned(train([corpus], config(pretokenizer)))


def test_unsplit_bytes_beyond_the_bound_are_trained_on_from_disk(tmp_path: Path) -> None:
    rng = random.Random(7)
    parts = [rng.randbytes(rng.randint(2, 40)) for _ in range(3000)]
    for number in range(3):
        (tmp_path / f"{number}.bin").write_bytes(b"".join(rng.choices(parts, k=120_000)))
    options = {"vocab_size": 2000, "preset": "binary"}
    bounded = train([tmp_path], BpeConfig(**options, memory_bytes=resident_bytes() + (86 << 20)))
    assert bounded.corpus_bytes > (22 << 20) / 4.5  # else it would have stayed in memory
    assert learned(bounded) == learned(train([tmp_path], BpeConfig(**options)))


def test_a_bound_below_the_process_itself_is_refused(corpus: Path) -> None:
    with pytest.raises(ConfigError, match=r"needs \d+ MB by itself; use \d+MB"):
        train([corpus], config(memory_bytes=1_000_000))


@pytest.mark.parametrize("pretokenizer", ["gpt2", "none"])
def test_a_finished_checkpoint_gives_the_same_again(corpus: Path, tmp_path: Path, pretokenizer: str) -> None:
    first = train([corpus], config(pretokenizer), checkpoint=Checkpoint(folder=tmp_path / "kept", seconds=0))
    again = train(
        [corpus], config(pretokenizer), checkpoint=Checkpoint(folder=tmp_path / "kept", resume=True)
    )
    assert learned(again) == learned(first) == learned(train([corpus], config(pretokenizer)))


@pytest.mark.parametrize("pretokenizer", ["gpt2", "none"])
@pytest.mark.parametrize("kept", [0, 1, 17, 300])
def test_any_beginning_of_the_merges_leads_to_the_same(
    corpus: Path, tmp_path: Path, pretokenizer: str, kept: int
) -> None:
    folder = tmp_path / "kept"
    first = train([corpus], config(pretokenizer), checkpoint=Checkpoint(folder=folder, seconds=0))
    state = json.loads((folder / "state.json").read_text())["state"]
    for name in ("merges", "counts", "tokens"):
        state[name] = state[name][:kept]
    write_state(folder, state)
    again = train([corpus], config(pretokenizer), checkpoint=Checkpoint(folder=folder, resume=True))
    assert learned(again) == learned(first)


def write_state(folder: Path, state: dict[str, object]) -> None:
    digest = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
    (folder / "state.json").write_text(json.dumps({"sha256": digest, "state": state}))


KILLED = """
import sys
from tokforge.bpe import BpeConfig, Checkpoint, train
corpus, folder, pretokenizer, memory, output = sys.argv[1:]
options = BpeConfig(vocab_size=700, pretokenizer=pretokenizer, memory_bytes=int(memory) or None)
result = train([corpus], options, checkpoint=Checkpoint(folder=folder, resume=True, seconds=0))
result.tokenizer.save(output, force=True)
"""


def kill_and_resume(corpus: Path, tmp_path: Path, rng: random.Random, pretokenizer: str, memory: int) -> int:
    """Kills runs at random times until one ends; returns how many were killed in mid-run."""
    arguments = [str(corpus), str(tmp_path / "kept"), pretokenizer, str(memory), str(tmp_path / "out.json")]
    for killed in range(50):
        process = subprocess.Popen([sys.executable, "-c", KILLED, *arguments])
        try:
            process.wait(rng.uniform(0.2, 1.5) if killed < 6 else 120)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.wait() == 0:
            return killed
    raise AssertionError("no run ended")


@pytest.mark.parametrize(
    "points", [2, pytest.param(200, marks=pytest.mark.nightly)], ids=lambda points: f"{points} runs"
)
def test_kill_9_at_random_times_loses_nothing(corpus: Path, tmp_path: Path, points: int) -> None:
    rng = random.Random(time.time_ns())
    killed, expected = 0, {}
    for pretokenizer in ("gpt2", "none"):
        train([corpus], config(pretokenizer)).tokenizer.save(tmp_path / f"{pretokenizer}.json")
        expected[pretokenizer] = (tmp_path / f"{pretokenizer}.json").read_bytes()
    for run in range(1000):
        if killed >= points:
            return
        folder = tmp_path / f"run{run}"
        folder.mkdir()
        pretokenizer = ("gpt2", "none")[run % 2]
        killed += kill_and_resume(corpus, folder, rng, pretokenizer, rng.choice([0, 400_000_000]))
        assert (folder / "out.json").read_bytes() == expected[pretokenizer]


class TestRefusals:
    @pytest.fixture
    def folder(self, corpus: Path, tmp_path: Path) -> Path:
        train([corpus], config(), checkpoint=Checkpoint(folder=tmp_path / "kept"))
        return tmp_path / "kept"

    def test_a_checkpoint_is_not_overwritten(self, corpus: Path, folder: Path) -> None:
        with pytest.raises(OutputError, match="holds a checkpoint already"):
            train([corpus], config(), checkpoint=Checkpoint(folder=folder))

    def test_other_options(self, corpus: Path, folder: Path) -> None:
        with pytest.raises(ConfigError, match="of other options"):
            train([corpus], config(min_frequency=3), checkpoint=Checkpoint(folder=folder, resume=True))

    @pytest.mark.parametrize("change", ["fewer", "more", "changed"])
    def test_other_inputs(self, corpus: Path, folder: Path, change: str) -> None:
        if change == "fewer":
            (corpus / "5.txt").unlink()
        elif change == "more":
            (corpus / "9.txt").write_text("more")
        else:
            (corpus / "3.txt").write_text("other words")
        with pytest.raises(ConfigError, match="of other inputs"):
            train([corpus], config(), checkpoint=Checkpoint(folder=folder, resume=True))

    def test_another_version(self, corpus: Path, folder: Path) -> None:
        state = json.loads((folder / "state.json").read_text())["state"]
        write_state(folder, state | {"version": 99})
        with pytest.raises(FormatError, match="is a checkpoint of"):
            train([corpus], config(), checkpoint=Checkpoint(folder=folder, resume=True))

    @pytest.mark.parametrize("name", ["state.json", "words.counts"])
    def test_damaged_files(self, corpus: Path, folder: Path, name: str) -> None:
        whole = (folder / name).read_bytes()
        for damaged in (whole[: len(whole) // 2], whole[:-40] + b"0" + whole[-39:], b""):
            (folder / name).write_bytes(damaged)
            with pytest.raises(FormatError if name == "state.json" else InputError):
                train([corpus], config(), checkpoint=Checkpoint(folder=folder, resume=True))
