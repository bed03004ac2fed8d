"""Id maps: what they refuse, how they join, and the file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tokforge.errors import ConfigError, FormatError, InputError, OutputError, TokenIdError
from tokforge.tokenizer.edit import IdMap


def test_removed_added_and_back() -> None:
    ids = IdMap(np.array([2, -1, 0]), 4)
    assert ids.removed.tolist() == [1]
    assert ids.added.tolist() == [1, 3]
    assert ids.old_of_new.tolist() == [2, -1, 0, -1]
    assert ids.apply([0, 2, 2]).tolist() == [2, 0, 0]
    assert ids.apply([]).tolist() == []


@pytest.mark.parametrize(("ids", "at"), [([0, 1], 1), ([3], 0), ([0, -1], 1)])
def test_an_id_without_a_new_one_is_named(ids: list[int], at: int) -> None:
    with pytest.raises(TokenIdError, match=f"id {ids[at]} at position {at}"):
        IdMap(np.array([2, -1, 0]), 4).apply(ids)


@pytest.mark.parametrize("ids", [[0, 0], [4], [-2], [[0]], [0.5]])
def test_what_is_no_map_is_refused(ids: Any) -> None:
    with pytest.raises(ConfigError):
        IdMap(np.array(ids), 4)


def test_maps_join_in_order() -> None:
    first, second = IdMap(np.array([1, -1, 0]), 2), IdMap(np.array([-1, 5]), 6)
    assert first.then(second) == IdMap(np.array([5, -1, -1]), 6)
    with pytest.raises(ConfigError, match="one map ends at 6"):
        second.then(first)


def test_the_map_is_frozen_and_kept_from_its_source() -> None:
    source = np.arange(3)
    ids = IdMap(source, 3)
    source[0] = 2
    assert ids == IdMap.identity(3)
    with pytest.raises(ValueError, match="read-only"):
        ids.new_of_old[0] = 1


def test_the_file_comes_back(tmp_path: Path) -> None:
    ids = IdMap(np.array([2, -1, 0]), 4)
    ids.save(tmp_path / "m.json")
    assert IdMap.load(tmp_path / "m.json") == ids
    with pytest.raises(OutputError):
        ids.save(tmp_path / "m.json")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "x"},
        {"version": 2},
        {"new_of_old": [0, 0]},
        {"new_of_old": [0]},
        {"new_of_old": [0, "1"]},
        {"new_of_old": [0, True]},
        {"new_of_old": 3},
        {"new_of_old": [0, 9]},
        {"old_vocab_size": 3},
        {"new_vocab_size": -1},
        {"new_vocab_size": 2**70},
    ],
)
def test_a_malformed_file_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    content = json.loads(IdMap.identity(2).to_json()) | change
    (tmp_path / "m.json").write_text(json.dumps(content))
    with pytest.raises(FormatError) as caught:
        IdMap.load(tmp_path / "m.json")
    assert str(tmp_path / "m.json") in str(caught.value.where)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        IdMap.load(tmp_path / "none.json")
