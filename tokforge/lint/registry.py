"""All rules, in the order of their codes, and the words by which a user names some of them."""

from collections.abc import Iterable
from importlib import import_module

from tokforge.errors import UnknownNameError
from tokforge.lint.rule import HEADINGS, Rule

__all__ = ["RULES", "explain", "select_rules"]

_MODULES = (
    *("l01_literal_regex", "l02_byte_level_order", "l03_broken_merge", "l04_unreachable", "l05_sparse_ids"),
    *("l06_added_tokens", "l07_stale_ids", "l08_sizes", "l09_missing_bytes", "l10_byte_fallback"),
    *("l11_tokenizer_class", "l12_unknown_pattern", "l13_superlinear", "l14_normalizer", "l15_duplicates"),
    *(
        "l16_nul_piece",
        "l17_unicode_version",
        "l18_ambiguous_merges",
        "l19_chat_template",
        "l20_mistral_regex",
    ),
    *(
        "l21_glitch_candidates",
        "l22_leftover_settings",
        "l23_version",
        "l24_unknown_keys",
        "l25_regex_faults",
    ),
    *("l26_malformed", "l27_legacy_merges"),
)

RULES: dict[str, Rule] = {
    rule.code: rule for rule in (import_module(f"tokforge.lint.rules.{name}").RULE for name in _MODULES)
}
"""Code -> rule."""


def select_rules(select: Iterable[str] | None = None, ignore: Iterable[str] | None = None) -> list[Rule]:
    """Returns the rules that ``select`` names, all if it is None or empty, less those of ``ignore``.

    A word is a code (L04) or a name (unreachable-tokens), in any case. Raises UnknownNameError for another.
    """
    wanted = {_rule(word).code for word in select or ()} or set(RULES)
    return [RULES[code] for code in RULES if code in wanted - {_rule(word).code for word in ignore or ()}]


def explain(word: str) -> str:
    """Returns the page of one rule as Markdown. Raises UnknownNameError."""
    rule = _rule(word)
    fix = "yes" if rule.fix else "no"
    head = f"# {rule.code} {rule.name}: {rule.title}\n\nSeverity: {rule.severity}. Automatic fix: {fix}.\n"
    return head + "".join(f"\n## {heading}\n\n{rule.section(heading)}\n" for heading in HEADINGS)


def _rule(word: str) -> Rule:
    for rule in RULES.values():
        if word.strip().upper() == rule.code or word.strip().lower() == rule.name:
            return rule
    raise UnknownNameError(f"there is no rule {word!r}", f"use one of: {', '.join(RULES)}")
