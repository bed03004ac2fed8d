"""What curation leaves out, and what it counts."""

import random

import pytest

from tokforge.bpe import BpeConfig, train
from tokforge.errors import ConfigError, InputError
from tokforge.inputs import Curation, CurationConfig, open_sources


def noise(seed, size=20_000):
    return random.Random(seed).randbytes(size)


@pytest.fixture
def samples(tmp_path):
    """Two families of noise; in each a copy and an almost-copy of its first file."""
    for family in ("emotet", "zeus"):
        folder = tmp_path / "samples" / family
        folder.mkdir(parents=True)
        first = noise(family)
        (folder / "0").write_bytes(first)
        (folder / "1-copy").write_bytes(first)
        (folder / "2-near").write_bytes(first[:9000] + b"inserted" + first[9000:])
        (folder / "3").write_bytes(noise(family + "3"))
    return tmp_path / "samples"


def read(path, **options):
    sources = open_sources([str(path)])
    curation = Curation(sources, CurationConfig(**options))
    kept = [document for _, _, document in curation.read(sources)]
    return sorted(one.path.removeprefix(f"{path}/") for one in kept), curation.report, kept


def test_nothing_is_left_out_by_default(samples):
    names, report, _ = read(samples)
    assert len(names) == 8
    assert report.as_dict() == {"documents": 0, "bytes": 0, "left_out": {}}


def test_exact_and_near_duplicates(samples):
    names, report, _ = read(samples, duplicates="exact")
    assert (len(names), report.left_out) == (6, {"exact_duplicates": {"documents": 2, "bytes": 40_000}})
    names, report, _ = read(samples, duplicates="near")
    assert {name.split("/")[0] for name in names} == {"emotet", "zeus"}
    assert (len(names), report.left_out["near_duplicates"]["documents"]) == (4, 2)
    assert {"emotet/3", "zeus/3"} <= set(names)


def test_a_cap_goes_by_the_first_folder_and_the_seed(samples):
    names, report, _ = read(samples, cap_per_group=1)
    assert [name.split("/")[0] for name in names] == ["emotet", "zeus"]
    assert report.left_out["beyond_cap"]["documents"] == 6
    assert len({tuple(read(samples, cap_per_group=1, seed=seed)[0]) for seed in range(8)}) > 1
    names, _, _ = read(samples, cap_bytes_per_group=45_000)
    assert len(names) == 4


def test_labels_by_hash_and_path_with_dates(samples, tmp_path):
    import hashlib

    digest = hashlib.sha256((samples / "zeus" / "3").read_bytes()).hexdigest()
    table = tmp_path / "labels.csv"
    table.write_text(
        "sha256,path,group,time\n"
        f"{digest.upper()},,late,2024-06-01\n"
        ",emotet/0,early,2020-01-01T10:00:00Z\n"
        ",emotet/3,early,2021-01-01\n"
    )
    names, report, _ = read(samples, labels=str(table), since="2020-01-01", before="2024-06-01")
    assert names == ["emotet/0", "emotet/3"]
    assert {why: counts["documents"] for why, counts in report.left_out.items()} == {
        "outside_time": 1,
        "undated": 5,
    }
    names, _, _ = read(samples, labels=str(table), cap_per_group=1)
    assert len(names) == 3  # early, late, and one of those without a label


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,time\n", "the columns are name, time; name sha256 or path"),
        ("path,time\na,soon\n", "labels.csv:2: 'soon' is no date"),
        ("path,group\n,x\n", "labels.csv:2: the row names no document"),
        ("path,group\na,x\na,y\n", "labels.csv:3: a second row says otherwise of a"),
        ("", "the columns are none"),
    ],
)
def test_malformed_labels(samples, tmp_path, text, message):
    table = tmp_path / "labels.csv"
    table.write_text(text)
    with pytest.raises(InputError, match=message):
        read(samples, labels=str(table), cap_per_group=1)


def test_blocks_out_of_bounds_and_runs_of_nul(tmp_path):
    packed, code = noise(1, 8192), b"push mov call ret " * 1000
    path = tmp_path / "f"
    path.write_bytes(code[:8192] + packed + code[:4096] + bytes(300) + b"end")
    _, report, kept = read(path, max_entropy=7.5, entropy_block_bytes=1024)
    assert [bytes(one.data) for one in kept] == [code[:8192], code[:4096] + bytes(300) + b"end"]
    assert report.left_out == {"entropy": {"documents": 1, "bytes": 8192}}
    _, _, kept = read(path, nul_run_bytes=300)
    assert [len(one.data) for one in kept] == [20480, 300, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"duplicates": "nearly"}, "duplicates has no 'nearly'"),
        ({"similarity": 0.2}, "similarity is 0.2; use 0.5 to 1"),
        ({"min_entropy": 9.0}, "min_entropy is 9.0; use 0 to 8"),
        ({"min_entropy": 6.0, "max_entropy": 5.0}, "above max_entropy"),
        ({"since": "2024-01-01"}, "need dates"),
        ({"since": "today", "labels": "x"}, "'today' is no date"),
        ({"since": "2024-01-01", "before": "2023-01-01", "labels": "x"}, "not earlier than before"),
        ({"cap_per_group": 0}, "cap_per_group is 0"),
        ({"nul_run_bytes": 0}, "nul_run_bytes is 0"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ConfigError, match=message):
        CurationConfig(**options)


def test_training_records_what_was_left_out_and_no_password(samples):
    curation = CurationConfig(duplicates="near", archives=True, archive_password="infected")
    result = train([str(samples)], BpeConfig(vocab_size=260, preset="binary", curation=curation))
    assert result.corpus_bytes in (80_000, 80_008, 80_016)
    provenance = result.tokenizer.provenance
    assert provenance["curation"]["left_out"]["exact_duplicates"]["documents"] == 2
    assert provenance["options"]["curation"]["duplicates"] == "near"
    assert "infected" not in str(provenance)
    assert "infected" not in repr(curation)


def test_everything_left_out_is_an_error(samples, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("path,time\nemotet/0,2020-01-01\n")
    curation = CurationConfig(labels=str(table), since="2030-01-01")
    with pytest.raises(InputError, match="nothing of it is left to read"):
        train([str(samples)], BpeConfig(preset="binary", curation=curation))
