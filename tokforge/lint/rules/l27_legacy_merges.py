"""L27: Merges as strings.

What it finds:
A BPE tokenizer.json whose merges are strings ``"a b"``, all of which can be read.

Why it matters:
Every reader takes them; transformers 4.45 and later write pairs. Strings cannot hold a token with a space, so
extending such a vocabulary can break the file (L18). Pairs in turn need tokenizers 0.20 or later. A note.

How to fix:
`--fix --select L27` rewrites them as pairs, with equal ids.
"""

from collections.abc import Iterable, Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.report import Finding
from tokforge.lint.rule import Change, Documents, Fix, Rule
from tokforge.lint.rules.l18_ambiguous_merges import to_pairs

__all__ = ["RULE", "check"]


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields one finding."""
    bpe = artefact.bpe
    if artefact.tokenizer and bpe and bpe.legacy and None not in bpe.merges:
        first = " ".join(bpe.merges[0] or ())
        yield RULE.finding(
            bpe.merges_place, first, f"{len(bpe.merges):,} merges are strings", "write them as pairs"
        )


def _fix(artefact: Artefact, documents: Documents) -> Iterable[Change]:
    changed = to_pairs(artefact, documents)
    if changed:
        what = f"{changed:,} merges are pairs now (tokenizers before 0.20 cannot read them)"
        yield Change("L27", artefact.file, "/model/merges", what)


RULE = Rule("L27", "legacy-merges", "note", check, __doc__, Fix(_fix, keeps_ids=True))
