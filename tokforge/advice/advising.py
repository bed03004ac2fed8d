"""`advise_vocab`: how large a vocabulary, for a corpus and a model of a given shape.

One training run at the largest size gives every smaller one, since a shorter merge list is a prefix of a
longer. Each size is measured on files that training did not see. The published rule (Tao et al. 2024,
arXiv 2407.13623; constants of their code, approaches 1 and 2) gives the compute-optimal range for the
model; the corpus bounds it where the last merges are too rare to be learned from. Costs are first-order:
a forward pass takes 2 FLOPs a parameter and token, the softmax 2 V d of them.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import exp
from typing import Any

from tokforge.bpe import BpeConfig, train
from tokforge.errors import ConfigError
from tokforge.inputs import Source, documents, open_sources
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.notebook import table_html

__all__ = ["Advice", "AdviseConfig", "SizeFigures", "advise_vocab", "span", "tao_vocab_sizes"]

MIN_FREQUENCY = 100
"""A merge that the model sees less often is taken for too rare to learn from; ours, a convention."""
_HELD_OUT_EVERY = 10
_NOTEBOOK = ("vocab_size", "bytes_per_token", "expected_frequency", "embedding_share", "flops_per_byte")


@dataclass(frozen=True, kw_only=True, slots=True)
class AdviseConfig:
    """The model that the vocabulary is for, and how it is looked for."""

    parameters: int
    """Non-vocabulary parameters of the model."""
    hidden_size: int
    largest: int = 65_536
    """The largest size that is trained and measured."""
    tied: bool = False
    """Whether input and output embeddings are one matrix."""
    kv_bytes_per_token: int | None = None
    """Bytes that a token takes in the cache: 2 x layers x key-value width x bytes of a number."""
    training_bytes: int | None = None
    """Bytes of text that the model will see, which scales how often it sees a merge; the corpus if None."""
    multiple_of: int = 128
    held_out: tuple[str, ...] = ()
    """Inputs to measure on; every tenth file of the inputs if none is named."""
    preset: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("parameters", "hidden_size", "multiple_of", "training_bytes"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", "use 1 or more", name)
        if not 512 <= self.largest <= 1 << 20:
            raise ConfigError(f"largest is {self.largest}", "use 512 to 1048576", "largest")


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeFigures:
    """One vocabulary size."""

    vocab_size: int
    bytes_per_token: float
    """On the held-out files."""
    last_merge_frequency: int
    """Occurrences in the training corpus of the last pair merged, when it was chosen."""
    expected_frequency: float
    """The same in the text that the model will see."""
    embedding_share: float
    """Embedding parameters over all parameters."""
    softmax_share: float
    """The softmax's part of the FLOPs of a token."""
    flops_per_byte: float
    """FLOPs of a forward pass for each byte of held-out text."""
    kv_bytes_per_byte: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """What was measured, what the rule says, and the range that follows."""

    sizes: tuple[SizeFigures, ...]
    rule: dict[str, int]
    """Vocabulary size by approach of Tao et al."""
    largest_learnable: int
    """The largest measured size whose last merge the model sees `MIN_FREQUENCY` times or more."""
    recommended: tuple[int, int]
    limited_by: str
    """``rule``, ``corpus`` (the last merges are too rare), ``pairs`` (the corpus has no more to merge) or
    ``largest`` (nothing larger was tried)."""
    corpus_bytes: int
    held_out_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return asdict(self)

    def _repr_html_(self) -> str:
        shown = [asdict(one) for one in self.sizes]
        rows = [
            [
                f"{value:,}" if name == "vocab_size" else f"{value:.4g}"
                for name, value in one.items()
                if name in _NOTEBOOK
            ]
            for one in shown
        ]
        return table_html([name.replace("_", " ") for name in _NOTEBOOK], rows) + table_html(
            ["recommended"], [[span(*self.recommended)]]
        )


def span(low: int, high: int) -> str:
    """Returns a range of sizes in words; one size where both ends are the same.

    Example:
        >>> span(512, 512), span(1024, 2048)
        ('512', '1,024 to 2,048')
    """
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def tao_vocab_sizes(parameters: int, hidden_size: int) -> dict[str, int]:
    """Returns the compute-optimal vocabulary size by each approach, for a model trained compute-optimally.

    Source: Tao et al. 2024, arXiv 2407.13623; constants of sail-sg/scaling-with-vocab, optimal_Nv_predict.py.
    Example:
        >>> tao_vocab_sizes(7_000_000_000, 4096)
        {'isoflops': 62280, 'derivative': 67450}
    """
    flops = (parameters / exp(-2.4846510161625193)) ** 2
    isoflops = exp(-1.589031299255507) * flops**0.4163622634135234
    derivative = 3_145_728 * (parameters / 33_000_000) ** 0.8353974035228025
    return {"isoflops": int(isoflops / hidden_size), "derivative": int(derivative / hidden_size)}


def advise_vocab(
    inputs: Sequence[str],
    config: AdviseConfig,
    *,
    progress: Callable[[str, int, int], object] | None = None,
) -> Advice:
    """Trains once, measures every size, and recommends a range.

    Raises InputError as the readers do, ConfigError for one input file and nothing held out.
    """
    training, held_out = _split(inputs, config)
    sizes = _ladder(config.largest)
    bpe = BpeConfig(
        vocab_size=config.largest, family=tuple(sizes[:-1]), preset=config.preset, threads=config.threads
    )
    result = train(training, bpe, progress=progress)
    texts = [bytes(document.data) for document in documents(held_out)]
    tokenizers = {**result.family, result.tokenizer.vocab_size: result.tokenizer}
    scale = (config.training_bytes or result.corpus_bytes) / result.corpus_bytes
    figures = tuple(
        _figures(tokenizers[size], result.counts, texts, config, scale) for size in sorted(tokenizers)
    )
    return _advice(figures, config, result.corpus_bytes, sum(map(len, texts)))


def _split(inputs: Sequence[str], config: AdviseConfig) -> tuple[list[str], list[Source]]:
    """Returns what to train on, and what to measure on: no file is in both."""
    files = [str(file.path) for source in open_sources(inputs) for file in source.files]
    if config.held_out:
        held_out = open_sources(config.held_out)
        held = {os.path.realpath(file.path) for source in held_out for file in source.files}
        kept = [path for path in files if os.path.realpath(path) not in held]
        if not kept:
            raise ConfigError("all files are held out", "name others to train on", "held_out")
        return list(inputs) if len(kept) == len(files) else kept, held_out
    chosen = files[_HELD_OUT_EVERY - 1 :: _HELD_OUT_EVERY] or files[1:2]
    if not chosen:
        raise ConfigError("there is one file, and nothing to measure on", "name --held-out PATH", "held_out")
    return [path for path in files if path not in set(chosen)], open_sources(chosen)


def _ladder(largest: int) -> list[int]:
    """Returns sizes from 512 to ``largest``, two to each doubling."""
    sizes, size = [], 512
    while size < largest:
        sizes += [size, size * 3 // 2]
        size *= 2
    return [*(one for one in sizes if one < largest), largest]


def _figures(
    tokenizer: Tokenizer, counts: tuple[int, ...], texts: list[bytes], config: AdviseConfig, scale: float
) -> SizeFigures:
    size, d = tokenizer.vocab_size, config.hidden_size
    tokens = len(tokenizer.encode_batch(texts, config.threads)[0])
    rate = sum(map(len, texts)) / tokens
    embedding, softmax = size * d * (1 if config.tied else 2), 2 * size * d
    flops = 2 * config.parameters + softmax
    frequency = counts[len(tokenizer.merges) - 1] if tokenizer.merges else 0
    return SizeFigures(
        vocab_size=size,
        bytes_per_token=rate,
        last_merge_frequency=frequency,
        expected_frequency=frequency * scale,
        embedding_share=embedding / (embedding + config.parameters),
        softmax_share=softmax / flops,
        flops_per_byte=flops / rate,
        kv_bytes_per_byte=None if config.kv_bytes_per_token is None else config.kv_bytes_per_token / rate,
    )


def _advice(
    figures: tuple[SizeFigures, ...], config: AdviseConfig, corpus_bytes: int, held_out_bytes: int
) -> Advice:
    rule = tao_vocab_sizes(config.parameters, config.hidden_size)
    frequent = [one.vocab_size for one in figures if one.expected_frequency >= MIN_FREQUENCY]
    learnable = max(frequent, default=figures[0].vocab_size)
    bounds = [min(one, learnable) for one in (min(rule.values()), max(rule.values()))]
    low, high = (_rounded(one, config.multiple_of) for one in bounds)
    limit = "rule" if max(rule.values()) <= learnable else "corpus"
    if limit == "corpus" and figures[-1].expected_frequency >= MIN_FREQUENCY:
        limit = "largest" if learnable == config.largest else "pairs"
    return Advice(
        sizes=figures,
        rule=rule,
        largest_learnable=learnable,
        recommended=(low, high),
        limited_by=limit,
        corpus_bytes=corpus_bytes,
        held_out_bytes=held_out_bytes,
    )


def _rounded(size: int, multiple: int) -> int:
    return max(multiple, -(-size // multiple) * multiple)
