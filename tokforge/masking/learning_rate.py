"""The damped cosine learning rate: waves between a falling peak and a falling valley.

With p = step / total: peak(p) = rate (1 - (1 - final_peak) p), valley(p) = rate/2 (1 - p) + least p, and the
rate is (peak + valley)/2 + (peak - valley)/2 cos(pi (2 cycles - 1) p). It begins at ``rate`` and ends at
``least``. Source: Chinese ModernBERT, arXiv 2510.12285, section 3.3, equation 1, as coded in a replication;
published values of cycles and final peak are not known.
"""

import math
from typing import TYPE_CHECKING

from tokforge.errors import ConfigError
from tokforge.masking.features import is_share, whole

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LambdaLR

__all__ = ["DampedCosine", "damped_cosine", "damped_cosine_schedule"]


def damped_cosine(progress: float, *, cycles: int, final_peak: float, least: float) -> float:
    """Returns the rate as a multiple of the highest one; ``progress`` from 0 to 1.

    >>> [round(damped_cosine(p, cycles=2, final_peak=0.5, least=0.1), 3) for p in (0.0, 1 / 3, 1.0)]
    [1.0, 0.367, 0.1]
    """
    whole("cycles", cycles, least=1)
    for name, share in (("progress", progress), ("final_peak", final_peak), ("least", least)):
        if not is_share(share):
            raise ConfigError(f"{name} is {share!r}", "use a number from 0 to 1")
    peak = 1 - (1 - final_peak) * progress
    valley = (1 - progress) / 2 + least * progress
    wave = math.cos(math.pi * (2 * cycles - 1) * progress)
    return (peak + valley) / 2 + (peak - valley) / 2 * wave


class DampedCosine:
    """A multiplier by step. A torch scheduler stores an object's fields in checkpoints, a lambda's not."""

    def __init__(
        self, total_steps: int, warmup_steps: int, cycles: int, final_peak: float, least: float
    ) -> None:
        whole("total_steps", total_steps, least=1)
        whole("warmup_steps", warmup_steps, below=total_steps)
        whole("cycles", cycles, least=1)
        for name, share in (("final_peak", final_peak), ("least", least)):
            if not is_share(share):
                raise ConfigError(f"{name} is {share!r}", "use a share of the highest rate, 0 to 1")
        self.total_steps, self.warmup_steps, self.cycles = total_steps, warmup_steps, cycles
        self.final_peak, self.least = final_peak, least

    def __call__(self, step: int) -> float:
        if step < self.warmup_steps:
            return step / self.warmup_steps
        progress = min((step - self.warmup_steps) / (self.total_steps - self.warmup_steps), 1.0)
        return damped_cosine(progress, cycles=self.cycles, final_peak=self.final_peak, least=self.least)


def damped_cosine_schedule(
    optimizer: "Optimizer",
    total_steps: int,
    *,
    warmup_steps: int = 0,
    cycles: int = 3,
    final_peak: float = 0.5,
    least: float = 0.1,
) -> "LambdaLR":
    """Returns a torch scheduler; call its ``step()`` once an optimizer step.

    Args:
        warmup_steps: steps of a linear warm-up from 0, before the waves; not in the paper's equation.
        cycles: peaks, the first one at the start included.
        final_peak: the last peak over the first, 0 to 1.
        least: the rate at the end over the highest, 0 to 1.
    Raises:
        ConfigError: an option is out of range.
    """
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LambdaLR

    if not isinstance(optimizer, Optimizer):
        raise ConfigError(f"the optimizer is a {type(optimizer).__name__}", "give one of torch.optim")
    return LambdaLR(optimizer, DampedCosine(total_steps, warmup_steps, cycles, final_peak, least))
