"""The engine's Python face: bytes and 32-bit ids only, no files, no formats, no printing."""

from collections.abc import Callable, Sequence
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
    def split(self, data: Buffer) -> list[tuple[int, int]]:
        """Returns the (start, end) byte spans of all pretokens; they cover ``data`` wholly, in order."""

class Encoder:
    """Applies merges to bytes. Immutable and thread-safe."""

    def __new__(
        cls,
        tokens: Sequence[bytes | None],
        merges: Sequence[tuple[int, int, int]],
        *,
        byte_ids: Sequence[int],
        ignore_merges: bool = False,
        splitter: Splitter | None = None,
    ) -> Encoder:
        """``tokens[id]`` is the bytes of the token, None where the id is special or unused;
        ``merges`` holds (left, right, merged) ids in rank order; ``byte_ids[b]`` is the id of byte b."""
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

class WordCounts:
    """Unique pretokens and their 64-bit counts. Grows by ``add``; the engine merges threads' tables."""

    def __new__(cls, splitter: Splitter, threads: int) -> WordCounts: ...
    def add(self, docs: Sequence[Buffer], weight: int = 1, progress: Progress | None = None) -> None:
        """Splits each document on its own and counts its pretokens ``weight`` times each."""
    def add_counts(self, words: Sequence[bytes], counts: Sequence[int]) -> None: ...
    def __len__(self) -> int: ...
    def items(self) -> list[tuple[bytes, int]]:
        """All words with their counts, most frequent first, ties by bytes."""

class ByteCorpus:
    """Documents as unsplit bytes, with a boundary between each two."""

    def __new__(cls, expected_bytes: int = 0) -> ByteCorpus:
        """Makes room for the bytes that are expected; more may come."""
    def add(self, data: Buffer) -> None: ...
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

def train(
    corpus: WordCounts | ByteCorpus,
    *,
    tokens: Sequence[bytes | None],
    byte_ids: Sequence[int],
    merges: Sequence[tuple[int, int, int]] = (),
    vocab_size: int,
    min_frequency: int = 2,
    max_token_bytes: int | None = None,
    forbidden: Sequence[bytes] = (),
    threads: int = 1,
    progress: Progress | None = None,
) -> Training:
    """Continues BPE from ``tokens`` and ``merges`` until the table holds ``vocab_size`` entries.

    Consumes ``corpus``. New ids follow ``len(tokens)``. The pair with the most occurrences is merged
    first, ties by (left id, right id) ascending, which is Hugging Face's order; counts are 64-bit.
    ``forbidden`` byte strings are never made into tokens. Raises KeyboardInterrupt when interrupted.
    """
