"""Healing of tiny models: the loss falls, only what should move moves, a resumed run is the uninterrupted one."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from tokforge.errors import ConfigError, InputError
from tokforge.transplant import Checkpoint, Vocabulary, transplant
from tokforge.transplant.heal import LOSSES, TRAINABLES, HealConfig, heal
from tokforge.transplant.heal.loop import Job
from tokforge.transplant.heal.text import read_text, shared_ends, token_ends

FAST = {
    "steps": 6,
    "window": 64,
    "batch": 2,
    "validate_every": 3,
    "held_out": 4,
    "learning_rate": 1e-2,
    "device": "cpu",
}
ROWS = "model.embed_tokens.weight"


@pytest.fixture
def moved(llama, tokenizers_of, tmp_path):
    """A transplanted model, with its record."""
    options = {"method": "fvt", "checks": "tensors", "device": "cpu"}
    return transplant(llama, tokenizers_of["new"], tmp_path / "moved", **options).output


@pytest.fixture
def corpus(texts):
    return [str(texts / "new.txt")]


def weights(folder):
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("train", TRAINABLES)
def test_the_held_out_bits_fall_and_the_record_says_so(train, moved, corpus, tmp_path):
    done = heal(moved, corpus, tmp_path / "out", train=train, rank=2, log=tmp_path / "log.jsonl", **FAST)
    assert done.after < done.before and done.best_step > 0
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(7))
    record = json.loads((tmp_path / "out" / "transplant.json").read_text())
    assert record["healed"][0]["after"] == done.after and record["healed"][0]["config"]["train"] == train
    assert record["rows_by_id"] == json.loads((moved / "transplant.json").read_text())["rows_by_id"]
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (moved / "tokenizer.json").read_bytes()


def test_rows_only_leaves_the_body_bit_identical(moved, corpus, tmp_path):
    heal(moved, corpus, tmp_path / "out", train="rows", **FAST)
    before, after = weights(moved), weights(tmp_path / "out")
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert np.array_equal(value, after[name]) == (name != ROWS), name


def test_new_rows_leaves_copied_rows_bit_identical(moved, corpus, tmp_path):
    heal(moved, corpus, tmp_path / "out", train="new-rows", **FAST)
    classes = json.loads((moved / "transplant.json").read_text())["rows_by_id"]["classes"]
    before, after = weights(moved)[ROWS], weights(tmp_path / "out")[ROWS]
    same = (before == after).all(1)
    assert all(same[i] for i, kind in enumerate(classes) if kind == "copied")
    assert not any(same[i] for i, kind in enumerate(classes) if kind == "composed")


@pytest.mark.parametrize("train", ["rows", "lora"])
def test_a_resumed_run_is_the_uninterrupted_one(train, moved, corpus, tmp_path, monkeypatch):
    options = {**FAST, "train": train, "checkpoint_every": 2, "rank": 2}
    whole = heal(moved, corpus, tmp_path / "whole", **options)
    state = tmp_path / "state.safetensors"
    seen = []
    monkeypatch.setattr(Job, "precision", _failing(Job.precision, seen, at=9))
    with pytest.raises(KeyboardInterrupt):
        heal(moved, corpus, tmp_path / "out", state=state, **options)
    monkeypatch.undo()
    assert state.is_file() and not (tmp_path / "out").exists()
    resumed = heal(moved, corpus, tmp_path / "out", state=state, **options)
    assert resumed.log == whole.log and resumed.tokens == whole.tokens
    for name, value in weights(tmp_path / "whole").items():
        assert np.array_equal(value, weights(tmp_path / "out")[name]), name
    with pytest.raises(ConfigError, match="other options"):
        heal(moved, corpus, tmp_path / "other", state=state, **{**options, "seed": 1})


def _failing(precision, seen, at):
    def fail(self):
        seen.append(1)
        if len(seen) == at:
            raise KeyboardInterrupt
        return precision(self)

    return fail


def test_a_model_is_never_worse_than_at_step_0(moved, corpus, tmp_path):
    options = {**FAST, "learning_rate": 1e3, "clip": 1e6, "patience": 1}
    done = heal(moved, corpus, tmp_path / "out", **options)
    assert done.best_step == 0 and done.after == done.before and done.steps == 3
    assert np.array_equal(weights(moved)[ROWS], weights(tmp_path / "out")[ROWS])


@pytest.mark.parametrize("loss", LOSSES[1:])
def test_distillation_from_the_original_falls(loss, llama, moved, corpus, tmp_path):
    options = {**FAST, "loss": loss, "teacher": llama, "train": "all", "steps": 12, "patience": 0}
    heal(moved, corpus, tmp_path / "out", log=tmp_path / "log.jsonl", **options)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()[1:]]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_a_teacher_of_the_same_weights_leaves_nothing_to_match(llama, texts):
    from tokforge.transplant.heal.losses import Runner, Teacher, loss_of
    from tokforge.transplant.models import load_model

    parts = load_model(llama), Vocabulary.load(llama), 0
    text = ["the cat sat on the mat"]
    plain, _ = loss_of("next-token", Runner(*parts), None, text)
    hidden, _ = loss_of("hidden", Runner(*parts), Teacher(*parts), text)
    assert hidden.item() == pytest.approx(0, abs=1e-6) and plain.item() > 0


def test_ends_are_where_both_cut(llama, tokenizers_of):
    text = "the cathedral and the naïve cat"
    found = [Vocabulary.load(path) for path in (llama, tokenizers_of["new"])]
    ends = [token_ends(one, one.encode(text), text) for one in found]
    mine, others = shared_ends(*ends)
    assert ends[0][mine].tolist() == ends[1][others].tolist()
    assert ends[0][-1] == len(text.encode()) and len(mine) >= 2
    assert token_ends(found[0], found[0].encode(text)[:-1], text) is None


def test_held_out_windows_are_never_trained_on(corpus):
    config = HealConfig(**FAST)
    text = read_text(corpus, config)
    assert 0 < len(text.held_out) <= 4
    trained = [one for step in range(6) for batch in text.of_step(step, config) for one in batch]
    assert len(trained) == 12 and set(trained) <= set(text.training)


def test_shards_without_trained_tensors_are_copied(untied, texts, tmp_path):
    heal(untied, [str(texts / "old.txt")], tmp_path / "out", **FAST)
    before, names = Checkpoint.open(untied), Checkpoint.open(untied).layout.names
    for file in before.files:
        same = file.path.read_bytes() == (tmp_path / "out" / file.path.name).read_bytes()
        assert same != bool(names & file.tensors.keys())


def test_a_dry_run_estimates_and_writes_nothing(moved, corpus, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    planned = heal(moved, corpus, dry_run=True, **FAST)
    assert planned.output is None and planned.estimate["seconds"] > 0 and planned.tokens > 0
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"loss": "chunks"}, ConfigError, "--teacher"),
        ({"train": "magic"}, Exception, "new-rows"),
        ({"learning_rate": float("nan")}, ConfigError, "learning_rate"),
        ({"window": 1 << 20}, InputError, "smaller --window"),
        ({"train": "new-rows"}, ConfigError, "--train rows"),
    ],
)
def test_what_cannot_be_is_refused_before_work(options, error, words, llama, corpus, tmp_path):
    with pytest.raises(error) as caught:
        heal(llama, corpus, tmp_path / "out", **{**FAST, **options})
    assert words in str(caught.value) + str(getattr(caught.value, "hint", ""))
    assert not (tmp_path / "out").exists()
