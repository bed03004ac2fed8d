r"""L01: A literal pattern that reads like a regex.

What it finds:
A Split or Replace whose pattern is a ``String`` holding regex syntax, such as ``\p{N}{1,3}`` or ``[^\s]+``.

Why it matters:
Hugging Face searches for those very characters, so the step never matches and text is not split at all. A
model of about one billion parameters was pretrained so (ggml-org/llama.cpp#29211,
huggingface/tokenizers#1297). `NougatTokenizer` of transformers 5 builds such a step itself.

How to fix:
Write the pattern as ``{"Regex": ...}`` before training. After training the file is the truth: a model has
learned the unsplit text, so keep the step, and say in the model card that it does nothing.
"""

import re
from collections.abc import Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.pipeline import patterns
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]

_REGEX_SYNTAX = re.compile(r"\\[pPsSdDwWbB]|\(\?|\[\^|[\])][+*]|[\])]\{\d|\{\d+,\d*\}|\.[*+]\\?")


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields a finding for each literal pattern with regex syntax in it."""
    for pattern in patterns(artefact.tokenizer) if artefact.tokenizer else ():
        if not pattern.is_regex and (syntax := _REGEX_SYNTAX.search(pattern.text)):
            yield RULE.finding(
                pattern.place,
                pattern.text,
                f"the {pattern.step.type} looks for these characters as they stand; "
                f"`{syntax[0]}` makes them read like a regex, which never matches",
                'write {"Regex": ...}, unless a model was already trained with it',
            )


RULE = Rule("L01", "literal-regex", "error", check, __doc__)
