"""Trans-tokenization within one language: a new token is the old tokens that cover the same bytes of a text.

p(old | new) counts, over a text under both tokenizers, the bytes that an occurrence of the new token
shares with each old token. The authors align a parallel corpus, for a change of language; with one text
both sides are known exactly, so no aligner is needed. A token that occurs fewer than ``min_count`` times
takes its pieces by length.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tokforge.transplant.method import Method, Task, spelled
from tokforge.transplant.mix import Mix, Row
from tokforge.transplant.plan import read_sample

__all__ = ["METHOD", "overlaps"]

Spans = Sequence[tuple[int, int]]


def overlaps(new: Spans, old: Spans) -> Iterable[tuple[int, int, int]]:
    """Yields (place in ``new``, place in ``old``, shared length) for two segmentations of one text, in order.

    Example:
        >>> list(overlaps([(0, 3), (3, 4)], [(0, 2), (2, 4)]))
        [(0, 0, 2), (0, 1, 1), (1, 1, 1)]
    """
    at = 0
    for place, (begin, end) in enumerate(new):
        while at < len(old) and old[at][1] <= begin:
            at += 1
        other = at
        while other < len(old) and old[other][0] < end:
            shared = min(end, old[other][1]) - max(begin, old[other][0])
            if shared > 0:
                yield place, other, shared
            other += 1


def _compose(task: Task) -> Mix:
    return task.resources.once("trans-tokenizer", lambda: _mix(task))  # type: ignore[no-any-return]


def _mix(task: Task) -> Mix:
    counts, seen = _counts(task)
    rows = []
    for new_id in task.alignment.composed.tolist():
        found = counts[new_id] if seen[new_id] >= task.number("min_count") else None
        rows.append(_shares(found) if found else _by_length(task, new_id))
    return Mix.of(rows)


def _counts(task: Task) -> tuple[dict[int, Counter[int]], Counter[int]]:
    wanted = set(task.alignment.composed.tolist())
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    seen: Counter[int] = Counter()
    for text in read_sample(task.resources.text, task.resources.text_field):
        old, new = (
            v.engine.encode(text, add_special_tokens=False) for v in (task.alignment.old, task.alignment.new)
        )
        seen.update(new.ids)
        for place, other, shared in overlaps(new.offsets, old.offsets):
            if new.ids[place] in wanted:
                counts[new.ids[place]][old.ids[other]] += shared
    return counts, seen


def _shares(counts: Counter[int]) -> Row:
    total = counts.total()
    return list(counts), [count / total for count in counts.values()]


def _by_length(task: Task, new_id: int) -> Row:
    pieces = task.pieces(new_id)
    lengths = [len(spelled(task, piece)) for piece in pieces]
    return pieces, [length / sum(lengths) for length in lengths]


METHOD = Method(
    name="trans-tokenizer",
    summary="old tokens that cover the same bytes of a text",
    source="Trans-Tokenization (2408.04303); exact alignment of one text in place of fast_align",
    compose=_compose,
    options={"min_count": 3},
    needs=("text",),
)
