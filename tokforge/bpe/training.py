"""Trains BPE: inputs -> documents -> the engine -> a tokenizer.

With a pre-tokenizer the engine counts distinct words; without one it keeps every byte in place. Ids are
Hugging Face's: special tokens in the order given, the 256 bytes in GPT-2 code-point order, then merges.
"""

import resource
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tokforge.bpe.characters import covering_characters, with_characters
from tokforge.bpe.checkpoint import Checkpoint, Journal
from tokforge.bpe.collect import collect_bytes, collect_words
from tokforge.bpe.config import BpeConfig, round_up
from tokforge.bpe.memory import available_bytes
from tokforge.bpe.record import record
from tokforge.bpe.sources import Mixture, SampledSources
from tokforge.bpe.start import Start
from tokforge.bpe.text_extension import byte_start, collect_text, extended_characters, own_ids
from tokforge.errors import ConfigError, CorpusExhaustedError
from tokforge.inputs import (
    ByteView,
    Curation,
    CurationReport,
    Progress,
    Remark,
    Source,
    archive_options,
    detect_sources,
    open_sources,
)
from tokforge.options import from_options
from tokforge.tokenizer import (
    AddedToken,
    Pipeline,
    Tokenizer,
    forbidden_tokens,
    parse_pretokenizer,
)
from tokforge.tokenizer.edit import IdMap, reserved_names
from tokforge.tokenizer.edit.pretokens import model_texts
from tokforge.tokenizer.formats.proof import prove_pipeline
from tokforge.tokenizer.model import BpeModel, Definition, Kind, Merge, table_of
from tokforge.tokenizer.provenance import check_provenance

if TYPE_CHECKING:
    from tokforge.bpe.collect import Corpus

__all__ = [
    "BpeResult",
    "Learned",
    "build_tokenizer",
    "checked_stages",
    "choose_preset",
    "learn",
    "peak_memory_bytes",
    "spelled",
    "train",
    "train_bpe",
    "train_from_counts",
    "with_covered",
]


@dataclass(frozen=True, slots=True)
class Learned:
    """Merges in their order, and why there are no more; with each its pair's count and the tokens it left."""

    merges: list[Merge] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    stopped: Literal["vocab_size", "min_frequency", "exhausted"] = "vocab_size"


@dataclass(frozen=True, kw_only=True, slots=True)
class BpeResult:
    """A trained tokenizer and how it came about."""

    tokenizer: Tokenizer
    family: Mapping[int, Tokenizer]
    """The smaller sizes that were asked for."""
    counts: tuple[int, ...]
    """Occurrences of each merged pair when it was chosen, in merge order."""
    stopped: Literal["vocab_size", "min_frequency", "exhausted"]
    corpus_bytes: int
    corpus_tokens: int
    """Tokens into which the finished merges cut the training corpus."""
    seconds: float
    peak_memory_bytes: int
    """The most that this process has held so far, training included."""
    preset: str
    preset_reason: str
    mixture: Mixture
    curation: CurationReport
    skipped: tuple[Remark, ...]
    warnings: tuple[Remark, ...]
    character_tokens: int = 0
    """Characters, and the first bytes that they share, which were made tokens before any pair was counted."""
    reserved_tokens: int = 0
    """Named tokens that fill the size up to ``multiple_of``, since the corpus ended first."""
    id_map: IdMap | None = None
    """From the ids of the tokenizer that was extended, which all stay; None if training began afresh."""

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures as JSON values."""
        return {
            "vocab_size": self.tokenizer.vocab_size,
            "merges": len(self.counts),
            "character_tokens": self.character_tokens,
            "reserved_tokens": self.reserved_tokens,
            "corpus_bytes": self.corpus_bytes,
            "seconds": self.seconds,
            "peak_memory_bytes": self.peak_memory_bytes,
            "bytes_per_token": self.corpus_bytes / self.corpus_tokens if self.corpus_tokens else 0.0,
            "extends": self.id_map.old_vocab_size if self.id_map else None,
            "stopped": self.stopped,
            "preset": self.preset,
            "preset_reason": self.preset_reason,
            "sources": self.mixture.as_dict()["sources"],
            "curation": self.curation.as_dict(),
            "skipped": [{"path": remark.path, "reason": remark.reason} for remark in self.skipped],
            "warnings": [{"path": remark.path, "reason": remark.reason} for remark in self.warnings],
        }


def train(
    inputs: Sequence[str | Path],
    config: BpeConfig | None = None,
    *,
    extend: Tokenizer | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
) -> BpeResult:
    """Trains on files, folders, globs or ``-``; see :class:`BpeConfig` for the options.

    Args:
        inputs: what to read; each is a source of its own in weights and in the stored mixture.
        config: the options; all defaults if None.
        extend: a BPE tokenizer to go on from, of bytes or characters, ranked by pair: all its ids, merges
            and special tokens stay, and its splitter and normalisers cut the corpus.
        checkpoint: a folder from which a run that was killed goes on, and whether this one does.
        progress: called as ``progress(phase, done, total)`` about ten times a second with the phases
            "curate", "sample", "read", "count", "lay out", "scan" and "merge".

    Raises:
        InputError: an input is missing, empty or unreadable.
        ConfigError: options contradict each other or the inputs.
        PatternError: the pre-tokenizer is no valid regex, or exceeds its step budget.
        ExportError: the regex means something else to Hugging Face's engine.
        CorpusExhaustedError: ``exact_size`` is set and the corpus holds too few pairs.
        OutputError, FormatError: the checkpoint cannot be written, or is damaged.
        KeyboardInterrupt: interrupted, or raised by ``progress``.
    """
    config = config or BpeConfig()
    started = time.perf_counter()
    forbidden_tokens(config.special_tokens)  # a clash is refused before the work
    base = Start.extending(extend, config) if extend else None
    sources = open_sources(
        inputs,
        field=config.field,
        follow_symlinks=config.follow_symlinks,
        archives=archive_options(config.curation),
    )
    preset, reason = choose_preset(config, sources, extend)
    config = config.resolved(preset)
    start = base or Start.fresh(config, checked_stages(config))
    curation = Curation(sources, config.curation, progress=progress)
    journal = Journal(checkpoint, config, start) if checkpoint else None
    corpus, mixture = _gathered(sources, curation, start, config, journal, progress)
    base_size = len(start.tokens)
    start = with_covered(start, corpus, config)
    training = _learned(corpus, start, config, progress, journal)
    provenance = record(config, mixture, curation.report, training.stopped, start.extends)
    tokenizer = build_tokenizer(training.merges, start, config, provenance)
    corpus_bytes = sum(source.bytes for source in mixture.sources)
    return BpeResult(
        tokenizer=tokenizer,
        family={size: tokenizer.prefix(size) for size in config.family if size <= tokenizer.vocab_size},
        counts=tuple(training.counts),
        stopped=training.stopped,
        corpus_bytes=corpus_bytes,
        corpus_tokens=training.tokens[-1] if training.tokens else corpus_bytes,
        seconds=time.perf_counter() - started,
        peak_memory_bytes=peak_memory_bytes(),
        preset=preset,
        preset_reason=reason,
        mixture=mixture,
        curation=curation.report,
        skipped=tuple(remark for source in sources for remark in source.skipped),
        warnings=tuple(remark for source in sources for remark in source.warnings),
        character_tokens=len(start.tokens) - base_size,
        reserved_tokens=len(tokenizer.added_tokens) - len(start.added_tokens),
        id_map=IdMap.identity(extend.vocab_size, tokenizer.vocab_size) if extend else None,
    )


def train_bpe(
    inputs: str | Path | Sequence[str | Path],
    *,
    extend: Tokenizer | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Tokenizer:
    """Trains and returns the tokenizer alone; ``options`` are the fields of :class:`BpeConfig`.

    Raises as :func:`train` does.
    """
    paths = [inputs] if isinstance(inputs, str | Path) else inputs
    return train(paths, from_options(BpeConfig, options), extend=extend, progress=progress).tokenizer


def train_from_counts(counts: Mapping[bytes, int], config: BpeConfig | None = None) -> Tokenizer:
    """Trains on words that were counted elsewhere, by Spark or by another library.

    Args:
        counts: occurrences of each word, 1 or more; counts may exceed 32 bits.
        config: ``pretokenizer`` says how the words were cut, so that encoding cuts alike; it must be set.

    Example:
        >>> config = BpeConfig(vocab_size=258, pretokenizer="gpt2")
        >>> tokenizer = train_from_counts({b"low": 5, b"lower": 2}, config)
        >>> [tokenizer.token_bytes(merged) for _, _, merged in tokenizer.merges]
        [b'lo', b'low']
    """
    from tokforge import _core

    config = config or BpeConfig()
    if config.pretokenizer in (None, "none"):
        raise ConfigError(
            "words need a pre-tokenizer", "name the one that cut them, such as pretokenizer='gpt2'"
        )
    config = config.resolved("text")
    stages = checked_stages(config)
    table = _core.WordCounts(_core.Splitter(stages), 1)
    table.add_counts(list(counts), list(counts.values()))
    start = with_covered(Start.fresh(config, stages), table, config)
    training = learn(table, start, config, None)
    provenance = record(config, None, None, training.stopped, None)
    return build_tokenizer(training.merges, start, config, provenance)


def checked_stages(config: BpeConfig) -> tuple[str, ...]:
    """Returns the splitter's stages, once it is sure that a vocabulary trained on them can be exported."""
    from tokforge import _core

    stages = parse_pretokenizer(config.pretokenizer or "none")
    if any(stage.startswith("regex:") for stage in stages):
        _core.Splitter(stages)  # an invalid regex is refused by the engine, which says why
        prove_pipeline(Pipeline(kind="text", pretokenizers=stages))
    return stages


def choose_preset(config: BpeConfig, sources: Sequence[Source], extend: Tokenizer | None) -> tuple[str, str]:
    """Returns the preset to train by and why: the one asked for, or what the inputs look like."""
    if config.preset != "auto":
        return config.preset, "asked for"
    if extend and extend.kind == "binary":
        return "binary", "as the tokenizer that is extended"
    detection = detect_sources(sources)
    return detection.kind, detection.reason


def _gathered(
    sources: Sequence[Source],
    curation: Curation,
    start: Start,
    config: BpeConfig,
    journal: Journal | None,
    progress: Progress | None,
) -> "tuple[Corpus, Mixture]":
    """Reads the sources, here or on workers; returns the corpus and what each source gave."""
    if config.engine == "ray":
        return _counted_by_ray(sources, start, config, journal, progress)
    chosen = SampledSources(sources, config.sampling, progress=progress, read=curation.read)
    texts: Iterable[ByteView] = (data for _, data in chosen)
    if extended := extended_characters(start):
        if journal:
            raise ConfigError("a tokenizer of characters is extended without a checkpoint", "leave it out")
        return collect_text(texts, extended), chosen.mixture
    texts = model_texts(start.extends, texts) if start.extends else texts
    corpus = _collect(texts, start, config, sources, journal)
    return corpus, chosen.mixture


def _collect(
    documents: Iterable[ByteView],
    start: Start,
    config: BpeConfig,
    sources: Sequence[Source],
    journal: Journal | None,
) -> "Corpus":
    """Returns what the engine trains on: counted words, or unsplit bytes."""
    if not start.pipeline.pretokenizers:
        expected = config.sampling.sample_bytes or sum(source.size_bytes for source in sources)
        return collect_bytes(
            documents,
            expected,
            vocab_size=config.table_size,
            memory_bytes=config.memory_bytes,
            journal=journal,
        )
    return collect_words(
        documents,
        start.pipeline,
        threads=config.threads,
        memory_bytes=config.memory_bytes,
        journal=journal,
    )


def with_covered(start: Start, corpus: "Corpus", config: BpeConfig) -> Start:
    """Returns ``start`` with the characters that the options ask for; ConfigError where there are none."""
    from tokforge import _core

    if not config.character_coverage:
        return start
    if start.extends or isinstance(corpus, _core.ByteCorpus):
        what = "the tokenizer to extend has its own" if start.extends else "unsplit bytes have none"
        raise ConfigError(f"character_coverage chooses characters, and {what}", "leave it out")
    characters = covering_characters(corpus.characters(), config.character_coverage, config.min_frequency)
    return with_characters(start, characters, config.table_size)


def _counted_by_ray(
    sources: Sequence[Source],
    start: Start,
    config: BpeConfig,
    journal: Journal | None,
    progress: Progress | None,
) -> "tuple[Corpus, Mixture]":
    """Counts on workers; every document is taken whole, as it is."""
    from tokforge.bpe.ray_engine import count_on_workers

    if not start.pipeline.pretokenizers:
        raise ConfigError("unsplit bytes hold no words to count on workers", "name a pre-tokenizer")
    if journal or start.extends or not config.sampling.takes_all or config.curation != BpeConfig().curation:
        raise ConfigError(
            "engine is ray, which takes every document once and whole",
            "leave out sampling, curation, extend and checkpoint, or use the local engine",
        )
    counts, seen = count_on_workers(sources, start.pipeline, workers=config.workers, progress=progress)
    return counts, Mixture.of(config.sampling, [source.name for source in sources], seen)


def _learned(
    corpus: "Corpus", start: Start, config: BpeConfig, progress: Progress | None, journal: Journal | None
) -> Learned:
    """Learns as `learn` does, from bytes or from characters."""
    extended = extended_characters(start)
    if extended is None:
        return learn(corpus, start, config, progress, journal)
    engines = byte_start(start, extended.definition)
    room = config.table_size + len(engines.tokens) - len(start.tokens)
    learned = learn(corpus, engines, replace(config, vocab_size=room, multiple_of=1), progress)
    return replace(learned, merges=own_ids(learned.merges, start, engines))


def learn(
    corpus: "Corpus",
    start: Start,
    config: BpeConfig,
    progress: Progress | None,
    journal: Journal | None = None,
) -> Learned:
    """Makes the merges, going on from those that a journal knows."""
    from tokforge import _core

    done = journal.replayed(start) if journal else []
    old = journal.kept(len(done)) if journal else ([], [])

    def keep(merges: list[Merge], counts: list[int], tokens: list[int]) -> None:
        if journal:
            journal.save_merges(done + merges, old[0] + counts, old[1] + tokens)

    training = _core.train(
        corpus,
        tokens=[*start.tokens, *spelled(start.tokens, done)],
        byte_ids=start.byte_ids,
        merges=[*start.merges, *done],
        vocab_size=config.table_size,
        min_frequency=config.min_frequency,
        max_token_bytes=config.max_token_bytes or None,
        forbidden=forbidden_tokens(start.texts),
        threads=config.thread_count,
        memory=available_bytes(config.memory_bytes) if config.memory_bytes else None,
        progress=progress,
        keep=keep if journal else None,
        keep_seconds=journal.seconds if journal else 0.0,
    )
    keep(training.merges, training.counts, training.tokens)
    learned = Learned(
        done + training.merges, old[0] + training.counts, old[1] + training.tokens, training.stopped
    )
    if config.exact_size and learned.stopped != "vocab_size":
        raise _exhausted(config, start, learned)
    return learned


def spelled(tokens: Sequence[bytes | None], merges: Sequence[Merge]) -> list[bytes]:
    """Returns the bytes of the tokens that merges add behind ``tokens``."""
    table = list(tokens)
    for left, right, merged in merges:
        if merged == len(table):  # else the tokenizer that is extended had these bytes without this merge
            table.append((table[left] or b"") + (table[right] or b""))
    return [token or b"" for token in table[len(tokens) :]]


def build_tokenizer(
    merges: Sequence[Merge], start: Start, config: BpeConfig, provenance: Mapping[str, Any]
) -> Tokenizer:
    """Returns ``start`` with new merges, padded to ``config.multiple_of`` with unused tokens."""
    tokens: list[bytes | None] = [*start.tokens, *spelled(start.tokens, merges)]
    added = list(start.added_tokens)
    missing = round_up(len(tokens), config.multiple_of) - len(tokens)
    for text in islice(reserved_names(start.texts, tokens), missing):
        added.append(AddedToken(id=len(tokens), text=text))
        tokens.append(None)
    # An old merge whose part only a new one makes comes up, and is counted, a second time: it has its rank.
    every_merge = list(dict.fromkeys([*start.merges, *merges]))
    if start.extends is None:
        return Tokenizer.from_parts(
            tokens, every_merge, pipeline=start.pipeline, added_tokens=added, provenance=provenance
        )
    old = start.extends.definition
    new_kinds: list[Kind] = ["normal"] * (len(tokens) - len(old.table))
    model = replace(_bpe_of(old), merges=every_merge)
    grown = replace(
        old,
        table=table_of(tokens, added, [*old.table.kinds, *new_kinds]),
        model=model,
        added_tokens=tuple(added),
    )
    return Tokenizer(grown, check_provenance(provenance))


def _bpe_of(definition: Definition) -> BpeModel:
    if not isinstance(definition.model, BpeModel):
        raise TypeError(definition.model)
    return definition.model


def _exhausted(config: BpeConfig, start: Start, training: Learned) -> CorpusExhaustedError:
    wanted = config.table_size - len(start.tokens)
    left = (
        "no pair is left"
        if training.stopped == "exhausted"
        else f"no pair occurs {config.min_frequency} times"
    )
    return CorpusExhaustedError(
        f"{left} after {len(training.merges)} of {wanted} merges",
        "add data, lower min_frequency or vocab_size, or drop exact_size",
    )


def peak_memory_bytes() -> int:
    """Returns the most that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
