"""L24: Keys that no reader looks at.

What it finds:
Keys that Hugging Face does not know: at the top of a tokenizer.json (an error), within the model, an added
token or a step of the pipeline (a warning), with the known key that is nearest.

Why it matters:
At the top, Hugging Face refuses the file. Further in it passes over the key in silence, so a misspelt option
has its default: ``use_regx: false`` splits by GPT-2's regex after all.

How to fix:
Correct the spelling, or remove the key.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from tokforge.lint.artefact import Artefact, Place
from tokforge.lint.documents import step
from tokforge.lint.pipeline import SECTIONS, steps
from tokforge.lint.report import Finding, Severity
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]

_ROOT = {"version", "truncation", "padding", "added_tokens", "model", *SECTIONS}
_ADDED = {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}
_MODELS = {
    "BPE": {
        *("type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk"),
        *("byte_fallback", "ignore_merges", "vocab", "merges"),
    },
    "WordPiece": {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"},
    "WordLevel": {"type", "unk_token", "vocab"},
    "Unigram": {"type", "unk_id", "vocab", "byte_fallback"},
}
_STEPS = {
    "ByteLevel": {"add_prefix_space", "trim_offsets", "use_regex"},
    "Split": {"pattern", "behavior", "invert"},
    "Digits": {"individual_digits"},
    "Punctuation": {"behavior"},
    "Metaspace": {"replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"},
    "Replace": {"pattern", "content"},
    "Prepend": {"prepend"},
    "BertNormalizer": {"clean_text", "handle_chinese_chars", "strip_accents", "lowercase"},
    "Precompiled": {"precompiled_charsmap"},
    "TemplateProcessing": {"single", "pair", "special_tokens"},
}
_WITHOUT_OPTIONS = {
    *("NFC", "NFD", "NFKC", "NFKD", "Nmt", "Lowercase", "StripAccents", "Whitespace", "WhitespaceSplit"),
    *("BertPreTokenizer", "UnicodeScripts", "Fuse", "ByteFallback"),
}


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields a finding for each unknown key."""
    document = artefact.tokenizer
    if not document:
        return
    root = document.value
    yield from _unknown(document.place, root, _ROOT, "error")
    model = step(root, "model")
    kind = step(model, "type")
    known = _MODELS.get(kind if isinstance(kind, str) else "BPE")
    if known:
        yield from _unknown(document.place.at("model"), model, known, "warning")
    for token in artefact.added:
        entry = step(root, "added_tokens", int(token.place.pointer.rsplit("/", 1)[1]))
        yield from _unknown(token.place, entry, _ADDED, "warning")
    for section in SECTIONS:
        for one in steps(document, section):
            if one.type in _STEPS or one.type in _WITHOUT_OPTIONS:
                yield from _unknown(one.place, one.value, {"type", *_STEPS.get(one.type, ())}, "warning")


def _unknown(place: Place, value: Any, known: set[str], severity: Severity) -> Iterator[Finding]:
    for key in value if isinstance(value, dict) else ():
        if key not in known:
            close = get_close_matches(key, known, 1)
            yield RULE.finding(
                place.at(key),
                key,
                "Hugging Face refuses the file for it"
                if severity == "error"
                else "Hugging Face passes over it",
                f"did you mean {close[0]}?" if close else "remove it",
                severity=severity,
            )


RULE = Rule("L24", "unknown-keys", "warning", check, __doc__)
