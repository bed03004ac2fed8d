"""Mutates JSON so that it stays JSON: what a reader makes of odd values, not of broken text."""

import json
import random
from typing import Any

import atheris

ODD = (None, True, -1, 0, 2**31, 2**64, 1e400, "", "a", "\ud800", "\u2581", [], {}, [[]], {"type": "BPE"})


def mutate_json(data: bytes, max_size: int, seed: int) -> bytes:
    """Changes one value of a JSON text, so that it stays one; other texts as libFuzzer does."""
    picks = random.Random(seed)
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        root = None
    if not isinstance(root, dict | list) or picks.random() < 0.2:
        return atheris.Mutate(data, max_size)
    node, key = _place(root, picks)
    if picks.random() < 0.2:
        del node[key]
    else:
        _, other = _place(root, picks)
        node[key] = picks.choice((*ODD, other, node[key], [node[key]] * 2))
    changed = json.dumps(root).encode()
    return changed if len(changed) <= max_size else data


def _place(root: Any, picks: random.Random) -> tuple[Any, Any]:
    """A container within ``root`` and one of its keys; shallow ones are as likely as deep ones."""
    places: list[tuple[Any, Any]] = []
    node: Any = root
    while isinstance(node, dict | list) and node:
        key = picks.choice(list(node)) if isinstance(node, dict) else picks.randrange(len(node))
        places.append((node, key))
        node = node[key]
    return picks.choice(places) if places else ([None], 0)
