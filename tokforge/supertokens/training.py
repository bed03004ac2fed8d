"""Trains tokens across words: a word stage, then the engine's one continue primitive on what spans words.

`superbpe`: words to T tokens, then the merges go on behind a splitter that joins words. `boundless`: words
to the full size, then merges over runs of words that are one token each; both lists are merged by count.
`random-chunks`: plain merging inside chunks of random length, no word stage.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tokforge.bpe import BpeConfig, Checkpoint
from tokforge.bpe.record import record
from tokforge.bpe.sources import Mixture, SampledSources
from tokforge.bpe.start import Start
from tokforge.bpe.training import peak_memory_bytes
from tokforge.bpe.training import train as train_words
from tokforge.errors import ConfigError, CorpusExhaustedError
from tokforge.inputs import ByteView, Progress, Remark, open_sources
from tokforge.inputs.curation import Curation, CurationReport, archive_options
from tokforge.inputs.source import Source
from tokforge.supertokens.config import LEARNERS, SupertokensConfig
from tokforge.supertokens.documents import Draw
from tokforge.supertokens.learners import (
    Learned,
    Task,
    WordStage,
    check_base,
    learn_boundless,
    learn_chunks,
    learn_superbpe,
)
from tokforge.supertokens.verify import Verified, verify_files
from tokforge.tokenizer import Tokenizer

__all__ = ["SupertokensResult", "train"]

_MEASURED_BYTES = 1 << 22


@dataclass(frozen=True, kw_only=True, slots=True)
class SupertokensResult:
    """The trained tokenizers and how they came about."""

    tokenizer: Tokenizer
    """Of the full size and the last transition."""
    variants: Mapping[tuple[int | None, int], Tokenizer]
    """By (transition, size); the transition is None where the learner has none."""
    words: int
    """Tokens within words of ``tokenizer``, bytes and specials included; those across words follow."""
    counts: tuple[int, ...]
    """Occurrences of each pair across words when it was chosen."""
    least_count: int
    """Sequences were cut at pairs rarer than this; no merge is."""
    sequences: int
    """Sequences that merges across words were learned from; long ones may be equal."""
    stopped: str
    corpus_bytes: int
    bytes_per_token: float
    """Of the first 4 MiB of the corpus, or all of a smaller one."""
    seconds: float
    word_seconds: float
    """Of those, in the word stage."""
    peak_memory_bytes: int
    mixture: Mixture
    curation: CurationReport
    """What was left out of the inputs; both stages learned from what stayed."""
    skipped: tuple[Remark, ...]
    warnings: tuple[Remark, ...]
    verified: Verified | None
    """What Hugging Face was compared on, where held-out files were given."""


def train(
    inputs: Sequence[str | Path],
    config: BpeConfig | None = None,
    supertokens: SupertokensConfig | None = None,
    *,
    extend: Tokenizer | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
) -> SupertokensResult:
    """Trains on files, folders or globs, which are read several times.

    Args:
        inputs: what to read, as `tokforge.bpe.train`.
        config: sizes, specials and sampling; ``pretokenizer`` is that of the word stage, the learner's own
            if None. The defaults if None.
        supertokens: the learner and its rules; ``superbpe`` at two thirds of the size if None.
        extend: a byte-level BPE tokenizer to take the word stage from: its first tokens up to superbpe's
            transition, else all; the learner's splitter replaces its own.
        checkpoint: a folder that keeps the word stage; merges across words are learned again.
        progress: called as ``progress(phase, done, total)``.

    Raises:
        ConfigError: options contradict each other, a transition leaves no room, no superword can be learned.
        CorpusExhaustedError: ``exact_size`` is set and too few pairs are left.
        ExportError: Hugging Face gives other ids on a ``verify`` file.
        InputError, PatternError, KeyboardInterrupt: as `tokforge.bpe.train`.
    """
    started = time.perf_counter()
    config, supertokens = _resolved(config or BpeConfig(), supertokens, extend)
    _check(inputs, config, supertokens, extend, checkpoint)
    sources = _opened(inputs, config)
    curation = Curation(sources, config.curation, progress=progress)
    chosen = SampledSources(sources, config.sampling, progress=progress, read=curation.read)
    has_words = supertokens.learner != "random-chunks"
    stage = _word_stage(inputs, config, supertokens, extend, checkpoint, progress) if has_words else None
    word_seconds = time.perf_counter() - started
    documents = Draw(_Buffers(chosen), supertokens.sample_documents, config.sampling.seed)
    task = Task(
        config=config,
        supertokens=supertokens,
        documents=documents,
        record=lambda stopped: record(config, chosen.mixture, curation.report, stopped, extend),
        progress=progress,
    )
    learned = _learn(task, stage)
    for one in learned.values():
        _check_exhausted(config, one)
    last, mixture = learned[next(reversed(learned))], chosen.mixture
    tokenizer = last.by_size[config.table_size]
    return SupertokensResult(
        tokenizer=tokenizer,
        variants={(t, size): made for t, one in learned.items() for size, made in one.by_size.items()},
        words=last.words,
        counts=tuple(last.counts),
        least_count=last.least_count,
        sequences=last.sequences,
        stopped=last.stopped,
        corpus_bytes=sum(source.bytes for source in mixture.sources),
        bytes_per_token=_bytes_per_token(tokenizer, _Buffers(chosen)),
        seconds=time.perf_counter() - started,
        word_seconds=word_seconds,
        peak_memory_bytes=peak_memory_bytes(),
        mixture=mixture,
        curation=curation.report,
        skipped=tuple(remark for source in sources for remark in source.skipped),
        warnings=tuple(remark for source in sources for remark in source.warnings),
        verified=verify_files(tokenizer, supertokens.verify) if supertokens.verify else None,
    )


def _opened(inputs: Sequence[str | Path], config: BpeConfig) -> Sequence[Source]:
    return open_sources(
        inputs,
        field=config.field,
        follow_symlinks=config.follow_symlinks,
        archives=archive_options(config.curation),
    )


class _Buffers:
    """The chosen bytes of all sources, as often as they are asked for."""

    def __init__(self, chosen: SampledSources) -> None:
        self._chosen = chosen

    def __iter__(self) -> Iterator[ByteView]:
        return (data for _, data in self._chosen)


def _resolved(
    config: BpeConfig, supertokens: SupertokensConfig | None, extend: Tokenizer | None
) -> tuple[BpeConfig, SupertokensConfig]:
    """Resolves what is left open: the learner and its word splitter, the preset's longest token."""
    if supertokens is None:
        supertokens = SupertokensConfig(learner="superbpe", transitions=(config.table_size * 2 // 3,))
    if extend and (config.pretokenizer or config.special_tokens):
        raise ConfigError("the tokenizer to extend has its own splitter and special tokens", "leave them out")
    if config.pretokenizer and supertokens.learner != "superbpe":
        raise ConfigError(f"{supertokens.learner} has its own splitter", "leave the pretokenizer out")
    words = LEARNERS[supertokens.learner].words
    named = config if config.pretokenizer else replace(config, pretokenizer=words)
    return named.resolved("text" if config.preset in ("auto", "binary") else config.preset), supertokens


def _check(
    inputs: Sequence[str | Path],
    config: BpeConfig,
    supertokens: SupertokensConfig,
    extend: Tokenizer | None,
    checkpoint: Checkpoint | None,
) -> None:
    if checkpoint and (extend or supertokens.learner == "random-chunks"):
        raise ConfigError("a checkpoint keeps the word stage, and there is none here", "leave it out")
    if "-" in inputs:
        raise ConfigError("supertokens read their inputs several times", "name files, not standard input")
    if extend is None and supertokens.learner == "superbpe" and not supertokens.transitions:
        raise ConfigError("superbpe has no transition", "write superbpe:T, such as superbpe:20000")
    if extend is not None and supertokens.learner == "random-chunks":
        raise ConfigError("random-chunks has no word stage to take over", "leave the tokenizer to extend out")
    if config.character_coverage:
        raise ConfigError(
            "character_coverage chooses what words begin with, and supertokens begin with words",
            "train the word stage with it and --extend that",
            "character_coverage",
        )
    supertokens.check_sizes(config)
    if extend is not None and not supertokens.transitions:
        check_base(extend, min((config.table_size, *config.family)))


def _word_stage(
    inputs: Sequence[str | Path],
    config: BpeConfig,
    supertokens: SupertokensConfig,
    extend: Tokenizer | None,
    checkpoint: Checkpoint | None,
    progress: Progress | None,
) -> WordStage:
    if extend:
        return WordStage(tokenizer=extend, counts=())
    first = 256 + len(config.special_tokens)
    size = first + max(supertokens.transitions) if supertokens.transitions else config.table_size
    words = replace(
        config, vocab_size=size, family=(), multiple_of=None, exact_size=False, character_coverage=0.0
    )
    result = train_words(inputs, words, checkpoint=checkpoint, progress=progress)
    if result.tokenizer.vocab_size < size and supertokens.transitions:
        raise CorpusExhaustedError(
            f"the word stage ends at {result.tokenizer.vocab_size} tokens, before the transition at {size}",
            "give more text, or a smaller transition",
        )
    return WordStage(tokenizer=result.tokenizer, counts=result.counts)


def _learn(task: Task, stage: WordStage | None) -> dict[int | None, Learned]:
    if stage is None:
        fresh = Start.fresh(task.config, ())
        return {None: learn_chunks(task, replace(fresh, pipeline=task.pipeline))}
    if task.supertokens.learner == "boundless":
        return {None: learn_boundless(task, stage)}
    return {t: learn_superbpe(task, stage, t) for t in task.supertokens.transitions or (None,)}


def _check_exhausted(config: BpeConfig, learned: Learned) -> None:
    if config.exact_size and learned.stopped != "vocab_size":
        raise CorpusExhaustedError(
            f"no pair is left after {len(learned.counts)} merges across words",
            "add data, lower min_frequency or vocab_size, or drop exact_size",
        )


def _bytes_per_token(tokenizer: Tokenizer, documents: Iterable[ByteView]) -> float:
    size = tokens = 0
    for document in documents:
        part = document[: _MEASURED_BYTES - size]
        size, tokens = size + len(part), tokens + len(tokenizer.encode(bytes(part)))
        if size >= _MEASURED_BYTES:
            break
    return size / tokens
