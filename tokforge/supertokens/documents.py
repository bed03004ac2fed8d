"""Which documents teach tokens across words: all, or a seeded draw over all inputs.

Definition: documents longer than 1 MiB are cut into units; each unit's key is a hash of its document's
content, its number and the seed; the units with the least keys are taken. So the draw depends on neither
the order nor the names of files: inputs that begin with one language do not teach that language alone.
Identical documents have identical keys and are taken together. Complexity: one more pass, a key each.
"""

import heapq
from collections.abc import Iterable, Iterator

from tokforge.bpe.sources import unit_keys
from tokforge.errors import ConfigError
from tokforge.inputs import ByteView
from tokforge.inputs.units import unit_spans

__all__ = ["Draw"]


class Draw:
    """A draw of units from documents that can be read more than once."""

    def __init__(self, documents: Iterable[ByteView], count: int | None, seed: int) -> None:
        """Reads all documents once, unless all are taken. Raises ConfigError where there are too few."""
        self._documents, self._seed, self._last = documents, seed, None if count is None else 0
        if count is None:
            return
        keys = (key for _, units in self._units() for key, _ in units)
        least = heapq.nsmallest(count, keys)
        if len(least) < count:
            raise ConfigError(
                f"sample_documents is {count}, and the inputs hold {len(least)}", "leave it out to take all"
            )
        self._last = least[-1]

    def __iter__(self) -> Iterator[ByteView]:
        """Yields the documents, or the drawn units, in the order of the inputs."""
        if self._last is None:
            yield from self._documents
            return
        for document, units in self._units():
            for key, (start, end) in units:
                if key <= self._last:
                    yield document[start:end]

    def _units(self) -> Iterator[tuple[ByteView, list[tuple[int, tuple[int, int]]]]]:
        for document in self._documents:
            spans = unit_spans(document)
            keys = unit_keys(document, len(spans), self._seed)
            yield document, list(zip(keys, spans, strict=True))
