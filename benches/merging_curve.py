"""The curve of quality against length: `python -m benches merge-curve`; see docs/merging.md, Quality.

Tasks: see `merging_tasks`. Every arm trains the same small encoder from the same seed for the same steps on
the same batches. One JSON object is appended for each (task, seed, arm) that is done, and what stands there
is not run again; without ``--seeds`` the table is made of what there is.

Declared before any run: merging is non-inferior if the lower end of the 95% interval of its difference from
the unmerged model, paired by seed and item, is above -2 points. The interval is Student's over seeds, with
the variance of the items added: se^2 = var(seed means) / seeds + var(item means) / items.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import transformers
from scipy import stats
from tokenizers import ByteLevelBPETokenizer

from benches.measure import RESULTS
from benches.merging import codet5_tokenizer
from benches.merging_tasks import Task, task
from tokforge.merging import MergePlan, MergingCollator, encoder_flops, merge_subtokens, plan_for

LENGTH = 64
LAYERS = 2
MARGIN = 2.0
"""Points of accuracy; declared in docs/merging.md before any run."""
CONFIG = {
    "hidden_size": 128,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "max_position_embeddings": LENGTH + 2,
}
RATE = 1e-3
RARE = 2
"""Row of rare tokens, behind that of padding."""


class Arm(NamedTuple):
    """One way to treat the input, and the options of `merge_subtokens`."""

    treatment: str
    options: dict[str, Any]


ARMS = {
    "unmerged": Arm("tokens", {"units": "none"}),
    "mean, k=0": Arm("units", {}),
    "random spans, k=0": Arm("random", {}),
    "truncated": Arm("truncated", {"units": "none"}),
    "retrained tokenizer": Arm("retrained", {"units": "none"}),
    "mean, k=1": Arm("units", {"at_layer": 1}),
    "attention, k=0": Arm("units", {"reducer": "attention"}),
    "attention, k=1": Arm("units", {"reducer": "attention", "at_layer": 1}),
    "mean+mlp, k=0": Arm("units", {"reducer": "mean+mlp"}),
    "first, k=0": Arm("units", {"reducer": "first"}),
    "proportional, k=0": Arm("units", {"mask": "proportional"}),
}


class Item(NamedTuple):
    """A function as one arm reads it, and its class."""

    plan: MergePlan
    label: int


class Sides(NamedTuple):
    """What one arm trains and is tested on."""

    train: list[Item]
    test: list[Item]
    lengths: npt.NDArray[np.int64]
    """Of the training texts before any treatment."""
    vocabulary: int


def merge_curve(arguments: Sequence[str]) -> str:
    """Quality against length for every arm, seed by seed; resumable."""
    options = _parser().parse_args(arguments)
    done = _done(options.results)
    wanted = [(seed, arm) for seed in options.seeds for arm in options.arms]
    if any((options.task, seed, arm) not in done for seed, arm in wanted):
        torch.set_num_threads(1)
        limits = (options.train, options.test)
        found = task(options.task, options.source, options.cache, options.classes, limits)
        tokenizer = codet5_tokenizer(options.data)
        whole = {side: _planned(getattr(found, side), tokenizer) for side in ("train", "test")}
        kept: dict[str, Sides] = {}
        for seed, arm in wanted:
            if (options.task, seed, arm) not in done:
                treatment = ARMS[arm].treatment
                if treatment not in kept:
                    kept[treatment] = _sides(treatment, whole, found)
                row = {"task": options.task, "seed": seed, "arm": arm}
                row |= run(ARMS[arm], seed, kept[treatment], len(found.classes), options)
                with options.results.open("a") as file:
                    file.write(json.dumps(row) + "\n")
    rows = [row for row in _done(options.results).values() if row["task"] == options.task]
    return _table(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=merge_curve.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds codet5-tokenizer/")
    parser.add_argument("--source", type=Path, required=True, help="a folder of packages of Python")
    parser.add_argument("--cache", type=Path, required=True, help="a file for what was found in --source")
    parser.add_argument("--task", choices=("names", "defects"), default="names")
    parser.add_argument("--results", type=Path, default=RESULTS / "merge-curve.jsonl")
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--arms", nargs="*", default=list(ARMS)[:8], choices=list(ARMS))
    parser.add_argument("--steps", type=int, default=320)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--train", type=int, default=10_000)
    parser.add_argument("--test", type=int, default=2_500)
    return parser


def _done(path: Path) -> dict[tuple[str, int, str], dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return {(row["task"], row["seed"], row["arm"]): row for row in map(json.loads, lines)}


def _planned(texts: Sequence[Any], tokenizer: Any) -> list[Item]:
    return [
        Item(plan_for(one.code, tokenizer, language="python", max_tokens=LENGTH), one.label) for one in texts
    ]


def _sides(treatment: str, whole: dict[str, list[Item]], found: Task) -> Sides:
    """Treats both sides; tokens that training shows once or never become one: the matrix stays small."""
    lengths = np.array([item.plan.n_tokens for item in whole["train"]])
    if treatment == "retrained":
        shown = _shown([one.code for one in found.test], whole["test"])
        rows = sum(item.plan.n_units for item in whole["test"])
        tokenizer = _retrained([one.code for one in found.train], shown, rows)
        read = {side: _recut(getattr(found, side), whole[side], tokenizer) for side in whole}
    else:
        read = {side: [Item(treated(treatment, i.plan), i.label) for i in whole[side]] for side in whole}
    counts = np.bincount(np.concatenate([i.plan.input_ids for i in read["train"]]), minlength=65_536)
    frequent = counts > 1
    rows_of = np.where(frequent, np.cumsum(frequent) + RARE, RARE)
    renamed = {
        side: [Item(replace(i.plan, input_ids=rows_of[i.plan.input_ids]), i.label) for i in items]
        for side, items in read.items()
    }
    return Sides(renamed["train"], renamed["test"], lengths, int(rows_of.max()) + 1)


def _retrained(texts: list[str], shown: list[str], rows: int) -> Any:
    """Trains byte-level BPE of the size, up to 65,536, at which ``shown`` takes about ``rows`` tokens."""
    low, high = 1_000, 65_536
    for _ in range(6):
        size = round((low * high) ** 0.5)
        made = ByteLevelBPETokenizer()
        made.train_from_iterator(texts, vocab_size=size, show_progress=False)
        tokens = sum(len(one.ids) for one in made.encode_batch(shown))
        low, high = (size, high) if tokens > rows else (low, size)
    return made._tokenizer


def _shown(texts: Sequence[str], items: Sequence[Item]) -> list[str]:
    """Returns the part of each text that the first `LENGTH` of CodeT5's tokens cover: what all arms read."""
    shares = [i.plan.n_tokens / (i.plan.n_tokens + i.plan.counts.truncated_tokens) for i in items]
    return [text[: round(len(text) * share)] for text, share in zip(texts, shares, strict=True)]


def _recut(texts: Sequence[Any], items: Sequence[Item], tokenizer: Any) -> list[Item]:
    shown = _shown([one.code for one in texts], items)
    return [
        Item(plan_for(text, tokenizer, units="none", max_tokens=LENGTH), one.label)
        for text, one in zip(shown, texts, strict=True)
    ]


def treated(treatment: str, plan: MergePlan) -> MergePlan:
    if treatment == "random":  # the same sizes in another order: spans of equal lengths, anywhere
        sizes = np.random.default_rng(plan.n_tokens).permutation(plan.sizes)
        segment_ids = np.repeat(np.arange(plan.n_units, dtype=np.int32), sizes)
        return MergePlan(input_ids=plan.input_ids, segment_ids=segment_ids, counts=plan.counts)
    if treatment == "truncated":  # to as many tokens as merging would leave rows
        kept = slice(plan.n_units)
        return MergePlan(
            input_ids=plan.input_ids[kept],
            segment_ids=np.arange(plan.n_units, dtype=np.int32),
            counts=plan.counts,
        )
    return plan


def run(arm: Arm, seed: int, sides: Sides, classes: int, options: Any) -> dict[str, Any]:
    """Trains and tests one arm from one seed."""
    torch.manual_seed(seed)
    config = transformers.RobertaConfig(**CONFIG, vocab_size=sides.vocabulary, num_labels=classes)
    model = merge_subtokens(transformers.RobertaForSequenceClassification(config), **arm.options)
    merges = arm.options.get("units") != "none"

    def read(items: Sequence[Item]) -> dict[str, torch.Tensor]:
        batch = MergingCollator(1)([{**item.plan.features(), "labels": item.label} for item in items])
        if not merges:
            del batch["segment_ids"]
        return batch

    losses = train(model, (read, sides.train), sides.lengths, seed, options)
    hits = _hits(model.eval(), read, sides.test)
    tokens, rows = ([getattr(i.plan, name) for i in sides.test] for name in ("n_tokens", "n_units"))
    at_layer = arm.options.get("at_layer", 0)
    return {
        "accuracy": float(np.mean(hits)),
        "hits": "".join(map(str, hits)),
        "steps": options.steps,
        "losses": [round(float(np.mean(part)), 3) for part in np.array_split(losses, 8)],
        "train_items": len(sides.train),
        "test_items": len(sides.test),
        "vocabulary": sides.vocabulary,
        "rows_per_item": float(np.mean(rows if merges else tokens)),
        "flops": encoder_flops(config, tokens, rows if merges else None, at_layer=at_layer),
    }


def train(
    model: Any, read_items: Any, lengths: npt.NDArray[np.int64], seed: int, options: Any
) -> list[float]:
    """Takes the steps, on batches of like length; returns the loss of each."""
    read, items = read_items
    draw = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=options.steps)
    model.train()
    losses: list[float] = []
    while len(losses) < options.steps:
        pool = draw.integers(0, len(items), 8 * options.batch)
        parts = np.split(pool[np.argsort(lengths[pool], kind="stable")], 8)
        for part in draw.permutation(8)[: options.steps - len(losses)]:
            with torch.autocast("cpu", torch.bfloat16):
                loss = model(**read([items[at] for at in parts[part]])).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(loss.item())
    return losses


def _hits(model: Any, read: Callable[[Sequence[Item]], Any], test: Sequence[Item]) -> list[int]:
    """Returns, in the order of ``test``, 1 where the model is right."""
    order = np.argsort([item.plan.n_tokens for item in test], kind="stable")
    hits = np.zeros(len(test), np.int64)
    for part in np.array_split(order, max(1, len(test) // 64)):
        batch = read([test[at] for at in part])
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            hits[part] = (model(**batch).logits.argmax(-1) == batch["labels"]).long().numpy()
    found: list[int] = hits.tolist()
    return found


def _table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        f"| arm | seeds | rows an item | FLOPs | accuracy | difference (95%) | above -{MARGIN:.0f} |",
        "|---|---|---|---|---|---|---|",
    ]
    base = {row["seed"]: row for row in rows if row["arm"] == "unmerged"}
    for name in ARMS:
        own = [row for row in rows if row["arm"] == name and row["seed"] in base]
        if own:
            flops = own[0]["flops"] / base[own[0]["seed"]]["flops"] - 1
            accuracy = np.mean([row["accuracy"] for row in own])
            pairs = np.array([_bits(row) - _bits(base[row["seed"]]) for row in own]) * 100
            lines.append(
                f"| {name} | {len(own)} | {own[0]['rows_per_item']:.1f} | {flops:+.1%} | {accuracy:.1%} | "
                f"{verdict(pairs)} |"
            )
    return "\n".join(lines)


def verdict(pairs: npt.NDArray[Any]) -> str:
    """Says the mean of (seeds, items) differences in points, its interval, and whether it is non-inferior."""
    seeds, items = pairs.shape
    if seeds < 2 or not pairs.any():
        return f"{pairs.mean():+.2f} | "
    error = (pairs.mean(1).var(ddof=1) / seeds + pairs.mean(0).var(ddof=1) / items) ** 0.5
    half = stats.t.ppf(0.975, seeds - 1) * error
    low, high = pairs.mean() - half, pairs.mean() + half
    return f"{pairs.mean():+.2f} ({low:+.2f} to {high:+.2f}) | {'yes' if low > -MARGIN else 'no'}"


def _bits(row: dict[str, Any]) -> Any:
    return np.frombuffer(row["hits"].encode(), np.uint8).astype(np.int64) - ord("0")
