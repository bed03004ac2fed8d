"""`heal`: read a model and text, train, write a model's folder with its record."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tokforge.errors import ConfigError
from tokforge.options import from_options
from tokforge.outputs import StrPath, check_output
from tokforge.tokenizer.files import files_of
from tokforge.tokenizer.locations import locate_model
from tokforge.transplant.checkpoint import Checkpoint, read_json
from tokforge.transplant.evaluate.causal import prefix_id
from tokforge.transplant.heal.config import HealConfig
from tokforge.transplant.heal.loop import Job, train
from tokforge.transplant.heal.losses import Runner, Teacher, bits_of, loss_of
from tokforge.transplant.heal.text import Text, read_text
from tokforge.transplant.heal.trained import TrainedTensor, choose
from tokforge.transplant.models import load_model
from tokforge.transplant.processes import Processes
from tokforge.transplant.record import RECORD, made_ids, write_record
from tokforge.transplant.settings import Settings
from tokforge.transplant.surgery import check_folder, staged_folder, write_model
from tokforge.transplant.vocabulary import Vocabulary

__all__ = ["Healed", "heal"]

Progress = Callable[[str, int, int], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Healed:
    """What healing did, or would do."""

    output: Path | None
    steps: int
    tokens: int
    trained: int
    """Numbers that were trained."""
    before: float | None
    """Bits per byte of the held-out windows at step 0; None for a dry run."""
    after: float | None
    best_step: int
    log: tuple[Mapping[str, Any], ...]
    """Bits per byte of the held-out windows, by step."""
    estimate: Mapping[str, float] | None
    """Of a dry run: seconds and bytes of memory."""

    def as_dict(self) -> dict[str, Any]:
        """Returns all as JSON values."""
        names = ("steps", "tokens", "trained", "before", "after", "best_step")
        found = {name: getattr(self, name) for name in names}
        return {
            "output": str(self.output) if self.output else None, **found,
            "log": [dict(one) for one in self.log],
            "estimate": dict(self.estimate) if self.estimate else None,
        }  # fmt: skip


def heal(
    model: str | Path,
    text: Sequence[str],
    output: str | Path | None = None,
    *,
    teacher: str | Path | None = None,
    config: HealConfig | None = None,
    state: str | Path | None = None,
    log: str | Path | None = None,
    dry_run: bool = False,
    force: bool = False,
    progress: Progress = lambda phase, done, total: None,
    **options: Any,
) -> Healed:
    """Trains the causal model in folder ``model`` on ``text`` and writes it to folder ``output``.

    ``options`` are those of `HealConfig`; ``teacher`` is the original model's folder, for the losses that
    need one; ``state`` a file from which the run goes on if it is there; ``log`` gets a JSON line a step.
    The weights written are the best on held-out windows, those of step 0 if none is better. Raises
    InputError and FormatError for what cannot be read, ConfigError for options, OutputError for ``output``.
    """
    config = config or from_options(HealConfig, options)
    model, teacher = locate_model(model), None if teacher is None else locate_model(teacher)
    if (teacher is None) != (config.loss == "next-token"):
        hint = "give --teacher" if teacher is None else "leave --teacher out, or use --loss hidden or chunks"
        raise ConfigError(f"the loss is {config.loss}, the teacher {teacher}", hint, "--teacher")
    if output is None and not dry_run:
        raise ConfigError("there is no output folder", "name one, or ask for a dry run", "output")
    if output is not None:
        check_folder(Path(output), Path(model), teacher, *text, force=force)
    read: list[StrPath] = [*text, *files_of(model), Path(model) / "config.json"]
    check_output(*(path for path in (state, log) if path), force=True, inputs=read)
    checkpoint, processes = Checkpoint.open(model), Processes.join(config.device)
    # N processes are one that accumulates N times as many batches: so a state of either resumes the other.
    config = replace(config, accumulate=config.accumulate * processes.count)
    job = _job(checkpoint, read_text(text, config), teacher, config, state, log, progress, processes)
    if dry_run or output is None:
        return _estimated(job)
    progressed, best = train(job)
    healed = Healed(
        output=Path(output), steps=progressed.step, tokens=progressed.tokens, trained=job.trained.count,
        before=progressed.start_bits, after=progressed.best_bits, best_step=progressed.best_step,
        log=tuple(progressed.log), estimate=None,
    )  # fmt: skip
    return processes.from_first(_stored(job, best, healed) if processes.is_first else healed)


def _stored(job: Job, best: Mapping[str, Any] | None, healed: Healed) -> Healed:
    """Writes the folder; returns what is true of it."""
    before = healed.before or 0.0
    with staged_folder(Path(healed.output or "")) as (staged, _):
        if not (best is not None and _written(job, best, staged, before)):
            healed = replace(healed, after=before, best_step=0)
            _write(job.checkpoint, {}, staged)
        _record(job.checkpoint, staged, healed, job.config)
    return healed


def _written(job: Job, best: Mapping[str, Any], folder: Path, before: float) -> bool:
    """Writes the best weights; tells whether what was written, rounded, still is better than step 0."""
    import torch

    job.trained.restore(best)
    _write(job.checkpoint, job.trained.written(job.checkpoint), folder)
    runner = Runner(*_loaded(folder, job.student.model.device.type))
    with torch.inference_mode(), job.precision():
        return bits_of(runner, [window.text for window in job.text.held_out]) < before


def _write(checkpoint: Checkpoint, tensors: Mapping[str, TrainedTensor], folder: Path) -> None:
    write_model(checkpoint, tensors, Settings({}, "old", (), frozenset()), folder)


def _job(
    checkpoint: Checkpoint, text: Text, teacher: str | Path | None, config: HealConfig,
    state: str | Path | None, log: str | Path | None, progress: Progress, processes: Processes,
) -> Job:  # fmt: skip
    import torch

    if checkpoint.layout.kind != "causal":
        raise ConfigError(
            f"the model is {checkpoint.layout.kind}", "only causal ones heal", str(checkpoint.folder)
        )
    torch.manual_seed(config.seed)
    student = Runner(*_loaded(checkpoint.folder, processes.device))
    made = made_ids(checkpoint.folder)
    trained = choose(student.model, checkpoint, config.train, config.rank, made)
    processes.share(trained.parameters.values())
    return Job(
        config=config,
        checkpoint=checkpoint,
        student=student,
        teacher=None if teacher is None else Teacher(*_loaded(Path(teacher), processes.device)),
        trained=trained,
        text=text,
        key=_key(checkpoint, text, config, teacher),
        state_path=Path(state) if state else None,
        log_path=Path(log) if log else None,
        progress=progress,
        processes=processes,
    )


def _loaded(folder: Path, device: str) -> tuple[Any, Vocabulary, int]:
    return load_model(folder, device=device), Vocabulary.load(folder), prefix_id(folder)


def _key(checkpoint: Checkpoint, text: Text, config: HealConfig, teacher: str | Path | None) -> str:
    """Hashes what decides a run: options, text, and the files' names, sizes and times (not their content)."""
    found = hashlib.sha256(json.dumps([config.as_dict(), str(teacher)]).encode())
    for file in checkpoint.files:
        status = file.path.stat()
        found.update(f"{file.path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    for one in text.training:
        found.update(one.encode())
    return found.hexdigest()


def _estimated(job: Job) -> Healed:
    """Runs one batch forward and backward, and multiplies."""
    texts = job.text.of_step(0, job.config)[0]
    begun = time.perf_counter()
    with job.precision():
        loss, tokens = loss_of(job.config.loss, job.student, job.teacher, texts)
    loss.backward()
    batches = job.config.steps * job.config.accumulate
    validations = 1 + job.config.steps // job.config.validate_every
    share = len(job.text.held_out) * validations / (3 * len(texts))
    weights = sum(parameter.numel() for parameter in job.student.model.parameters())
    weights += sum(parameter.numel() for parameter in job.teacher.model.parameters()) if job.teacher else 0
    logits = 12 * tokens * job.checkpoint.rows
    estimate = {
        "seconds": (time.perf_counter() - begun) * (batches + share),
        "memory_bytes": 4 * weights + 20 * job.trained.count + logits,
    }
    return Healed(
        output=None, steps=job.config.steps, tokens=tokens * batches, trained=job.trained.count,
        before=None, after=None, best_step=0, log=(), estimate=estimate,
    )  # fmt: skip


def _record(checkpoint: Checkpoint, folder: Path, healed: Healed, config: HealConfig) -> None:
    """Adds this run to the record of the transplant, or makes one."""
    path = checkpoint.folder / RECORD
    content = read_json(path) if path.is_file() else {}
    rows = content.pop("rows_by_id", {})
    figures = {**healed.as_dict(), "config": config.as_dict(), "output": None}
    content["healed"] = [*content.get("healed", []), figures]
    write_record(folder, content, rows)
