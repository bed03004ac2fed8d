"""Fixed pieces of documents, counted in bytes: the same for every tokenizer.

A document is cut into windows of at most ``size`` bytes at character boundaries; a last piece under half
of that
is dropped. Of all windows of an input, ``count`` evenly spaced ones are taken, so a longer run adds documents
rather than the ends of the same ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tokforge.errors import InputError
from tokforge.inputs import documents, open_sources

__all__ = ["Window", "cut_windows", "pieces_of"]


@dataclass(frozen=True, slots=True)
class Window:
    """One piece of text, and the INPUT that it comes from."""

    source: str
    text: str

    @property
    def bytes(self) -> int:
        """Its length in UTF-8."""
        return len(self.text.encode())


def pieces_of(text: str, size: int) -> list[str]:
    """Cuts text into pieces of at most ``size`` bytes at character boundaries.

    Example:
        >>> pieces_of("aäb", 2)
        ['a', 'ä', 'b']
    """
    data, at, found = text.encode(), 0, []
    while at < len(data):
        piece = (
            data[at : at + size].decode("utf-8", "ignore") or data[at : at + 4].decode("utf-8", "ignore")[:1]
        )
        found.append(piece)
        at += len(piece.encode())
    return found


def cut_windows(paths: Sequence[str], *, size: int, count: int, field: str | None = None) -> list[Window]:
    """Returns up to ``count`` windows of each of ``paths``. Raises InputError where one has none."""
    windows: list[Window] = []
    for source in open_sources(paths, field=field):
        texts = (bytes(document.data).decode("utf-8", "ignore") for document in documents([source]))
        found = [
            piece for text in texts for piece in pieces_of(text, size) if 2 * len(piece.encode()) >= size
        ]
        if not found:
            raise InputError(
                f"no document has {size // 2} bytes of text", "use a smaller --window", source.name
            )
        taken = min(count, len(found))
        windows += [Window(source.name, found[n * len(found) // taken]) for n in range(taken)]
    return windows
