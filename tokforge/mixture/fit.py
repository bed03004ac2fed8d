"""How well the best mixture explains the merges: what to look at before believing the shares.

The residual of the programme is the sum of its slacks. Slack of a step: the merge is over-represented in
the training data against the references. Slack of a pair: the pair is over-represented in the references,
or could never have been merged.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tokforge.mixture.history import ABSENT, Floats, History
from tokforge.mixture.merge_list import MergeList
from tokforge.mixture.programme import Solution
from tokforge.mixture.references import References
from tokforge.tokenizer.display import quoted

__all__ = ["fit_figures"]

_SHOWN = 10
_FEW_BYTES = 300_000
_FEW_DOCUMENTS = 40


def fit_figures(
    history: History, solution: Solution, listed: MergeList, references: References
) -> tuple[dict[str, Any], list[str]]:
    """Returns the figures of fit as JSON values, and what a user must not overlook."""
    shares = history.by_category(history.merge_counts) * history.scale @ solution.shares
    judged = history.judged()
    missing = _missing(history, listed)
    figures = {
        "misfit": _misfit(solution, shares[judged]),
        "misfit_by_decile": _deciles(solution.step_slack, shares, judged),
        "missing_merges": len(missing["all"]),
        "missing_by_kind": {kind: len(found) for kind, found in missing.items() if kind != "all"},
        "missing_examples": [quoted(token) for token in missing["all"][:_SHOWN]],
        "over_represented": _top_steps(solution.step_slack, listed),
        "under_represented": _top_pairs(solution.pair_slack, history, listed),
    }
    return figures, _warnings(figures, references)


def _misfit(solution: Solution, shares: Floats) -> float:
    """Residual relative to the shares of the merges themselves: 0 is a perfect explanation."""
    return float(solution.objective / max(shares.sum(), 1e-12))


def _deciles(slack: Floats, shares: Floats, judged: Any) -> list[float]:
    parts = np.array_split(judged, 10)
    return [float(slack[part].sum() / max(shares[part].sum(), 1e-12)) for part in parts if len(part)]


def _missing(history: History, listed: MergeList) -> dict[str, list[bytes]]:
    """Merges that no category holds when their turn comes, by what they hold."""
    absent = np.flatnonzero(history.merge_pairs[history.first :] == ABSENT) + history.first
    tokens = [listed.tokens[listed.merges[step][2]] for step in absent]
    kinds: dict[str, list[bytes]] = {"all": tokens, "newline": [], "space": [], "non_ascii": [], "other": []}
    for token in tokens:
        kinds[_kind(token)].append(token)
    return kinds


def _kind(token: bytes) -> str:
    if b"\n" in token or b"\r" in token:
        return "newline"
    if not token.strip():
        return "space"
    return "other" if token.isascii() else "non_ascii"


def _top_steps(slack: Floats, listed: MergeList) -> list[dict[str, Any]]:
    return [
        {
            "merge": int(step),
            "token": quoted(listed.tokens[listed.merges[step][2]]),
            "slack_ppm": float(slack[step]),
        }
        for step in _largest(slack)
    ]


def _top_pairs(slack: Floats, history: History, listed: MergeList) -> list[dict[str, Any]]:
    pairs = [(history.pairs[at], float(slack[at])) for at in _largest(slack)]
    tokens = listed.tokens
    return [
        {"left": quoted(tokens[left]), "right": quoted(tokens[right]), "slack_ppm": value}
        for (left, right), value in pairs
    ]


def _largest(slack: Floats) -> Sequence[int]:
    order = np.argsort(-slack, kind="stable")[:_SHOWN]
    return [int(at) for at in order if slack[at] > 0]


def _warnings(figures: dict[str, Any], references: References) -> list[str]:
    warnings = []
    for name, size, documents in zip(
        references.names, references.bytes.sum(1), references.documents.sum(1), strict=True
    ):
        if size < _FEW_BYTES or documents < _FEW_DOCUMENTS:
            warnings.append(
                f"{name} has {size:,} bytes in {documents:,} documents: too little to tell its share well"
            )
    return warnings
