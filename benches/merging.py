"""Tables of docs/merging.md that train nothing: lengths, operations and time; see `python -m benches`."""

import argparse
import copy
import functools
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import ByteLevelBPETokenizer
from transformers.initialization import no_init_weights

from benches.measure import RESULTS, machine
from tokforge.merging import (
    MergeConfig,
    MergingCollator,
    count_flops,
    encoder_flops,
    merge_subtokens,
    plan_for,
)
from tokforge.merging.plan import MergePlan

POLICIES = ("identifiers", "identifiers+strings", "identifiers+strings+numbers", "leaves")
LANGUAGES = {"java": "java", "cs": "c-sharp"}
"""Suffix of CodeTrans -> language."""
CODET5 = {"vocab_size": 32100, "d_model": 768, "d_ff": 3072, "num_heads": 12, "num_layers": 12}
CHECKPOINTS = {
    "codebert-base": "AutoModel",
    "graphcodebert-base": "AutoModel",
    "unixcoder-base": "AutoModel",
    "codet5-base": "AutoModelForSeq2SeqLM",
    "codet5p-220m": "AutoModelForSeq2SeqLM",
    "codet5p-770m": "AutoModelForSeq2SeqLM",
}


def merge_length(arguments: Sequence[str]) -> str:
    """How much shorter CodeTrans gets with CodeT5's tokenizer, by language and policy, and FLOPs saved."""
    parser = argparse.ArgumentParser(description=merge_length.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds codetrans/ and codet5-tokenizer/")
    options = parser.parse_args(arguments)
    tokenizer = codet5_tokenizer(options.data)
    lines = [
        "| language | units | tokens an item | shorter by | FLOPs | straddling | parse errors |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = []
    for suffix, language in LANGUAGES.items():
        texts = code_trans(options.data, "test", suffix)
        for policy in POLICIES:
            plans = [plan_for(text, tokenizer, language=language, units=policy) for text in texts]
            row = {"language": language, "units": policy, **_lengths(plans)}
            rows.append(row)
            lines.append(
                f"| {language} | {policy} | {row['tokens_per_item']:.1f} | {row['reduction']:.2%} | "
                f"{row['flops']:+.1%} | "
                f"{row['straddling']:.2%} | {row['items_with_parse_errors']} |"
            )
    _write("merge-length", rows)
    return "\n".join(lines)


def _lengths(plans: Sequence[MergePlan]) -> dict[str, float]:
    config = {**CODET5, "model_type": "t5", "d_kv": 64}
    lengths = [[getattr(plan, name) for plan in plans] for name in ("n_tokens", "n_units")]
    tokens = sum(lengths[0])
    return {
        "items": len(plans),
        "tokens_per_item": tokens / len(plans),
        "reduction": 1 - sum(plan.n_units for plan in plans) / tokens,
        "flops": encoder_flops(config, *lengths) / encoder_flops(config, lengths[0]) - 1,
        "straddling": sum(plan.counts.straddling_tokens for plan in plans) / tokens,
        "items_with_parse_errors": sum(plan.counts.parse_errors > 0 for plan in plans),
    }


def merge_cost(arguments: Sequence[str]) -> str:
    """Operations and time of CodeT5-base's encoder (random weights) on CodeTrans, by layer, with planning."""
    parser = argparse.ArgumentParser(description=merge_cost.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds codetrans/ and codet5-tokenizer/")
    parser.add_argument("--items", type=int, default=64)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--join", type=int, default=1, help="methods to a text, for longer ones")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--layers", type=int, nargs="+", default=[0, 3, 6, 9, 11])
    options = parser.parse_args(arguments)
    tokenizer = codet5_tokenizer(options.data)
    rows = []
    for suffix, language in LANGUAGES.items():
        found, wanted = code_trans(options.data, "test", suffix), options.items * options.join
        lines = found[:: max(1, len(found) // wanted)][:wanted]  # spread over the whole set
        texts = ["\n".join(lines[at : at + options.join]) for at in range(0, len(lines), options.join)]
        rows += _costs(_encoder(options.precision), texts, tokenizer, language, options)
    _write(f"merge-cost-{options.precision}", rows)
    return _cost_table(rows)


def merge_checkpoints(arguments: Sequence[str]) -> str:
    """The same for the six models of the paper, from local folders, for who has them; not reproduced."""
    parser = argparse.ArgumentParser(description=merge_checkpoints.__doc__)
    parser.add_argument("--folder", type=Path, required=True, help=f"holds {', '.join(CHECKPOINTS)}")
    parser.add_argument("--data", type=Path, required=True, help="holds codetrans/")
    parser.add_argument("--items", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--layers", type=int, nargs="+", default=[0, 3, 6, 9, 11])
    options = parser.parse_args(arguments)
    rows = []
    for name, loader in CHECKPOINTS.items():
        folder = options.folder / name
        if not folder.is_dir():
            raise SystemExit(f"{folder} is no folder; save the model there with its tokenizer")
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = getattr(transformers, loader).from_pretrained(folder, local_files_only=True)
        encoder = model.get_encoder() if model.config.is_encoder_decoder else model
        for suffix, language in LANGUAGES.items():
            texts = code_trans(options.data, "test", suffix)[: options.items]
            rows += [{"model": name, **row} for row in _costs(encoder, texts, tokenizer, language, options)]
    _write("merge-checkpoints", rows)
    return _cost_table(rows)


def _encoder(precision: str) -> Any:
    config = transformers.T5Config(**CODET5, pad_token_id=0, is_encoder_decoder=False)
    with no_init_weights():
        model = transformers.T5EncoderModel(config)
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.02)
    return model.eval().to(getattr(torch, precision))


def _costs(
    model: Any, texts: Sequence[str], tokenizer: Any, language: str, options: Any
) -> list[dict[str, Any]]:
    """Measures the unmerged model and merging before each layer, batch by batch in turn.

    Each has batches of like cost for itself, so that none has more padding than it needs. Times are processor
    time of the one thread: what else runs on the machine counts little.
    """
    torch.set_num_threads(1)
    started = time.process_time()
    plans = [plan_for(text, tokenizer, language=language, max_tokens=512) for text in texts]
    planning = time.process_time() - started
    tokens, units = ([getattr(plan, name) for plan in plans] for name in ("n_tokens", "n_units"))
    merged = merge_subtokens(copy.deepcopy(model))
    calls = {
        layer: _calls(model if layer is None else merged, plans, layer, options.batch)
        for layer in (None, *options.layers)
    }
    counted = {layer: sum(count_flops(step) for step in steps) for layer, steps in calls.items()}  # and warm
    seconds = _in_turn(calls, options.runs)
    rows = []
    for layer in calls:
        after = None if layer is None else units
        rows.append(
            {
                "language": language,
                "at_layer": layer,
                "texts": len(texts),
                "tokens": sum(tokens),
                "rows": sum(after or tokens),
                "flops_formula": encoder_flops(merged.config, tokens, after, at_layer=layer or 0),
                "flops_counted": counted[layer],
                "seconds": [sum(one) for one in seconds[layer]],
                "planning_seconds": 0.0 if layer is None else planning,
            }
        )
    return rows


def _calls(model: Any, plans: Sequence[MergePlan], layer: int | None, size: int) -> list[Callable[[], None]]:
    """Returns one call a batch; batches are of like cost."""
    layers = model.config.num_hidden_layers
    unmerged = layers if layer is None else layer
    order = sorted(plans, key=lambda plan: unmerged * plan.n_tokens + (layers - unmerged) * plan.n_units)
    batches = [MergingCollator(0)(order[at : at + size]) for at in range(0, len(order), size)]
    if layer is None:
        for batch in batches:
            del batch["segment_ids"]

    def call(batch: dict[str, Any]) -> None:
        if layer is not None:
            model.subtoken_merging = MergeConfig(at_layer=layer)
        with torch.no_grad():
            model(**batch)

    return [functools.partial(call, batch) for batch in batches]


def _in_turn(
    calls: Mapping[int | None, Sequence[Callable[[], None]]], runs: int
) -> dict[int | None, list[list[float]]]:
    """Returns the seconds of each batch in each run: one batch of every model, then the next of every one."""
    seconds: dict[int | None, list[list[float]]] = {layer: [[] for _ in range(runs)] for layer in calls}
    for run in range(runs):
        for turn in zip(*calls.values(), strict=True):
            for layer, step in zip(calls, turn, strict=True):
                started = time.process_time()
                step()
                seconds[layer][run].append(time.process_time() - started)
    return seconds


def _cost_table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| language | before layer | rows | FLOPs | counted, padded | time (runs) | planning share |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if row["at_layer"] is None:
            base = row
        names = ("rows", "flops_formula", "flops_counted")
        change = [f"{row[name] / base[name] - 1:+.1%}" for name in names]
        ratios = [own / unmerged - 1 for own, unmerged in zip(row["seconds"], base["seconds"], strict=True)]
        change.append(f"{statistics.median(ratios):+.1%} ({min(ratios):+.1%} to {max(ratios):+.1%})")
        layer = "unmerged" if row["at_layer"] is None else row["at_layer"]
        share = row["planning_seconds"] / statistics.median(base["seconds"])
        lines.append(f"| {row['language']} | {layer} | {' | '.join(change)} | {share:.1%} |")
    return "\n".join(lines)


def codet5_tokenizer(data: Path) -> Any:
    """CodeT5's byte-level BPE from its vocabulary and merges."""
    folder = data / "codet5-tokenizer"
    made = ByteLevelBPETokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    return made._tokenizer


def code_trans(data: Path, split: str, suffix: str) -> list[str]:
    """The methods of one half of CodeTrans, one a line."""
    return (data / "codetrans" / f"{split}.{suffix}").read_text().splitlines()


def _write(table: str, rows: Sequence[dict[str, Any]]) -> None:
    versions = {"torch": torch.__version__, "arguments": sys.argv[2:]}
    record = {"table": table, "machine": machine(), **versions, "rows": list(rows)}
    (RESULTS / f"{table}.json").write_text(json.dumps(record, indent=2) + "\n")
