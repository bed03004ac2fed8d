"""Java to C# on CodeTrans, merged and not: `python -m benches merge-translation`; see docs/merging.md.

A small T5 (2 + 2 layers, width 128) learns from nothing, each arm from the same seed on the same batches;
the test is greedy. BLEU-4 of the corpus and exact match are of what stands between white space. One JSON
object is appended for each (seed, arm) that is done, and what stands there is not run again.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import transformers
from scipy import stats

from benches.measure import RESULTS
from benches.merging import code_trans, codet5_tokenizer
from benches.merging_curve import MARGIN, Arm, train, treated
from tokforge.merging import MergePlan, MergingCollator, merge_subtokens, plan_for

LENGTH = 96
PAD, END, RARE = 0, 1, 2
ARMS = {
    "unmerged": Arm("tokens", {"units": "none"}),
    "mean, k=0": Arm("units", {}),
    "random spans, k=0": Arm("random", {}),
}


class Pair(NamedTuple):
    """A method in both languages."""

    plan: MergePlan
    target: list[int]


class Pairs(NamedTuple):
    """CodeTrans, with ids numbered anew: tokens that training shows once or never are `RARE`."""

    train: list[Pair]
    test: list[Pair]
    ids: npt.NDArray[np.int64]
    """The tokenizer's id of each row."""
    references: list[str]


def merge_translation(arguments: Sequence[str]) -> str:
    """BLEU and exact match of Java to C#, seed by seed; resumable."""
    parser = argparse.ArgumentParser(description=merge_translation.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds codetrans/ and codet5-tokenizer/")
    parser.add_argument("--results", type=Path, default=RESULTS / "merge-translation.jsonl")
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--arms", nargs="*", default=list(ARMS)[:2], choices=list(ARMS))
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args(arguments)
    done = _done(options.results)
    wanted = [(seed, arm) for seed in options.seeds for arm in options.arms if (seed, arm) not in done]
    if wanted:
        torch.set_num_threads(1)
        tokenizer = codet5_tokenizer(options.data)
        pairs = _pairs(options.data, tokenizer)
        for seed, arm in wanted:
            row = {"seed": seed, "arm": arm, **_run(ARMS[arm], seed, pairs, tokenizer, options)}
            with options.results.open("a") as file:
                file.write(json.dumps(row) + "\n")
    return _table(list(_done(options.results).values()))


def _done(path: Path) -> dict[tuple[int, str], dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return {(row["seed"], row["arm"]): row for row in map(json.loads, lines)}


def _pairs(data: Path, tokenizer: Any) -> Pairs:
    sides = {split: _read(data, split, tokenizer) for split in ("train", "test")}
    seen = [np.concatenate([pair.plan.input_ids, pair.target]) for pair in sides["train"]]
    kept = np.flatnonzero(np.bincount(np.concatenate(seen), minlength=65_536) > 1)
    rows = np.full(65_536, RARE)
    rows[kept] = np.arange(len(kept)) + RARE + 1
    renamed = {
        split: [Pair(_renamed(one.plan, rows), [*rows[one.target].tolist(), END]) for one in found]
        for split, found in sides.items()
    }
    ids = np.concatenate([[0] * (RARE + 1), kept])
    return Pairs(renamed["train"], renamed["test"], ids, code_trans(data, "test", "cs"))


def _read(data: Path, split: str, tokenizer: Any) -> list[Pair]:
    sources, targets = (code_trans(data, split, suffix) for suffix in ("java", "cs"))
    return [
        Pair(
            plan_for(source, tokenizer, language="java", max_tokens=LENGTH),
            tokenizer.encode(target).ids[: LENGTH - 1],
        )
        for source, target in zip(sources, targets, strict=True)
    ]


def _renamed(plan: MergePlan, rows: npt.NDArray[np.int64]) -> MergePlan:
    return MergePlan(input_ids=rows[plan.input_ids], segment_ids=plan.segment_ids, counts=plan.counts)


def _run(arm: Arm, seed: int, pairs: Pairs, tokenizer: Any, options: Any) -> dict[str, Any]:
    torch.manual_seed(seed)
    model = merge_subtokens(transformers.T5ForConditionalGeneration(_config(len(pairs.ids))), **arm.options)

    def read(items: Sequence[Pair]) -> dict[str, torch.Tensor]:
        plans = [treated(arm.treatment, one.plan) for one in items]
        batch = MergingCollator(PAD)(
            [{**plan.features(), "labels": one.target} for plan, one in zip(plans, items, strict=True)]
        )
        if arm.options.get("units") == "none":
            del batch["segment_ids"]
        return batch

    lengths = np.array([len(one.target) for one in pairs.train])
    losses = train(model, (read, pairs.train), lengths, seed, options)
    found = _translated(model.eval(), read, pairs, tokenizer)
    tokens, units = (sum(getattr(one.plan, name) for one in pairs.test) for name in ("n_tokens", "n_units"))
    exact = [int(a.split() == b.split()) for a, b in zip(found, pairs.references, strict=True)]
    return {
        "bleu": bleu(found, pairs.references),
        "exact": float(np.mean(exact)),
        "steps": options.steps,
        "losses": [round(float(np.mean(part)), 3) for part in np.array_split(losses, 8)],
        "test_items": len(exact),
        "rows_per_item": (tokens if arm.treatment == "tokens" else units) / len(exact),
        "vocabulary": len(pairs.ids),
    }


def _config(vocabulary: int) -> Any:
    return transformers.T5Config(
        vocab_size=vocabulary,
        d_model=128,
        d_ff=512,
        d_kv=32,
        num_heads=4,
        num_layers=2,
        pad_token_id=PAD,
        eos_token_id=END,
        decoder_start_token_id=PAD,
        dropout_rate=0.0,
    )


def _translated(model: Any, read: Any, pairs: Pairs, tokenizer: Any) -> list[str]:
    """Returns the greedy translation of every test method, in order."""
    order = np.argsort([one.plan.n_tokens for one in pairs.test], kind="stable")
    found = [""] * len(order)
    for part in np.array_split(order, max(1, len(order) // 64)):
        batch = {
            name: value for name, value in read([pairs.test[at] for at in part]).items() if name != "labels"
        }
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            made = model.generate(**batch, max_new_tokens=LENGTH, do_sample=False)
        for at, row in zip(part, made.tolist(), strict=True):
            body = row[1 : row.index(END)] if END in row else row[1:]
            found[at] = tokenizer.decode([int(pairs.ids[one]) for one in body if one > RARE])
    return found


def bleu(found: Sequence[str], wanted: Sequence[str]) -> float:
    """BLEU-4 of a corpus with one reference each, in points (Papineni et al. 2002); no smoothing."""
    hits, tries = [0] * 4, [0] * 4
    pairs = [(one.split(), other.split()) for one, other in zip(found, wanted, strict=True)]
    for made, reference in pairs:
        for n in range(4):
            mine, theirs = (
                Counter(tuple(words[at : at + n + 1]) for at in range(len(words) - n))
                for words in (made, reference)
            )
            hits[n] += (mine & theirs).total()
            tries[n] += mine.total()
    if not all(hits):
        return 0.0
    size, length = sum(len(one) for one, _ in pairs), sum(len(other) for _, other in pairs)
    brevity = min(0.0, 1 - length / size)
    precision = sum(math.log(hit / tried) for hit, tried in zip(hits, tries, strict=True)) / 4
    return 100 * math.exp(brevity + precision)


def _table(rows: Sequence[dict[str, Any]]) -> str:
    """Differences are paired by seed; intervals are Student's over seeds."""
    lines = [
        "| arm | seeds | source rows | BLEU | difference (95%) | exact | difference (95%) | "
        f"BLEU above -{MARGIN:.0f} |",
        "|---|---|---|---|---|---|---|---|",
    ]
    base = {row["seed"]: row for row in rows if row["arm"] == "unmerged"}
    for name in ARMS:
        own = [row for row in rows if row["arm"] == name and row["seed"] in base]
        if own:
            cells: list[str] = []
            low = 0.0
            for key, scale in (("exact", 100), ("bleu", 1)):
                mean = np.mean([row[key] for row in own]) * scale
                low, shown = _difference([(row[key] - base[row["seed"]][key]) * scale for row in own])
                cells = [f"{mean:.1f}", shown, *cells]
            verdict = "yes" if low > -MARGIN else "no"
            rows_per_item = own[0]["rows_per_item"]
            lines.append(f"| {name} | {len(own)} | {rows_per_item:.1f} | {' | '.join(cells)} | {verdict} |")
    return "\n".join(lines)


def _difference(values: Sequence[float]) -> tuple[float, str]:
    mean = float(np.mean(values))
    if len(values) < 2:
        return -math.inf, f"{mean:+.2f}"
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)
    return mean - half, f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f})"
