"""One job: trains one small model on one unit, in one regime, from one seed, and judges it.

Equal bytes: all see the same windows of 256 bytes, in whatever positions these take. Equal FLOPs: a window is
256 positions, of as many bytes as fit in, and training stops at the operations that the byte model spends.
For bytes both are the same run.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benches.binary_model.data import REGION_BYTES, Origin
from benches.binary_model.model import CLASSIFIER, LANGUAGE, POSITIONS, Classifier, LanguageModel
from tokforge import Tokenizer

UNITS = ("bytes", "binary-4k", "binary-16k", "binary-64k")
REGIMES = ("equal bytes", "equal FLOPs")
TASKS = ("language", "classify")
TRAIN_BYTES = {"language": 393_216, "classify": 1_048_576}
"""What the byte model trains on; at 256 bytes a window, 1,536 and 4,096 windows."""
BATCH = {"language": 8, "classify": 32}
JUDGED_PER_GROUP = {"language": 16, "classify": 200}
WARM_UP = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What is trained; ``share`` of the budget is spent, and ``part`` judges."""

    task: str
    unit: str
    regime: str
    rate: float
    seed: int
    share: float
    part: str


class Regions:
    """The regions of one part, encoded in one unit: windows of ids, cut as the regime says."""

    def __init__(self, regions: np.ndarray, unit: str, regime: str, task: str) -> None:
        self.regions, self.whole = regions, task == "language"
        self.pieces = POSITIONS if regime == "equal bytes" else regions.shape[1]
        self.tokenizer = None if unit == "bytes" else Tokenizer.load(unit)

    def windows(self, at: int) -> Iterator[np.ndarray]:
        """Yields the windows of a region; the first alone for the classifier, whose label is the region's."""
        data = self.regions[at].tobytes()
        for start in range(0, len(data), self.pieces):
            piece = data[start : start + self.pieces]
            ids = np.frombuffer(piece, np.uint8) if self.tokenizer is None else self.tokenizer.encode(piece)
            for cut in range(0, len(ids), POSITIONS):
                yield np.asarray(ids[cut : cut + POSITIONS], np.int64)
                if not self.whole:
                    return


def padded(windows: Sequence[np.ndarray]) -> Tensor:
    """Returns (count, longest), -1 behind the shorter ones."""
    table = np.full((len(windows), max(map(len, windows))), -1, np.int64)
    for row, window in zip(table, windows, strict=True):
        row[: len(window)] = window
    return torch.from_numpy(table)


def run(job: Job, regions: np.ndarray, origins: Sequence[Origin]) -> dict[str, Any]:
    """Trains and judges; returns the job, what it cost, and sums by package."""
    torch.manual_seed(job.seed)
    vocab_size = 256 if job.unit == "bytes" else Tokenizer.load(job.unit).vocab_size
    labels, classes = _labels(origins)
    model = LanguageModel(vocab_size) if job.task == "language" else Classifier(vocab_size, classes)
    source = Regions(regions, job.unit, job.regime, job.task)
    started = time.process_time()
    spent = _train(job, model, source, labels, [i for i, one in enumerate(origins) if one.part == "train"])
    trained = time.process_time()
    judged = _judge(job, model, source, labels, origins)
    took = {"train_seconds": trained - started, "judge_seconds": time.process_time() - trained}
    return {
        **asdict(job),
        **spent,
        **took,
        "parameters": sum(p.numel() for p in model.parameters()),
        **judged,
    }


def _labels(origins: Sequence[Origin]) -> tuple[Tensor, tuple[int, int]]:
    """Returns (regions, 2) - classes of architecture and toolchain, -1 where unknown - and their numbers."""
    names = [
        sorted({getattr(one, field) for one in origins} - {""}) for field in ("architecture", "toolchain")
    ]
    rows = [
        [
            known.index(name) if name else -1
            for known, name in zip(names, (one.architecture, one.toolchain), strict=True)
        ]
        for one in origins
    ]
    return torch.tensor(rows), (len(names[0]), len(names[1]))


def _budget(job: Job) -> tuple[float, float]:
    """Returns the operations and the bytes that end training; one of them is no limit."""
    size = TRAIN_BYTES[job.task] * job.share
    shape, outputs = (LANGUAGE, 256) if job.task == "language" else (CLASSIFIER, 0)
    flops = size * shape.step_flops(POSITIONS, outputs)
    return (np.inf, size) if job.regime == "equal bytes" else (flops, np.inf)


def _train(job: Job, model: nn.Module, source: Regions, labels: Tensor, train: list[int]) -> dict[str, Any]:
    """Trains up to the budget, passing over the regions again if it must."""
    most_flops, most_bytes = _budget(job)
    optimizer = torch.optim.AdamW(
        model.parameters(), job.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    spent = {"train_bytes": 0.0, "train_positions": 0, "train_flops": 0.0, "steps": 0}
    model.train()
    for batch, owners in _batches(source, train, BATCH[job.task], job.seed):
        done = max(spent["train_flops"] / most_flops, spent["train_bytes"] / most_bytes)
        if done >= 1:
            return spent
        for group in optimizer.param_groups:
            group["lr"] = job.rate * min(1.0, (done + 1e-3) / WARM_UP) * (1 - 0.95 * done)
        loss = _loss(job, model, batch, labels[owners])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        _count(job, model, source, batch, spent)
    return spent


def _batches(source: Regions, train: list[int], size: int, seed: int) -> Iterator[tuple[Tensor, list[int]]]:
    """Yields windows and their regions for ever, regions in an order of the seed's."""
    draw = np.random.default_rng(seed)
    waiting: list[tuple[np.ndarray, int]] = []
    while True:
        for at in draw.permutation(train):
            waiting += [(window, int(at)) for window in source.windows(int(at))]
            while len(waiting) >= size:
                batch, waiting = waiting[:size], waiting[size:]
                yield padded([window for window, _ in batch]), [at for _, at in batch]


def _loss(job: Job, model: nn.Module, batch: Tensor, labels: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        found = model(batch)
    if job.task == "language":
        return cross_entropy(*found)
    heads = zip(found, labels.t(), strict=True)
    return sum(
        cross_entropy(scores, wanted, ignore_index=-1) for scores, wanted in heads if (wanted >= 0).any()
    )


def _count(job: Job, model: Any, source: Regions, batch: Tensor, spent: dict[str, Any]) -> None:
    known = batch[batch >= 0]
    outputs = model.vocab_size if job.task == "language" else 0
    spent["train_positions"] += len(known)
    spent["train_bytes"] += _bytes_of(source, known)
    spent["train_flops"] += len(known) * model.trunk.shape.step_flops(batch.shape[1], outputs)
    spent["steps"] += 1


def _bytes_of(source: Regions, ids: Tensor) -> int:
    return (
        len(ids) if source.tokenizer is None else len(source.tokenizer.decode(ids.numpy().astype(np.uint32)))
    )


def _judge(
    job: Job, model: nn.Module, source: Regions, labels: Tensor, origins: Sequence[Origin]
) -> dict[str, Any]:
    """Returns sums by package: bits and bytes, or correct and judged for architecture and toolchain."""
    model.eval()
    taken: defaultdict[str, int] = defaultdict(int)
    sums: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * 4)
    for at, one in enumerate(origins):
        taken[one.group] += one.part == job.part
        if one.part != job.part or taken[one.group] > JUDGED_PER_GROUP[job.task]:
            continue
        batch = padded(list(source.windows(at)))
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            found = _bits(model, batch) if job.task == "language" else _correct(model, batch, labels[at])
        row = sums[f"{one.group}/{one.package}"]
        row[:] = [a + b for a, b in zip(row, found, strict=True)]
    return {"packages": dict(sums)}


def _bits(model: nn.Module, batch: Tensor) -> list[float]:
    logits, wanted = model(batch)
    scores = logits.float()
    chosen = scores.gather(1, wanted[:, None])[:, 0]
    # In place and without the maximum: twice as fast at 64K, and these models' logits stay far below 88.
    nats = scores.exp_().sum(1).log() - chosen
    if not torch.isfinite(nats).all():
        raise OverflowError("a logit is too large for a sum of exponentials without their maximum")
    return [float(nats.sum()) / float(np.log(2)), float(REGION_BYTES), 0.0, 0.0]


def _correct(model: nn.Module, batch: Tensor, wanted: Tensor) -> list[float]:
    found = [int(scores.argmax()) for scores in model(batch)]
    pairs = zip(found, wanted.tolist(), strict=True)
    return [float(x) for a, b in pairs for x in (a == b, b >= 0)]
