"""How much is masked at a step: a share from 0 to 1 as a function of the optimizer's step alone.

A schedule has no state, so resuming one needs the step and nothing else.
Source of `WarmupDecay`: Chinese ModernBERT, arXiv 2510.12285, as two accounts of it agree.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any, Protocol

from tokforge.errors import ConfigError, pick

__all__ = [
    "SCHEDULES",
    "Constant",
    "Cosine",
    "Linear",
    "Schedule",
    "WarmupDecay",
    "schedule_from_dict",
    "schedule_to_dict",
]


class Schedule(Protocol):
    """What a collator takes as its mask probability."""

    def __call__(self, step: int) -> float:
        """Returns the share to mask at ``step``, counted from 0."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same share at every step."""

    share: float = 0.3

    def __post_init__(self) -> None:
        _check(self)

    def __call__(self, step: int) -> float:
        return self.share


@dataclass(frozen=True, slots=True)
class Linear:
    """From ``start`` at step 0 to ``end`` at ``total_steps``, and that from there on."""

    start: float
    end: float
    total_steps: int

    def __post_init__(self) -> None:
        _check(self)

    def __call__(self, step: int) -> float:
        return _between(self.start, self.end, _progress(step, self.total_steps))


@dataclass(frozen=True, slots=True)
class Cosine:
    """As `Linear`, by half a wave of the cosine: slow at both ends."""

    start: float
    end: float
    total_steps: int

    def __post_init__(self) -> None:
        _check(self)

    def __call__(self, step: int) -> float:
        wave = (1 - math.cos(math.pi * _progress(step, self.total_steps))) / 2
        return _between(self.start, self.end, wave)


@dataclass(frozen=True, slots=True)
class WarmupDecay:
    """From ``low`` to ``high`` over the warm-up, then back to ``low`` at ``total_steps``, both linear.

    >>> schedule = WarmupDecay(total_steps=100, warmup_steps=20)
    >>> [round(schedule(step), 4) for step in (0, 10, 20, 60, 100)]
    [0.15, 0.225, 0.3, 0.225, 0.15]
    """

    total_steps: int
    warmup_steps: int
    low: float = 0.15
    high: float = 0.3

    def __post_init__(self) -> None:
        _check(self)
        if self.warmup_steps > self.total_steps:
            raise ConfigError(
                f"warmup_steps is {self.warmup_steps}, above total_steps {self.total_steps}", "lower it"
            )

    def __call__(self, step: int) -> float:
        if step <= self.warmup_steps:
            return _between(self.low, self.high, _progress(step, self.warmup_steps))
        rest = self.total_steps - self.warmup_steps
        return _between(self.high, self.low, _progress(step - self.warmup_steps, rest))


SCHEDULES: Mapping[str, type[Any]] = {
    "constant": Constant,
    "cosine": Cosine,
    "linear": Linear,
    "warmup-decay": WarmupDecay,
}
"""By name."""


def schedule_to_dict(schedule: Schedule) -> dict[str, Any] | None:
    """Returns the name and options of a schedule as JSON values; None for one of your own."""
    given: Any = schedule
    names = [name for name, kind in SCHEDULES.items() if type(given) is kind]
    return {"schedule": names[0], **asdict(given)} if names else None


def schedule_from_dict(options: Mapping[str, Any]) -> Schedule:
    """Builds the schedule that ``{"schedule": NAME, **options}`` describes.

    Raises UnknownNameError or ConfigError.
    """
    if not isinstance(options, Mapping):
        raise ConfigError(f"a schedule is {options!r}", "give its name and options as a mapping")
    kind = pick("schedule", options.get("schedule", ""), SCHEDULES)
    try:
        made: Schedule = kind(**{key: value for key, value in options.items() if key != "schedule"})
    except TypeError as error:
        raise ConfigError(f"{options['schedule']}: {error}", "see tokforge.masking.schedules") from error
    return made


def _progress(step: int, total: int) -> float:
    if not isinstance(step, Real):
        raise ConfigError(f"step is {step!r}", "use a whole number")
    return min(max(step / total, 0.0), 1.0) if total else 1.0


def _between(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


def _check(schedule: Any) -> None:
    for name in schedule.__slots__:
        value = getattr(schedule, name)
        is_number = isinstance(value, Real)
        if name.endswith("_steps") and not (is_number and value >= 0 and value % 1 == 0):
            raise ConfigError(f"{name} is {value!r}", "use a whole number, 0 or more")
        if not name.endswith("_steps") and not (is_number and 0 <= value <= 1):
            raise ConfigError(f"{name} is {value!r}", "use a share from 0 to 1")
