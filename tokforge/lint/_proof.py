"""Compares two tokenizer.json texts as Hugging Face reads them: the same ids on the probes, or the first
difference.

The probes are fixed texts over Unicode categories, white space, digits and code, the texts of added tokens,
and an even sample of the vocabulary. Special tokens are left to be matched, since fixes may concern them;
nothing is added around the text.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tokforge.tokenizer.formats.byte_alphabet import unspell

__all__ = ["Comparison", "compare"]

_TEXTS = (
    "",
    "Hello, world! It's DON'T we'LL o'clock 'tis eBay pH",
    "1 12 123 1234 12345 3.14159 1,000,000 0x1F ²½Ⅷ ٣٤٥",
    " a  b   c    d\te\t\tf\n\n  indented\r\n\t\ttabbed   ",
    "def f(x):\n    return {'a': [x**2, -1]}  # comment\n\nclass A_b(C.D):\n\tpass\n",
    "Füße É naïve e\u0301 Ελληνικά русский עברית العربية हिन्दी ไทย",
    "中文English 日本語 한국어 👩\u200d👩\u200d👧 🇩🇪",
    "\0\x1c\x7f\x85\xa0\xad\u200b\u2028\u3000\ufeff\ufffd",
)
_SAMPLED_TOKENS = 2000
_TOKENS_A_PROBE = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one fix did: ``equal``, ``changed``, or ``not_loaded`` where one of the two does not load."""

    rule: str
    compared: Literal["ids", "tokens"]
    verdict: Literal["equal", "changed", "not_loaded"]
    probes: int
    example: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return asdict(self)


def compare(rule: str, before: str, after: str, *, by_token: bool = False) -> Comparison:
    """Returns how the two encode; ``by_token`` compares the tokens' texts, for fixes that move ids."""
    compared: Literal["ids", "tokens"] = "tokens" if by_token else "ids"
    old, new = _load(before), _load(after)
    if old is None or new is None:
        return Comparison(rule, compared, "not_loaded", 0)
    probes = list(_probes(before))
    for probe in probes:
        was, now = (_encode(one, probe, by_token) for one in (old, new))
        if was != now:
            example = f"{probe[:40]!r}: {was[:8]} before, {now[:8]} after"
            return Comparison(rule, compared, "changed", len(probes), example)
    return Comparison(rule, compared, "equal", len(probes))


def _load(text: str) -> Any:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(text)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a panic in its Rust is no Exception
        return None


def _encode(tokenizer: Any, text: str, by_token: bool) -> list[Any]:
    try:
        found = tokenizer.encode(text, add_special_tokens=False)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the same
        return [type(error).__name__]
    return list(found.tokens if by_token else found.ids)


def _probes(text: str) -> Iterable[str]:
    root = json.loads(text)
    yield from _TEXTS
    yield from (
        f"a{token['content']} b{token['content']}" for token in (root.get("added_tokens") or [])[:500]
    )
    vocab = list(root["model"]["vocab"]) if isinstance(root["model"].get("vocab"), dict) else []
    sample = [_text(token) for token in vocab[:: max(1, len(vocab) // _SAMPLED_TOKENS)]]
    yield from ("".join(sample[at : at + _TOKENS_A_PROBE]) for at in range(0, len(sample), _TOKENS_A_PROBE))


def _text(token: str) -> str:
    """Returns text that a token of either spelling stands for, less what is no UTF-8."""
    data = unspell(token)
    return token.replace("▁", " ") if data is None else data.decode("utf-8", "ignore")
