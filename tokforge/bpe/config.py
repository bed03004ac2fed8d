"""What to learn: options of a training run, checked before any work, and the presets behind them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tokforge.errors import ConfigError, pick
from tokforge.inputs.config import CurationConfig
from tokforge.options import check_types
from tokforge.threads import thread_count

__all__ = [
    "BYTES",
    "DEFAULT_VOCAB_SIZE",
    "PRESETS",
    "BpeConfig",
    "CurationConfig",
    "Preset",
    "SamplingConfig",
    "round_up",
]

DEFAULT_VOCAB_SIZE = 32768
BYTES = 256
_MOST_OCCURRENCES = (1 << 64) - 1  # as the engine counts
_LONGEST = (1 << 31) - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """Defaults for a kind of data."""

    pretokenizer: str
    max_token_bytes: int
    vocab_size: int = DEFAULT_VOCAB_SIZE
    multiple_of: int | None = None
    special_tokens: tuple[str, ...] = ()
    character_coverage: float = 0.0


PRESETS: Mapping[str, Preset] = {
    # Far above any word or run that is of use: without a limit, one run of millions of spaces becomes
    # tokens of megabytes, which no library loads in reasonable time.
    "text": Preset(pretokenizer="o200k", max_token_bytes=1024),
    "code": Preset(pretokenizer="llama3", max_token_bytes=1024),
    # Executables have no words. Longer tokens than 32 bytes are padding or copies of one file.
    "binary": Preset(pretokenizer="none", max_token_bytes=32),
    # For encoders: Han runs apart from marks, digits and Latin; 8 Han characters at most, since longer
    # tokens are phrases of one source; a size that fills matrix tiles; no [UNK], for bytes need none.
    "chinese-32k": Preset(
        pretokenizer="chinese",
        max_token_bytes=24,
        multiple_of=64,
        special_tokens=("[PAD]", "[CLS]", "[SEP]", "[MASK]"),
        character_coverage=0.9995,
    ),
}
"""By name; `auto` is the one of the first three that the inputs look like."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplingConfig:
    """How sources are mixed. The defaults take every document once."""

    weights: Mapping[str, float] = field(default_factory=dict)
    """Target share of the bytes for each named source; the unnamed share the rest by their size."""
    temperature: float | None = None
    """Shares in proportion to size**(1/temperature): 1 is proportional, larger is flatter."""
    sample_bytes: int | None = None
    """Bytes in all; None takes all, or with weights the most that repeats nothing."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_types(self)
        if self.weights and self.temperature is not None:
            raise ConfigError("weight and temperature both set the shares", "keep one of them")
        if self.temperature is not None and not 0 < self.temperature < math.inf:
            raise ConfigError(f"temperature is {self.temperature}", "use a number above 0, such as 3")
        if self.sample_bytes is not None and self.sample_bytes < 1:
            raise ConfigError(f"sample is {self.sample_bytes} bytes", "use 1 or more")
        if not 0 <= self.seed < 1 << 64:
            raise ConfigError(f"seed is {self.seed}", "use a number from 0 to 2**64 - 1")
        for name, weight in self.weights.items():
            if not 0 <= weight <= 1:
                raise ConfigError(f"the weight of {name} is {weight}", "use a share from 0 to 1")

    @property
    def takes_all(self) -> bool:
        """Whether nothing is chosen: every document is read once, in order."""
        return not self.weights and self.temperature is None and self.sample_bytes is None


@dataclass(frozen=True, kw_only=True, slots=True)
class BpeConfig:
    """Options of :func:`tokforge.bpe.train`."""

    vocab_size: int | None = None
    """Tokens in all: special tokens, the 256 bytes, then merges. Unset: the largest of ``family``, else
    32,768."""
    preset: str = "auto"
    """``text``, ``code``, ``binary``, ``chinese-32k``, or ``auto``: what the inputs look like."""
    pretokenizer: str | None = None
    """A splitter's name, ``none``, or a regex. Unset: the preset's."""
    min_frequency: int = 2
    """Pairs that occur fewer times are not merged; 0 and 1 are the same."""
    max_token_bytes: int | None = None
    """Longest token, inclusive. Unset: the preset's (32 for binaries, else 1,024); 0: unlimited."""
    special_tokens: tuple[str, ...] = ()
    """In id order from 0; never merged into, never read from text unless asked."""
    family: tuple[int, ...] = ()
    """Smaller sizes to cut from the same run: each is a prefix, with the same ids."""
    multiple_of: int | None = None
    """Round the size up to a multiple; a corpus that runs out first is filled with unused tokens."""
    character_coverage: float | None = None
    """Share of the corpus's characters, 0 to 1, that are whole tokens before any pair is counted: the most
    frequent characters that make it up. Unset: the preset's (0.9995 for chinese-32k, else 0)."""
    exact_size: bool = False
    """Raise CorpusExhaustedError rather than return a smaller vocabulary."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    """Weights, temperature and sample size of the sources."""
    curation: CurationConfig = field(default_factory=CurationConfig)
    """What of the sources is left out: by group, date, likeness, entropy; and whether archives are opened."""
    field: str | None = None
    """Which field of JSON lines or Parquet rows holds the document."""
    follow_symlinks: bool = True
    """Whether folders are walked through links."""
    threads: int | None = None
    """Unset: as many as this process may use. Never changes the result."""
    memory_bytes: int | None = None
    """The most that this process should hold; words go to disk where they do not fit. Never changes the
    result."""
    engine: str = "local"
    """Where words are counted: ``local``, or ``ray``, on a cluster. Never changes the result."""
    workers: int | None = None
    """Processes to start for ``ray`` where no cluster is connected; one a core if unset."""

    def __post_init__(self) -> None:
        if isinstance(self.special_tokens, str):
            raise ConfigError(
                f"special_tokens is {self.special_tokens!r}, one text",
                f"put it in a tuple: ({self.special_tokens!r},)",
            )
        check_types(self)
        if self.preset != "auto":
            pick("preset", self.preset, {"auto": None, **PRESETS})
        pick("engine", self.engine, {"local": None, "ray": None})
        _check_range("workers", self.workers, 1, _LONGEST)
        if self.pretokenizer == "":
            raise ConfigError("pretokenizer is empty", "leave it out for the preset's, or use none")
        _check_specials(self.special_tokens)
        least = BYTES + len(self.special_tokens)
        for name, size in [("vocab_size", self.vocab_size), *(("family", size) for size in self.family)]:
            if size is not None and size < least:
                special = f" and {len(self.special_tokens)} special tokens" if self.special_tokens else ""
                raise ConfigError(f"{name} is {size}, below the 256 bytes{special}", f"use {least} or more")
        if self.family and max(self.family) > self.table_size:
            raise ConfigError(
                f"family holds {max(self.family)}, above vocab_size {self.table_size}",
                "leave vocab_size out, or raise it",
            )
        _check_range("min_frequency", self.min_frequency, 0, _MOST_OCCURRENCES)
        _check_range("memory_bytes", self.memory_bytes, 1, _MOST_OCCURRENCES)
        _check_range("multiple_of", self.multiple_of, 1, _LONGEST)
        thread_count(self.threads)
        if self.character_coverage is not None and not 0 <= self.character_coverage <= 1:
            raise ConfigError(
                f"character_coverage is {self.character_coverage}", "use a share from 0 to 1, such as 0.9995"
            )
        if self.max_token_bytes != 0:
            _check_range("max_token_bytes", self.max_token_bytes, 2, _LONGEST)

    @property
    def table_size(self) -> int:
        """Size that training aims for."""
        preset = PRESETS.get(self.preset)
        unset = preset.vocab_size if preset else DEFAULT_VOCAB_SIZE
        size = self.vocab_size or (max(self.family) if self.family else unset)
        return round_up(size, self.multiple_of or (preset.multiple_of if preset else None))

    @property
    def thread_count(self) -> int:
        """Threads that training uses."""
        return thread_count(self.threads)

    def resolved(self, preset: str) -> "BpeConfig":
        """Returns the options with what was left open taken from a preset."""
        defaults = PRESETS[preset]
        longest = defaults.max_token_bytes if self.max_token_bytes is None else self.max_token_bytes
        return replace(
            self,
            preset=preset,
            pretokenizer=self.pretokenizer or defaults.pretokenizer,
            max_token_bytes=longest,
            multiple_of=self.multiple_of or defaults.multiple_of,
            special_tokens=self.special_tokens or defaults.special_tokens,
            character_coverage=(
                defaults.character_coverage if self.character_coverage is None else self.character_coverage
            ),
        )

    def as_dict(self) -> dict[str, Any]:
        """Returns the options as plain JSON values, less those that cannot change the result."""
        options = asdict(self) | {"curation": self.curation.as_dict()}
        for name in ("threads", "memory_bytes", "engine", "workers"):
            del options[name]
        return options


def round_up(size: int, multiple: int | None) -> int:
    """Returns the least multiple that is not below ``size``.

    >>> round_up(32000, 64), round_up(32001, 64), round_up(300, None)
    (32000, 32064, 300)
    """
    return -(-size // multiple) * multiple if multiple else size


def _check_range(name: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise ConfigError(f"{name} is {value}", f"use {least} to {most}")


def _check_specials(tokens: tuple[str, ...]) -> None:
    for at, token in enumerate(tokens):
        if not token:
            raise ConfigError("a special token is empty", "give it a name such as <|end|>")
        if any("\ud800" <= char <= "\udfff" for char in token):
            raise ConfigError(f"special token {token!r} holds a lone surrogate", "use valid Unicode text")
        if token in tokens[:at]:
            raise ConfigError(f"special token {token!r} is given twice", "give each once")
