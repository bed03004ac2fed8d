"""From documents to what the engine trains on: counted words, in memory or on disk, or unsplit bytes."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tokforge.bpe.checkpoint import Journal
from tokforge.bpe.memory import available_bytes, in_pieces, pieces
from tokforge.inputs import ByteView, batches
from tokforge.outputs import write_atomically
from tokforge.threads import thread_count
from tokforge.tokenizer import Pipeline
from tokforge.tokenizer.edit.pretokens import pretoken_splitter

if TYPE_CHECKING:
    from tokforge import _core

    Words: TypeAlias = _core.WordCounts | _core.CountFiles
    Corpus: TypeAlias = Words | _core.ByteCorpus

__all__ = ["collect_bytes", "collect_words"]


def collect_bytes(
    documents: Iterable[ByteView],
    expected_bytes: int,
    *,
    vocab_size: int,
    memory_bytes: int | None = None,
    journal: Journal | None = None,
) -> "_core.ByteCorpus":
    """Keeps every byte in place: in memory, or on disk where a bound leaves too little of it to train."""
    from tokforge import _core

    bound = available_bytes(memory_bytes) if memory_bytes else None
    corpus = _core.ByteCorpus(
        expected_bytes, memory=bound, vocab_size=vocab_size, folder=tempfile.gettempdir()
    )
    # A checkpoint spares none of this: unsplit bytes are read again, and held to their hash.
    for document in journal.watch(documents, all_again=True) if journal else documents:
        for piece, more in pieces(document):
            corpus.add(piece, more=more)
    if journal:
        journal.save_documents(counted=True)
    return corpus


def collect_words(
    documents: Iterable[ByteView],
    pipeline: Pipeline,
    *,
    threads: int | None = None,
    memory_bytes: int | None = None,
    journal: Journal | None = None,
) -> "Words":
    """Counts the words of all documents; with a bound, on disk, and with a journal, in its folder.

    Raises ConfigError for a splitter that cannot count, and for a bound that is too small.
    """
    from tokforge import _core

    splitter = pretoken_splitter(pipeline)
    bound = available_bytes(memory_bytes) if memory_bytes else None
    folder = journal.folder if journal else Path(tempfile.gettempdir()) if bound else None
    counts = _core.WordCounts(
        splitter,
        thread_count(threads),
        memory=bound,
        folder=folder,
        named=journal is not None,
        runs=journal.state.runs if journal else 0,
    )
    if bound or journal:
        documents = in_pieces(documents, splitter)
    if journal:
        return _count_with(journal, counts, documents)
    for batch in batches(documents):
        counts.add(batch)  # unreported: "read" covers the same bytes, and the engine hears Ctrl-C itself
    return counts


def _count_with(
    journal: Journal, counts: "_core.WordCounts", documents: Iterable[ByteView]
) -> "_core.CountFiles":
    from tokforge import _core

    for batch in batches(journal.watch(documents)):
        counts.add(batch)
        if journal.is_due:
            journal.save_documents(runs=counts.spill())
    if not journal.state.counted:
        with write_atomically(journal.words, force=True) as file:
            counts.save(file.name, b"")
        journal.save_documents(counted=True)
    return _core.CountFiles([str(journal.words)])
