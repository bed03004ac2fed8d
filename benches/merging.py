"""Tables of docs/merging.md that train nothing: lengths, operations and time; see `python -m benches`."""

import argparse
import copy
import json
import statistics
import time
from collections.abc import Sequence
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
    """How much shorter CodeTrans gets with CodeT5's tokenizer, by language and policy."""
    parser = argparse.ArgumentParser(description=merge_length.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds codetrans/ and codet5-tokenizer/")
    options = parser.parse_args(arguments)
    tokenizer = codet5_tokenizer(options.data)
    lines = [
        "| language | units | tokens an item | shorter by | straddling | parse errors |",
        "|---|---|---|---|---|---|",
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
                f"{row['straddling']:.2%} | {row['items_with_parse_errors']} |"
            )
    _write("merge-length", rows)
    return "\n".join(lines)


def _lengths(plans: Sequence[MergePlan]) -> dict[str, float]:
    tokens = sum(plan.n_tokens for plan in plans)
    return {
        "items": len(plans),
        "tokens_per_item": tokens / len(plans),
        "reduction": 1 - sum(plan.n_units for plan in plans) / tokens,
        "straddling": sum(plan.counts.straddling_tokens for plan in plans) / tokens,
        "items_with_parse_errors": sum(plan.counts.parse_errors > 0 for plan in plans),
    }


def merge_cost(arguments: Sequence[str]) -> str:
    """Operations and time of CodeT5-base's encoder (random weights) on CodeTrans, by layer, with planning."""
    parser = argparse.ArgumentParser(description=merge_cost.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds codetrans/ and codet5-tokenizer/")
    parser.add_argument("--items", type=int, default=64)
    parser.add_argument("--join", type=int, default=1, help="methods to a text, for longer ones")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--layers", type=int, nargs="+", default=[0, 3, 6, 9, 11])
    options = parser.parse_args(arguments)
    tokenizer = codet5_tokenizer(options.data)
    rows = []
    for suffix, language in LANGUAGES.items():
        lines = code_trans(options.data, "test", suffix)[: options.items * options.join]
        texts = ["\n".join(lines[at : at + options.join]) for at in range(0, len(lines), options.join)]
        rows += _costs(_encoder(), texts, tokenizer, language, options)
    _write("merge-cost", rows)
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


def _encoder() -> Any:
    config = transformers.T5Config(**CODET5, pad_token_id=0, is_encoder_decoder=False)
    with no_init_weights():
        model = transformers.T5EncoderModel(config)
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.02)
    return model.eval()


def _costs(
    model: Any, texts: Sequence[str], tokenizer: Any, language: str, options: Any
) -> list[dict[str, Any]]:
    """Measures the unmerged model, then merging before each layer; all on the same batches."""
    started = time.perf_counter()
    plans = [plan_for(text, tokenizer, language=language, max_tokens=512) for text in texts]
    planning = time.perf_counter() - started
    plans.sort(key=lambda plan: plan.n_units)  # batches of like merged length waste the least padding
    starts = range(0, len(plans), options.batch)
    batches = [MergingCollator(0)(plans[at : at + options.batch]) for at in starts]
    tokens, units = ([getattr(plan, name) for plan in plans] for name in ("n_tokens", "n_units"))
    plain = [{name: one[name] for name in ("input_ids", "attention_mask")} for one in batches]
    plain_model, merged = model, merge_subtokens(copy.deepcopy(model))
    rows = []
    for layer in [None, *options.layers]:
        if layer is not None:
            merged.subtoken_merging = MergeConfig(at_layer=layer)

        def run(layer: int | None = layer) -> None:
            with torch.no_grad():
                for bare, full in zip(plain, batches, strict=True):
                    plain_model(**bare) if layer is None else merged(**full)

        formula = encoder_flops(merged.config, tokens, None if layer is None else units, at_layer=layer or 0)
        seconds = [_timed(run) for _ in range(options.runs)]
        rows.append(
            {
                "language": language,
                "at_layer": layer,
                "texts": len(texts),
                "tokens": sum(tokens),
                "rows": sum(tokens if layer is None else units),
                "flops_formula": formula,
                "flops_counted": count_flops(run),
                "seconds": statistics.median(seconds),
                "planning_seconds": 0.0 if layer is None else planning,
            }
        )
    return rows


def _timed(call: Any) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _cost_table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| language | before layer | rows | FLOPs | counted, padded | time | planning share |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if row["at_layer"] is None:
            base = row
        change = [
            f"{row[name] / base[name] - 1:+.1%}"
            for name in ("rows", "flops_formula", "flops_counted", "seconds")
        ]
        layer = "unmerged" if row["at_layer"] is None else row["at_layer"]
        share = row["planning_seconds"] / base["seconds"]
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
    record = {"table": table, "machine": machine(), "torch": torch.__version__, "rows": list(rows)}
    (RESULTS / f"{table}.json").write_text(json.dumps(record, indent=2) + "\n")
