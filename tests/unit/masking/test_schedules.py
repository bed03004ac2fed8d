"""Schedules of the mask and of the learning rate: their end points, their limits, resuming."""

import math

import pytest

from tokforge.errors import ConfigError
from tokforge.masking import (
    Constant,
    Cosine,
    Linear,
    WarmupDecay,
    damped_cosine,
    damped_cosine_schedule,
    schedule_from_dict,
)
from tokforge.masking.schedules import schedule_to_dict

ALL = [
    Constant(0.3),
    Linear(0.3, 0.15, 100),
    Cosine(0.1, 0.5, 100),
    WarmupDecay(total_steps=100, warmup_steps=5),
]


def test_the_curriculum_goes_up_over_the_warmup_and_down_over_the_rest():
    schedule = WarmupDecay(total_steps=1000, warmup_steps=50)
    assert [schedule(step) for step in (0, 50, 1000)] == [0.15, 0.3, 0.15]
    assert schedule(25) == pytest.approx(0.225)
    assert schedule(525) == pytest.approx(0.225)
    assert schedule(5000) == 0.15


def test_without_a_warmup_it_begins_at_the_top():
    schedule = WarmupDecay(total_steps=10, warmup_steps=0)
    assert [schedule(0), schedule(10)] == [0.3, 0.15]


def test_linear_and_cosine_end_where_they_say():
    assert [Linear(0.3, 0.15, 100)(step) for step in (0, 100, 999)] == [0.3, 0.15, 0.15]
    assert Linear(0.3, 0.15, 100)(50) == pytest.approx(0.225)
    cosine = Cosine(0.1, 0.5, 100)
    assert [cosine(0), cosine(100)] == pytest.approx([0.1, 0.5])
    assert cosine(50) == pytest.approx(0.3)
    assert cosine(10) - cosine(0) < cosine(55) - cosine(45)


@pytest.mark.parametrize("schedule", ALL)
def test_a_schedule_is_read_back_equal(schedule):
    assert schedule_from_dict(schedule_to_dict(schedule)) == schedule


def test_shares_steps_and_names_that_make_no_sense_are_refused():
    for make in (
        lambda: Constant(1.5),
        lambda: Linear(0.1, -0.1, 10),
        lambda: WarmupDecay(total_steps=5, warmup_steps=6),
        lambda: schedule_from_dict({"schedule": "sawtooth"}),
        lambda: schedule_from_dict({"schedule": "constant", "shares": 1}),
    ):
        with pytest.raises(ConfigError):
            make()


@pytest.mark.parametrize("cycles", [1, 2, 5])
def test_the_damped_cosine_begins_at_the_peak_and_ends_at_the_least_rate(cycles):
    shape = {"cycles": cycles, "final_peak": 0.4, "least": 0.05}
    assert damped_cosine(0.0, **shape) == pytest.approx(1.0)
    assert damped_cosine(1.0, **shape) == pytest.approx(0.05)
    crest = 2 * (cycles - 1) / (2 * cycles - 1)  # of the last wave, where the cosine is 1
    assert damped_cosine(crest, **shape) == pytest.approx(1 - 0.6 * crest)


def optimizer_and_schedule():
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    return optimizer, damped_cosine_schedule(
        optimizer, 110, warmup_steps=10, cycles=2, final_peak=0.5, least=0.1
    )


def rates(optimizer, schedule, steps):
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_the_torch_schedule_warms_up_and_ends_at_the_least_rate():
    found = rates(*optimizer_and_schedule(), 112)
    assert found[0] == 0
    assert found[10] == pytest.approx(2.0)
    assert found[110] == found[111] == pytest.approx(0.2)
    wave = 2 * damped_cosine(0.5, cycles=2, final_peak=0.5, least=0.1)
    assert found[60] == pytest.approx(wave)
    assert not math.isclose(found[60], found[30])


def test_the_torch_schedule_resumes_exactly_even_under_other_options():
    import torch

    optimizer, schedule = optimizer_and_schedule()
    whole = rates(*optimizer_and_schedule(), 100)
    rates(optimizer, schedule, 40)
    other = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    resumed = damped_cosine_schedule(other, 999, cycles=9)
    other.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(schedule.state_dict())
    assert rates(other, resumed, 60) == pytest.approx(whole[40:])


def test_a_torch_schedule_of_no_steps_is_refused():
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    for options in (
        {"total_steps": 0},
        {"total_steps": 5, "warmup_steps": 5},
        {"total_steps": 5, "cycles": 0},
    ):
        with pytest.raises(ConfigError):
            damped_cosine_schedule(optimizer, **options)
