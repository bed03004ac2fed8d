"""The rows of a programme that was killed lead to the same shares, to the last bit."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tokforge.bpe import Checkpoint
from tokforge.errors import ConfigError, FormatError, OutputError
from tokforge.mixture import gather_references, infer


@pytest.fixture
def task(world, quick):
    tokenizer, folder = world
    config = replace(quick, resamples=0, calibrate=False)
    references, _ = gather_references(tokenizer, config, categories=folder)
    return tokenizer, references, config


def solved(task, folder: Path, **options: object):
    result = infer(*task, checkpoint=Checkpoint(folder=folder, seconds=0, **options))
    return result.solution


def same(one, other) -> bool:
    names = ("shares", "step_slack", "pair_slack", "duals")
    figures = (one.objective, one.lower_bound, one.rounds) == (
        other.objective,
        other.lower_bound,
        other.rounds,
    )
    return figures and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_any_beginning_of_the_sweeps_leads_to_the_same(task, tmp_path):
    plain = infer(*task).solution
    assert same(solved(task, tmp_path / "kept"), plain)
    sweeps = sorted((tmp_path / "kept").glob("sweep-*.npz"))
    assert len(sweeps) > 3
    for kept in (0, 1, len(sweeps) // 2, len(sweeps)):
        folder = tmp_path / f"first-{kept}"
        folder.mkdir()
        for path in (tmp_path / "kept" / "state.json", *sweeps[:kept]):
            shutil.copy(path, folder)
        assert same(solved(task, folder, resume=True), plain)
        assert len(list(folder.glob("sweep-*.npz"))) == len(sweeps)


def test_an_interruption_keeps_what_is_in_hand(task, tmp_path):
    def stop(phase: str, done: int, total: int) -> None:
        if phase == "solve":
            raise KeyboardInterrupt

    first = infer(*task, progress=stop, checkpoint=Checkpoint(folder=tmp_path / "kept", seconds=1e6))
    assert not first.solution.optimal
    assert same(solved(task, tmp_path / "kept", resume=True), infer(*task).solution)


class TestRefusals:
    @pytest.fixture
    def folder(self, task, tmp_path):
        solved(task, tmp_path / "kept")
        return tmp_path / "kept"

    def test_a_checkpoint_is_not_overwritten(self, task, folder):
        with pytest.raises(OutputError, match="holds a checkpoint already"):
            solved(task, folder)

    def test_other_options(self, task, folder):
        tokenizer, references, config = task
        for other in (replace(config, merges=200), replace(config, solver="scipy")):
            with pytest.raises(ConfigError, match="of other merges, references or options"):
                solved((tokenizer, references, other), folder, resume=True)

    @pytest.mark.parametrize("name", ["state.json", "sweep-00001.npz"])
    def test_damaged_files(self, task, folder, name):
        whole = (folder / name).read_bytes()
        for damaged in (b"", whole[: len(whole) // 2], whole[:-9]):
            (folder / name).write_bytes(damaged)
            with pytest.raises(FormatError):
                solved(task, folder, resume=True)
