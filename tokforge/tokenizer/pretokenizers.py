"""Pre-tokenizers: their names, their regexes, and how a user's text becomes the engine's stages.

A stage is the name of a hand-written splitter or ``regex:PATTERN``; stages apply in turn, each to the
pieces of the one before, and matches and the gaps between them are the pieces. Stages have one
canonical form, so that a tokenizer read back equals the one written: a pattern that has a name is
called by it. ``llama3`` and ``cl100k-hf`` are one pattern; its canonical name is ``llama3``.

The patterns stand in the form that Hugging Face's engine (Oniguruma) reads as their authors meant.
``cl100k`` needs that: tiktoken's text has ``\\p{N}{1,3}+`` (a possessive interval there, a repeated
group in Oniguruma) and ``\\s++$`` (``$`` ends each line there). Sources: openai/tiktoken,
tiktoken_ext/openai_public.py; the tokenizer.json files of the models named.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from tokforge.errors import PatternError, UnknownNameError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.stages import Split, Stage

__all__ = [
    "NAMES",
    "PATTERNS",
    "canonical_pipeline",
    "canonical_stages",
    "check_portable",
    "gapless",
    "parse_pretokenizer",
    "stage_patterns",
]

_WORD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
_SPACE = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}",
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
    _SPACE,
)

_MIXED = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
_REST = rf"\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACE}"
_APOSTROPHES = r"(?:['\u2019](?:\p{L}\p{M}*)+)*"
_BOUNDLESS = rf" ?{_MIXED}{_APOSTROPHES}| ?{_UPPER}{_APOSTROPHES}"

PATTERNS: dict[str, tuple[str, ...]] = {
    "gpt2": (r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",),
    # Whitespace at the very end of a text is one piece, even where it holds a line break.
    "cl100k": (rf"{_WORD}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s+(?![\s\S])|{_SPACE}",),
    "llama3": (rf"{_WORD}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_SPACE}",),
    "qwen2": (rf"{_WORD}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_SPACE}",),
    "o200k": ("|".join(_O200K),),
    # PythonNut/superbpe, scripts/: the two stages.
    "superbpe-words": (rf"[^\r\n\p{{L}}\p{{N}}]?{_MIXED}|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}|{_REST}",),
    "superbpe": (r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]{2,}[\r\n/]*| +(?!\S)",),
    # kensho-technologies' fastboundlessbpe, regexconstants.py: words, and runs of words.
    "boundless-words": (rf"{_BOUNDLESS}|{_REST}",),
    "boundless": (rf"(?:{_BOUNDLESS})+|{_REST}",),
    "deepseek-v3": (
        r"\p{N}{1,3}",
        # Escapes, not characters: an editor's NFC must not be able to change the class.
        r"[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+",
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
        rf"| ?[\p{{P}}\p{{S}}]+[\r\n]*|{_SPACE}",
    ),
}
"""Canonical name -> regexes, applied in sequence."""

_ALIASES = {"cl100k-hf": "llama3"}
_REGEX = "regex:"
_REST_OPENS, _REST_CLOSES = "|(?:(?!", r")[\s\S])+"
_SEQUENCES = {
    # Han first, so that marks in front of it are not its token's, and Latin beside it is apart.
    "chinese": (_REGEX + r"\p{Han}+", "o200k"),
}
NAMES = ("none", *sorted([*PATTERNS, *_ALIASES, *_SEQUENCES]))
"""What `parse_pretokenizer` takes by name; anything else is a regex."""

# Where Oniguruma and the Rust engines read the same text differently: what is written, why, and instead.
_DIFFERENCES = (
    (r"\$|\^", "line ends in one engine, text ends in the other", r"`(?![\s\S])` for the end of the text"),
    (r"\{[\d,]+\}\+", "possessive in one engine, repeated in the other", "`(?>...)` around the interval"),
    (r"\\[wWbB]", "Unicode words differ: `²`, `¼`, ZWJ", r"`[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]` for `\w`"),
    (r"\\[AzZGKhHRXQ]", "the engines give it different meanings", r"classes such as `\s` and `\p{L}`"),
    (
        r"\(\?[a-zA-Z]*[^aix:=!<>()-][a-zA-Z-]*[:)]",
        "the flag has different meanings",
        "only the flags `i`, `x`",
    ),
    (r"\(\?P[<=>]", "it names groups without the `P`", "`(?<name>...)`, or a plain group"),
)
_TOKENS = re.compile(r"\\[pP]\{[^}]*\}|\\[uU][0-9A-Fa-f]{4,8}|\\.|\[|\]|.", re.DOTALL)


def parse_pretokenizer(text: str) -> tuple[str, ...]:
    """Returns the canonical stages for ``text``: a name of `NAMES`, ``regex:PATTERN``, or a bare regex.

    Raises UnknownNameError for a word that is no name, and PatternError for a regex that Hugging Face's
    engine and ours would read differently, so that no vocabulary is trained that cannot be exported.
    """
    if text == "none":
        return ()
    if text in _SEQUENCES:
        return canonical_stages(_SEQUENCES[text])
    if text in NAMES or text.startswith(_REGEX):
        return canonical_stages((text,))
    if re.fullmatch(r"[A-Za-z0-9_-]*", text):
        close = get_close_matches(text, NAMES, 1)
        guess = f"did you mean {close[0]!r}? " if close else ""
        raise UnknownNameError(
            f"there is no pre-tokenizer {quoted(text)}",
            f"{guess}use one of: {', '.join(NAMES)}, or regex:PATTERN",
        )
    return canonical_stages((_REGEX + text,))


def canonical_stages(stages: tuple[str, ...]) -> tuple[str, ...]:
    """Returns ``stages`` with every known pattern, or sequence of patterns, under its canonical name."""
    return _named([_without_rest(pattern) for stage in stages for pattern in stage_patterns(stage)])


def gapless(pattern: str) -> str:
    """Returns a regex whose matches alone are the pieces: those of ``pattern`` and what lies between."""
    return f"{pattern}{_REST_OPENS}{pattern}{_REST_CLOSES}"


def _without_rest(pattern: str) -> str:
    """Undoes `gapless`, which changes no piece here: gaps are pieces anyway."""
    size = (len(pattern) - len(_REST_OPENS) - len(_REST_CLOSES)) // 2
    return pattern[:size] if size > 0 and gapless(pattern[:size]) == pattern else pattern


def canonical_pipeline(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """As `canonical_stages`, for stages that may be data as well; an isolated regex becomes its text."""
    canonical: list[Stage] = []
    texts: list[str] = []
    for stage in map(_as_text, stages):
        if isinstance(stage, str):
            texts.append(stage)
        else:
            canonical += [*canonical_stages(tuple(texts)), stage]
            texts = []
    return (*canonical, *canonical_stages(tuple(texts)))


def _as_text(stage: Stage) -> Stage:
    if isinstance(stage, Split) and stage.regex and stage.behavior == "isolated":
        return _REGEX + stage.pattern  # matches and gaps are pieces, whichever is the delimiter
    return stage


def stage_patterns(stage: str) -> tuple[str, ...]:
    """Returns the regexes of one stage, in sequence; raises UnknownNameError or PatternError."""
    name = _ALIASES.get(stage, stage)
    if name in PATTERNS:
        return PATTERNS[name]
    if not stage.startswith(_REGEX):
        raise UnknownNameError(
            f"there is no splitter {quoted(stage)}", f"use one of: {', '.join(NAMES[:-1])}, regex:PATTERN"
        )
    pattern = stage.removeprefix(_REGEX)
    check_portable(pattern)
    return (pattern,)


def _named(patterns: list[str]) -> tuple[str, ...]:
    """Replaces, from the left, the longest run of patterns that has a name; O(patterns x names)."""
    keys = [_escaped(pattern) for pattern in patterns]
    stages: list[str] = []
    at = 0
    while at < len(patterns):
        name = next((n for n, known in _LONGEST_FIRST if tuple(keys[at : at + len(known)]) == known), None)
        stages.append(name or _REGEX + patterns[at])
        at += len(PATTERNS[name]) if name else 1
    return tuple(stages)


def _escaped(pattern: str) -> str:
    """Spells line ends and non-ASCII characters as escapes: published files differ in that alone."""
    pattern = pattern.replace("\r", r"\r").replace("\n", r"\n")
    return "".join(char if char < "\x80" else f"\\u{ord(char):04X}" for char in pattern)


def check_portable(pattern: str) -> None:
    """Raises PatternError for a regex that Hugging Face's engine and ours would read differently."""
    if not pattern:
        raise PatternError("the regex is empty", "give a pattern, or the pre-tokenizer none")
    if any("\ud800" <= char <= "\udfff" for char in pattern):
        raise PatternError(f"the regex {quoted(pattern)} holds a lone surrogate", "use valid Unicode text")
    outside = _outside_classes(pattern)
    for construct, reason, instead in _DIFFERENCES:
        found = re.search(construct, outside)
        if found:
            raise PatternError(
                f"`{found[0]}` in {quoted(pattern)} means something else to Hugging Face's engine: {reason}",
                f"use {instead}",
            )


def _outside_classes(pattern: str) -> str:
    """Drops what stands in ``[...]``, save ``\\w`` and its kin, and escaped punctuation."""
    depth, kept = 0, []
    for token in _TOKENS.findall(pattern):
        if token == "[":
            depth += 1
        elif token == "]" and depth:
            depth -= 1
            kept.append("[]" if not depth else "")
        elif re.fullmatch(r"\\[wW]", token) or (not depth and not re.fullmatch(r"\\\W", token)):
            kept.append(token)
        elif not depth:
            kept.append("_")
    return "".join(kept)


_LONGEST_FIRST = sorted(
    ((name, tuple(map(_escaped, known))) for name, known in PATTERNS.items()), key=lambda item: -len(item[1])
)
