"""A byte-level tokenizer.json that lacks byte tokens, read all the same: for an audit, never to encode with.

Published vocabularies lack some (SmolLM2 21), and the engine refuses them, since some inputs have no ids. An
audit asks what the other tokens are, so the bytes get ids past the end.
"""

import json
from pathlib import Path
from typing import Any

from tokforge.errors import FormatError
from tokforge.tokenizer import Tokenizer
from tokforge.tokenizer.files import read_file
from tokforge.tokenizer.formats.byte_alphabet import spell
from tokforge.tokenizer.formats.hf_json import read_definition
from tokforge.tokenizer.locations import locate

__all__ = ["load_complete"]

_NAME = "tokenizer.json"


def load_complete(path: str | Path) -> tuple[Tokenizer, int]:
    """Returns the tokenizer at ``path`` and how many byte tokens were put behind its ids, nearly always 0.

    Raises as `Tokenizer.load`.
    """
    try:
        return Tokenizer.load(path), 0
    except FormatError:
        place = locate(path)
        place = place / _NAME if place.is_dir() else place
        completed = _completed(place)
        if completed is None:
            raise
    data, missing = completed
    return Tokenizer(read_definition(data, str(place))), missing


def _completed(place: Path) -> tuple[bytes, int] | None:
    """Returns the file with every byte, and how many it lacked; None where that is not what ails it."""
    try:
        settings: Any = json.loads(read_file(place))
        vocab = settings["model"]["vocab"]
        added = [int(one["id"]) for one in settings.get("added_tokens") or ()]
        if '"ByteLevel"' not in json.dumps([settings.get(part) for part in ("pre_tokenizer", "decoder")]):
            return None
        size = 1 + max([*vocab.values(), *added])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    missing = [text for value in range(256) if (text := spell(bytes([value]))) not in vocab]
    vocab.update((text, size + at) for at, text in enumerate(missing))
    return (json.dumps(settings).encode(), len(missing)) if missing else None
