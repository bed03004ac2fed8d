"""The definitions of `align` and `plan`, word for word; quadratic on purpose."""

from collections.abc import Sequence

from tokforge.merging.units import Units


def tokens_in_units(
    text: str, spans: Sequence[tuple[int, int]], units: Units
) -> tuple[list[int], list[bool]]:
    """Twin of `align.tokens_in_units`."""
    boxes = list(zip(units.starts.tolist(), units.ends.tolist(), strict=True))
    inside, straddles = [], []
    for start, end in spans:
        core = [at for at in range(start, end) if not text[at].isspace()]
        covered = set(range(core[0], core[-1] + 1) if core else range(start, end))
        holders = [
            n for n, (first, last) in enumerate(boxes) if covered and covered <= set(range(first, last))
        ]
        touched = any(covered & set(range(first, last)) for first, last in boxes)
        inside.append(holders[0] if holders else -1)
        straddles.append(touched and not holders)
    return inside, straddles


def segment_ids(unit_of_token: Sequence[int], max_unit: int) -> list[int]:
    """Twin of `plan.segments`: neighbours in one unit share a number, if they are not too many."""
    runs: list[list[int]] = []
    for at, unit in enumerate(unit_of_token):
        if runs and unit >= 0 and unit_of_token[at - 1] == unit:
            runs[-1].append(at)
        else:
            runs.append([at])
    groups = [part for run in runs for part in ([run] if len(run) <= max_unit else [[at] for at in run])]
    return [number for number, group in enumerate(groups) for _ in group]
