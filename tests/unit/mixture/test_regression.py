"""The regression finds shares that a falling curve was made of, and stands aside where it cannot."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from tokforge.errors import UnknownNameError
from tokforge.mixture import MixtureConfig, infer_mixture
from tokforge.mixture.regression import Observed, combined, regress
from tokforge.mixture.solvers.highs import HighsModel

SHARES = np.array([0.5, 0.3, 0.2])


def made_up(noise, seed=0, merges=400, shards=8):
    """Merges of one category each whose mixed share is exactly 1 / rank, seen with relative noise."""
    draw = np.random.default_rng(seed)
    owner = draw.integers(0, 3, merges)
    exact = 1e6 / np.arange(10, merges + 10)
    shares = np.zeros((merges, 3))
    shares[np.arange(merges), owner] = exact / SHARES[owner]
    deviations = np.zeros((merges, 3 * shards))
    errors = draw.normal(size=(merges, shards)) * noise / np.sqrt(shards)
    for shard in range(shards):
        at = owner * shards + shard
        deviations[np.arange(merges), at] = shares[np.arange(merges), owner] * errors[:, shard]
    seen = shares * (1 + errors.sum(1))[:, None]
    return Observed(seen, deviations, np.repeat(np.arange(3), shards))


def test_shares_behind_a_falling_curve_are_found():
    start = np.array([0.47, 0.32, 0.21])
    for noise in (0.01, 0.1):
        found = regress(made_up(noise), start)
        assert np.abs(found - SHARES).max() < np.abs(start - SHARES).max() / 2
    assert regress(made_up(0.001), SHARES) == pytest.approx(SHARES, abs=5e-3)


def test_it_stands_aside_without_spread_or_merges():
    seen = made_up(0.1)
    flat = Observed(seen.shares, np.zeros_like(seen.deviations), seen.category_of)
    assert regress(flat, SHARES) is None
    assert regress(Observed(seen.shares[:50], seen.deviations[:50], seen.category_of), SHARES) is None
    lone = Observed(seen.shares, seen.deviations * (seen.category_of > 0), seen.category_of)
    assert regress(lone, np.array([1.0, 0.0, 0.0])) is None  # all is of a category that cannot vary
    assert regress(Observed(seen.shares[::-1], seen.deviations, seen.category_of), SHARES) is None


def test_the_answer_is_the_mean_of_both(world, quick):
    tokenizer, references = world
    options = quick.as_dict() | {"resamples": 0, "calibrate": False}
    both = infer_mixture(tokenizer, references, **options)
    plain = infer_mixture(tokenizer, references, **(options | {"estimator": "programme"}))
    assert plain.shares["bytes"] == pytest.approx(plain.programme)
    assert both.programme == pytest.approx(plain.programme)
    assert np.abs(both.shares["bytes"] - both.programme).max() > 0
    with pytest.raises(UnknownNameError):
        MixtureConfig(estimator="magic")


def test_withheld_shares_are_the_programmes_own(world, quick):
    tokenizer, references = world
    options = quick.as_dict() | {"calibrate": False}
    fitting = infer_mixture(tokenizer, references, **options)
    assert (fitting.withheld, fitting.estimator) == (False, "combined")
    paths = {name: references / name for name in ("south", "east")}  # the largest is left out
    unfit = infer_mixture(tokenizer, paths, **options)
    assert (unfit.withheld, unfit.estimator) == (True, "programme")
    assert unfit.shares["bytes"].tolist() == unfit.programme.tolist()
    assert unfit.as_dict()["estimator"] == "programme"
    assert unfit.intervals is None  # how far the shift would widen them is not known
    calibrated = infer_mixture(tokenizer, paths, **(options | {"calibrate": True}))
    assert (calibrated.withheld, calibrated.estimator) == (True, "programme")
    low, high = calibrated.intervals.T
    assert ((low <= calibrated.programme) & (calibrated.programme <= high)).all()


def test_the_mean_is_believed_as_far_as_both_speak_of_one_thing():
    assert combined(np.array([0.4, 0.6]), np.array([0.5, 0.5])) == pytest.approx([0.45, 0.55])
    absent = combined(np.array([0.001, 0.999]), np.array([0.14, 0.86]))
    assert absent == pytest.approx([0.0025, 0.9975])
    assert combined(np.array([0.2, 0.8]), np.array([0.4, 0.6])) == pytest.approx([0.25, 0.75])


def hard_model(rows=12_000):
    draw = np.random.default_rng(0)
    model = HighsModel(10)
    model.add_slacks(np.ones(rows))
    pairs = draw.permutation(rows) // 3 + rows // 3
    model.add_rows(draw.normal(size=(rows, 10)) * 100, np.arange(rows) // 3, pairs)
    return model


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals need it")
def test_ctrl_c_stops_highs_itself():
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            hard_model().solve()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        timer.join()
        signal.signal(signal.SIGINT, ours)


def test_a_moment_stops_highs_itself():
    model = hard_model()
    model.stop_at(time.monotonic() + 0.2)
    with pytest.raises(TimeoutError):
        model.solve()


def test_no_time_gives_bounds_that_hold(world, quick):
    tokenizer, references = world
    options = quick.as_dict() | {"resamples": 0, "calibrate": False}
    whole = infer_mixture(tokenizer, references, **options).solution
    stopped = infer_mixture(tokenizer, references, **(options | {"time_limit": 0.0}))
    assert stopped.withheld  # what nothing was found out about does not pass for a perfect fit
    short = stopped.solution
    assert not short.optimal
    assert short.lower_bound <= whole.objective * (1 + 1e-6)
    assert short.upper_bound >= whole.objective * (1 - 1e-6)
