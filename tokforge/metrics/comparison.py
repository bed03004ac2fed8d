"""`compare`: tokenizers side by side on the same texts, in one pass over them.

Every document is read once and encoded once by each tokenizer; all metrics come from the same counts.
Memory: O(vocabularies + documents + one batch). Deterministic for a seed, encoding speed aside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, InputError, TokforgeError, pick
from tokforge.inputs import ArchiveOptions
from tokforge.metrics import fairness
from tokforge.metrics.corpus import Category, Unit, batched, open_categories
from tokforge.metrics.kinship import Kinship, kinships
from tokforge.metrics.measure import METRICS, PairTest, Values, pair_tests, resampled, values_of
from tokforge.metrics.names import short_names
from tokforge.metrics.profile import profile, superwords
from tokforge.metrics.resampling import LEAST_RESAMPLES
from tokforge.metrics.samples import Sample, sample_of
from tokforge.metrics.tally import LEAST_SPELLED, Tally, tally
from tokforge.metrics.text import analyse
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.metrics.words import morpheme_agreement, parse_morphemes, parse_words, retention
from tokforge.threads import thread_count
from tokforge.tokenizer import Tokenizer

__all__ = ["CompareConfig", "Comparison", "TextSummary", "compare"]

Array: TypeAlias = npt.NDArray[Any]
Progress: TypeAlias = Callable[[str, int, int], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareConfig:
    """How tokenizers are compared."""

    documents: Unit = "file"
    """What a document is: a ``file`` (or a row), or a ``line``. Intervals and tests draw documents."""
    parallel: bool = False
    """Whether the texts are translations of one another: then costs are tokens of the whole text."""
    archives: bool = False
    """Read the members of zip, tar and ar files in their place, each a document."""
    archive_password: str | None = field(default=None, repr=False)
    """Opens encrypted zips. Never stored."""
    field: str | None = None
    """The field of jsonl and parquet rows to read."""
    words: Path | None = None
    """A word list, one a line, for single-token retention."""
    morphemes: Path | None = None
    """Words with their morphemes separated by spaces, one a line."""
    resamples: int = 1000
    """Draws of documents for intervals and tests, 39 or more; 0 makes none."""
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        pick("documents", self.documents, {"file": (), "line": ()})
        if self.resamples and not LEAST_RESAMPLES <= self.resamples <= 100_000:
            hint = f"use {LEAST_RESAMPLES} to 100000, for fewer cannot reach 95%; or 0 for no tests"
            raise ConfigError(f"resamples is {self.resamples}", hint, "resamples")
        thread_count(self.threads)


@dataclass(frozen=True, kw_only=True, slots=True)
class TextSummary:
    """One category of text."""

    path: str
    documents: int
    bytes: int
    characters: int
    words: int
    sha256: str
    """Of the documents end to end, in order."""
    left_out: int
    """Files without a counterpart in another parallel text."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What `compare` found."""

    config: CompareConfig
    tokenizers: dict[str, dict[str, Any]]
    """Name as given -> what the tokenizer is."""
    texts: dict[str, TextSummary]
    metrics: dict[str, dict[str, Values]]
    """Metric -> tokenizer -> values."""
    parity: dict[str, dict[str, float]]
    """Tokenizer -> category -> cost over that of the cheapest category."""
    pairs: tuple[PairTest, ...]
    kinships: tuple[Kinship, ...]
    warnings: tuple[str, ...]
    seconds: float
    totals: dict[str, Tally] = field(repr=False)
    """Tokenizer -> its counts over all texts. Not in the JSON."""
    samples: tuple[Sample, ...] = field(repr=False)
    """The beginning of each text as every tokenizer cuts it. Not in the JSON."""

    @property
    def lossy(self) -> frozenset[str]:
        """Tokenizers that lose more than 5% of the text: none is called the best at what the text decides."""
        return frozenset(name for name, total in self.totals.items() if total.spelled_share < LEAST_SPELLED)

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures as JSON values."""
        values = {
            name: {**METRICS[name].as_dict(), "values": {key: asdict(one) for key, one in by.items()}}
            for name, by in self.metrics.items()
        }
        return {
            "tokenizers": self.tokenizers,
            "texts": {name: asdict(text) for name, text in self.texts.items()},
            "metrics": values,
            "parity": self.parity,
            "pairs": [asdict(pair) for pair in self.pairs],
            "kinships": [one.as_dict() for one in self.kinships],
            "parallel": self.config.parallel,
            "documents": self.config.documents,
            "resamples": self.config.resamples,
            "seed": self.config.seed,
            "warnings": list(self.warnings),
            "seconds": self.seconds,
        }

    def _repr_html_(self) -> str:
        from tokforge.metrics._notebook import comparison_html

        return comparison_html(self)


def compare(
    tokenizers: Mapping[str, Tokenizer] | Sequence[str | Path],
    texts: Sequence[str | Path],
    config: CompareConfig | None = None,
    *,
    progress: Progress | None = None,
) -> Comparison:
    """Compares ``tokenizers`` (paths, or name -> tokenizer) on ``texts`` (a file or folder for each).

    ``progress`` is called with the phase "encode" and bytes on disk, done and in all.

    Raises:
        InputError, FormatError: a tokenizer or a text cannot be read.
        ConfigError: nothing to compare, or parallel texts that do not match.
    """
    config, started = config or CompareConfig(), perf_counter()
    password = None if config.archive_password is None else config.archive_password.encode()
    categories = open_categories(
        texts,
        field=config.field,
        parallel=config.parallel,
        archives=ArchiveOptions(password=password) if config.archives else None,
    )
    vocabularies = _vocabularies(tokenizers)
    lists = _word_lists(config)
    found = _gather(vocabularies, categories, config, progress)
    if config.parallel:
        _check_parallel(found.texts)
    return _result(config, vocabularies, found, lists, started)


def _vocabularies(tokenizers: Mapping[str, Tokenizer] | Sequence[str | Path]) -> list[Vocabulary]:
    if not isinstance(tokenizers, Mapping):
        names = [str(path) for path in tokenizers]
        if len(set(names)) < len(names):
            raise ConfigError("a tokenizer is named twice", "name each once", "tokenizers")
        tokenizers = {name: Tokenizer.load(name) for name in names}
    if not tokenizers:
        raise ConfigError("no tokenizer is named", "name at least one", "tokenizers")
    for tokenizer in tokenizers.values():
        tokenizer.encode(b"x")  # makes the engine now, so that the encoding speed is without it
    return [Vocabulary(name, tokenizer) for name, tokenizer in tokenizers.items()]


def _word_lists(config: CompareConfig) -> tuple[list[str], list[list[str]]]:
    words = parse_words(_read(config.words), str(config.words)) if config.words else []
    morphemes = parse_morphemes(_read(config.morphemes), str(config.morphemes)) if config.morphemes else []
    return words, morphemes


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", "check the path", str(path)) from error


@dataclass(slots=True)
class _Gathered:
    """What the pass over the texts brings."""

    texts: dict[str, TextSummary] = field(default_factory=dict)
    units: dict[str, Array] = field(default_factory=dict)
    tallies: dict[str, dict[str, Tally]] = field(default_factory=dict)
    """Category -> tokenizer -> tally."""
    samples: list[Sample] = field(default_factory=list)


def _gather(
    vocabularies: list[Vocabulary],
    categories: list[Category],
    config: CompareConfig,
    progress: Progress | None,
) -> _Gathered:
    found = _Gathered()
    total, base = sum(category.size_bytes for category in categories), 0
    for category in categories:

        def report(done: int, base: int = base) -> None:
            if progress is not None:
                progress("encode", min(base + done, total), total)

        report(0)
        units, digest = _gather_category(vocabularies, category, config, found, report)
        found.units[category.name] = units
        found.texts[category.name] = TextSummary(
            path=category.source.name,
            documents=len(units),
            bytes=int(units[:, 0].sum()),
            characters=int(units[:, 1].sum()),
            words=int(units[:, 2].sum()),
            sha256=digest,
            left_out=category.left_out,
        )
        base += category.size_bytes
    return found


def _gather_category(
    vocabularies: list[Vocabulary],
    category: Category,
    config: CompareConfig,
    found: _Gathered,
    report: Callable[[int], None],
) -> tuple[Array, str]:
    """Adds the tallies of one category to ``found``; returns (documents, 3) bytes, characters and words of
    each document, and the hash of them all."""
    tallies: dict[str, list[Tally]] = {vocabulary.name: [] for vocabulary in vocabularies}
    units, digest = [], sha256()
    for number, (documents, done) in enumerate(batched(category, config.documents)):
        text = analyse(documents)
        digest.update(b"".join(documents))
        units.append(np.column_stack([text.bytes, text.characters, text.words]))
        for vocabulary in vocabularies:
            so_far = tallies[vocabulary.name]
            so_far.append(tally(vocabulary, text, config.threads))
            if len(so_far) == 2:  # added at once: each holds counts of the whole vocabulary
                so_far[:] = [so_far[0] + so_far[1]]
        if number == 0:
            found.samples.append(sample_of(category.name, documents, vocabularies))
        report(done)
    found.tallies[category.name] = {name: one[0] for name, one in tallies.items()}
    return np.concatenate(units), digest.hexdigest()


def _check_parallel(texts: Mapping[str, TextSummary]) -> None:
    sizes = {name: text.documents for name, text in texts.items()}
    least, most = min(sizes, key=lambda name: sizes[name]), max(sizes, key=lambda name: sizes[name])
    if sizes[least] != sizes[most]:
        raise ConfigError(
            f"{least} has {sizes[least]} documents and {most} {sizes[most]}, so they are not parallel",
            "align them (FLORES files: --documents line), or drop --parallel",
        )


def _result(
    config: CompareConfig,
    vocabularies: list[Vocabulary],
    found: _Gathered,
    lists: tuple[list[str], list[list[str]]],
    started: float,
) -> Comparison:
    counts = {category: {n: one.tokens for n, one in by.items()} for category, by in found.tallies.items()}
    drawn = resampled(found.units, counts, resamples=config.resamples, seed=config.seed)
    by_name = {v.name: {category: by[v.name] for category, by in found.tallies.items()} for v in vocabularies}
    totals = {name: _sum(list(tallies.values())) for name, tallies in by_name.items()}
    values = {
        v.name: values_of(v, by_name[v.name], totals[v.name], drawn, parallel=config.parallel)
        for v in vocabularies
    }
    return Comparison(
        config=config,
        tokenizers={
            v.name: {
                **profile(v, totals[v.name], short),
                "superwords": {category: superwords(one) for category, one in by_name[v.name].items()},
                **_lists(v, *lists),
            }
            for v, short in zip(vocabularies, short_names([v.name for v in vocabularies]), strict=True)
        },
        texts=found.texts,
        metrics={name: {key: by[name] for key, by in values.items()} for name in METRICS},
        parity={name: _parity(tallies, config.parallel) for name, tallies in by_name.items()},
        pairs=pair_tests(totals, drawn, resamples=config.resamples, seed=config.seed),
        kinships=kinships(vocabularies),
        warnings=_warnings(found, totals),
        seconds=perf_counter() - started,
        totals=totals,
        samples=tuple(found.samples),
    )


def _sum(tallies: list[Tally]) -> Tally:
    total = tallies[0]
    for one in tallies[1:]:
        total = total + one
    return total


def _parity(tallies: Mapping[str, Tally], parallel: bool) -> dict[str, float]:
    costs = {name: fairness.cost(one, parallel=parallel) for name, one in tallies.items()}
    return fairness.parity({name: cost for name, cost in costs.items() if cost is not None})


def _lists(
    vocabulary: Vocabulary, words: list[str], morphemes: list[list[str]]
) -> dict[str, dict[str, Any] | None]:
    try:
        return {
            "retention": asdict(retention(vocabulary.tokenizer, words)) if words else None,
            "morphemes": asdict(morpheme_agreement(vocabulary.tokenizer, morphemes)) if morphemes else None,
        }
    except TokforgeError as error:  # says which tokenizer refuses the words
        error.where = error.where or vocabulary.name
        raise


def _warnings(found: _Gathered, totals: Mapping[str, Tally]) -> tuple[str, ...]:
    """What a reader of the figures should know."""
    single = [name for name, text in found.texts.items() if text.documents < 2]
    said = []
    if single:
        are = "is one document" if len(single) == 1 else "are one document each"
        said.append(f"no intervals: {', '.join(single)} {are}; --documents line makes each line one")
    for name, total in totals.items():
        if total.spelled_share < LEAST_SPELLED:
            said.append(
                f"the tokens of {name} spell {total.spelled_share:.0%} of the text: the rest is dropped, as "
                "white space is, or rewritten, or unknown to it; its figures are of less text, "
                "and none is marked best"
            )
        if total.unaligned:
            said.append(
                f"{name} normalises {total.unaligned} documents; their words are left out of the split "
                "shares, which are not given where that is more than 5% of all words"
            )
    return tuple(said)
