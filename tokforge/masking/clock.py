"""Which epoch and optimizer step a batch belongs to, in every worker of a loader.

A torch loader deals batches to its workers in turn: worker w of W makes the batches w, w + W, w + 2W, ... of
an epoch. So each worker knows the number of its batch by counting its own, and no message passes. Epoch and
first step stand in shared memory, for workers that outlive an epoch.
"""

from typing import Any

__all__ = ["Clock"]

_EPOCH, _FIRST_STEP, _BATCHES_A_STEP, _SETTINGS = range(4)


class Clock:
    """Counts the batches of an epoch."""

    def __init__(self) -> None:
        import torch

        self._shared = torch.tensor([0, 0, 1, 0]).share_memory_()
        self._seen = 0
        self._batches = 0

    def set(self, epoch: int, first_step: int, batches_a_step: int) -> None:
        """Begins an epoch whose first batch belongs to the optimizer's ``first_step``."""
        settings = int(self._shared[_SETTINGS]) + 1
        self._shared.copy_(self._shared.new_tensor([epoch, first_step, batches_a_step, settings]))

    @property
    def epoch(self) -> int:
        """The epoch that was begun last."""
        return int(self._shared[_EPOCH])

    @property
    def first_step(self) -> int:
        """The step of the epoch's first batch."""
        return int(self._shared[_FIRST_STEP])

    @property
    def batches_a_step(self) -> int:
        """Batches of gradient accumulation."""
        return int(self._shared[_BATCHES_A_STEP])

    def tick(self) -> int:
        """Counts a batch and returns the step it belongs to."""
        _, first_step, batches_a_step, settings = self._shared.tolist()
        if settings != self._seen:
            self._seen, self._batches = settings, 0
        worker, workers = _worker()
        batch = worker + self._batches * workers
        self._batches += 1
        return int(first_step + batch // batches_a_step)


def _worker() -> tuple[int, int]:
    from torch.utils.data import get_worker_info

    info: Any = get_worker_info()
    return (info.id, info.num_workers) if info else (0, 1)
