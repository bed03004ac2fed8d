"""L22: Truncation, padding or dropout left in the file.

What it finds:
``truncation`` or ``padding`` that is not null, and a ``dropout`` above zero.

Why it matters:
They are saved with the tokenizer after a training run, and act on every later encode: text is cut at
``max_length`` in silence, batches are filled with pad ids, and dropout gives other ids each time. Sentence
encoders ship with truncation to 128 tokens, and users lose the rest of their text unaware.

How to fix:
Set them to null; who needs them sets them at run time. `--fix` does, and lists what changes.
"""

from collections.abc import Iterable, Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import step
from tokforge.lint.report import Finding
from tokforge.lint.rule import Change, Documents, Fix, Rule

__all__ = ["RULE", "check"]


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields a finding for each setting."""
    document = artefact.tokenizer
    if not document:
        return
    truncation, padding = step(document.value, "truncation"), step(document.value, "padding")
    if isinstance(truncation, dict):
        longest = truncation.get("max_length")
        yield RULE.finding(
            document.place.at("truncation"),
            longest,
            f"every text is cut at {longest} tokens, without a word",
            "set truncation to null",
        )
    if isinstance(padding, dict):
        yield RULE.finding(
            document.place.at("padding"),
            padding.get("strategy"),
            "pad ids are put into what is encoded",
            "set padding to null",
        )
    dropout = step(document.value, "model", "dropout")
    if isinstance(dropout, int | float) and dropout > 0:
        yield RULE.finding(
            document.place.at("model", "dropout"),
            dropout,
            "merges are dropped at random: ids differ from run to run",
            "set dropout to null",
            severity="error",
        )


def _fix(artefact: Artefact, documents: Documents) -> Iterable[Change]:
    root = documents[artefact.file]
    for holder, pointer, key in (
        (root, "", "truncation"),
        (root, "", "padding"),
        (root["model"], "/model", "dropout"),
    ):
        if holder.get(key):
            holder[key] = None
            yield Change("L22", artefact.file, f"{pointer}/{key}", "set to null")


RULE = Rule("L22", "leftover-settings", "warning", check, __doc__, Fix(_fix, keeps_ids=False))
