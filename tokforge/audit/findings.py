"""`audit`: what a stranger's tokenizer gives away about itself, without its texts.

Lineage by merges shared with known tokenizers; tokens that nothing produces, or that are cut inside a
character; and what a training corpus leaves verbatim in a vocabulary: long strings, addresses, and what
looks like a secret. A match is a reason to look, not a proof. Linear in the bytes of the vocabulary.
Sources: Land and Bartolo 2024, arXiv 2405.05417 (reachability); the public formats of the keys named.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import log2
from pathlib import Path
from typing import Any

from tokforge.audit.complete import load_complete
from tokforge.audit.undertrained import UnderTrained, under_trained
from tokforge.lint import Finding, lint
from tokforge.metrics.kinship import Kinship, kinships
from tokforge.metrics.reach import digit_grouping, never_split_to, unreachable
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.mixture import infer_mixture
from tokforge.mixture.known import known_prefixes
from tokforge.mixture.merge_list import one_merge_a_token
from tokforge.tokenizer import Tokenizer, printable
from tokforge.tokenizer.notebook import table_html

__all__ = ["LONG_CHARACTERS", "Audit", "AuditedToken", "audit", "audit_tokenizer", "secret_kind"]

LONG_CHARACTERS = 24
"""A token of this many characters and at least `DISTINCT` different bytes is a verbatim string."""
DISTINCT = 8
LISTED = 200
_MISSING = "{} bytes have no token; for this audit they stand behind the last id"
SHOWN = 3

SECRETS: dict[str, re.Pattern[bytes]] = {
    "private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "AWS access key": re.compile(rb"\b(AKIA|ASIA)[0-9A-Z]{12,}"),
    "GitHub token": re.compile(rb"\b(ghp|gho|ghu|ghs|ghr|github_pat)_[0-9A-Za-z_]{16,}"),
    "API key": re.compile(rb"\b(sk|pk|rk)[-_](live|test|proj|ant)?[-_]?[0-9A-Za-z]{16,}"),
    "Google API key": re.compile(rb"\bAIza[0-9A-Za-z_-]{20,}"),
    "Slack token": re.compile(rb"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    "JSON web token": re.compile(rb"\beyJ[0-9A-Za-z_-]{16,}"),
    "e-mail address": re.compile(rb"[0-9A-Za-z._%+-]{2,}@[0-9A-Za-z-]+\.[a-z]{2,}"),
    "web address": re.compile(rb"https?://[0-9A-Za-z.-]{4,}\.[a-z]{2,}"),
    "UUID": re.compile(rb"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE),
    "digest": re.compile(rb"\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{24,}\b", re.IGNORECASE),
}
"""Kind -> pattern, the first that matches names the token."""


@dataclass(frozen=True, slots=True)
class AuditedToken:
    """One token and why it is listed."""

    id: int
    text: str
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """What `audit_tokenizer` found; lists hold at most `LISTED` tokens, counts hold all."""

    kind: str
    vocab_size: int
    merges: int
    digit_grouping: str
    known_prefixes: dict[str, int]
    """Public tokenizer whose merges this one's begin with -> how many at least; the oldest first."""
    lineage: tuple[Kinship, ...]
    counts: dict[str, int]
    """Finding -> tokens."""
    tokens: dict[str, tuple[AuditedToken, ...]]
    """Finding -> tokens: unreachable, never_split_to, partial_utf8, secrets, verbatim."""
    lint: tuple[Finding, ...] = ()
    """What `tokforge.lint` finds in the files."""
    mixture: dict[str, Any] | None = None
    """What `tokforge.infer_mixture` reads out of the merges, if there were references."""
    under_trained: UnderTrained | None = None
    """Tokens that the model has hardly seen, if a model was given."""
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return asdict(self)

    def _repr_html_(self) -> str:
        listed = [
            (
                finding.replace("_", " "),
                str(count),
                ", ".join(one.text for one in self.tokens[finding][:SHOWN]),
            )
            for finding, count in self.counts.items()
        ]
        prefixes = [(f"merges of {name}", f"{count:,}", "") for name, count in self.known_prefixes.items()]
        if self.under_trained is not None:
            listed.append(_row(self.under_trained))
        return table_html(["finding", "tokens", "for example"], [*prefixes, *listed])


def _row(found: UnderTrained) -> tuple[str, str, str]:
    """Line of a table: how many tokens are as low as rows never used, else how many are candidates."""
    kind = "as_unused" if found.counts["as_unused"] else "candidates"
    shown = ", ".join(one.text for one in found.tokens["candidates"][:SHOWN])
    return f"under-trained, {kind.replace('_', ' ')}", str(found.counts[kind]), shown


def audit(
    path: str | Path,
    known: Sequence[str | Path] = (),
    *,
    categories: str | Path | None = None,
    model: str | Path | None = None,
    unused: Sequence[int] = (),
    progress: Callable[[str, int, int], object] | None = None,
) -> Audit:
    """Audits the tokenizer at ``path``, and its files by `tokforge.lint`.

    ``known`` are its possible ancestors; ``categories`` a folder of references to infer its mixture from;
    ``model`` a model trained with it, whose ids in ``unused`` no text held. Raises InputError, FormatError
    as `Tokenizer.load`, and what `infer_mixture` and `under_trained` do.
    """
    others = {str(other): load_complete(other)[0] for other in known}
    tokenizer, missing = load_complete(path)
    found = audit_tokenizer(str(path), tokenizer, others)
    size = found.vocab_size - missing
    vocabulary = Vocabulary(str(path), tokenizer)
    trained = under_trained(vocabulary, model, size=size, unused=unused) if model else None
    mixture = None
    if categories is not None:
        mixture = infer_mixture(tokenizer, categories, progress=progress).as_dict()
    return replace(
        found,
        vocab_size=size,
        lint=lint(path).findings,
        mixture=mixture,
        under_trained=trained,
        warnings=(_MISSING.format(missing),) if missing else (),
    )


def audit_tokenizer(name: str, tokenizer: Tokenizer, known: Mapping[str, Tokenizer] | None = None) -> Audit:
    """Audits one tokenizer; ``known`` are those that it may descend from, by name."""
    vocabulary = Vocabulary(name, tokenizer)
    others = [Vocabulary(other, one) for other, one in (known or {}).items()]
    related = [one for one in kinships([vocabulary, *others]) if one.first == name]
    found = _findings(vocabulary)
    return Audit(
        kind=tokenizer.kind,
        vocab_size=vocabulary.size,
        merges=len(tokenizer.merges),
        digit_grouping=digit_grouping(tokenizer),
        known_prefixes=_known_prefixes(tokenizer),
        lineage=tuple(sorted(related, key=lambda one: -one.common_merges)),
        counts={finding: len(tokens) for finding, tokens in found.items()},
        tokens={finding: tuple(tokens[:LISTED]) for finding, tokens in found.items()},
    )


def secret_kind(token: bytes) -> str | None:
    """Returns what kind of secret or address ``token`` looks like, or None."""
    return next((kind for kind, pattern in SECRETS.items() if pattern.search(token)), None)


def _known_prefixes(tokenizer: Tokenizer) -> dict[str, int]:
    tokens = tokenizer.table.tokens
    merges, _ = one_merge_a_token(tokenizer.merges, tokens)
    return known_prefixes(merges, tokens)


def _findings(vocabulary: Vocabulary) -> dict[str, list[AuditedToken]]:
    ordinary = [i for i, holds in enumerate(vocabulary.ordinary.tolist()) if holds]
    partial = vocabulary.partial & (vocabulary.lengths > 1)
    secrets = [(i, kind) for i in ordinary if (kind := secret_kind(vocabulary.tokens[i]))]
    named = {i for i, _ in secrets}
    verbatim = [i for i in ordinary if i not in named and _is_verbatim(vocabulary.tokens[i])]
    verbatim.sort(key=lambda i: -len(vocabulary.tokens[i]))
    return {
        "unreachable": _listed(vocabulary, unreachable(vocabulary), "no merges give it"),
        "never_split_to": [
            AuditedToken(i, printable(vocabulary.tokens[i]), why)
            for i, why in never_split_to(vocabulary).items()
        ],
        "partial_utf8": _listed(vocabulary, partial.nonzero()[0].tolist(), "cut inside a character"),
        "secrets": [AuditedToken(i, printable(vocabulary.tokens[i]), kind) for i, kind in secrets],
        "verbatim": _listed(vocabulary, verbatim, "long string"),
    }


def _listed(vocabulary: Vocabulary, ids: Sequence[int], kind: str) -> list[AuditedToken]:
    return [AuditedToken(i, printable(vocabulary.tokens[i]), kind) for i in ids]


def _is_verbatim(token: bytes) -> bool:
    """Tells long strings from long runs: a rule of dashes or indentation repeats a few bytes."""
    if len(token.decode("utf-8", "replace")) < LONG_CHARACTERS or len(set(token)) < DISTINCT:
        return False
    shares = [token.count(value) / len(token) for value in set(token)]
    return -sum(share * log2(share) for share in shares) > 2.5
