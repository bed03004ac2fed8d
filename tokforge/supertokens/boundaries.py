"""Prompt boundaries: how often cutting a text changes tokens before the cut.

A prompt that ends where the text would go on as one token is encoded in a way that training never saw.
Definition: cut each text between two words (before a space, where users and servers cut) at places drawn
by a seed; a cut is *changed* if the ids of the text up to it are not a prefix of the ids of the whole.
Complexity: the encoding of the text before each cut.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tokforge.errors import ConfigError
from tokforge.tokenizer import Tokenizer

__all__ = ["PromptBoundaries", "prompt_boundaries"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptBoundaries:
    """What cuts did."""

    cuts: int
    changed: int
    tokens_back: float
    """Mean tokens, over the changed cuts, to drop from the prompt's end until what is left is a prefix."""

    @property
    def rate(self) -> float:
        """Share of the cuts, 0 to 1, that change tokens before them."""
        return self.changed / self.cuts


def prompt_boundaries(
    tokenizer: Tokenizer, texts: Sequence[str], *, cuts: int = 1000, seed: int = 0
) -> PromptBoundaries:
    """Draws ``cuts`` places over ``texts``, which should be short (a paragraph, a file).

    Raises ConfigError where no text has a space between two words.
    """
    places = [(text, at) for text in texts for at in _places(text)]
    if not places:
        raise ConfigError("no text has a space to cut at", "give running text")
    drawn = random.Random(seed).sample(places, min(cuts, len(places)))
    whole = {text: tokenizer.encode(text).tolist() for text in {text for text, _ in drawn}}
    dropped = [_dropped(tokenizer.encode(text[:at]).tolist(), whole[text]) for text, at in drawn]
    changed = [count for count in dropped if count]
    back = sum(changed) / len(changed) if changed else 0.0
    return PromptBoundaries(cuts=len(drawn), changed=len(changed), tokens_back=back)


def _places(text: str) -> list[int]:
    return [at for at in range(1, len(text) - 1) if text[at] == " " and text[at - 1].isalpha()]


def _dropped(prompt: list[int], whole: list[int]) -> int:
    """How many ids at the prompt's end differ from those of the whole text."""
    common = next((at for at, (a, b) in enumerate(zip(prompt, whole, strict=False)) if a != b), len(prompt))
    return len(prompt) - common
