"""The steps of healing: AdamW without decay, clipped gradients, and a stop by held-out text.

Invariant: the weights kept are those of the best validation, step 0 included, so a healed model is never
worse on the held-out windows than the one that came in. Dropout is off: a step follows from the weights
and its windows alone. Of several processes each runs every N-th batch of a step, and the first one writes.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokforge.transplant.checkpoint import Checkpoint
from tokforge.transplant.heal.config import HealConfig
from tokforge.transplant.heal.losses import Runner, Teacher, bits_of, loss_of
from tokforge.transplant.heal.state import Progressed, load_state, save_state
from tokforge.transplant.heal.text import Text
from tokforge.transplant.heal.trained import Trained
from tokforge.transplant.processes import Processes

__all__ = ["Job", "train"]

Progress = Callable[[str, int, int], object]


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """All that a run of steps needs."""

    config: HealConfig
    checkpoint: Checkpoint
    student: Runner
    teacher: Teacher | None
    trained: Trained
    text: Text
    key: str
    state_path: Path | None
    log_path: Path | None
    progress: Progress
    processes: Processes

    def precision(self) -> AbstractContextManager[Any]:
        """The context in which models run."""
        import torch

        kind = self.student.model.device.type
        context: AbstractContextManager[Any] = torch.autocast(
            kind, torch.bfloat16, enabled=self.config.dtype == "bfloat16"
        )
        return context

    def validate(self) -> tuple[float, dict[str, Any]]:
        """Returns bits per byte of the held-out windows under the rounded weights, and the exact ones."""
        import torch

        exact = self.trained.snapshot()
        self.trained.restore(self._rounded(exact))
        with torch.inference_mode(), self.precision():
            bits = bits_of(self.student, [window.text for window in self.text.held_out])
        self.trained.restore(exact)
        return self.processes.from_first(bits), exact

    def _rounded(self, values: Mapping[str, Any]) -> dict[str, Any]:
        import torch

        kinds = {"BF16": torch.bfloat16, "F16": torch.float16}
        stored = kinds.get(self.checkpoint.dtype(self.checkpoint.layout.input), torch.float32)
        return {name: value.to(stored).float() for name, value in values.items()}


def train(job: Job) -> tuple[Progressed, Mapping[str, Any] | None]:
    """Runs the steps; returns where it ended, and the best weights, or None where step 0 was best."""
    import torch

    named = job.trained.parameters
    optimizer = torch.optim.AdamW(
        named.values(), lr=job.config.learning_rate, betas=(0.9, 0.95), weight_decay=0
    )
    if job.state_path and job.state_path.is_file():
        progressed, weights, best = load_state(job.state_path, job.key, optimizer, named)
        job.trained.restore(weights)
    else:
        bits, _ = job.validate()
        progressed, best = Progressed(job.key, start_bits=bits, best_bits=bits), None
        _note(job, progressed, {"step": 0, "held_out_bits_per_byte": bits})
    while progressed.step < job.config.steps and not _ended(job, progressed):
        figures = _step(job, optimizer, progressed)
        if progressed.step % job.config.validate_every == 0 or progressed.step == job.config.steps:
            bits, exact = job.validate()
            best = _judge(progressed, bits, exact, best)
            figures["held_out_bits_per_byte"] = bits
        _note(job, progressed, figures)
        if job.state_path and (progressed.step % job.config.checkpoint_every == 0 or _ended(job, progressed)):
            _save(job, progressed, best, optimizer)
        job.progress("heal", progressed.step, job.config.steps)
    return progressed, best


def _save(job: Job, progressed: Progressed, best: Mapping[str, Any] | None, optimizer: Any) -> None:
    if job.state_path and job.processes.is_first:
        named = job.trained.parameters
        save_state(job.state_path, progressed, job.trained.snapshot(), best, optimizer, named)


def _ended(job: Job, progressed: Progressed) -> bool:
    return 0 < job.config.patience <= progressed.stale


def _judge(progressed: Progressed, bits: float, exact: dict[str, Any], best: Any) -> Any:
    if not bits < progressed.best_bits:  # not a number is no better
        progressed.stale += 1
        return best
    progressed.best_bits, progressed.best_step, progressed.stale = bits, progressed.step, 0
    return exact


def _step(job: Job, optimizer: Any, progressed: Progressed) -> dict[str, Any]:
    import torch

    begun, total, tokens = time.perf_counter(), 0.0, 0
    rate = job.config.rate(progressed.step)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    batches = job.text.of_step(progressed.step, job.config)[job.processes.index :: job.processes.count]
    for texts in batches:
        with job.precision():
            loss, count = loss_of(job.config.loss, job.student, job.teacher, texts)
        (loss / len(batches)).backward()
        total, tokens = total + float(loss.detach()) / len(batches), tokens + count
    total, tokens = job.processes.mean(total), round(job.processes.mean(tokens) * job.processes.count)
    job.processes.average(job.trained.parameters.values())
    job.trained.mask_gradients()
    norm = torch.nn.utils.clip_grad_norm_(job.trained.parameters.values(), job.config.clip)
    if torch.isfinite(norm):
        optimizer.step()
    progressed.step += 1
    progressed.tokens += tokens
    seconds = time.perf_counter() - begun
    return {
        "step": progressed.step, "loss": total, "rate": rate, "gradient": float(norm), "tokens": tokens,
        "seconds": round(seconds, 3),
    }  # fmt: skip


def _note(job: Job, progressed: Progressed, figures: dict[str, Any]) -> None:
    if "held_out_bits_per_byte" in figures:
        progressed.log.append({name: figures[name] for name in ("step", "held_out_bits_per_byte")})
    if job.log_path and job.processes.is_first:
        with job.log_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(figures) + "\n")
