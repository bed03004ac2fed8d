"""Word spans of a text, in characters: whoever cuts the words, spans are what the rest sees.

``jieba``: Chinese words (rjieba, the dictionary with the HMM for unknown words), and Unicode's where jieba
takes each letter apart. ``unicode``: Unicode's words (annex 29), where each Han character is one. ``code``:
identifiers, numbers, operators. ``characters``: what a reader takes for one character. Any other segmenter is
a function from a text to its words' (start, end) spans. Spaces are in no word. O(length).
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, MissingExtraError, pick

__all__ = ["SEGMENTERS", "Segmenter", "Spans", "as_spans", "check_takes", "segmenter_version", "word_spans"]

Spans = npt.NDArray[np.uint32]
"""(n, 2) - start and end of each word, in characters, ascending and without overlaps."""
Segmenter = str | Callable[[str], Iterable[tuple[int, int]]]


def word_spans(text: str, segmenter: Segmenter = "jieba") -> Spans:
    """Returns the spans of the words of ``text``.

    Raises:
        UnknownNameError: no segmenter has this name.
        MissingExtraError: ``jieba`` needs the package rjieba.
        ConfigError: the text is none, or a segmenter of your own takes or gives something else.

    Example:
        >>> word_spans("if x_1>=2", "code").tolist()
        [[0, 2], [3, 6], [6, 8], [8, 9]]
    """
    if not isinstance(text, str):
        raise ConfigError(f"the text is a {type(text).__name__}", "give a str")
    if callable(segmenter):
        check_takes("text", segmenter, "segmenter")
        return as_spans(segmenter(text))
    cut = pick("segmenter", segmenter, SEGMENTERS)
    try:
        return cut(text)
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"the text holds half a surrogate pair at character {error.start}",
            "decode the file with errors='replace'",
        ) from error


def segmenter_version(segmenter: Segmenter) -> str | None:
    """Returns what must be the same for the same words: the release of rjieba, which holds the dictionary.

    None for the segmenters whose words follow from rules; for functions, which nobody can tell apart; and
    where rjieba is not installed, so that words cannot have been cut here.
    """
    if segmenter != "jieba":
        return None
    try:
        return f"rjieba {metadata.version('rjieba')}"
    except metadata.PackageNotFoundError:
        return None


def check_takes(argument: str, function: Callable[..., Any], name: str) -> None:
    """Raises ConfigError, which says ``name``, unless ``function`` can be called with one argument."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a built-in that does not tell
        return
    try:
        signature.bind(argument)
    except TypeError as error:
        raise ConfigError(
            f"{name} takes {signature}: {error}", f"give a function of one argument, the {argument}"
        ) from error


def as_spans(spans: Any, name: str = "word spans") -> Spans:
    """Returns given spans as an array; raises ConfigError, which says ``name``, where they are none."""
    hint = "give (start, end) of each, in characters from the text's start"
    try:
        array = np.asarray(spans if hasattr(spans, "__array__") else list(spans), dtype=np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"{name} are no numbers", hint) from error
    if array.size and (array.ndim != 2 or array.shape[1] != 2):
        raise ConfigError(f"{name} have the shape {array.shape}", hint)
    if array.size and not 0 <= array.min() <= array.max() < 1 << 32:
        raise ConfigError(f"{name} hold one that is negative or beyond 2**32", hint)
    return array.reshape(-1, 2).astype(np.uint32)


def _jieba(text: str) -> Spans:
    try:
        from rjieba import cut
    except ImportError as error:
        raise MissingExtraError(
            "the segmenter jieba needs rjieba", "pip install 'tokforge[masking]'"
        ) from error
    words = cut(text)
    cuts = np.zeros(len(text) + 1, dtype=bool)
    cuts[0] = True
    cuts[np.cumsum(np.fromiter(map(len, words), dtype=np.int64, count=len(words)))] = True
    return _joined(cuts, SEGMENTERS["unicode"](text))


def _joined(cuts: npt.NDArray[np.bool_], words: Spans) -> Spans:
    """Returns the spans between places where ``cuts`` and ``words`` both end a word.

    jieba knows Han and ASCII and takes each other letter apart; Unicode's words hold those together, and take
    each Han character apart. So what either sees as one word is one.
    """
    begins = cuts[words[:, 0]]
    ends = np.append(begins[1:], True)[: len(words)]
    return np.stack([words[begins, 0], words[ends, 1]], axis=1)


def _of_engine(by: str) -> Callable[[str], Spans]:
    def cut(text: str) -> Spans:
        from tokforge import _core

        return np.frombuffer(_core.word_spans(text, by), dtype=np.uint32).reshape(-1, 2)

    return cut


SEGMENTERS: Mapping[str, Callable[[str], Spans]] = {
    "characters": _of_engine("characters"),
    "code": _of_engine("code"),
    "jieba": _jieba,
    "unicode": _of_engine("unicode"),
}
"""By name."""
