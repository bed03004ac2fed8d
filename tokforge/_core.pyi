"""The engine's Python face: bytes and 32-bit ids only, no files, no formats, no printing."""

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer

UNICODE_VERSION: str
"""Version of the Unicode tables behind the splitters, such as "16.0.0"."""

Progress: TypeAlias = Callable[[str, int, int], object]
"""Called as ``progress(phase, done, total)`` about ten times a second; an exception in it stops the work."""

class Splitter:
    """Cuts bytes into pretokens. Immutable and thread-safe."""

    def __new__(cls, stages: Sequence[str]) -> Splitter:
        """Builds a splitter that applies ``stages`` in turn, each to the pieces of the one before.

        A stage is the name of a hand-written splitter (``gpt2``, ``cl100k``, ``cl100k-hf``, ``o200k``,
        ``llama3``, ``qwen2``, ``deepseek-v3``) or ``regex:PATTERN``, whose matches and the gaps between
        them are the pieces. Raises PatternError for an invalid regex, UnknownNameError for another name.
        """
    def safe_cut(self, data: Buffer, near: int) -> int | None:
        """The first place at or after ``near`` that is a cut whatever follows it, if there is one."""
    def split(self, data: Buffer) -> list[tuple[int, int]]:
        """Returns the (start, end) byte spans of all pretokens; they cover ``data`` wholly, in order."""

class Encoder:
    """Applies merges to bytes. Immutable and thread-safe."""

    def __new__(
        cls,
        tokens: Sequence[bytes | None],
        merges: Merges,
        *,
        byte_ids: Sequence[int],
        ranks: Sequence[int] | None = None,
        ignore_merges: bool = False,
        splitter: Splitter | None = None,
    ) -> Encoder:
        """``tokens[id]`` is the bytes of the token, None where the id is special or unused;
        ``merges`` holds (left, right, merged) ids in rank order; ``byte_ids[b]`` is the id of byte b;
        ``ranks`` is each merge's rank where some are equal."""
    def encode(self, data: Buffer) -> bytearray:
        """Returns the ids as native-endian u32. Checks for Ctrl-C; releases the GIL."""
    def encode_offsets(self, data: Buffer) -> tuple[bytearray, bytearray]:
        """Returns ids (u32) and each token's first byte (u64), of equal length."""
    def encode_batch(self, docs: Sequence[Buffer], threads: int) -> tuple[bytearray, bytearray]:
        """Returns all ids (u32) end to end, and len(docs) + 1 document boundaries into them (u64)."""
    def encode_settled(self, data: Buffer, threads: int) -> tuple[bytearray, int]:
        """Returns the ids (u32) of the beginning of ``data`` that stay whatever follows it, and how many
        bytes they are; the ids of what comes behind these bytes do not depend on them."""
    def decode(self, ids: Buffer | npt.NDArray[np.uint32]) -> bytes:
        """Joins the tokens of u32 ``ids``; raises TokenIdError for an id that is no byte string."""

Merges: TypeAlias = Sequence[tuple[int, int, int]] | npt.NDArray[np.uint32]
"""(left, right, merged) ids; or these end to end, (3 * merges,)."""

def unspell_all(keys: Sequence[str] | Keys, alphabet: Sequence[tuple[str, int]]) -> list[bytes | None]:
    """Returns the bytes that each key spells by (character, byte) pairs; None where it spells none."""

def keys_differ(text: str) -> bool:
    """Tells whether no object of a JSON text holds a key twice; False, too, where that is not plain."""

class Keys(Mapping[str, int]):
    """A vocabulary that was read from text: key -> id. Keys differ, and ids."""

    def __getitem__(self, key: str) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def encoded(self) -> list[bytes]:
        """Returns the keys in UTF-8."""
    def end(self) -> int:
        """Returns the highest id and one."""
    def is_in_order(self) -> bool:
        """Tells whether the ids are 0, 1, 2 and so on."""

def read_parts(data: bytes) -> tuple[tuple[Keys, tuple[int, int]] | None, tuple[int, int] | None] | None:
    """Returns ``model.vocab`` of a tokenizer.json's text and where it stands, and where ``model.merges``
    stands, each None where it is not there; None where that is not plain to see. The vocabulary's place, and
    that of merges that `read_merges` reads, hold valid JSON."""

def read_merges(
    merges: list[object] | bytes, vocab: Mapping[str, int], cut: int
) -> tuple[bytes, bytes] | None:
    """Reads merges, pairs of keys or ``"a b"`` or the JSON text of a list of them, by key -> id: the (left,
    right, merged) ids as u32 end to end, and by id 1 where it takes part in one. None where an entry is
    malformed or names a missing key. A product's key is its parts' end to end, the right one's without its
    first ``cut`` bytes."""

def merges_hold(tokens: Sequence[bytes | None], merges: Merges) -> bool:
    """Tells whether each merge joins two tokens into the one of their bytes, and none stands twice."""

def tokens_differ(tokens: Sequence[bytes], kinds: bytes, byte: int, ordinary: int) -> bool:
    """Tells whether the tokens of kinds below ``ordinary`` are not empty, differ in bytes or kind, and are
    one byte where their kind is ``byte``."""

Spec: TypeAlias = tuple[object, ...]
"""A step or a stage: its name, then its options; see core/src/python/pipeline.rs."""

class Normalizer:
    """Rewrites text. Immutable and thread-safe."""

    def __new__(cls, steps: Sequence[Spec]) -> Normalizer:
        """Builds a normaliser that applies ``steps`` in turn. Raises FormatError for a malformed charsmap,
        PatternError for an invalid regex."""
    def apply(self, data: Buffer) -> bytes:
        """Returns ``data`` normalised; bytes that are no UTF-8 pass unchanged where a rule needs text."""

class Finder:
    """Finds fixed texts, from the left, the longest at each place, without overlaps."""

    def __new__(cls, texts: Sequence[bytes]) -> Finder: ...
    def find(self, data: Buffer) -> list[tuple[int, int, int, bool]]:
        """Returns (start, end, number of the text, whether a word character stands beside it)."""

class Segmenter:
    """Finds added tokens, and normalises what lies between. Immutable and thread-safe."""

    def __new__(
        cls, steps: Sequence[Spec], tokens: Sequence[tuple[bytes, int, bool, bool, bool, bool]]
    ) -> Segmenter:
        """``tokens``: text, id, whether it is found in normalised text, lstrip, rstrip, single_word."""

def cut_pieces(specs: Sequence[Spec], text: bytes, at_start: bool) -> list[bytes]:
    """Cuts ``text`` by stages that may rewrite it."""

def sentencepiece_places(spec: Spec, text: bytes) -> tuple[bytes, list[int]]:
    """What the step ``spec`` of sentencepiece makes of ``text``; each byte's place in it, and the end's."""

def charsmap_holds_inside(charsmap: bytes, separators: bytes) -> bool:
    """Tells whether a text that ``charsmap`` replaces holds one of ``separators`` behind its first place."""

def cut_spans(spec: Spec, text: bytes) -> list[tuple[int, int]]:
    """Cuts ``text`` by one stage that rewrites none: the (start, end) of each piece. Raises ConfigError."""

def normalizer_changes(spec: Spec, text: str) -> list[tuple[str, int]] | None:
    """Returns the characters that one step makes of ``text``, each with its change as Hugging Face counts: 0
    replaces a character, 1 comes behind one, -n replaces one and n after it; None but for Unicode forms and
    charsmaps."""

class ModelEncoder:
    """Any model behind any stages: text to ids. Immutable and thread-safe.

    In each constructor ``specs`` are the stages, ``tokens[id]`` is what a token is matched by, None where
    text does not become it; ``byte_ids`` are the 256 ids that an unknown character falls back to, if any.
    """

    @staticmethod
    def bytes(
        specs: Sequence[Spec],
        tokens: Sequence[builtins.bytes | None],
        merges: Merges,
        *,
        byte_ids: Sequence[int],
        lost: builtins.bytes,
        ranks: Sequence[int] | None = None,
        ignore_merges: bool = False,
    ) -> ModelEncoder: ...
    @staticmethod
    def characters(
        specs: Sequence[Spec],
        tokens: Sequence[builtins.bytes | None],
        merges: Merges,
        *,
        ranks: Sequence[int] | None,
        ignore_merges: bool,
        user_defined: Sequence[int],
        byte_ids: Sequence[int] | None,
        unk_id: int | None,
        fuse_unk: bool,
    ) -> ModelEncoder: ...
    @staticmethod
    def affixes(
        specs: Sequence[Spec],
        spelled: Sequence[builtins.bytes | None],
        merges: Merges,
        *,
        ranks: Sequence[int] | None,
        ignore_merges: bool,
        by_bytes: bool,
        prefix: str,
        suffix: str,
        byte_ids: Sequence[int] | None,
        unk_id: int | None,
        fuse_unk: bool,
    ) -> ModelEncoder: ...
    @staticmethod
    def unigram(
        specs: Sequence[Spec],
        tokens: Sequence[builtins.bytes | None],
        scores: Sequence[float | None],
        *,
        unk_score: float,
        single_precision: bool,
        user_defined: Sequence[int],
        byte_ids: Sequence[int] | None,
        unk_id: int | None,
        fuse_unk: bool,
    ) -> ModelEncoder: ...
    @staticmethod
    def word_piece(
        specs: Sequence[Spec],
        first: Sequence[builtins.bytes | None],
        inner: Sequence[builtins.bytes | None],
        *,
        unk_id: int,
        max_characters: int,
    ) -> ModelEncoder: ...
    @staticmethod
    def word_level(
        specs: Sequence[Spec], tokens: Sequence[builtins.bytes | None], *, unk_id: int
    ) -> ModelEncoder: ...
    def encode_batch(
        self,
        texts: Sequence[Buffer],
        threads: int,
        *,
        segmenter: Segmenter | None = None,
        counts: builtins.bytes | None = None,
    ) -> tuple[bytearray, bytearray]:
        """Returns all ids (u32) end to end, and len(texts) + 1 boundaries into them (u64). Added tokens are
        those of ``segmenter`` whose byte in ``counts`` is not 0; without one, texts are taken as they are."""

    def encode_parts(
        self,
        texts: Sequence[Buffer],
        threads: int,
        *,
        segmenter: Segmenter,
        counts: builtins.bytes,
        guard: builtins.bytes,
        sum: float | None = None,
    ) -> tuple[bytearray, float | None]:
        """Returns the ids (u32) of texts that are parts of one document, each behind ``guard``, whose own ids
        are left out. ``sum``: Unigram's so far, where pieces go on from part to part; that at the end."""

class WordCounts:
    """Unique pretokens and their 64-bit counts. Grows by ``add``; the engine merges threads' tables."""

    def __new__(
        cls,
        splitter: Splitter,
        threads: int,
        *,
        memory: int | None = None,
        folder: str | PathLike[str] | None = None,
        named: bool = False,
        runs: int = 0,
    ) -> WordCounts:
        """With a ``folder``, tables go there as sorted runs: when they are full, by ``memory`` in all, or
        by `spill`. Runs vanish with the process unless ``named``; ``runs`` are there already."""
    def add(self, docs: Sequence[Buffer], weight: int = 1, progress: Progress | None = None) -> None:
        """Splits each document on its own and counts its pretokens ``weight`` times each."""
    def add_counts(self, words: Sequence[bytes], counts: Sequence[int]) -> None: ...
    def __len__(self) -> int: ...
    def items(self) -> list[tuple[bytes, int]]:
        """All words with their counts, most frequent first, ties by bytes. Not of words on disk."""
    def characters(self) -> list[tuple[str, int]]:
        """Occurrences of each character, most frequent first, ties by code point; invalid UTF-8 left out."""
    def spill(self) -> int:
        """Writes what the tables hold to the folder; returns how many runs there are."""
    def save(self, path: str | PathLike[str], header: bytes, progress: Progress | None = None) -> int:
        """Writes all words to a counts file and forgets them; returns how many there are.

        Raises OutputError. The file is not renamed into place: `tokforge.outputs` does that."""
    def save_parts(self, parts: int) -> list[bytes]:
        """All words as so many counts files, each word in the one that its hash names; forgets them."""

class CountFiles:
    """Counts files, by path or as bytes, that are read as one: see docs/distributed.md."""

    def __new__(cls, sources: Sequence[str | bytes], folder: str | PathLike[str] | None = None) -> CountFiles:
        """More than 128 are merged in groups first, in ``folder`` or the system's for temporary files."""
    def headers(self) -> list[bytes]: ...
    def items(self) -> list[tuple[bytes, int]]:
        """Words with the sums of their counts, in ascending order of their bytes."""
    def characters(self) -> list[tuple[str, int]]:
        """Occurrences of each character, most frequent first, ties by code point; invalid UTF-8 left out."""
    def save(self, path: str | PathLike[str], header: bytes, progress: Progress | None = None) -> int:
        """Writes one file with all words; returns how many there are. Raises InputError, OutputError."""

class ByteCorpus:
    """Documents as unsplit bytes, with a boundary between each two."""

    def __new__(
        cls,
        expected_bytes: int = 0,
        *,
        memory: int | None = None,
        vocab_size: int = 0,
        folder: str | PathLike[str] | None = None,
    ) -> ByteCorpus:
        """Makes room for the bytes that are expected; more may come.

        What training to ``vocab_size`` could not lay out in ``memory`` bytes goes to an unnamed file in
        ``folder``, or the system's for temporary files, and is trained on in phases: the result is the same.
        """
    def add(self, data: Buffer, *, more: bool = False) -> None:
        """Adds a document, or with ``more`` a part of one. Raises OutputError."""
    def __len__(self) -> int:
        """Bytes in all, boundaries not counted."""

class Training:
    """What a training run learned."""

    merges: list[tuple[int, int, int]]
    """(left, right, merged) ids in the order they were made."""
    counts: list[int]
    """Occurrences of each merged pair when it was chosen."""
    tokens: list[int]
    """Tokens into which the corpus falls after each merge."""
    stopped: Literal["vocab_size", "min_frequency", "exhausted"]

class Runs:
    """Sequences of tokens that superwords are learned from: survey all documents, settle, gather all."""

    def __new__(
        cls,
        splitter: Splitter,
        tokens: Sequence[bytes | None],
        merges: Sequence[tuple[int, int, int]],
        *,
        byte_ids: Sequence[int],
        folder: str,
        words: Splitter | None = None,
        eligible: Sequence[bool] | None = None,
        max_words: int | None = None,
        excluded: Sequence[bytes] = (),
        digits_apart: bool = False,
        threads: int = 1,
    ) -> Runs:
        """Takes the word stage and what cuts documents.

        Without ``eligible`` each piece of ``splitter`` is a sequence, and ``words`` only speeds up
        encoding it. With ``eligible``, by id, maximal runs of pieces that are one such token are. A
        nameless file in ``folder`` takes them.

        Raises OutputError where nothing can be written there.
        """
    def survey(self, docs: Sequence[Buffer], progress: Progress | None = None) -> None:
        """Writes documents down as tokens, and counts neighbours from above; all come before settle."""
    def settle(self, merges: int, min_frequency: int) -> int:
        """Chooses and returns a least count, guessed to be below that of the last of ``merges``."""
    def gather(
        self,
        least: int,
        vocab_size: int,
        merges: Sequence[tuple[int, int, int]] = (),
        progress: Progress | None = None,
    ) -> None:
        """Gathers all anew: sequences cut at pairs below the least count, with ``merges`` made in them.

        ``vocab_size`` is above all ids, those of ``merges`` included. What occurs once goes to ``folder``.
        """
    def __len__(self) -> int:
        """Sequences; equal ones may count apart."""

class ChunkCounts:
    """Chunks of random length with their counts; a document's chunks depend on its bytes and the seed."""

    def __new__(cls, ranges: Sequence[tuple[int, int, float]], seed: int) -> ChunkCounts: ...
    def split(self, data: Buffer) -> list[tuple[int, int]]: ...
    def add(self, docs: Sequence[Buffer], progress: Progress | None = None) -> None: ...
    def __len__(self) -> int: ...

def train(
    corpus: WordCounts | CountFiles | ByteCorpus | Runs | ChunkCounts,
    *,
    tokens: Sequence[bytes | None],
    byte_ids: Sequence[int],
    merges: Sequence[tuple[int, int, int]] = (),
    vocab_size: int,
    min_frequency: int = 2,
    max_token_bytes: int | None = None,
    forbidden: Sequence[bytes] = (),
    max_words: int | None = None,
    excluded: Sequence[bytes] = (),
    digits_apart: bool = False,
    order: Literal["hf", "boundless"] = "hf",
    rivals: Sequence[int] = (),
    threads: int = 1,
    memory: int | None = None,
    progress: Progress | None = None,
    keep: Callable[[list[tuple[int, int, int]], list[int], list[int]], object] | None = None,
    keep_seconds: float = 60.0,
) -> Training:
    """Continues BPE from ``tokens`` and ``merges`` until the table holds ``vocab_size`` entries.

    Consumes ``corpus``. New ids follow ``len(tokens)``. The pair with the most occurrences is merged
    first, ties by (left id, right id) ascending, which is Hugging Face's order; counts are 64-bit.
    ``forbidden`` byte strings are never made into tokens, nor is what has more than ``max_words`` words,
    holds an ``excluded`` string, or with ``digits_apart`` mixes digits with others. The order ``boundless``
    ties by the tokens' bytes and counts occurrences that do not overlap. ``rivals``: counts, falling, of
    tokens made elsewhere that compete for the same room; training ends when both fill it.
    ``memory``: bytes that the laid out corpus and its lists may take beside ``corpus`` as it is; it never
    changes the result.
    ``keep`` is called with all merges so far, their counts and tokens, at most once in ``keep_seconds``.
    Raises KeyboardInterrupt when interrupted.
    """

class Masker:
    """Masks examples by unit. Immutable and thread-safe."""

    def __new__(
        cls,
        *,
        mask_id: int,
        random_ids: Buffer | npt.NDArray[np.int64],
        mask_share: float,
        random_share: float,
        span_weights: Sequence[float],
        split_units: bool,
        by_unit: bool,
    ) -> Masker:
        """Draws random tokens from i64 ``random_ids``; ``by_unit``: all tokens of a unit share one fate."""
    def mask(
        self,
        ids: Buffer | npt.NDArray[np.int64],
        units: Buffer | npt.NDArray[np.int64],
        probability: float,
        key: Sequence[int],
    ) -> tuple[bytearray, bytearray, int, int]:
        """Returns ids and labels (i64), the tokens that could be masked, and how many should be.

        Runs of equal, not negative ``units`` are masked together; equal keys (u64 numbers) mask alike.
        """

def align_words(
    tokens: Buffer | npt.NDArray[np.uint32],
    special: Buffer | npt.NDArray[np.uint8],
    words: Buffer | npt.NDArray[np.uint32],
) -> tuple[bytearray, bytearray]:
    """Joins tokens into units: the unit of each token (i64, -1 if special) and the words of each unit (u32).

    ``tokens`` and ``words`` are flat (start, end) pairs in text order, those of words without overlaps.
    Raises ConfigError for any other order.
    """

def word_spans(text: str, by: str) -> bytearray:
    """Returns flat (start, end) pairs (u32), in characters; ``by`` is unicode, code or characters."""

class MixtureColumns:
    """Words of documents, counted by column (a shard of a category)."""

    def __new__(cls, splitter: Splitter | None, columns: int, threads: int) -> MixtureColumns: ...
    def add(self, column: int, docs: Sequence[Buffer], progress: Progress | None = None) -> None:
        """Splits each document on its own and counts its pretokens; unsplit, each is one word."""
    def table(self) -> MixtureTable: ...

class MixtureTable:
    """Distinct words, ascending, with 64-bit counts by column, as sparse rows. Immutable."""

    def __new__(
        cls,
        bytes: Buffer | npt.NDArray[np.uint8],
        word_ends: Buffer | npt.NDArray[np.uint64],
        entry_ends: Buffer | npt.NDArray[np.uint64],
        columns: Buffer | npt.NDArray[np.uint32],
        counts: Buffer | npt.NDArray[np.uint64],
        width: int,
    ) -> MixtureTable:
        """Takes what ``parts`` gave; raises FormatError where the arrays contradict themselves."""
    @staticmethod
    def joined(tables: Sequence[tuple[MixtureTable, int]]) -> MixtureTable:
        """Sums tables, the columns of each shifted by the number given with it."""
    def parts(self) -> tuple[bytearray, bytearray, bytearray, bytearray, bytearray]:
        """Returns the words (u8), ends of words and of entries (u64), columns (u32), counts (u64)."""
    def __len__(self) -> int: ...
    def replay(
        self,
        merges: Sequence[tuple[int, int, int]],
        *,
        lens: Sequence[int],
        byte_ids: Sequence[int],
        category_of: Sequence[int],
        only: Sequence[tuple[int, int]] | None = None,
        progress: Progress | None = None,
    ) -> MixtureHistory:
        """Applies ``merges`` to all columns at once and notes every change of a pair's count.

        ``lens[id]`` is the token's length in bytes, 0 where it has none; ``category_of[column]`` sums
        columns into categories; ``only`` notes the changes of these (left, right) pairs alone.
        """

class MixtureHistory:
    """Counts of pairs by category from merge to merge. T merges, P pairs, k columns, n categories."""

    def pairs(self) -> bytearray:
        """(P, 2) u32 ids."""
    def totals(self) -> bytearray:
        """(k,) u64 - pairs of each column before the first merge."""
    def merge_pairs(self) -> bytearray:
        """(T,) u32 - index of each merge's pair; 2^32 - 1 where no category holds it then."""
    def merge_counts(self) -> bytearray:
        """(T, k) u64 - count of each merge's pair when its turn comes."""
    def sweep(
        self,
        scale: npt.NDArray[np.float64],
        step_slack: npt.NDArray[np.float64],
        pair_slack: npt.NDArray[np.float64],
        *,
        start: int,
        stop: int,
        stride: int,
        tolerance: float,
        per_step: int,
        charged: bool = False,
    ) -> tuple[bytearray, bytearray, bytearray]:
        """Finds pairs that outrank a merge: steps (u32), pairs (u32), excess (f64), worst first in a step.

        ``charged`` adds what is found to the pair's slack for the steps behind.
        """
    def counts(self, steps: npt.NDArray[np.uint32], pairs: npt.NDArray[np.uint32]) -> bytearray:
        """(queries, n) i64 - counts of pairs before steps, which must ascend."""
