"""The curve of quality against length: `python -m benches merge-curve`; see docs/merging.md, Quality.

Task: the first word of a function's name (get, set, add, ...) from its body, where the name itself is hidden.
Every arm trains the same small encoder from the same seed for the same steps. Packages are divided, so that
none is on both sides. One JSON object is appended for each (seed, arm) that is done, and what stands there is
not run again; without ``--seeds`` the table is made of what there is.
"""

import argparse
import ast
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers

from benches.measure import RESULTS
from benches.merging import codet5_tokenizer
from tokforge.merging import MergePlan, MergingCollator, encoder_flops, merge_subtokens, plan_for

LENGTH = 192
MARGIN = 2.0
"""Points of accuracy; declared in docs/merging.md before any run."""


class Arm(NamedTuple):
    """One way to treat the input, and the options of `merge_subtokens`."""

    treatment: str
    options: dict[str, Any]


ARMS = {
    "unmerged": Arm("tokens", {"units": "none"}),
    **{f"mean, k={k}": Arm("units", {"at_layer": k}) for k in range(4)},
    "first, k=0": Arm("units", {"reducer": "first"}),
    "attention, k=0": Arm("units", {"reducer": "attention"}),
    "mean+mlp, k=0": Arm("units", {"reducer": "mean+mlp"}),
    "proportional, k=0": Arm("units", {"mask": "proportional"}),
    "random spans, k=0": Arm("random", {}),
    "truncated": Arm("truncated", {"units": "none"}),
}


class Item(NamedTuple):
    """A function as it is read, and its class."""

    plan: MergePlan
    label: int


def merge_curve(arguments: Sequence[str]) -> str:
    """Quality against length for every arm, seed by seed; resumable."""
    parser = argparse.ArgumentParser(description=merge_curve.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds codet5-tokenizer/")
    parser.add_argument("--source", type=Path, required=True, help="a folder of packages of Python")
    parser.add_argument("--results", type=Path, default=RESULTS / "merge-curve.jsonl")
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--classes", type=int, default=20)
    options = parser.parse_args(arguments)
    done = _done(options.results)
    if options.seeds:
        torch.set_num_threads(1)
        train, test, classes = _items(options)
        for seed in options.seeds:
            for name, arm in ARMS.items():
                if (seed, name) not in done:
                    row = {
                        "seed": seed,
                        "arm": name,
                        "classes": classes,
                        **_run(arm, seed, train, test, options),
                    }
                    with options.results.open("a") as file:
                        file.write(json.dumps(row) + "\n")
    return _table(list(_done(options.results).values()))


def _done(path: Path) -> dict[tuple[int, str], dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return {(row["seed"], row["arm"]): row for row in map(json.loads, lines)}


def _items(options: Any) -> tuple[list[Item], list[Item], list[str]]:
    """Plans every function; a third of the packages, by the hash of their names, are for testing."""
    tokenizer = codet5_tokenizer(options.data)
    found = list(dict.fromkeys(_functions(options.source)))
    counts = Counter(word for _, word, _ in found)
    classes = sorted(word for word, _ in counts.most_common(options.classes))
    sides: tuple[list[Item], list[Item]] = ([], [])
    for package, word, code in found:
        if word in classes:
            plan = plan_for(code, tokenizer, language="python", max_tokens=LENGTH)
            is_test = hashlib.sha256(package.encode()).digest()[0] % 3 == 0
            sides[is_test].append(Item(plan, classes.index(word)))
    return sides[0], sides[1], classes


def _functions(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yields (package, first word of the name, source without name, comments and docstring)."""
    for path in sorted(folder.rglob("*.py")):
        package = path.relative_to(folder).parts[0]
        try:
            tree = ast.parse(path.read_text())
        except (SyntaxError, ValueError, RecursionError, OSError):
            continue
        for node in ast.walk(tree):
            word = re.match(r"_*([a-z]+)", node.name) if isinstance(node, ast.FunctionDef) else None
            # Tests tell themselves by their asserts, and would be half of all functions.
            if word and word[1] != "test" and not node.name.startswith("__"):
                node.name = "f"
                if ast.get_docstring(node):
                    node.body = node.body[1:]
                if len(node.body) > 1:
                    yield package, word[1], ast.unparse(node)


def _run(arm: Arm, seed: int, train: list[Item], test: list[Item], options: Any) -> dict[str, Any]:
    torch.manual_seed(seed)
    config = transformers.RobertaConfig(
        vocab_size=32100,
        hidden_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=1024,
        max_position_embeddings=LENGTH + 2,
        num_labels=options.classes,
    )
    model = merge_subtokens(transformers.RobertaForSequenceClassification(config), **arm.options)
    draw = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-4, total_steps=options.steps)
    model.train()
    for _ in range(options.steps):
        chosen = [train[at] for at in draw.integers(0, len(train), options.batch)]
        model(**_batch(arm, chosen)).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    hits = _hits(model.eval(), arm, test, options.batch)
    plans = [_treated(arm, item.plan) for item in test]
    merges = arm.options.get("units") != "none"
    tokens, rows = [plan.n_tokens for plan in plans], [plan.n_units for plan in plans]
    return {
        "accuracy": float(np.mean(hits)),
        "hits": "".join(map(str, hits)),
        "train_items": len(train),
        "test_items": len(test),
        "rows_per_item": float(np.mean(rows if merges else tokens)),
        "flops_per_item": encoder_flops(
            config, tokens, rows if merges else None, at_layer=arm.options.get("at_layer", 0)
        )
        / len(test),
    }


def _hits(model: Any, arm: Arm, test: list[Item], size: int) -> list[int]:
    """Returns, in the order of ``test``, 1 where the model is right."""
    hits: list[int] = []
    with torch.no_grad():
        for at in range(0, len(test), size):
            batch = _batch(arm, test[at : at + size])
            hits += (model(**batch).logits.argmax(-1) == batch["labels"]).long().tolist()
    return hits


def _batch(arm: Arm, items: Sequence[Item]) -> dict[str, torch.Tensor]:
    rows = [{**_treated(arm, item.plan).features(), "labels": item.label} for item in items]
    batch = MergingCollator(1)(rows)
    if arm.options.get("units") == "none":
        del batch["segment_ids"]
    return batch


def _treated(arm: Arm, plan: MergePlan) -> MergePlan:
    if arm.treatment == "random":  # the same sizes in another order: spans of equal lengths, anywhere
        sizes = np.random.default_rng(plan.n_tokens).permutation(plan.sizes)
        segment_ids = np.repeat(np.arange(plan.n_units, dtype=np.int32), sizes)
        return MergePlan(input_ids=plan.input_ids, segment_ids=segment_ids, counts=plan.counts)
    if arm.treatment == "truncated":  # to as many tokens as merging would leave rows
        kept = slice(plan.n_units)
        return MergePlan(
            input_ids=plan.input_ids[kept],
            segment_ids=np.arange(plan.n_units, dtype=np.int32),
            counts=plan.counts,
        )
    return plan


def _table(rows: Sequence[dict[str, Any]]) -> str:
    """Differences from the unmerged model are paired by seed and item; intervals resample items."""
    lines = [
        f"| arm | seeds | rows an item | FLOPs | accuracy | difference (95%) | above -{MARGIN:.0f} |",
        "|---|---|---|---|---|---|---|",
    ]
    base = {row["seed"]: row for row in rows if row["arm"] == "unmerged"}
    for name in ARMS:
        own = [row for row in rows if row["arm"] == name and row["seed"] in base]
        if own:
            pairs = np.array([_bits(row) - _bits(base[row["seed"]]) for row in own]).mean(0)
            draw = np.random.default_rng(0)
            means = [pairs[draw.integers(0, len(pairs), len(pairs))].mean() for _ in range(2000)]
            low, high = np.percentile(means, [2.5, 97.5]) * 100
            flops = own[0]["flops_per_item"] / base[own[0]["seed"]]["flops_per_item"] - 1
            verdict = "yes" if low > -MARGIN else "no"
            accuracy = np.mean([row["accuracy"] for row in own])
            lines.append(
                f"| {name} | {len(own)} | {own[0]['rows_per_item']:.1f} | {flops:+.1%} | {accuracy:.1%} | "
                f"{pairs.mean() * 100:+.2f} ({low:+.2f} to {high:+.2f}) | {verdict} |"
            )
    return "\n".join(lines)


def _bits(row: dict[str, Any]) -> Any:
    return np.frombuffer(row["hits"].encode(), np.uint8).astype(np.int64) - ord("0")
