"""What to learn across words: the learner, its veto rules, its chunks, and the documents it sees."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tokforge.bpe import BpeConfig
from tokforge.errors import ConfigError, pick
from tokforge.options import check_types

__all__ = ["LEARNERS", "PUBLISHED_CHUNKS", "Learner", "SupertokensConfig", "chunk_ranges", "parse_chunks"]

_SUM_SLACK = 1e-9  # as the published loader

_PUBLISHED = {
    **{"4-5": 0.044, "6-7": 0.091, "8-9": 0.146, "10-11": 0.171, "12-13": 0.185},
    **{"14-15": 0.171, "16-17": 0.146, "18-19": 0.091, "20-21": 0.044, "22-23": 0.011},
}
PUBLISHED_CHUNKS: Mapping[str, float] = MappingProxyType(
    {lengths: weight / math.fsum(_PUBLISHED.values()) for lengths, weight in _PUBLISHED.items()}
)
"""TokenAdapt's table of chunk lengths in characters, corrected: as published it sums to 1.1, which its own
loader refuses; here each weight is divided by that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Learner:
    """What a learner takes where the options leave it open, and what it goes by."""

    words: str
    """Splitter of the word stage."""
    splitter: str
    """Splitter behind which the vocabulary is used."""
    max_words: int
    excluded: tuple[str, ...]
    order: str
    counts: str
    """What counts as an occurrence of a pair."""
    source: str


LEARNERS: Mapping[str, Learner] = {
    "random-chunks": Learner(
        words="none",
        splitter="none",
        max_words=0,
        excluded=(),
        order="hf",
        counts="adjacent",
        source="TokenAdapt, arXiv 2505.09738",
    ),
    "superbpe": Learner(
        words="superbpe-words",
        splitter="superbpe",
        max_words=4,
        excluded=(": ",),
        order="hf",
        counts="adjacent",
        source="SuperBPE, arXiv 2503.13423",
    ),
    "boundless": Learner(
        words="boundless-words",
        splitter="boundless",
        max_words=0,
        excluded=(),
        order="boundless",
        counts="non-overlapping",
        source="BoundlessBPE, arXiv 2504.00178 and 2604.05192",
    ),
}
"""By name. ``max_words`` 0: no limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SupertokensConfig:
    """Options of :func:`tokforge.supertokens.train`."""

    learner: str
    """One of `LEARNERS`."""
    transitions: tuple[int, ...] = ()
    """superbpe: tokens that the word stage makes before the second begins; several from one word stage."""
    max_words: int | None = None
    """Most words in a new token, 0: no limit. Unset: the learner's."""
    excluded: tuple[str, ...] | None = None
    """Texts that no new token may hold. Unset: the learner's."""
    digits_apart: bool = False
    """Whether no new token may mix digits with anything else; the splitters see to most of that."""
    chunks: Mapping[str, float] = field(default_factory=lambda: dict(PUBLISHED_CHUNKS))
    """random-chunks: weight of each range of lengths in characters, ``"4-5": 0.04``; they sum to 1."""
    sample_documents: int | None = None
    """How many documents, drawn by a hash of their content and the seed, teach tokens across words; a
    document longer than 1 MiB counts once for each. Unset: all. The word stage sees all."""
    verify: tuple[str, ...] = ()
    """Held-out files on which Hugging Face must give the same ids."""

    def __post_init__(self) -> None:
        check_types(self)
        pick("supertokens", self.learner, LEARNERS)
        if self.learner != "superbpe" and self.transitions:
            raise ConfigError(f"{self.learner} has no transition", f"write {self.learner} alone")
        for transition in self.transitions:
            if transition < 1:
                raise ConfigError(f"the transition is {transition}", "use 1 or more, such as superbpe:20000")
        for name, value, least in (
            ("max_words", self.max_words, 0),
            ("sample_documents", self.sample_documents, 1),
        ):
            if value is not None and value < least:
                raise ConfigError(f"{name} is {value}", f"use {least} or more")
        if self.excluded and "" in self.excluded:
            raise ConfigError("an excluded text is empty", "give it a character or more")
        chunk_ranges(self.chunks)

    @classmethod
    def parse(cls, text: str, **options: Any) -> "SupertokensConfig":
        """Reads ``random-chunks``, ``superbpe``, ``superbpe:T``, ``superbpe:T,T`` or ``boundless``.

        >>> SupertokensConfig.parse("superbpe:20000,40000").transitions
        (20000, 40000)
        """
        learner, colon, rest = text.partition(":")
        pick("supertokens", learner, LEARNERS)
        if colon and not re.fullmatch(r"\d{1,9}(,\d{1,9})*", rest):
            raise ConfigError(f"supertokens is {text!r}", "write superbpe:T, such as superbpe:20000")
        transitions = tuple(dict.fromkeys(int(part) for part in rest.split(","))) if colon else ()
        return cls(learner=learner, transitions=transitions, **options)

    @property
    def rules(self) -> Mapping[str, Any]:
        """The veto rules, as the engine takes them."""
        learner = LEARNERS[self.learner]
        words = learner.max_words if self.max_words is None else self.max_words
        excluded = learner.excluded if self.excluded is None else self.excluded
        return {
            "max_words": words or None,
            "excluded": [text.encode() for text in excluded],
            "digits_apart": self.digits_apart,
        }

    def check_sizes(self, config: BpeConfig) -> None:
        """Raises ConfigError where a size leaves no room for tokens across words."""
        first = 256 + len(config.special_tokens)
        for size in (config.table_size, *config.family):
            for transition in self.transitions:
                if first + transition >= size:
                    raise ConfigError(
                        f"the transition {transition} makes {first + transition} tokens, the size is {size}",
                        f"use a transition below {max(size - first, 1)}, or a larger size",
                    )

    def as_dict(self, transition: int | None = None) -> dict[str, Any]:
        """Returns what the artefact records, as JSON values."""
        learner, rules = LEARNERS[self.learner], self.rules
        record: dict[str, Any] = {
            "learner": self.learner,
            "source": learner.source,
            "order": learner.order,
            "counts": learner.counts,
            "max_words": rules["max_words"],
            "excluded": [text.decode() for text in rules["excluded"]],
            "digits_apart": self.digits_apart,
            "sample_documents": self.sample_documents,
        }
        if transition is not None:
            record["transition"] = transition
        if self.learner == "random-chunks":
            record["chunks"] = dict(self.chunks)
            if self.chunks == PUBLISHED_CHUNKS:
                record["chunks_note"] = "the published table sums to 1.1; corrected by dividing by that"
        return record


def parse_chunks(text: str) -> dict[str, float]:
    """Reads ``4-5=0.3,6-9=0.7``.

    >>> parse_chunks("4-5=0.25,6-9=0.75")
    {'4-5': 0.25, '6-9': 0.75}
    """
    table: dict[str, float] = {}
    for part in text.split(","):
        lengths, equals, weight = part.strip().partition("=")
        try:
            table[lengths] = float(weight)
        except ValueError:
            equals = ""
        if not equals:
            raise ConfigError(f"a chunk range is {part!r}", "write LOW-HIGH=SHARE, such as 4-5=0.3")
    return table


def chunk_ranges(chunks: Mapping[str, float]) -> list[tuple[int, int, float]]:
    """Returns (low, high, weight) of each range; raises ConfigError for a table that is no distribution."""
    ranges = []
    for lengths, weight in chunks.items():
        found = re.fullmatch(r"(\d{1,6})-(\d{1,6})", lengths)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ConfigError(f"chunk lengths are {lengths!r}", "write LOW-HIGH, such as 4-5")
        if not 0 <= weight <= 1:
            raise ConfigError(f"the weight of {lengths} is {weight}", "use a share from 0 to 1")
        ranges.append((int(found[1]), int(found[2]), float(weight)))
    total = math.fsum(weight for _, _, weight in ranges)
    if abs(total - 1) > _SUM_SLACK:
        raise ConfigError(f"the chunk weights sum to {total:.6g}", "make them sum to 1")
    return ranges
