"""The texts on which two libraries must agree before a conversion is written.

One list for every pair of formats: a character of each Unicode category alone and in contexts, runs of
each white space, digits, contractions, code, every byte, special tokens spelled as text, an even sample of
the vocabulary, `RANDOM_PROBES` random strings from one seed, and what the user adds. A text vocabulary is
probed with UTF-8 alone, since no other library takes anything else; a binary one with raw bytes too.
Deterministic: the same tokenizer gives the same probes.
"""

import random
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from tokforge.tokenizer.formats.proof import probes as fixed_probes
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["RANDOM_PROBES", "chunks", "conversion_probes"]

RANDOM_PROBES = 10_000
_SEED = 20_240_607
_LONGEST = 24
_PER_CATEGORY = 8
_SPACES = " \t\n\r\v\f\x85\xa0\u1680\u2003\u2009\u2028\u2029\u202f\u205f\u3000\u200b\ufeff"
_RUNS = (1, 2, 3, 4, 7, 8, 15, 16, 17, 33)
_CHUNK = 2048
_FRAGMENTS = (
    *(
        "the",
        " the",
        "ing",
        "'s",
        "'T",
        "'re",
        "DON'T",
        "they'LL",
        "12",
        "345",
        "1234567",
        "3.14",
        "1e-9",
        "0x1F",
    ),
    *(
        "://",
        "</",
        "/>",
        "&&",
        "==",
        "!=",
        "->",
        "::",
        "();",
        "{\n",
        "}\n\n",
        "\t\t",
        "    ",
        "\r\n",
        " \n",
        "  ",
    ),
    *(
        "def ",
        "return ",
        "camelCase",
        "snake_case",
        "XMLHttp",
        "é",
        "e\u0301",
        "中文",
        "日本語",
        "한국어",
        "हिन्दी",
    ),
    *(
        "русский",
        "עברית",
        "العربية",
        "ไทย",
        "😀",
        "👩\u200d👩\u200d👧",
        "🇩🇪",
        "1\ufe0f\u20e3",
        "ﬁ",
        "Å",
        "ß",
        "ſ",
        "İ",
        "Σς",
    ),
    *("▁", "▁▁", "Ġ", "Ċ", "<0x41>", "<s>", "</s>", "<unk>", "##", "\0", "\x7f", "\x1c", "\ufffd", "\u2047"),
)


def conversion_probes(tokenizer: Tokenizer, extra: Iterable[bytes] = ()) -> list[bytes]:
    """Returns all probes, without duplicates, the short and telling ones first; ``extra`` whole, last."""
    found = [*fixed_probes(tokenizer), *(text.encode() for text in _systematic())]
    found += [bytes((byte,)) for byte in range(256)] if tokenizer.kind == "binary" else []
    found += _random(tokenizer)
    return [*dict.fromkeys(found), *extra]


def chunks(data: bytes, *, text: bool) -> Iterator[bytes]:
    """Cuts a user's file into probes at line ends, so that a difference can be shown; a text that is no
    UTF-8 is mended with U+FFFD."""
    if text:
        data = data.decode("utf-8", "replace").encode()
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + _CHUNK) + 1 or len(data)
        end = end if text else min(start + _CHUNK, len(data))
        yield data[start:end]
        start = end


def _systematic() -> Iterator[str]:
    for char in _categories():
        yield from (char, f"a{char}", f"{char}a", f" {char}", f"{char} ", f"{char}{char}", f"1{char}1")
    for char in map(chr, range(256)):
        yield from (char, f"a{char}b", f" {char}{char} ")
    for space in _SPACES:
        for run in _RUNS:
            yield from (
                space * run,
                f"a{space * run}b",
                f"{space * run}b",
                f"a{space * run}",
                f"1{space * run}!",
            )
    for count in range(1, 24):
        yield from ("9" * count, f"a{'7' * count}", f" {'0' * count}.")
    yield from ("a" * 300, " " * 300, "ab" * 200, "\n" * 100, "é" * 100, "中" * 100, "😀" * 50, "=" * 100)


@cache
def _categories() -> tuple[str, ...]:
    """Returns a few characters of each general category, spread over the planes. Surrogates are no text."""
    by_category: dict[str, list[str]] = {}
    for code in range(0, sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category not in ("Cs", "Cn", "Co"):
            by_category.setdefault(category, []).append(chr(code))
    picked = []
    for chars in by_category.values():
        step = max(1, len(chars) // _PER_CATEGORY)
        picked += chars[::step][:_PER_CATEGORY]
    return (*picked, "\ue000", "\u0378", "\U0010ffff", "\ufffe")


def _random(tokenizer: Tokenizer) -> list[bytes]:
    """Returns random strings: of fragments, of single characters, and of the vocabulary's own tokens."""
    chooser = random.Random(_SEED)
    characters = [*_categories(), *map(chr, range(0x20, 0x7F))]
    own = [
        token.decode()
        for token in tokenizer.table.tokens[:: max(1, tokenizer.vocab_size // 5000)]
        if _is_text(token)
    ]
    sources: Sequence[Sequence[str]] = (_FRAGMENTS, characters, own or _FRAGMENTS, [*_FRAGMENTS, *characters])
    if tokenizer.kind == "binary":
        own_bytes = [token for token in tokenizer.table.ordinary() if token]
        return [
            chooser.randbytes(chooser.randint(0, _LONGEST))
            if number % 2
            else b"".join(chooser.choices(own_bytes, k=chooser.randint(0, 8)))
            for number in range(RANDOM_PROBES)
        ]
    return [
        "".join(chooser.choices(sources[number % len(sources)], k=chooser.randint(0, _LONGEST))).encode()
        for number in range(RANDOM_PROBES)
    ]


def _is_text(token: bytes) -> bool:
    try:
        token.decode()
    except UnicodeDecodeError:
        return False
    return bool(token)
