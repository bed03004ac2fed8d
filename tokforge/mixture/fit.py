"""How well the best mixture explains the merges: what to look at before believing the shares.

The residual of the programme is the sum of its slacks. Slack of a step: the merge is over-represented in
the training data against the references. Slack of a pair: the pair is over-represented in the references,
or could never have been merged.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tokforge.mixture.calibration import Calibration, misfit
from tokforge.mixture.history import ABSENT, Floats, History
from tokforge.mixture.merge_list import MergeList
from tokforge.mixture.programme import Solution
from tokforge.mixture.references import References
from tokforge.tokenizer.display import printable

__all__ = [
    "ABSENT_MERGES",
    "SHIFTED",
    "UNFIT",
    "WITHHELD",
    "fit_figures",
    "has_ranges",
    "warnings_of",
    "withheld",
]

SHIFTED = 2.0
"""A misfit this many times that of fitting references is reported."""

WITHHELD = 4.0
"""Above this the shares are given as ranges alone."""

UNFIT = 0.2
"""This misfit withholds too, if shifted or not calibrated: fitting references of a megabyte a category or
more showed 0.03 to 0.17, other packages 0.30 to 0.52."""

ABSENT_MERGES = 0.5
"""Nor is a single number believed where so large a part of the merges occurs in no reference."""

_NO_MISFIT = 1e-9
"""What is left of it by rounding alone."""

_SHOWN = 10
_ALIKE = 0.9995
_FEW_MISSING = 0.01
_FEW_MERGES = 100
_FEW_BYTES = 300_000
_FEW_DOCUMENTS = 40


def fit_figures(
    history: History, solution: Solution, listed: MergeList, calibration: Calibration | None
) -> dict[str, Any]:
    """Returns the figures of fit as JSON values.

    ``shift`` is the misfit over that of a tokenizer trained on the references themselves: about 1 where
    they are of the same kind as the training data. ``misfit`` is what the shares cost at most,
    which after an interruption may be more than they must.
    """
    shares = history.by_category(history.merge_counts) * history.scale @ solution.shares
    missing = _missing(history, listed)
    found = misfit(history, solution.shares, solution.upper_bound)
    expected = calibration.misfit if calibration else None
    return {
        "misfit": found,
        "misfit_expected": expected,
        # Of a few merges the calibrating tokenizer's are often exactly as expected: then nothing can be told.
        "shift": found / expected if expected is not None and expected > _NO_MISFIT else None,
        "calibration_rmse": float(np.sqrt((calibration.errors**2).mean())) if calibration else None,
        "misfit_by_decile": _deciles(solution.step_slack, shares, history.judged()),
        "missing_merges": len(missing["all"]),
        "missing_share": len(missing["all"]) / max(history.steps - history.first, 1),
        "missing_by_kind": {kind: len(found) for kind, found in missing.items() if kind != "all"},
        "missing_examples": [printable(token) for token in missing["all"][:_SHOWN]],
        "over_represented": _top_steps(solution.step_slack, listed),
        "under_represented": _top_pairs(solution.pair_slack, history, listed),
    }


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
            "token": printable(listed.tokens[listed.merges[step][2]]),
            "slack_ppm": float(slack[step]),
        }
        for step in _largest(slack)
    ]


def _top_pairs(slack: Floats, history: History, listed: MergeList) -> list[dict[str, Any]]:
    pairs = [(history.pairs[at], float(slack[at])) for at in _largest(slack)]
    tokens = listed.tokens
    return [
        {"left": printable(tokens[left]), "right": printable(tokens[right]), "slack_ppm": value}
        for (left, right), value in pairs
    ]


def _largest(slack: Floats) -> Sequence[int]:
    order = np.argsort(-slack, kind="stable")[:_SHOWN]
    return [int(at) for at in order if slack[at] > 0]


def withheld(fit: Mapping[str, Any]) -> bool:
    """Whether the misfit is too large for single numbers: a range is all that should be quoted."""
    shift = fit["shift"]
    unfit = fit["misfit"] > UNFIT and (shift is None or shift > SHIFTED)
    far = shift is not None and shift > WITHHELD
    return bool(unfit or far or fit["missing_share"] > ABSENT_MERGES)


def has_ranges(fit: Mapping[str, Any]) -> bool:
    """Whether intervals can be told: of references that do not fit, only widened by a calibrated shift."""
    return fit["shift"] is not None or not withheld(fit)


def warnings_of(fit: Mapping[str, Any], history: History, references: References) -> list[str]:
    """Says what a user must not overlook."""
    warnings = []
    if fit["shift"] is not None and fit["shift"] > SHIFTED:
        warnings.append(
            f"the references explain the merges {fit['shift']:.1f} times worse than they explain a tokenizer "
            "trained on them: they differ from the training data, or a category is missing"
        )
    if withheld(fit):
        measured = f"{fit['misfit']:.0%} of the merges' counts and {fit['missing_share']:.0%} of the merges"
        ranges = (
            "ranges around the programme's optimum are given"
            if has_ranges(fit)
            else "and ranges too, for without calibration nobody knows their width"
        )
        warnings.append(f"shares are withheld, {ranges}: {measured} are left unexplained")
    if fit["missing_merges"] > max(_FEW_MISSING * history.steps, 3):
        kinds = ", ".join(f"{count} {kind}" for kind, count in fit["missing_by_kind"].items() if count)
        warnings.append(
            f"{fit['missing_merges']} merges occur in no reference ({kinds}): "
            "a category is missing, or the splitter is not the tokenizer's"
        )
    if (judged := len(history.judged())) < _FEW_MERGES:
        warnings.append(
            f"{judged} merges are too few: errors may be many points and intervals too short; "
            f"use {_FEW_MERGES} or more"
        )
    return [*warnings, *_alike(history, references), *_small(references)]


def _alike(history: History, references: References) -> list[str]:
    """Names pairs of categories whose merges have almost the same shares: their sum alone is told."""
    shares = history.by_category(history.merge_counts) * history.scale
    norms = np.maximum(np.linalg.norm(shares, axis=0), 1e-12)
    cosine = shares.T @ shares / np.outer(norms, norms)
    names = references.names
    return [
        f"{names[one]} and {names[other]} are nearly the same text: only the sum of their shares is told"
        for one, other in zip(*np.nonzero(np.triu(cosine, 1) > _ALIKE), strict=True)
    ]


def _small(references: References) -> list[str]:
    sizes = zip(references.names, references.bytes.sum(1), references.documents.sum(1), strict=True)
    return [
        f"{name} has {size:,} bytes in {documents:,} {'documents' if documents > 1 else 'document'}: "
        f"too little to tell its share well{'' if documents > 1 else ', and no intervals can be made'}"
        for name, size, documents in sizes
        if size < _FEW_BYTES or documents < _FEW_DOCUMENTS
    ]
