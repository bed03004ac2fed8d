"""Collators side by side, and segmenters: `masking-collate`; a process each, on the same features.

Timed is the call on a list of features as a dataset gives them, word spans cut in the call (and, apart, with
word ids prepared). Theirs: `DataCollatorForLanguageModeling(whole_word_mask=True)`; and, of a release before
4.57 in a folder of its own (`pip install --no-deps --target`), `DataCollatorForWholeWordMask`, with the
`chinese_ref` that it asks for prepared by jieba, untimed.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CONTENDERS = ("ours", "ours, word ids prepared", "theirs")
OLD = "DataCollatorForWholeWordMask"


def features(tokenizer: Any, text: str, rows: int, length: int) -> list[dict[str, Any]]:
    """Examples of ``length`` tokens with the text that they stand for."""
    found = []
    at = 0
    for _ in range(rows):
        piece = text[at : at + 4 * length]
        made = tokenizer(
            piece, return_offsets_mapping=True, add_special_tokens=False, return_special_tokens_mask=True
        )
        end = made["offset_mapping"][length - 1][1]
        found.append({name: made[name][:length] for name in made} | {"text": piece[:end]})
        at = (at + end) % (len(text) - 4 * length)
    return found


def measure(contender: str, tokenizer_path: str, text_path: str, rows: int, length: int) -> dict[str, float]:
    import transformers
    from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

    from tokforge.masking import WholeWordMaskingCollator

    names = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=tokenizer_path, **names)
    made = features(tokenizer, Path(text_path).read_text().replace("\n", ""), rows, length)
    collator: Any = WholeWordMaskingCollator(tokenizer)
    if contender == "theirs":
        collator = DataCollatorForLanguageModeling(
            tokenizer,
            whole_word_mask=True,
            mask_replace_prob=1.0,
            random_replace_prob=0.0,
            mlm_probability=0.3,
        )
        made = [{name: value for name, value in one.items() if name != "text"} for one in made]
    if "prepared" in contender:
        made = [{"input_ids": one["input_ids"], **collator.prepare(one)} for one in made]
    if contender == OLD:
        made = [{"input_ids": one["input_ids"], "chinese_ref": _inside_words(collator, one)} for one in made]
        collator = getattr(transformers, OLD)(tokenizer, mlm_probability=0.3)
    collator([dict(one) for one in made[:1]] if contender != "theirs" else [dict(made[0], **_short(made[0]))])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    runs = []
    for _ in range(1 if contender == "theirs" else 5):
        given = [dict(one) for one in made]
        started = time.perf_counter()
        collator(given)
        runs.append(time.perf_counter() - started)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"seconds": statistics.median(runs), "grown_megabytes": grown / 1024}


def _inside_words(collator: Any, feature: dict[str, Any]) -> list[int]:
    """Places of tokens that go on with a word."""
    words = collator.prepare(feature)["word_ids"]
    return [at for at in range(1, len(words)) if words[at] == words[at - 1]]


def _short(feature: dict[str, Any]) -> dict[str, Any]:
    return {name: feature[name][:128] for name in feature}


def segmenting(text: str) -> str:
    from tokforge.masking import SEGMENTERS, word_spans

    lines = ["| segmenter | MB of UTF-8 per second of one core |", "|---|---|"]
    size = len(text.encode()) / 1e6
    for name in SEGMENTERS:
        word_spans(text[:1000], name)
        runs = []
        for _ in range(3):
            started = time.process_time()  # of this core alone, whoever else is at work
            word_spans(text, name)
            runs.append(time.process_time() - started)
        lines.append(f"| {name} | {size / statistics.median(runs):.1f} |")
    return "\n".join(lines)


def collate(arguments: Sequence[str]) -> str:
    parser = argparse.ArgumentParser(prog="masking-collate", description=__doc__)
    parser.add_argument("tokenizer", help="tokenizer.json of --preset chinese-32k")
    parser.add_argument("text", help="a file of Chinese text of some MB")
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--lengths", type=int, nargs="*", default=[8192, 16384, 32768])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--older", type=Path, help=f"a folder with transformers before 4.57, for {OLD}")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        return json.dumps(
            measure(options.one, options.tokenizer, options.text, options.rows, options.lengths[0])
        )
    lines = ["| collator | shape | seconds | memory grown by, MB |", "|---|---|---|---|"]
    for length in options.lengths:
        first = (*CONTENDERS, OLD) if options.older else CONTENDERS
        for name in first if length == options.lengths[0] else CONTENDERS[:2]:
            found = [_child(name, length, options) for _ in range(options.runs)]
            seconds = statistics.median(one["seconds"] for one in found)
            grown = statistics.median(one["grown_megabytes"] for one in found)
            lines.append(f"| {name} | {options.rows} x {length:,} | {seconds:.3f} | {grown:.0f} |")
            print(lines[-1], flush=True)
    return "\n".join([*lines, "", segmenting(Path(options.text).read_text())])


def _child(name: str, length: int, options: argparse.Namespace) -> dict[str, float]:
    shape = ["--rows", str(options.rows), "--lengths", str(length), "--one", name]
    command = [sys.executable, "-m", "benches", "masking-collate", options.tokenizer, options.text, *shape]
    environment = dict(os.environ, **({"PYTHONPATH": str(options.older)} if name == OLD else {}))
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found
