"""Tokenizers sampled for training: prefixes of trained BPE, and Unigram from counted substrings.

A prefix of a BPE tokenizer is what training to a smaller size would have given, so one file is a family; with
supertokens among the files, words are joined, too. The Unigram sampler is ZeTT's (arXiv 2405.07883):
substrings of the pretokens of recent texts, score = count x length, normalised, with noise whose deviation is
drawn from LogNormal(ln 1e-5, 4); their logarithms are the log-probabilities. Every draw follows from (seed,
step), so a resumed run samples what an unbroken one would. Time of a step: linear in the queue's substrings.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError
from tokforge.tokenizer import Tokenizer
from tokforge.transplant.hypernet.config import HypernetConfig
from tokforge.transplant.hypernet.texts import Texts

__all__ = ["Sampler", "Segmented", "segmented", "substrings"]

_QUEUE, _SPANS, _SPAN = 8, 24, 2048
_TERM = 32
"""Steps after which substrings are counted behind another splitter: the queue is counted anew then."""
_LONGEST = 16
"""Bytes of a substring."""
_SPLITTERS = ("gpt2", "llama3", "o200k", r"regex: ?[^\s]+(?: [^\s]+){0,2}|\s+")
"""The last makes pretokens of up to three words, so that substrings span them."""


@dataclass(frozen=True)
class Segmented:
    """Texts under a sampled tokenizer."""

    name: str
    tokens: Sequence[bytes | None]
    """By id; None where text does not become it."""
    ids: tuple[npt.NDArray[np.int64], ...]
    """Of each text."""


@dataclass
class Sampler:
    """Draws a tokenizer for each step, and cuts texts by it."""

    config: HypernetConfig
    texts: Texts
    tokenizers: Sequence[Tokenizer]
    counted: dict[int, Counter[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for tokenizer in self.tokenizers:
            if not tokenizer.merges:
                raise ConfigError(
                    "a tokenizer to sample from has no merges", "give byte-level BPE", "--tokenizer"
                )

    def segment(self, rng: np.random.Generator, step: int, texts: Sequence[str]) -> Segmented:
        """Returns ``texts`` under a tokenizer drawn by ``rng``; ``step`` says which texts were counted."""
        c = self.config
        size = int(np.exp(rng.uniform(np.log(c.smallest), np.log(c.largest))))
        if not self.tokenizers or rng.random() < c.unigram:
            return self._unigram(rng, step, size, texts)
        full = self.tokenizers[int(rng.integers(len(self.tokenizers)))]
        tokenizer = _prefix(full, min(size - size % 1024 if size > 2048 else size, full.vocab_size))
        return segmented(f"bpe-{tokenizer.vocab_size}", tokenizer, texts)

    def _unigram(self, rng: np.random.Generator, step: int, size: int, texts: Sequence[str]) -> Segmented:
        stage = _SPLITTERS[step // _TERM % len(_SPLITTERS)]
        total: Counter[bytes] = Counter()
        for at in range(step - _QUEUE + 1, step + 1):
            total.update(self._counts(at, stage))
        tokens, scores = _vocabulary(total, size, rng)
        from tokforge import _core

        encoder = _core.ModelEncoder.unigram(
            [("splitter", stage)], [*tokens[:128], *[None] * 128, *tokens[256:]],
            [*scores[:128], *[None] * 128, *scores[256:]], unk_score=-1e6, single_precision=False,
            user_defined=(), byte_ids=range(256), unk_id=None, fuse_unk=False,
        )  # fmt: skip
        raw, ends = encoder.encode_batch([text.encode() for text in texts], 1)
        ids, bounds = np.frombuffer(raw, np.uint32), np.frombuffer(ends, np.uint64)
        return Segmented(f"unigram-{len(tokens)}", tokens, _parts(ids, bounds))

    def _counts(self, at: int, stage: str) -> Counter[bytes]:
        key = at * len(_SPLITTERS) + _SPLITTERS.index(stage)
        if key not in self.counted:
            if len(self.counted) > 4 * _QUEUE:
                self.counted.pop(next(iter(self.counted)))
            rng = np.random.default_rng([self.config.seed, 7, max(at, 0), max(-at, 0)])
            self.counted[key] = substrings(self.texts.spans(rng, _SPANS, _SPAN), stage)
        return self.counted[key]


def segmented(name: str, tokenizer: Tokenizer, texts: Sequence[str]) -> Segmented:
    """Returns texts under one tokenizer."""
    ids, bounds = tokenizer.encode_batch(texts, 1)
    return Segmented(name, tokenizer.table.ordinary(), _parts(ids, bounds))


def _parts(ids: npt.NDArray[np.uint32], bounds: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], ...]:
    return tuple(ids[a:b].astype(np.int64) for a, b in pairwise(bounds.tolist()))


def substrings(texts: Sequence[str], stage: str) -> Counter[bytes]:
    """Returns how often each substring of a pretoken occurs, whole characters only, up to 16 bytes long."""
    from tokforge import _core

    counts = _core.WordCounts(_core.Splitter([stage]), 1)
    counts.add([text.encode() for text in texts])
    found: Counter[bytes] = Counter()
    for word, count in counts.items():
        starts = [n for n, value in enumerate(word) if value & 0xC0 != 0x80] + [len(word)]
        for n, begin in enumerate(starts[:-1]):
            for end in starts[n + 1 :]:
                if end - begin > _LONGEST:
                    break
                found[word[begin:end]] += count
    return found


def _vocabulary(
    counts: Counter[bytes], size: int, rng: np.random.Generator
) -> tuple[list[bytes | None], list[float | None]]:
    """Returns the 256 bytes, at the least score, and the best substrings behind them."""
    keys = [key for key, count in counts.items() if count > 1 and len(key) > 1]
    scores = np.array([counts[key] * len(key) for key in keys], np.float64)
    scores /= max(scores.sum(), 1)
    scores += rng.normal(0, np.exp(rng.normal(np.log(1e-5), 4)), len(keys)) * (scores > 0)
    best = np.argsort(-scores, kind="stable")[: max(size - 256, 0)]
    best = best[scores[best] > 0]
    logs = np.log(scores[best])
    least = float(logs.min(initial=0.0)) - 1
    tokens: list[bytes | None] = [bytes([value]) for value in range(256)]
    return tokens + [keys[i] for i in best], [least] * 256 + logs.tolist()


@lru_cache(maxsize=24)
def _prefix(tokenizer: Tokenizer, size: int) -> Tokenizer:
    return tokenizer.prefix(max(size, 300)) if size < tokenizer.vocab_size else tokenizer
