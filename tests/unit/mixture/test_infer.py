"""Shares are inferred, explained, and refused where they cannot be told."""

import contextlib
import json
from dataclasses import replace

import numpy as np
import pytest

from tokforge.errors import ConfigError, FormatError, InputError
from tokforge.mixture import (
    MixtureConfig,
    category_paths,
    count_references,
    gather_references,
    infer,
    infer_mixture,
    load_counts,
    save_counts,
    write_mps,
)
from tokforge.mixture.programme import solve
from tokforge.tokenizer import Pipeline, Tokenizer

TRUTH = {"north": 0.6, "south": 0.3, "east": 0.1}


def shares_of(result):
    return dict(zip(result.names, result.shares["bytes"], strict=True))


def test_the_mixture_is_found_with_its_proof(world, quick):
    tokenizer, references = world
    result = infer_mixture(tokenizer, references, **options(quick))
    found = shares_of(result)
    assert all(abs(found[name] - share) < 0.02 for name, share in TRUTH.items())
    assert result.solution.optimal
    assert 0 <= result.solution.gap < 1e-3
    low, high = result.intervals.T
    estimate = np.array([found[name] for name in result.names])
    assert ((low <= estimate) & (estimate <= high)).all()
    least, most = result.identifiable.T
    assert ((least <= estimate + 1e-6) & (estimate <= most + 1e-6)).all()
    assert result.fit["shift"] < 2
    assert result.fit["missing_merges"] == 0


def options(config):
    return config.as_dict()


def test_threads_and_order_of_files_change_nothing(world, quick):
    tokenizer, references = world
    paths = category_paths(references)
    backwards = dict(reversed(paths.items()))
    one = infer_mixture(tokenizer, paths, **options(replace(quick, resamples=0)))
    two = infer_mixture(tokenizer, backwards, **options(replace(quick, resamples=0, threads=3)))
    assert shares_of(one) == pytest.approx(shares_of(two), rel=1e-9)
    assert one.solution.objective == pytest.approx(two.solution.objective, rel=1e-9)


@pytest.mark.parametrize("solver", ["scipy", "pulp"])
def test_every_solver_finds_the_same_optimum(world, quick, solver):
    tokenizer, references = world
    few = replace(quick, merges=60, resamples=0, calibrate=False)
    highs = infer_mixture(tokenizer, references, **options(few))
    other = infer_mixture(tokenizer, references, **options(replace(few, solver=solver)))
    assert other.solution.objective == pytest.approx(highs.solution.objective, rel=1e-6)


def test_an_exported_programme_has_the_same_optimum(world, quick, tmp_path):
    highspy = pytest.importorskip("highspy")
    tokenizer, references = world
    result = infer_mixture(tokenizer, references, **options(replace(quick, resamples=0, calibrate=False)))
    write_mps(result.solution.rows, tmp_path / "m.mps")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.readModel(str(tmp_path / "m.mps"))
    solver.run()
    optimum = solver.getInfo().objective_function_value
    assert optimum == pytest.approx(result.solution.objective, rel=1e-6)


def test_counts_are_kept_and_added_up(world, quick, tmp_path):
    tokenizer, references = world
    whole, _ = gather_references(tokenizer, quick, categories=references)
    paths = category_paths(references)
    for number, names in enumerate((["north", "south"], ["south", "east"])):
        some = {name: paths[name] for name in names}
        part, _ = gather_references(tokenizer, quick, categories=some)
        save_counts(part, tmp_path / f"{number}.npz")
    joined = load_counts([tmp_path / "0.npz", tmp_path / "1.npz"])
    assert joined.names == ("north", "south", "east")
    south = joined.bytes[1].sum()
    assert south == 2 * whole.bytes[whole.names.index("south")].sum()
    few = replace(quick, resamples=0, calibrate=False)
    once, twice = (shares_of(infer(tokenizer, counted, few)) for counted in (whole, joined))
    assert once == pytest.approx(twice, abs=1e-6)  # doubling a category changes no frequency


def test_damaged_counts_are_refused(world, quick, tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(FormatError):
        load_counts([tmp_path / "bad.npz"])
    counted, _ = gather_references(world[0], quick, categories=world[1])
    save_counts(counted, tmp_path / "whole.npz")
    whole = (tmp_path / "whole.npz").read_bytes()
    draw = np.random.default_rng(0)
    for _ in range(60):  # zlib, zipfile and numpy each have errors of their own
        broken = bytearray(whole)
        broken[draw.integers(len(whole) // 10, len(whole) // 2)] ^= 0xFF
        (tmp_path / "broken.npz").write_bytes(broken)
        with contextlib.suppress(FormatError):
            load_counts([tmp_path / "broken.npz"])
    for header, arrays in (({"names": ["north", "north", "east"]}, {}), ({}, {"bytes": -counted.bytes})):
        with np.load(tmp_path / "whole.npz") as file:
            content = dict(file)
        told = json.loads(content["header"].tobytes()) | header
        content |= {"header": np.frombuffer(json.dumps(told).encode(), np.uint8)} | arrays
        np.savez(tmp_path / "odd.npz", **content)
        with pytest.raises(FormatError):
            load_counts([tmp_path / "odd.npz"])
    np.savez(tmp_path / "other.npz", words=np.zeros(3))
    with pytest.raises(FormatError):
        load_counts([tmp_path / "other.npz"])
    with pytest.raises(InputError):
        load_counts([tmp_path / "missing.npz"])


def test_identical_categories_are_told_apart_by_their_sum_alone(world, quick, tmp_path):
    tokenizer, references = world
    paths = category_paths(references) | {"twin": str(references / "south")}
    result = infer_mixture(tokenizer, paths, **options(replace(quick, resamples=10, calibrate=False)))
    assert any("south and twin" in warning for warning in result.warnings)
    found = shares_of(result)
    assert found["south"] + found["twin"] == pytest.approx(TRUTH["south"], abs=0.02)
    at = result.names.index("twin")
    assert result.identifiable[at, 1] - result.identifiable[at, 0] > 0.2


def test_a_missing_category_is_reported(world, quick):
    tokenizer, references = world
    paths = category_paths(references)
    del paths["east"]
    result = infer_mixture(tokenizer, paths, **options(quick))
    assert result.fit["missing_merges"] > 10
    assert result.fit["missing_by_kind"]["non_ascii"] > 10
    assert all(set(token) & set("␣αβγδεζηθι") for token in result.fit["missing_examples"])  # as text
    assert any("occur in no reference" in warning for warning in result.warnings)


def test_merges_out_of_order_are_explained_worse(world, quick):
    tokenizer, references = world
    counted, _ = gather_references(tokenizer, quick, categories=references)
    few = replace(quick, resamples=0)
    order = np.random.default_rng(0).permutation(200)
    base = tokenizer.merges[:200]
    singles = [merge for merge in base if max(merge[:2]) < 256]
    shuffled = [*(base[at] for at in order if base[at] in singles), *(m for m in base if m not in singles)]
    tokens = tokenizer.table.ordinary()
    odd = Tokenizer.from_parts(tokens, shuffled, pipeline=tokenizer.pipeline)
    straight = infer(tokenizer, counted, replace(few, merges=200)).fit["misfit"]
    assert infer(odd, counted, replace(few, merges=200)).fit["misfit"] > 5 * straight


def test_ten_merges_give_an_answer_and_nul_and_invalid_bytes_are_counted(world, tmp_path):
    tokenizer, _ = world
    (tmp_path / "a").write_bytes(b"\x00\xff\xfe the\x00north " * 500)
    (tmp_path / "b").write_bytes("αβγ".encode() * 500)
    few = MixtureConfig(merges=10, resamples=0, shards=2, calibrate=False)
    result = infer_mixture(tokenizer, {"a": tmp_path / "a", "b": tmp_path / "b"}, **options(few))
    assert result.shares["bytes"].sum() == pytest.approx(1)
    assert result.merges == 10
    assert "merges are too few" in result.warnings[-3]
    assert len(result.warnings) >= 3  # both categories are too small


def test_a_category_without_a_pair_is_refused(world, quick, tmp_path):
    """Nothing in it outranks any merge, so it would take all shares at no cost."""
    tokenizer, references = world
    (tmp_path / "nul").mkdir()
    for number in range(50):
        (tmp_path / "nul" / f"{number}").write_bytes(b"\x00")
    paths = category_paths(references) | {"nul": tmp_path / "nul"}
    with pytest.raises(InputError, match="no word of two symbols"):
        infer_mixture(tokenizer, paths, **options(quick))


def test_what_cannot_be_answered_is_refused(world, quick, tmp_path):
    tokenizer, references = world
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.txt").write_text("a")
    with pytest.raises(InputError, match="two or more"):
        category_paths(tmp_path / "one")
    (tmp_path / "one" / "b.txt").touch()
    with pytest.raises(InputError):
        count_references(category_paths(tmp_path / "one"), tokenizer.pipeline, quick)
    bare = Tokenizer.from_parts(
        [bytes((byte,)) for byte in range(256)], [], pipeline=Pipeline(kind="text", pretokenizers=("gpt2",))
    )
    with pytest.raises(ConfigError, match="no merges"):
        infer_mixture(bare, references)
    counted = count_references(
        category_paths(references), Pipeline(kind="text", pretokenizers=("o200k",)), quick
    )
    with pytest.raises(ConfigError, match="cut by o200k"):
        infer(tokenizer, counted, quick)
    with pytest.raises(ConfigError):
        MixtureConfig(shards=3)
    with pytest.raises(ConfigError, match="highs"):
        MixtureConfig(solver="gurobi")


def test_interrupted_solving_gives_the_best_bound_so_far(world, quick):
    tokenizer, references = world
    counted, _ = gather_references(tokenizer, quick, categories=references)

    def stop(phase, done, total):
        if phase == "solve":
            raise KeyboardInterrupt

    result = infer(tokenizer, counted, quick, progress=stop)
    assert not result.solution.optimal
    assert result.solution.lower_bound <= result.solution.upper_bound
    assert result.intervals is None
    assert f"gap of {result.solution.gap:.1%}" in result.warnings[-1]
    whole = infer(tokenizer, counted, replace(quick, resamples=0))
    assert result.solution.lower_bound <= whole.solution.objective * (1 + 1e-6)
    assert result.solution.upper_bound >= whole.solution.objective * (1 - 1e-6)


@pytest.mark.parametrize(
    ("phase", "calibrated", "estimator"), [("calibrate", False, "programme"), ("resample", True, "combined")]
)
def test_an_interruption_behind_the_optimum_keeps_what_is_known(world, quick, phase, calibrated, estimator):
    tokenizer, references = world
    counted, _ = gather_references(tokenizer, quick, categories=references)

    def stop(now, done, total):
        if now == phase:
            raise KeyboardInterrupt

    result = infer(tokenizer, counted, quick, progress=stop)
    assert result.solution.optimal
    assert any("stopped by Ctrl-C" in warning for warning in result.warnings)
    assert (result.fit["shift"] is not None, result.estimator) == (calibrated, estimator)
    assert result.intervals is None


def test_an_unfinished_calibration_is_none(world, quick, monkeypatch):
    """Its residual would be too small, and the shift too large."""
    tokenizer, references = world
    counted, _ = gather_references(tokenizer, quick, categories=references)
    monkeypatch.setattr(
        "tokforge.mixture.calibration.solve",
        lambda *args, **kwargs: replace(solve(*args, **kwargs), optimal=False),
    )
    result = infer(tokenizer, counted, quick)
    assert result.solution.optimal
    assert result.fit["shift"] is None


def test_intervals_without_calibration_are_said_to_be_so(world, quick):
    tokenizer, references = world
    counted, _ = gather_references(tokenizer, quick, categories=references)
    behind = infer(tokenizer, counted, replace(quick, first=100))
    assert behind.intervals is not None
    assert any("intervals may be too short" in warning for warning in behind.warnings)
    whole, unasked = (infer(tokenizer, counted, replace(quick, calibrate=asked)) for asked in (True, False))
    assert not any("too short" in warning for warning in (*whole.warnings, *unasked.warnings))


def test_counts_depend_on_the_cut_alone(world, quick, tmp_path):
    tokenizer, references = world
    paths, cut, tokens = category_paths(references), tokenizer.pipeline, tokenizer.table.ordinary()
    kept = (("post_processor", '{"type": "ByteLevel", "trim_offsets": false}'),)
    hub = Tokenizer.from_parts(tokens, tokenizer.merges, pipeline=replace(cut, preserved=kept))
    save_counts(gather_references(hub, quick, categories=references)[0], tmp_path / "c.npz")
    some = {"south": paths["south"], "east": paths["east"]}
    both, _ = gather_references(hub, quick, categories=some, counts=[tmp_path / "c.npz"])
    assert both.names == ("east", "north", "south")
    other = Tokenizer.from_parts(tokens, tokenizer.merges, pipeline=replace(cut, normalizers=("NFKC",)))
    with pytest.raises(ConfigError, match=r"cuts by NFKC\+gpt2"):
        infer(other, both, quick)


def test_duplicate_merges_are_refused(world):
    tokenizer, _ = world
    merges = [*tokenizer.merges[:100], *tokenizer.merges[:5]]
    with pytest.raises(FormatError, match="already"):
        Tokenizer.from_parts(tokenizer.table.ordinary(), merges, pipeline=tokenizer.pipeline)


def test_a_category_of_one_document_gives_no_intervals(world, quick, tmp_path):
    tokenizer, references = world
    (tmp_path / "one.txt").write_bytes(
        b"".join(path.read_bytes() for path in (references / "east").iterdir())
    )
    paths = category_paths(references) | {"east": tmp_path / "one.txt"}
    result = infer_mixture(tokenizer, paths, **options(replace(quick, calibrate=False)))
    assert result.intervals is None  # resampling one document would make them of no width
    assert result.identifiable is not None
    assert any("no intervals can be made" in warning for warning in result.warnings)


def test_a_misfit_over_nothing_is_no_shift(world):
    tokenizer, folder = world
    few = MixtureConfig(merges=3, resamples=0, shards=2, threads=1)
    fit = infer_mixture(tokenizer, folder, **options(few)).fit
    assert fit["misfit_expected"] < 1e-9
    assert fit["shift"] is None
