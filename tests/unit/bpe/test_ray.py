"""Counting on Ray's workers gives what one machine gives, also when a worker is killed in mid-run."""

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from tokforge.bpe import BpeConfig, train
from tokforge.errors import ConfigError
from tokforge.supertokens import SupertokensConfig
from tokforge.supertokens.training import train as train_supertokens

OPTIONS = {"vocab_size": 500, "preset": "text", "pretokenizer": "gpt2"}


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'tokforge[ray]'")
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()


def corpus(folder: Path, words: int) -> Path:
    rng = random.Random(3)
    folder.mkdir()
    for number in range(12):
        text = " ".join("".join(rng.choices("abcdef", k=rng.randint(1, 7))) for _ in range(words))
        (folder / f"{number}.txt").write_text(text)
    return folder


def learned(folder: Path, engine: str) -> tuple[object, ...]:
    result = train([folder], BpeConfig(engine=engine, **OPTIONS))
    return result.tokenizer.merges, result.counts, result.corpus_tokens, result.tokenizer.provenance


def workers() -> list[int]:
    """Processes that run a counting task now: Ray names them after it."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            name = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if entry.name.isdigit() and name.startswith(b"ray::_count_shard"):
            found.append(int(entry.name))
    return found


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")
def test_the_same_as_on_one_machine(cluster, tmp_path: Path) -> None:
    folder = corpus(tmp_path / "corpus", 2000)
    assert learned(folder, "ray") == learned(folder, "local")


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")
def test_a_killed_worker_is_replaced(cluster, tmp_path: Path) -> None:
    folder, killed = corpus(tmp_path / "corpus", 200_000), []

    def kill() -> None:
        for _ in range(6000):
            if found := workers():
                os.kill(found[0], signal.SIGKILL)
                killed.append(found[0])
                return
            time.sleep(0.005)

    killer = threading.Thread(target=kill)
    killer.start()
    result = learned(folder, "ray")
    killer.join()
    assert killed
    assert result == learned(folder, "local")


def test_what_workers_cannot_do_is_refused(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "corpus", 100)
    with pytest.raises(ConfigError, match="hold no words"):
        train([folder], BpeConfig(engine="ray", preset="binary", vocab_size=300))


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")
def test_the_word_stage_of_supertokens_is_counted_on_workers(cluster, tmp_path: Path) -> None:
    folder = corpus(tmp_path / "corpus", 1500)

    def across_words(engine: str) -> tuple[object, ...]:
        config = BpeConfig(vocab_size=420, preset="text", engine=engine)
        result = train_supertokens([folder], config, SupertokensConfig(learner="superbpe", transitions=(80,)))
        return result.tokenizer.merges, result.counts, result.words

    assert across_words("ray") == across_words("local")
