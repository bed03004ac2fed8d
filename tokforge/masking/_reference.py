"""The engine's masking in plain Python, word for word: the oracle of the property tests. Quadratic."""

from collections.abc import Sequence
from itertools import zip_longest

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
Span = tuple[int, int]
CHANGEABLE = 128


class Random:
    """SplitMix64, keyed."""

    def __init__(self, key: Sequence[int]) -> None:
        self.state = 0
        for part in key:
            self.state = _mixed(((self.state + _STEP) & _MASK) ^ part)

    def bits(self) -> int:
        self.state = (self.state + _STEP) & _MASK
        return _mixed(self.state)

    def below(self, bound: int) -> int:
        return (self.bits() * bound) >> 64

    def unit(self) -> float:
        return (self.bits() >> 11) / (1 << 53)


def _mixed(bits: int) -> int:
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)


def align_slow(tokens: Sequence[Span], special: Sequence[bool], words: Sequence[Span]) -> list[int]:
    """Joins neighbours that share a word or a place, until nothing changes the units."""
    units: list[int] = []
    members: list[int] = []
    last = -1
    for at, is_special in enumerate(special):
        if is_special:
            units.append(-1)
            members = []
            continue
        if not any(_belong(tokens[at], tokens[other], words) for other in members):
            last += 1
            members = []
        members.append(at)
        units.append(last)
    return units


def _belong(one: Span, other: Span, words: Sequence[Span]) -> bool:
    return bool(one[0] < other[1] or _touched(one, words) & _touched(other, words))


def _touched(token: Span, words: Sequence[Span]) -> set[int]:
    start, end = token[0], max(token[1], token[0] + 1)
    return {at for at, word in enumerate(words) if start < word[1] and word[0] < end}


def choose_slow(
    units: Sequence[int], probability: float, weights: Sequence[float], split: bool, random: Random
) -> list[list[int]]:
    """Returns the masked tokens of each chosen unit."""
    runs = _runs(units)
    left = budget = int(probability * sum(map(len, runs)) + 0.5)
    order = list(range(len(runs)))
    for at in range(len(order) - 1, 0, -1):
        other = random.below(at + 1)
        order[at], order[other] = order[other], order[at]
    taken: set[int] = set()
    misfit = None
    for first in order:
        for at in range(first, min(first + _span_length(weights, random), len(runs))):
            apart = at > first and runs[at][0] != runs[at - 1][-1] + 1
            if apart or at in taken:
                break
            if len(runs[at]) > left:
                misfit = at
                break
            taken.add(at)
            left -= len(runs[at])
        if misfit is not None:
            break
    if misfit is None or not left:
        return sorted(runs[at] for at in taken)
    if split:
        return sorted([*(runs[at] for at in taken), runs[misfit][:left]])
    by_chance = random.unit() * len(runs[misfit]) < left
    without_it_too_few = sum(map(len, runs)) - len(runs[misfit]) < budget
    if len(runs[misfit]) <= budget and (by_chance or without_it_too_few):
        taken.add(misfit)
        left -= len(runs[misfit])
    for at in (*reversed(order), *order):
        if abs(left) <= CHANGEABLE // 2:
            break
        if at in taken and len(runs[at]) <= -left:
            taken.remove(at)
            left += len(runs[at])
        elif at not in taken and len(runs[at]) <= left:
            taken.add(at)
            left -= len(runs[at])
    free = [at for at in order if at not in taken]
    taken ^= _changed(runs, [at for at in reversed(order) if at in taken], free, left)
    return sorted(runs[at] for at in taken)


def _changed(runs: Sequence[Sequence[int]], taken: Sequence[int], free: Sequence[int], left: int) -> set[int]:
    """Returns the units, given back or taken instead, that come nearest to what is left, or over."""
    changes = {0: frozenset[int]()}
    for pair in zip_longest(free[:CHANGEABLE], taken[:CHANGEABLE]):
        for at, sign in zip(pair, (1, -1), strict=True):
            if at is None or left in changes:
                continue
            for total, units in list(changes.items()):
                changes.setdefault(total + sign * len(runs[at]), units | {at})
    return set(changes[min(changes, key=lambda total: (abs(total - left), total))])


def _runs(units: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for at, unit in enumerate(units):
        if unit >= 0 and runs and runs[-1][-1] == at - 1 and units[at - 1] == unit:
            runs[-1].append(at)
        elif unit >= 0:
            runs.append([at])
    return runs


def _span_length(weights: Sequence[float], random: Random) -> int:
    if len(weights) < 2:
        return 1
    point = random.unit() * sum(weights)
    for at, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return at + 1
    return len(weights)


def mask_slow(
    ids: Sequence[int],
    chosen: Sequence[Sequence[int]],
    mask_id: int,
    random_ids: Sequence[int],
    shares: tuple[float, float],
    by_unit: bool,
    random: Random,
) -> tuple[list[int], list[int]]:
    """Returns ids and labels; ``shares`` are those of the mask and of random tokens."""
    masked, labels = list(ids), [-100] * len(ids)
    for run in chosen:
        fate = random.unit()
        for at in run:
            if at > run[0] and not by_unit:
                fate = random.unit()
            labels[at] = ids[at]
            if fate < shares[0]:
                masked[at] = mask_id
            elif fate < shares[0] + shares[1] and random_ids:
                masked[at] = random_ids[random.below(len(random_ids))]
    return masked, labels
