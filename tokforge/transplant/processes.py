"""Processes that `accelerate launch` or `torchrun` started, which train one model together.

Invariants: all hold the same weights before and after each step, since they begin with the first one's and
gradients are averaged; what floats or a clock decide is decided by the first, which alone writes. So N
processes are one that accumulates N times as many batches. A process alone needs no Accelerate.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from tokforge.transplant.models import pick_device

__all__ = ["Processes", "is_first_process"]

T = TypeVar("T")


def is_first_process() -> bool:
    """Whether this process is the one that writes and prints, as its environment says."""
    return int(os.environ.get("RANK", "0")) == 0


@dataclass(frozen=True, eq=False)
class Processes:
    """This process among all."""

    count: int
    index: int
    device: str
    accelerator: Any = None

    @classmethod
    def join(cls, device: str) -> "Processes":
        """Meets the other processes, if there are any; each has a device of the kind that is asked for.

        Raises ConfigError for a device that is not there.
        """
        kind = pick_device(device)
        if int(os.environ.get("WORLD_SIZE", "1")) < 2:
            return cls(1, 0, kind)
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=kind == "cpu")
        return cls(accelerator.num_processes, accelerator.process_index, str(accelerator.device), accelerator)

    @property
    def is_first(self) -> bool:
        """Whether this one writes."""
        return self.index == 0

    def share(self, parameters: Iterable[Any]) -> None:
        """Gives all processes the first one's weights."""
        if self.accelerator is None:
            return
        from accelerate.utils import broadcast

        for parameter in parameters:
            parameter.data.copy_(broadcast(parameter.data))

    def average(self, parameters: Iterable[Any]) -> None:
        """Averages the gradients over all processes; a parameter without one counts as 0."""
        if self.accelerator is None:
            return
        import torch

        held = list(parameters)
        for parameter in held:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = self.accelerator.reduce(torch.cat([one.grad.flatten() for one in held]), "mean")
        for parameter, part in zip(held, flat.split([one.numel() for one in held]), strict=True):
            parameter.grad.copy_(part.view_as(parameter))

    def mean(self, value: float) -> float:
        """Returns the mean of a value over all processes."""
        if self.accelerator is None:
            return value
        import torch

        wide = torch.float32 if self.device.startswith("mps") else torch.float64
        return float(self.accelerator.reduce(torch.tensor(value, dtype=wide, device=self.device), "mean"))

    def from_first(self, value: T) -> T:
        """Returns the first process's value, which is small."""
        if self.accelerator is None:
            return value
        from accelerate.utils import broadcast_object_list

        found: T = broadcast_object_list([value])[0]
        return found
