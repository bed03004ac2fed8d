"""The three learners: each gives the tokenizers of all sizes from one pass over its stages."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tokforge.bpe import BpeConfig
from tokforge.bpe.start import Start
from tokforge.bpe.training import build_tokenizer
from tokforge.errors import ConfigError
from tokforge.inputs import ByteView, Progress, batches
from tokforge.supertokens.across import Across, merge_across
from tokforge.supertokens.config import LEARNERS, SupertokensConfig, chunk_ranges
from tokforge.supertokens.interleave import interleave, new_counts
from tokforge.tokenizer import BpeModel, Pipeline, Tokenizer, forbidden_tokens
from tokforge.tokenizer.model import Merge

if TYPE_CHECKING:
    from tokforge import _core

__all__ = [
    "Learned",
    "Task",
    "WordStage",
    "check_base",
    "learn_boundless",
    "learn_chunks",
    "learn_superbpe",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class WordStage:
    """Tokens within words, and how often each merge occurred when it was made."""

    tokenizer: Tokenizer
    counts: tuple[int, ...]
    """Empty where the tokenizer was given: its merges then all come first."""

    def start(self, pipeline: Pipeline, vocab_size: int | None = None) -> Start:
        """Begins a new stage with the first ``vocab_size`` ids behind another splitter."""
        base = self.tokenizer if vocab_size is None else self.tokenizer.prefix(vocab_size)
        return Start(
            tokens=tuple(base.table.ordinary()),
            merges=base.merges,
            added_tokens=base.added_tokens,
            pipeline=pipeline,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Learned:
    """Tokenizers by size, and the figures of the largest."""

    by_size: Mapping[int, Tokenizer]
    words: int
    """Tokens within words, specials and bytes included."""
    counts: Sequence[int]
    least_count: int
    sequences: int
    stopped: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What every learner needs."""

    config: BpeConfig
    supertokens: SupertokensConfig
    documents: Iterable[ByteView]
    record: Callable[[str], Mapping[str, Any]]
    """What the artefact records of the corpus, once it has been read, and of why training stopped."""
    progress: Progress | None

    @property
    def pipeline(self) -> Pipeline:
        """The learner's splitter; the text is otherwise left as it is."""
        splitter = LEARNERS[self.supertokens.learner].splitter
        return Pipeline(kind="text", pretokenizers=() if splitter == "none" else (splitter,))

    @property
    def words(self) -> tuple[str, ...]:
        """The splitter of the word stage."""
        return (self.config.pretokenizer,) if self.config.pretokenizer else ()

    def built(
        self, start: Start, merges: Sequence[Merge], size: int, stopped: str, transition: int | None = None
    ) -> Tokenizer:
        """Returns the tokenizer of ``start`` and ``merges`` with what the artefact records."""
        config = replace(self.config, vocab_size=size, family=())
        provenance = {**self.record(stopped), "supertokens": self.supertokens.as_dict(transition)}
        return build_tokenizer(merges, start, config, provenance)


def learn_superbpe(task: Task, stage: WordStage, transition: int | None) -> Learned:
    """Keeps the word stage's first tokens, all if ``transition`` is None, and goes on across words."""
    config, size = task.config, task.config.table_size
    first = None if transition is None else 256 + len(stage.tokenizer.added_tokens) + transition
    start = stage.start(task.pipeline, first)
    across = merge_across(
        start,
        task.documents,
        config,
        words=task.words,
        rules=task.supertokens.rules,
        size=size,
        progress=task.progress,
    )
    tokenizer = task.built(start, across.merges, size, across.stopped, transition)
    return _learned(_sizes(tokenizer, config), len(start.tokens), across)


def learn_boundless(task: Task, stage: WordStage) -> Learned:
    """Joins runs of whole words, and lets these merges compete with the word stage's by count."""
    config, tokenizer = task.config, stage.tokenizer
    start = stage.start(task.pipeline)
    single = Pipeline(kind="text", pretokenizers=(LEARNERS["boundless"].words,))
    words = replace(start, pipeline=single)
    rivals = sorted(new_counts(tokenizer, stage.counts), reverse=True)
    room = config.table_size - (len(start.tokens) - len(rivals))
    across = merge_across(
        words,
        task.documents,
        config,
        words=(),
        rules=task.supertokens.rules,
        size=len(start.tokens) + room,
        eligible=_are_words(tokenizer),
        order="boundless",
        rivals=rivals,
        progress=task.progress,
    )
    by_size = {}
    for size in (*config.family, config.table_size):
        kept, merges = interleave(tokenizer, stage.counts, across, size)
        base = start if kept == len(start.tokens) else stage.start(task.pipeline, kept)
        by_size[size] = task.built(base, merges, size, across.stopped)
    return _learned(by_size, kept, across)


def learn_chunks(task: Task, start: Start) -> Learned:
    """Merges inside chunks of random length; nothing is split when the vocabulary is used."""
    from tokforge import _core

    config, supertokens = task.config, task.supertokens
    counts = _core.ChunkCounts(chunk_ranges(supertokens.chunks), config.sampling.seed)
    for batch in batches(task.documents):
        counts.add(batch)
    sequences = len(counts)
    training = _core.train(
        counts,
        tokens=start.tokens,
        byte_ids=start.byte_ids,
        vocab_size=config.table_size,
        min_frequency=config.min_frequency,
        max_token_bytes=config.max_token_bytes or None,
        forbidden=forbidden_tokens(start.texts),
        threads=config.thread_count,
        progress=task.progress,
        **supertokens.rules,
    )
    tokenizer = task.built(start, training.merges, config.table_size, training.stopped)
    across = Across(
        merges=training.merges,
        counts=training.counts,
        stopped=training.stopped,
        least_count=max(config.min_frequency, 1),
        sequences=sequences,
    )
    return _learned(_sizes(tokenizer, config), len(start.tokens), across)


def _learned(by_size: Mapping[int, Tokenizer], words: int, across: Across) -> Learned:
    return Learned(
        by_size=by_size,
        words=words,
        counts=across.counts,
        least_count=across.least_count,
        sequences=across.sequences,
        stopped=across.stopped,
    )


def _sizes(tokenizer: Tokenizer, config: BpeConfig) -> dict[int, Tokenizer]:
    smaller = {size: tokenizer.prefix(size) for size in config.family if size <= tokenizer.vocab_size}
    return {**smaller, config.table_size: tokenizer}


def _are_words(tokenizer: Tokenizer) -> list[bool]:
    """By id: whether the token is one pretoken, and holds a letter."""
    from tokforge import _core

    splitter = _core.Splitter(["boundless"])
    return [token is not None and _is_word(splitter, token) for token in tokenizer.table.ordinary()]


def _is_word(splitter: "_core.Splitter", token: bytes) -> bool:
    try:
        text = token.decode()
    except UnicodeDecodeError:
        return False
    letters = any(char.isalpha() for char in text)
    return letters and len(splitter.split(token)) == 1


def check_base(tokenizer: Tokenizer, size: int) -> None:
    """Raises ConfigError for a tokenizer whose word stage cannot be taken over."""
    model = tokenizer.definition.model
    if not isinstance(model, BpeModel) or not model.is_byte_level:
        raise ConfigError(
            "only byte-level BPE ranked by pair has a word stage", "convert it to tokenizer.json"
        )
    if tokenizer.pipeline.normalizers:
        raise ConfigError("the tokenizer to extend normalises its text", "extend one that does not")
    if tokenizer.vocab_size >= size:
        raise ConfigError(
            f"vocab_size is {size}, and the tokenizer to extend has {tokenizer.vocab_size} ids",
            "give a larger size, or superbpe:T with a smaller T",
        )
