"""What the model sees of a corpus: the text between added tokens, normalised, then cut by the splitter."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tokforge.errors import ConfigError
from tokforge.threads import thread_count
from tokforge.tokenizer._engine import make_splitter, stage_specs
from tokforge.tokenizer.model import Pipeline
from tokforge.tokenizer.segments import Segmenter
from tokforge.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from tokforge._core import Splitter, WordCounts

__all__ = ["count_pretokens", "model_texts", "pretoken_splitter", "pretoken_table"]

Data = bytes | bytearray | memoryview


def model_texts(tokenizer: Tokenizer, documents: Iterable[Data]) -> Iterator[bytes | memoryview]:
    """Yields the stretches of each document that reach the splitter; special tokens' text is text."""
    segmenter = Segmenter(tokenizer.pipeline, tokenizer.added_tokens)
    for document in documents:
        for part in segmenter.cut(document, "none"):
            if part.id is None:
                yield part.data if isinstance(part.data, bytes) else memoryview(part.data)


def count_pretokens(
    tokenizer: Tokenizer, batches: Iterable[Sequence[Data]], threads: int | None = None
) -> dict[bytes, int]:
    """Returns pretoken -> occurrences in the documents of all batches, the most frequent first.

    Without a splitter a pretoken is a whole stretch of text, and memory holds the corpus.
    """
    if make_splitter(tokenizer.pipeline) is None:
        found = (piece for batch in batches for piece in _model_pieces(tokenizer, batch))
        return dict(Counter(found).most_common())
    counts = pretoken_table(tokenizer.pipeline, threads)
    for batch in batches:
        counts.add(list(model_texts(tokenizer, batch)))
    return dict(counts.items())


def _model_pieces(tokenizer: Tokenizer, documents: Iterable[Data]) -> Iterator[bytes]:
    """Yields the pretokens of each document, by stages that may rewrite them."""
    from tokforge import _core

    specs = stage_specs(tokenizer.pipeline.pretokenizers)
    segmenter = Segmenter(tokenizer.pipeline, tokenizer.added_tokens)
    for document in documents:
        for part in segmenter.cut(document, "none"):
            if part.id is None:
                yield from _core.cut_pieces(specs, bytes(part.data), part.start == 0)


def pretoken_table(pipeline: Pipeline, threads: int | None) -> "WordCounts":
    """Returns an empty table that counts pretokens cut by ``pipeline``, or raises ConfigError."""
    from tokforge import _core

    return _core.WordCounts(pretoken_splitter(pipeline), thread_count(threads))


def pretoken_splitter(pipeline: Pipeline) -> "Splitter":
    """Returns what cuts the pretokens of ``pipeline``, or raises ConfigError."""
    splitter = make_splitter(pipeline)
    if splitter is None:
        raise ConfigError(
            "this tokenizer's pretokens cannot be counted", "use one with a named splitter, a regex or none"
        )
    return splitter
