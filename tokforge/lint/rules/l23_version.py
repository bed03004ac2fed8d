"""L23: A version that no reader knows.

What it finds:
A tokenizer.json whose ``version`` is there and not "1.0"; a tekken.json whose version mistral-common 1.11.7
does not list.

Why it matters:
Hugging Face refuses it ("Unknown tokenizer version"), as mistral-common does. A missing version is read as
1.0.

How to fix:
Write "1.0": there is no other version of tokenizer.json so far.
"""

from collections.abc import Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import step
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]

_TEKKEN = {"v1", "v2", "v3", "v7", "v11", "v13", "v15"}


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields one finding."""
    if artefact.tokenizer:
        version = step(artefact.tokenizer.value, "version")
        if version not in (None, "1.0"):
            place = artefact.tokenizer.place.at("version")
            yield RULE.finding(
                place, version, f"Hugging Face knows 1.0 alone, not {version!r}", 'write "1.0"'
            )
    elif artefact.format == "tekken":
        document = artefact.documents[artefact.file]
        version = step(document.value, "config", "version")
        if version not in _TEKKEN:
            place = document.place.at("config", "version")
            yield RULE.finding(
                place, version, f"mistral-common knows {', '.join(sorted(_TEKKEN))}", "use one of them"
            )


RULE = Rule("L23", "unknown-version", "error", check, __doc__)
