r"""L25: A regex that an engine refuses, or that engines read differently.

What it finds:
Regexes that Oniguruma does not compile (an error: Hugging Face refuses the file); that the Rust engines do
not take (a warning); and constructs that mean different things to them (a warning): ``$`` and ``^``,
``{1,3}+``, ``\w`` and ``\b``, named groups, flags.

Why it matters:
``\p{N}{1,3}+`` is possessive for tiktoken and a repeated group for Hugging Face: numbers stay whole. ``$``
ends the text for one and each line for the other. The maintainers of tokenizers have not found two engines
that behave alike (huggingface/tokenizers#1144).

How to fix:
Use the constructs that all read alike; the hint names them.
"""

from collections.abc import Iterator

from tokforge.errors import PatternError, TokforgeError
from tokforge.lint.artefact import Artefact
from tokforge.lint.pipeline import Pattern, patterns
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule
from tokforge.tokenizer.pretokenizers import stage_patterns

__all__ = ["RULE", "check"]


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields at most one finding a regex."""
    for pattern in patterns(artefact.tokenizer) if artefact.tokenizer else ():
        if pattern.is_regex:
            yield from _check(pattern)


def _check(pattern: Pattern) -> Iterator[Finding]:
    from tokenizers import Regex

    from tokforge import _core

    try:
        Regex(pattern.text)
    except Exception as error:  # its errors have no class of their own
        message = f"Oniguruma refuses it ({error}), so Hugging Face refuses the file"
        yield RULE.finding(pattern.place, pattern.text, message, "correct the regex")
        return
    try:
        stage_patterns(f"regex:{pattern.text}")
        _core.Splitter([f"regex:{pattern.text}"])
    except TokforgeError as error:
        problem = error.problem if isinstance(error, PatternError) else str(error)
        yield RULE.finding(pattern.place, pattern.text, problem, error.hint, severity="warning")


RULE = Rule("L25", "regex-faults", "error", check, __doc__)
