"""L21: Tokens that no text produces, and other candidates for glitches.

What it finds:
(a) Tokens that the merges could make and the pipeline never asks for: the splitter cuts through them in each
of 165 neighbourhoods, or the normaliser (NFC, NFKC and so on) rewrites their text (a warning).
(b) How many tokens are parts of a character, and how many hold control characters (one note). Every
byte-level vocabulary has some.

Why it matters:
What training never sees keeps its random embedding. Such tokens derail a model when they do occur, by ids
from outside or by sampling, and a partial character shows as a replacement character in a stream. (No issue
is cited; "glitch tokens" is the common name. A token that was merely rare in training cannot be seen here.)

How to fix:
Mask the ids of (a) when sampling, prune them, or train with the splitter that you deploy. (b) is a fact to
know, not to mend.
"""

from collections.abc import Iterator

from tokforge.errors import TokforgeError
from tokforge.lint.artefact import Artefact
from tokforge.lint.bpe import Bpe
from tokforge.lint.pipeline import steps
from tokforge.lint.readers import regex_sequence
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule
from tokforge.tokenizer.display import printable
from tokforge.tokenizer.pretokenizers import canonical_stages
from tokforge.tokenizer.reach import cut_tokens, rewritten_tokens

__all__ = ["RULE", "check"]

_SHOWN = 5
_TEXT_CONTROLS = frozenset(b"\t\n\v\f\r")


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields at most one finding of each kind."""
    bpe = artefact.bpe
    if not bpe or not bpe.byte_level:
        return
    tokens = {token: data for token in bpe.vocab if token not in bpe.special and (data := bpe.data(token))}
    reasons = {
        "the splitter cuts through them wherever they stand": _cut_tokens(artefact, bpe, tokens),
        "the normaliser rewrites them": _rewritten(artefact, tokens),
    }
    for reason, found in reasons.items():
        if found:
            shown = " ".join(printable(tokens[token]) for token in found[:_SHOWN])
            message = f"{len(found):,} tokens are never produced: {reason}"
            yield RULE.finding(bpe.token_place(found[0]), shown, message, "mask or prune them")
    parts = sum(len(data) > 1 and not _is_utf8(data) for data in tokens.values())
    controls = sum(len(data) > 1 and _has_controls(data) for data in tokens.values())
    if parts or controls:
        message = f"{parts:,} tokens are parts of a character, {controls:,} hold control characters"
        yield RULE.finding(bpe.vocab_place, parts + controls, message, "nothing to mend", severity="note")


def _rewritten(artefact: Artefact, tokens: dict[str, bytes]) -> list[str]:
    """Returns tokens whose text no normalised text holds."""
    found = [one.type for one in steps(artefact.tokenizer, "normalizer")] if artefact.tokenizer else []
    rewritten = rewritten_tokens(found, tokens.values())
    return [token for token, data in tokens.items() if data in rewritten]


def _cut_tokens(artefact: Artefact, bpe: Bpe, tokens: dict[str, bytes]) -> list[str]:
    """Returns tokens of whole characters that are cut in every neighbourhood, though merges can make them."""
    regexes = regex_sequence(artefact.tokenizer) if artefact.tokenizer else ()
    if not regexes:
        return []
    try:
        stages = canonical_stages(tuple(f"regex:{regex}" for regex in regexes))
        cut = cut_tokens(stages, tokens.values())
    except TokforgeError:  # a regex that our engine does not take: L25 says so
        return []
    missed = set() if bpe.ignore_merges or not cut else set(artefact.unreachable)
    return [token for token, data in tokens.items() if data in cut and token not in missed]


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_controls(data: bytes) -> bool:
    return any((byte < 0x20 and byte not in _TEXT_CONTROLS) or byte == 0x7F for byte in data)


RULE = Rule("L21", "glitch-candidates", "warning", check, __doc__)
