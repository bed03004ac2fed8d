"""How many words tokens span, as they occur in text.

Definition: a token's words are those of `tokforge.metrics.vocabulary.words_in`, so a token
of Chinese is one word however long.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tokforge.metrics.vocabulary import words_in
from tokforge.tokenizer import Tokenizer

__all__ = ["WordSpans", "word_spans"]


@dataclass(frozen=True, kw_only=True, slots=True)
class WordSpans:
    """Shares of the tokens of a text, by the words that they span."""

    tokens: int
    two: float
    """Share of tokens, 0 to 1, that span exactly two words."""
    three: float
    four_or_more: float
    bytes_share: float
    """Share of the text's bytes in tokens of two words or more."""
    commonest: tuple[tuple[bytes, int], ...]
    """Tokens of two words or more and how often they occur, the commonest first."""


def word_spans(tokenizer: Tokenizer, texts: Sequence[bytes | str], *, shown: int = 20) -> WordSpans:
    """Counts over ``texts``; all shares are 0 where there are no tokens.

    Example:
        >>> from tokforge.bpe import BpeConfig, train_from_counts
        >>> plain = train_from_counts({b"ab": 2}, BpeConfig(vocab_size=257, pretokenizer="gpt2"))
        >>> word_spans(plain, ["ab ab"]).two
        0.0
    """
    counts: Counter[int] = Counter()
    for text in texts:
        ids, times = np.unique(tokenizer.encode(text), return_counts=True)
        counts.update(dict(zip(ids.tolist(), times.tolist(), strict=True)))
    by_words: Counter[int] = Counter()
    spanning: list[tuple[bytes, int]] = []
    total_bytes = 0
    for token_id, count in counts.items():
        token = tokenizer.token_bytes(token_id)
        words = words_in(token)
        by_words[min(words, 4)] += count
        total_bytes += len(token) * count
        if words > 1:
            spanning.append((token, count))
    tokens = sum(by_words.values())
    inside = sum(len(token) * count for token, count in spanning)
    return WordSpans(
        tokens=tokens,
        two=by_words[2] / tokens if tokens else 0.0,
        three=by_words[3] / tokens if tokens else 0.0,
        four_or_more=by_words[4] / tokens if tokens else 0.0,
        bytes_share=inside / total_bytes if total_bytes else 0.0,
        commonest=tuple(sorted(spanning, key=lambda item: (-item[1], item[0]))[:shown]),
    )
