"""How often a tokenizer's tokens and pretokens occur in a corpus: what pruning and reordering go by."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tokforge.inputs import Progress, batches, documents, open_sources
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.edit.pretokens import count_pretokens

__all__ = ["pretoken_counts", "token_counts"]


def pretoken_counts(
    tokenizer: Tokenizer,
    inputs: Sequence[str | Path],
    *,
    field: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> dict[bytes, int]:
    """Returns pretoken -> occurrences in files, folders, globs or ``-``, as the tokenizer cuts them.

    ``progress`` is called with the phase "read" and bytes on disk. Raises InputError as `train` does.
    """
    sources = open_sources(inputs, field=field)
    read = (document.data for document in documents(sources, progress=progress))
    return count_pretokens(tokenizer, batches(read), threads)


def token_counts(
    tokenizer: Tokenizer,
    inputs: Sequence[str | Path],
    *,
    field: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> npt.NDArray[np.int64]:
    """Returns the occurrences of each id, (vocab_size,) int64; arguments as `pretoken_counts`."""
    counts = np.zeros(tokenizer.vocab_size, np.int64)
    sources = open_sources(inputs, field=field)
    read = (document.data for document in documents(sources, progress=progress))
    for batch in batches(read):
        ids, _ = tokenizer.encode_batch(batch, threads)
        counts += np.bincount(ids, minlength=tokenizer.vocab_size)
    return counts
