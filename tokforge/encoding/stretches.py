"""Documents to ids, stretch by stretch in their order: small files on threads, long ones streamed."""

import codecs
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tokforge.encoding.config import EncodeConfig
from tokforge.encoding.reading import InputDocument
from tokforge.errors import InputError
from tokforge.threads import thread_count

if TYPE_CHECKING:
    from tokforge.tokenizer import Tokenizer

__all__ = ["EncodedStretch", "encode_stretches"]

Array = npt.NDArray[Any]
_AHEAD = 2
"""Files under way for each thread: enough to keep all busy, few enough to bound memory."""


class EncodedStretch(NamedTuple):
    """The ids of a document, or of a part of it."""

    bytes: int
    ids: Array
    offsets: Array | None
    """(tokens,) - first byte of each token within the document."""
    characters: Array | None
    """(tokens, 2) - character span of each token within the document."""
    seconds: float
    is_last: bool
    """Whether the document ends here."""


def encode_stretches(
    tokenizer: "Tokenizer", documents: Sequence[InputDocument], config: EncodeConfig
) -> Iterator[EncodedStretch]:
    """Yields all documents, each whole or in several stretches; memory is bounded where they can stream."""
    whole = (config.offsets or config.characters) and not tokenizer.tiles()
    for in_parts, group in groupby(documents, key=lambda document: document.is_long and not whole):
        if in_parts:
            for document in group:
                yield from _stream(tokenizer, document, config)
        else:
            yield from _on_threads(tokenizer, list(group), config)


def _on_threads(
    tokenizer: "Tokenizer", documents: list[InputDocument], config: EncodeConfig
) -> Iterator[EncodedStretch]:
    """Encodes in threads, since the engine lets go of the interpreter; yields in order."""
    workers = min(thread_count(config.threads), len(documents))
    if workers < 2:  # in the main thread, where the engine itself notices Ctrl-C
        yield from (_encode_whole(tokenizer, document, config) for document in documents)
        return
    pool = ThreadPoolExecutor(workers)
    under_way: deque[Future[EncodedStretch]] = deque()
    try:
        for document in documents:
            under_way.append(pool.submit(_encode_whole, tokenizer, document, config))
            if len(under_way) >= _AHEAD * workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _encode_whole(tokenizer: "Tokenizer", document: InputDocument, config: EncodeConfig) -> EncodedStretch:
    data = document.read()
    started = perf_counter()
    offsets: Array | None = None
    if config.offsets or config.characters:
        if not tokenizer.tiles(data):
            return _encode_rewritten(tokenizer, document, data, config)
        ids, offsets = tokenizer.encode_with_offsets(data, allowed_special=config.special)
    else:
        ids = tokenizer.encode(data, allowed_special=config.special)
    counter = _Characters(document)
    characters = counter.spans(data, offsets) if config.characters else None
    counter.finish()
    seconds = perf_counter() - started
    return EncodedStretch(len(data), ids, offsets if config.offsets else None, characters, seconds, True)


def _encode_rewritten(
    tokenizer: "Tokenizer", document: InputDocument, data: bytes, config: EncodeConfig
) -> EncodedStretch:
    """Encodes text whose tokens need not lie end to end: an offset is that of a token's first character."""
    started = perf_counter()
    _Characters(document).check_all(data)
    ids, spans = tokenizer.encode_spans(data, unit="characters", allowed_special=config.special)
    begins = np.flatnonzero((np.frombuffer(data, np.uint8) & 0xC0) != 0x80).astype(np.uint64)
    offsets = np.append(begins, np.uint64(len(data)))[spans[:, 0].astype(np.int64)]
    seconds = perf_counter() - started
    characters = spans if config.characters else None
    return EncodedStretch(
        len(data), ids, offsets if config.offsets else None, characters, seconds, is_last=True
    )


def _stream(
    tokenizer: "Tokenizer", document: InputDocument, config: EncodeConfig
) -> Iterator[EncodedStretch]:
    from tokforge.tokenizer.streaming import encode_stream

    blocks, wanted = _TimedBlocks(document.blocks()), config.offsets or config.characters
    counter, done, started = _Characters(document), 0, perf_counter()
    stretches = encode_stream(
        tokenizer,
        blocks,
        allowed_special=config.special,
        offsets=wanted,
        threads=thread_count(config.threads),
    )
    for stretch in stretches:
        characters = counter.spans(stretch.data, stretch.starts) if config.characters else None
        offsets = stretch.starts + np.uint64(done) if config.offsets else None
        seconds = perf_counter() - started - blocks.take_seconds()
        yield EncodedStretch(len(stretch.data), stretch.ids, offsets, characters, seconds, False)
        done, started = done + len(stretch.data), perf_counter()
    counter.finish()
    end = np.empty(0, np.uint64)
    yield EncodedStretch(0, np.empty(0, np.uint32), end, end.reshape(0, 2), 0.0, True)


class _TimedBlocks:
    """Passes blocks on, and knows how long reading them took."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._seconds = blocks, 0.0

    def __iter__(self) -> "_TimedBlocks":
        return self

    def __next__(self) -> bytes:
        started = perf_counter()
        block = next(self._blocks)
        self._seconds += perf_counter() - started
        return block

    def take_seconds(self) -> float:
        seconds, self._seconds = self._seconds, 0.0
        return seconds


class _Characters:
    """Character spans across the stretches of one document."""

    def __init__(self, document: InputDocument) -> None:
        self._document = document
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._before, self._bytes = 0, 0

    def spans(self, data: bytes, starts: Array | None) -> Array:
        from tokforge.tokenizer.spans import character_spans, ends_of

        self._check(data)
        places = np.empty(0, np.uint64) if starts is None else starts
        spans, self._before = character_spans(data, places, ends_of(places, len(data)), self._before)
        self._bytes += len(data)
        return spans

    def check_all(self, data: bytes) -> None:
        self._check(data, final=True)

    def finish(self) -> None:
        self._check(b"", final=True)

    def _check(self, data: bytes, *, final: bool = False) -> None:
        held = len(self._decoder.getstate()[0])
        try:
            self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            raise InputError(
                f"byte {self._bytes - held + error.start} is not UTF-8, so it has no characters",
                "leave out --char-spans; --offsets counts bytes, where the pipeline rewrites none",
                str(self._document.path),
            ) from error
