"""Two processes on one machine, joined by Accelerate: the weights of one that accumulates twice as many batches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

pytest.importorskip("accelerate", reason="the extra [transplant] is not installed")

from tokforge.errors import ConfigError
from tokforge.transplant.heal import heal
from tokforge.transplant.hypernet import HypernetConfig, NetConfig, train_hypernet
from tokforge.transplant.processes import Processes, is_first_process

HEALING = {"window": 64, "batch": 2, "validate_every": 2, "held_out": 4, "learning_rate": 1e-2}
NET = {"layers": 1, "width": 16, "heads": 2, "feedforward": 16, "max_pieces": 4}
HYPERNET = {
    **{"reconstruction_steps": 2, "reconstruction_tokens": 16, "steps": 3, "batch": 2, "length": 12},
    **{"negatives": 8, "smallest": 300, "largest": 320, "validate_every": 2, "validation_sequences": 2},
    **{"save_every": 1, "device": "cpu", "dtype": "float32", "learning_rate": 0.01, "unigram": 0.5},
}
TOGETHER = """
import json, sys
from tokforge.transplant.heal import heal
from tokforge.transplant.hypernet import HypernetConfig, train_hypernet
from tokforge.transplant.processes import is_first_process
job = json.load(open(sys.argv[1]))
healed = heal(job["model"], job["text"], job["healed"], state=job["state"], log=job["log"], **job["healing"])
train_hypernet(job["model"], job["text"], job["net"], tokenizers=job["tokenizers"],
    validation_tokenizers=job["tokenizers"], config=HypernetConfig.from_dict(job["hypernet"]))
if is_first_process():
    print(json.dumps(healed.as_dict()))
"""


def hypernet(**options: object) -> HypernetConfig:
    return HypernetConfig(**{**HYPERNET, **options, "net": NetConfig(**NET)})


def launched(job: dict[str, object], folder: Path) -> str:
    """Runs the job in two processes; returns what they print."""
    (folder / "job.json").write_text(json.dumps(job))
    (folder / "together.py").write_text(TOGETHER)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(folder / "together.py"), str(folder / "job.json")]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, cwd=folder)
    assert done.returncode == 0, done.stderr[:6000]
    return done.stdout


def bits(log) -> list[float]:
    return [one["held_out_bits_per_byte"] for one in log]


def losses(path: Path) -> list[float]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


@pytest.mark.nightly
def test_two_processes_are_one_that_accumulates_twice_as_much(llama, texts, tokenizers_of, tmp_path):
    text, tokenizers = [str(texts / "new.txt")], [str(tokenizers_of["new"])]
    names = {name: str(tmp_path / name) for name in ("healed", "state", "log", "net")}
    healing = {**HEALING, "steps": 4, "device": "cpu", "checkpoint_every": 4}
    job = {"model": str(llama), "text": text, "tokenizers": tokenizers, "healing": healing}
    printed = launched({**job, **names, "hypernet": hypernet().as_dict()}, tmp_path)
    told = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert len(told) == 1  # one process speaks

    alone = heal(llama, text, tmp_path / "alone", log=tmp_path / "alone.log", accumulate=2, **healing)
    assert bits(told[0]["log"]) == pytest.approx(bits(alone.log), rel=1e-6)
    assert told[0]["tokens"] == alone.tokens
    assert losses(tmp_path / "log") == pytest.approx(losses(tmp_path / "alone.log"), rel=1e-5)
    same(tmp_path / "healed" / "model.safetensors", tmp_path / "alone" / "model.safetensors")
    # The state is that of one process, which may go on with it.
    again = heal(llama, text, tmp_path / "again", state=names["state"], accumulate=2, **healing)
    assert again.steps == 4 and bits(again.log) == bits(told[0]["log"])
    with pytest.raises(ConfigError, match="of other options"):
        heal(llama, text, tmp_path / "other", state=names["state"], **healing)

    config = hypernet(accumulate=2)
    given = {"tokenizers": tokenizers, "validation_tokenizers": tokenizers, "config": config}
    train_hypernet(llama, text, tmp_path / "net-alone", **given)
    assert losses(tmp_path / "net" / "log.jsonl") == pytest.approx(
        losses(tmp_path / "net-alone" / "log.jsonl"), rel=1e-5
    )
    same(tmp_path / "net" / "training.safetensors", tmp_path / "net-alone" / "training.safetensors")


def same(one: Path, other: Path) -> None:
    tensors, others = load_file(one), load_file(other)
    assert tensors.keys() == others.keys()
    for name, value in tensors.items():
        np.testing.assert_allclose(value, others[name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_process_alone_is_the_first_and_averages_nothing(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    alone = Processes.join("cpu")
    assert (alone.count, alone.index, alone.is_first, is_first_process()) == (1, 0, True, True)
    assert alone.mean(2.5) == 2.5 and alone.from_first("x") == "x"
    monkeypatch.setenv("RANK", "1")
    assert not is_first_process()
