"""Trains a hypernetwork: stage 1 (`reconstruction`), then stage 2 (`language`), as one sequence of steps.

Every draw of step ``n`` follows from (seed, n), and the learning rate from n, so a run that was ended and
resumed gives the weights of an unbroken one. Processes that are started side by side draw tokenizers of their
own, and their gradients are averaged: see `tokforge.transplant.processes`. A step whose loss or gradient is
not finite is left out; the third in a row ends the run, and the last good checkpoint stays.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tokforge.errors import ConfigError, OutputError
from tokforge.options import from_options
from tokforge.outputs import check_output, write_files
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.locations import locate_model
from tokforge.transplant.evaluate.causal import prefix_id
from tokforge.transplant.hypernet.batches import Pass, make_pass
from tokforge.transplant.hypernet.config import HypernetConfig
from tokforge.transplant.hypernet.cuts import Cutter
from tokforge.transplant.hypernet.host import Host, settled
from tokforge.transplant.hypernet.language import language_losses
from tokforge.transplant.hypernet.network import Hypernet
from tokforge.transplant.hypernet.reconstruction import OwnTokens, reconstruction_loss
from tokforge.transplant.hypernet.samplers import Sampler, segmented
from tokforge.transplant.hypernet.storage import (
    LOG,
    RECORD,
    TRAINING,
    WEIGHTS,
    check_host,
    describe,
    read_tensors,
    write_folder,
)
from tokforge.transplant.hypernet.texts import Texts
from tokforge.transplant.models import load_model
from tokforge.transplant.processes import Processes

__all__ = ["Trained", "train_hypernet"]

Progress = Callable[[str, int, int], object]
_MOST_SKIPPED = 3
_BYTES_PER_TOKEN = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """What a run came to."""

    output: str
    step: int
    """Steps done in all, of both stages."""
    steps: int
    best: float | None
    """Least bits per byte on the validation tokenizers; None before the first validation."""
    stopped: str
    """``steps``, ``minutes`` or ``patience``."""
    parameters: int
    seconds: float


def train_hypernet(
    model: str | Path,
    text: Sequence[str],
    output: str | Path,
    *,
    field: str | None = None,
    tokenizers: Sequence[str | Path] = (),
    validation_tokenizers: Sequence[str | Path] = (),
    config: HypernetConfig | None = None,
    resume: bool = False,
    force: bool = False,
    minutes: float | None = None,
    progress: Progress = lambda phase, done, total: None,
    **options: Any,
) -> Trained:
    """Trains a hypernetwork for the model in ``model`` on ``text``, and writes it to folder ``output``.

    Args:
        field: the field of jsonl and parquet rows that is the document.
        tokenizers: byte-level BPE files; stage 2 samples prefixes of them beside Unigram ones.
        validation_tokenizers: files that are never sampled; the weights that are best on them are kept.
        config: the options; or name those of `HypernetConfig` as ``options``.
        resume: goes on from the checkpoint in ``output``, with its configuration.
        force: replaces the hypernetwork in ``output``.
        minutes: ends this piece of the run after so long, with a checkpoint.

    Raises InputError, FormatError and ConfigError for models, files and options, OutputError for
    ``output``, MissingExtraError without torch.
    """
    config = config or from_options(HypernetConfig, options)
    folder = Path(output)
    if not resume and not force and (folder / RECORD).exists():
        raise OutputError(
            "a hypernetwork is there already",
            "resume it, replace it by force, or name another folder",
            str(folder),
        )
    ours = [folder / name for name in (RECORD, WEIGHTS, TRAINING, LOG)]
    read = [*text, *tokenizers, *validation_tokenizers]
    check_output(*(path for path in ours if path.exists()), force=True, inputs=read)
    texts = Texts.read(text, field)
    run = _Run.open(Host.open(locate_model(model)), config, folder, texts, tokenizers, validation_tokenizers)
    if resume:
        run.restore()
    elif run.processes.is_first:
        (folder / LOG).unlink(missing_ok=True)
    return run.run(minutes, progress)


@dataclass
class _Run:
    """The state of a run."""

    host: Host
    config: HypernetConfig
    folder: Path
    net: Hypernet
    optimizer: torch.optim.AdamW
    processes: Processes
    model: Any
    sampler: Sampler
    cutter: Cutter
    own: OwnTokens
    validation: list[Pass]
    step: int = 0
    best: float | None = None
    waited: int = 0

    @classmethod
    def open(
        cls,
        host: Host,
        config: HypernetConfig,
        folder: Path,
        texts: tuple[Texts, Texts],
        tokenizers: Sequence[str | Path],
        validation: Sequence[str | Path],
    ) -> "_Run":
        processes = Processes.join(config.device)
        kept, held = texts
        sampler = Sampler(config, kept, [Tokenizer.load(path) for path in tokenizers])
        model = settled(load_model(host.checkpoint.folder, device=processes.device, dtype=config.dtype))
        if config.checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
            model.train()
        cutter = Cutter(host.old, host.checkpoint.rows)
        own = OwnTokens(host.old, host.checkpoint.rows, config.seed)
        torch.manual_seed(config.seed)
        net = Hypernet(config.net, host.rows.sides)
        net.calibrate(host.rows, *map(torch.from_numpy, _arrays(own.sample(0, 2048)[1])))
        host.rows.to(torch.device(processes.device))
        net.to(processes.device)
        processes.share(net.parameters())
        optimizer = torch.optim.AdamW(
            net.parameters(), lr=config.learning_rate, betas=(0.9, 0.95), weight_decay=config.weight_decay
        )
        run = cls(host, config, folder, net, optimizer, processes, model, sampler, cutter, own, [])
        run.validation = run._validation_passes(held, [Tokenizer.load(path) for path in validation])
        return run

    @property
    def total(self) -> int:
        return self.config.reconstruction_steps + self.config.steps

    def run(self, minutes: float | None, progress: Progress) -> Trained:
        begun, stopped, skipped = time.monotonic(), "steps", 0
        while self.step < self.total:
            figures = self._train_step()
            skipped = skipped + 1 if figures["skipped"] else 0
            if skipped == _MOST_SKIPPED:
                raise ConfigError(
                    f"the loss or its gradient is not finite at step {self.step}, nor at the two before",
                    "resume with a lower learning rate; the last good checkpoint is kept",
                    str(self.folder),
                )
            self.step += 1
            progress("train", self.step, self.total)
            ends = self.step == self.total
            if self.validation and (ends or self.step % self.config.validate_every == 0):
                figures["validation"] = self._validate()
            self._log(figures)
            if self.config.patience and self.waited >= self.config.patience:
                stopped = "patience"
                break
            if minutes is not None and self.processes.from_first(time.monotonic() - begun) > 60 * minutes:
                stopped = "minutes" if not ends else "steps"
                break
            if self.step % self.config.save_every == 0 and not skipped:
                self._save()
        self._save()
        return Trained(
            output=str(self.folder),
            step=self.step,
            steps=self.total,
            best=self.best,
            stopped=stopped,
            parameters=sum(one.numel() for one in self.net.parameters()),
            seconds=time.monotonic() - begun,
        )

    def _train_step(self) -> dict[str, Any]:
        begun = time.monotonic()
        rate = self._learning_rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        is_first = self.step < self.config.reconstruction_steps
        figures = self._reconstruct() if is_first else self._language()
        figures["loss"] = self.processes.mean(figures["loss"])
        norm = self._averaged_gradient()
        finite = math.isfinite(norm) and math.isfinite(figures["loss"])
        if finite:
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config.clip)
            self.optimizer.step()
        figures |= {"step": self.step + 1, "rate": rate, "norm": norm, "skipped": not finite}
        return figures | {"seconds": time.monotonic() - begun}

    def _learning_rate(self) -> float:
        """Each stage has a warm-up and a cosine of its own."""
        first = self.config.reconstruction_steps
        done, steps = (self.step, first) if self.step < first else (self.step - first, self.config.steps)
        warm = min(1.0, (done + 1) / max(self.config.warmup, 1))
        fall = 0.5 * (1 + math.cos(math.pi * done / steps))
        return self.config.learning_rate * warm * (self.config.floor + (1 - self.config.floor) * fall)

    def _reconstruct(self) -> dict[str, Any]:
        parts, total = self.config.accumulate, 0.0
        for part in range(parts):
            ids, cuts = self.own.sample(self._place(part), self.config.reconstruction_tokens)
            with self._autocast():
                loss = reconstruction_loss(
                    self.net, self.host.rows, self._tensor(ids), tuple(map(self._tensor, _arrays(cuts)))
                )
            (loss / parts).backward()
            total += float(loss.detach()) / parts
        return {"stage": 1, "loss": total, "tokenizers": [], "sampling_seconds": 0.0}

    def _language(self) -> dict[str, Any]:
        config, figures = self.config, {"loss": 0.0, "language": 0.0, "lexical": 0.0, "distill": 0.0}
        names, sampling, tokens, bits = [], 0.0, 0, 0.0
        for part in range(config.accumulate):
            begun = time.monotonic()
            one = self._sampled(part)
            sampling += time.monotonic() - begun
            found = language_losses(
                self.net, self.host.rows, self.model, one, mask_id=self._mask_id, autocast=self._autocast,
                distill=config.distill > 0,
            )  # fmt: skip
            loss = found.language + config.lexical * found.lexical + config.distill * found.distill
            (loss / config.accumulate).backward()
            for name, value in {"loss": loss, **vars(found)}.items():
                if name in figures:
                    figures[name] += float(value.detach()) / config.accumulate
            names.append(one.name)
            tokens, bits = tokens + found.tokens, bits + found.bits_per_byte / config.accumulate
        more = {"tokenizers": names, "tokens": tokens, "bits_per_byte": bits, "sampling_seconds": sampling}
        return {"stage": 2, **figures, **more}

    def _place(self, part: int) -> int:
        """A number of its own for each step, part of it and process."""
        return (self.step * self.config.accumulate + part) * self.processes.count + self.processes.index

    def _sampled(self, part: int) -> Pass:
        config = self.config
        rng = np.random.default_rng([config.seed, 2, self._place(part)])
        texts = self.sampler.texts.spans(rng, config.batch, config.length * _BYTES_PER_TOKEN)
        return self._pass(self.sampler.segment(rng, self.step, texts), rng, config.negatives)

    def _pass(self, found: Any, rng: np.random.Generator, negatives: int) -> Pass:
        return make_pass(
            found, self.cutter, rng, prefix=self._prefix, length=self.config.length, negatives=negatives,
            everything=self.config.net.form == "paper", aligned=self.config.distill > 0,
        )  # fmt: skip

    def _validation_passes(self, held: Texts, tokenizers: Sequence[Tokenizer]) -> list[Pass]:
        rng = np.random.default_rng([self.config.seed, 3])
        texts = held.spans(rng, self.config.validation_sequences, self.config.length * _BYTES_PER_TOKEN)
        found = [segmented(f"validation-{n}", one, texts) for n, one in enumerate(tokenizers)]
        return [self._pass(one, rng, 4 * self.config.negatives) for one in found]

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _validate(self) -> float:
        found = [
            language_losses(
                self.net, self.host.rows, self.model, one, mask_id=self._mask_id, autocast=self._autocast,
                distill=False,
            ).bits_per_byte
            for one in self.validation
        ]  # fmt: skip
        value = self.processes.from_first(float(sum(found) / len(found)))
        self.waited += 1
        if self.best is None or value < self.best:
            self.best, self.waited = value, 0
            self._write({WEIGHTS: self.net.state_dict()})
        return value

    def _averaged_gradient(self) -> float:
        """Averages the gradients of all processes, and returns their norm."""
        for parameter in self.net.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self.processes.average(self.net.parameters())
        grads = [parameter.grad for parameter in self.net.parameters() if parameter.grad is not None]
        return float(torch.stack([one.norm() for one in grads]).norm())

    def _autocast(self) -> Any:
        if self.config.dtype == "float32":
            return nullcontext()
        return torch.autocast(torch.device(self.processes.device).type, torch.bfloat16)

    @property
    def _prefix(self) -> int:
        roles = self.host.old.roles
        if self.host.checkpoint.layout.kind == "masked":
            return int(roles.get("cls", roles.get("bos", 0)))
        return int(prefix_id(self.host.checkpoint.folder))

    @property
    def _mask_id(self) -> int | None:
        return self.host.old.roles.get("mask") if self.host.checkpoint.layout.kind == "masked" else None

    def _tensor(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(array).to(self.processes.device)

    # -- what is kept --------------------------------------------------------------------------------

    def _save(self) -> None:
        moments = {
            f"{kind}.{name}": self.optimizer.state[parameter][kind]
            for name, parameter in self.net.named_parameters()
            for kind in ("exp_avg", "exp_avg_sq")
            if parameter in self.optimizer.state
        }
        tensors = {TRAINING: {f"net.{name}": one for name, one in self.net.state_dict().items()} | moments}
        if self.best is None:
            tensors[WEIGHTS] = self.net.state_dict()
        self._write(tensors)

    def _write(self, tensors: dict[str, dict[str, torch.Tensor]]) -> None:
        if self.processes.is_first:
            steps = next((float(one["step"]) for one in self.optimizer.state.values()), 0.0)
            state = {"step": self.step, "best": self.best, "waited": self.waited, "updates": steps}
            write_folder(self.folder, describe(self.host, self.config, **state), tensors)

    def restore(self) -> None:
        from tokforge.transplant.checkpoint import read_json

        record = read_json(self.folder / RECORD)
        check_host(record, self.host, str(self.folder))
        if HypernetConfig.from_dict(record["config"]).net != self.config.net:
            raise ConfigError(
                "the checkpoint's network is another", "resume with its options", str(self.folder)
            )
        tensors = read_tensors(self.folder / TRAINING)
        self.net.load_state_dict({n[4:]: one for n, one in tensors.items() if n.startswith("net.")})
        for name, parameter in self.net.named_parameters():
            if f"exp_avg.{name}" in tensors:
                moments = {
                    kind: tensors[f"{kind}.{name}"].to(parameter) for kind in ("exp_avg", "exp_avg_sq")
                }
                self.optimizer.state[parameter] = {"step": torch.tensor(record["updates"]), **moments}
        self.step, self.best, self.waited = record["step"], record["best"], record["waited"]
        if self.processes.is_first and (self.folder / LOG).is_file():
            lines = (self.folder / LOG).read_text("utf-8").splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["step"] <= self.step]
            write_files({self.folder / LOG: "".join(kept)}, force=True)

    def _log(self, figures: dict[str, Any]) -> None:
        if self.processes.is_first:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps(figures) + "\n")


def _arrays(cuts: Any) -> tuple[Any, Any]:
    return cuts.ids, cuts.weights
