"""Options of sampling, and the errors they end in."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tokforge.bpe.sources import SampledSources, SamplingConfig, parse_weights
from tokforge.errors import ConfigError, InputError, TokforgeError, UnknownNameError
from tokforge.inputs import Source, open_sources


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    """Three sources of 1,000, 2,000 and 7,000 bytes, in documents of 100."""
    for name, size in (("a", 10), ("b.d", 20), ("c", 70)):
        (tmp_path / name).mkdir()
        for i in range(size):
            (tmp_path / name / f"{i}").write_bytes(f"{name[0]}{i:08}\n".encode() * 10)
    return open_sources([tmp_path / "a", tmp_path / "b.d", tmp_path / "c"])


def realised(sources: list[Source], **options: Any) -> list[int]:
    sampled = SampledSources(sources, SamplingConfig(**options))
    given = [len(data) for _, data in sampled]
    rows = sampled.mixture.sources
    assert sum(given) == sum(row.bytes for row in rows)
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert [row.available_bytes for row in rows] == [1000, 2000, 7000]
    return [row.bytes for row in rows]


def test_by_default_every_document_comes_once(sources: list[Source]) -> None:
    sampled = SampledSources(sources, SamplingConfig())
    assert [bytes(data) for _, data in sampled] == [f.path.read_bytes() for s in sources for f in s.files]
    assert [(row.bytes, row.documents, row.share) for row in sampled.mixture.sources] == [
        (1000, 10, 0.1),
        (2000, 20, 0.2),
        (7000, 70, 0.7),
    ]


def test_weights_without_a_sample_take_the_most_that_repeats_nothing(sources: list[Source]) -> None:
    a, b, c = (source.name for source in sources)
    assert realised(sources, weights={a: 0.5}) == [1000, 222, 778]  # the rest by size: 2 to 7
    assert realised(sources, weights={a: 0.5, b: 0.5, c: 0.0}) == [1000, 1000, 0]
    assert realised(sources, weights={a: 0.1, b: 0.2, c: 0.7}) == [1000, 2000, 7000]


def test_weights_with_a_sample(sources: list[Source]) -> None:
    assert realised(sources, weights={"a": 0.3, "b": 0.3}, sample_bytes=1000) == [300, 300, 400]
    assert realised(sources, weights={"b.d": 1, "a": 0, "c": 0}, sample_bytes=1234) == [0, 1234, 0]


def test_temperature(sources: list[Source]) -> None:
    assert realised(sources, temperature=1.0) == [1000, 2000, 7000]
    assert realised(sources, temperature=1.0, sample_bytes=100) == [10, 20, 70]
    a, b, c = realised(sources, temperature=2.0, sample_bytes=1000)
    assert b / a == pytest.approx(2**0.5, rel=0.01)
    assert c / a == pytest.approx(7**0.5, rel=0.01)
    assert realised(sources, temperature=1e9, sample_bytes=3000) == [1000, 1000, 1000]


def test_a_sample_of_everything_is_everything(sources: list[Source]) -> None:
    assert realised(sources, sample_bytes=10_000) == [1000, 2000, 7000]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": {"a": 0.5}, "temperature": 2.0}, "weight and temperature both"),
        ({"weights": {"a": 1.5}}, "the weight of a is 1.5"),
        ({"weights": {"a": float("nan")}}, "the weight of a is nan"),
        ({"weights": {"a": 0.6, "b": 0.6}}, "sum to 1.2, above 1"),
        ({"weights": {"a": 0.5, "b": 0.5}}, "leave nothing for .*/c; lower one, or weigh it 0"),
        ({"weights": {"a": 0.1, "b": 0.1, "c": 0.1}}, "sum to 0.3; make them sum to 1"),
        ({"weights": {"a": 0.1, "b": 0.2, "b.d": 0.2}}, "two weights name the source"),
        ({"weights": {"x": 0.1}}, "no source 'x'; use one of: .*/a, .*/b.d, .*/c"),
        (
            {"weights": {"a": 0.5}, "sample_bytes": 2001},
            "which holds 1000; use a sample of at most 2000 bytes",
        ),
        ({"temperature": 1e9, "sample_bytes": 3010}, "a sample of at most 30[0-9]{2} bytes"),
        ({"sample_bytes": 10_001}, "the inputs, which holds 10000; use a sample of at most 10000 bytes"),
        ({"sample_bytes": 0}, "sample is 0 bytes"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"temperature": float("inf")}, "temperature is inf"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_options_that_are_refused(sources: list[Source], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SampledSources(sources, SamplingConfig(**options))


def test_names_that_fit_several_sources(tmp_path: Path) -> None:
    for folder in "xy":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.txt").write_bytes(b"text")
    sources = open_sources([tmp_path / "x/same.txt", tmp_path / "y/same.txt"])
    with pytest.raises(ConfigError, match="'same' fits several sources"):
        SampledSources(sources, SamplingConfig(weights={"same": 0.5}))
    twice = open_sources([tmp_path / "x"] * 2)
    with pytest.raises(ConfigError, match="fits several"):
        SampledSources(twice, SamplingConfig(weights={str(tmp_path / "x"): 0.5}))
    SampledSources(sources, SamplingConfig(weights={str(tmp_path / "x/same.txt"): 0.5}))


def test_an_unknown_source_has_its_own_error(sources: list[Source]) -> None:
    with pytest.raises(UnknownNameError):
        SampledSources(sources, SamplingConfig(weights={"x": 0.1}))


def test_parse_weights() -> None:
    assert parse_weights(["a=0.3", "p=q/x=1e-1"]) == {"a": 0.3, "p=q/x": 0.1}
    for bad in (["a"], ["=0.3"], ["a=x"], ["a=1.5"], ["a=nan"], ["a=-1"], ["a=0.1", "a=0.2"]):
        with pytest.raises(ConfigError):
            parse_weights(bad)


def test_one_huge_file_can_be_sampled_and_touching_units_join(tmp_path: Path) -> None:
    line = b"0123456789abcde\n"
    text = b"".join(b"%014d,\n" % i for i in range((3 << 20) // len(line)))
    (tmp_path / "text").write_bytes(text)
    sources = open_sources([tmp_path / "text"])
    (whole,) = [data for _, data in SampledSources(sources, SamplingConfig(sample_bytes=len(text)))]
    assert whole == text
    sampled = SampledSources(sources, SamplingConfig(sample_bytes=1_500_000))
    assert sum(len(data) for _, data in sampled) == 1_500_000
    assert sampled.mixture.sources[0].documents == 1


def test_a_sample_of_text_ends_between_characters(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("漢字" * 1000, encoding="utf-8")
    sources = open_sources([tmp_path])
    for size in range(1, 10):
        given = b"".join(
            bytes(data) for _, data in SampledSources(sources, SamplingConfig(sample_bytes=size))
        )
        assert given.decode() == "漢字漢"[: size // 3]


def test_rows_and_standard_input_are_sampled(tmp_path: Path) -> None:
    rows = [f"row {i:06}" for i in range(1000)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"t": row}) + "\n" for row in rows))
    sources = open_sources([tmp_path / "a.jsonl", "-"], field="t", stdin=io.BytesIO(b"s" * 10_000))
    sampled = SampledSources(sources, SamplingConfig(weights={"-": 0.25}, sample_bytes=4000))
    assert [row.bytes for row in sampled.mixture.sources] == [0, 0]  # nothing is given out yet
    given = list(sampled)
    assert [row.bytes for row in sampled.mixture.sources] == [3000, 1000]
    assert {bytes(data).decode() for name, data in given if name != "-"} <= set(rows)
    assert list(sampled) == given
    assert [row.documents for row in sampled.mixture.sources] == [300, 1]


def test_files_of_which_nothing_is_taken_are_not_opened_again(sources: list[Source]) -> None:
    sampled = SampledSources(sources, SamplingConfig(weights={"a": 0.0}))
    for file in sources[0].files:
        file.path.unlink()
    assert sum(len(data) for _, data in sampled) == 9000


def test_a_file_that_changes_between_the_passes(sources: list[Source]) -> None:
    sampled = SampledSources(sources, SamplingConfig(sample_bytes=10_000))
    sources[1].files[0].path.write_bytes(b"changed")
    with pytest.raises(InputError, match="changed since"):
        list(sampled)


@pytest.mark.parametrize("options", [{}, {"sample_bytes": 1}])
def test_a_source_without_bytes_is_an_error(tmp_path: Path, options: dict[str, Any]) -> None:
    (tmp_path / "a.jsonl").write_text('{"t": ""}\n')
    (tmp_path / "b").write_text("x")
    sources = open_sources([tmp_path / "b", tmp_path / "a.jsonl"], field="t")
    with pytest.raises(TokforgeError, match="empty or null"):
        list(SampledSources(sources, SamplingConfig(**options)))


def test_progress_names_both_passes(sources: list[Source]) -> None:
    calls: list[tuple[str, int, int]] = []
    list(SampledSources(sources, SamplingConfig(sample_bytes=10), progress=lambda *call: calls.append(call)))
    ends = [call for call in calls if call[1] == call[2]]
    assert ends == [("sample", 10_000, 10_000), ("read", 10_000, 10_000)]


def test_the_mixture_is_json(sources: list[Source]) -> None:
    sampled = SampledSources(sources, SamplingConfig(weights={"a": 0.5}, sample_bytes=100, seed=7))
    list(sampled)
    stored = json.loads(json.dumps(sampled.mixture.as_dict()))
    assert stored["sources"][0] == {
        "name": sources[0].name,
        "bytes": 50,
        "documents": 1,
        "share": 0.5,
        "available_bytes": 1000,
    }
    options = {key: value for key, value in stored.items() if key != "sources"}
    assert options == {"weights": {"a": 0.5}, "temperature": None, "sample_bytes": 100, "seed": 7}
