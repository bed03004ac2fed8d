"""What a transplant leaves beside the model: transplant.json, and a section of the model card.

transplant.json holds the method, hashes of what went in and came out, the checks, and where every row comes
from, so that a row can be traced and a tampered one found.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokforge.transplant.alignment import Alignment
from tokforge.transplant.method import Dense, Recipe
from tokforge.transplant.mix import Mix
from tokforge.transplant.verify import Check

__all__ = ["RECORD", "card_section", "digest", "made_ids", "provenance", "write_record"]

RECORD = "transplant.json"
_VERSION = 1
_BLOCK = 16 << 20
_BEGIN, _END = "<!-- tokforge transplant -->", "<!-- /tokforge transplant -->"


def digest(path: Path) -> str:
    """Returns the SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def provenance(alignment: Alignment, recipe: Recipe) -> dict[str, Any]:
    """Returns where each row comes from.

    ``classes``: one name a row; ``origins``: the old id a row is a copy of, -1 for none; ``sources``:
    composed new id
    -> [old ids, weights], for methods that are weighted sums (the input's, where the matrices differ);
    the id after the last old row is the mean row.
    """
    mix = recipe.base if isinstance(recipe, Dense) else recipe
    sources: dict[str, Any] = {}
    if isinstance(mix, Mix):
        for at, new_id in enumerate(alignment.composed.tolist()):
            ids, weights = mix.row(at)
            sources[str(new_id)] = [list(ids), [round(weight, 6) for weight in weights]]
    return {"classes": list(alignment.classes), "origins": alignment.origins.tolist(), "sources": sources}


def write_record(folder: Path, result: Mapping[str, Any], rows: Mapping[str, Any]) -> None:
    """Writes transplant.json, with the hashes of all other files."""
    files = {
        path.name: digest(path) for path in sorted(folder.iterdir()) if path.is_file() and path.name != RECORD
    }
    content = {
        "format": "tokforge-transplant",
        "version": _VERSION,
        **result,
        "files": files,
        "rows_by_id": rows,
    }
    (folder / RECORD).write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def made_ids(folder: Path) -> frozenset[int]:
    """Returns the ids whose rows a transplant made; none where the folder has no record of one."""
    path = folder / RECORD
    if not path.is_file():
        return frozenset()
    classes = json.loads(path.read_bytes()).get("rows_by_id", {}).get("classes", [])
    return frozenset(i for i, kind in enumerate(classes) if kind in ("composed", "unmatched", "padded"))


def card_section(card: str, result: Mapping[str, Any], checks: Sequence[Check]) -> str:
    """Returns a model card with the section on this transplant, in place of an earlier one."""
    if _BEGIN in card and _END in card:
        card = card[: card.index(_BEGIN)].rstrip() + card[card.index(_END) + len(_END) :]
    rows = ", ".join(f"{count:,} {name}" for name, count in result["rows"].items() if count)
    lines = [
        _BEGIN,
        "## Tokenizer transplant",
        "",
        f"The tokenizer was replaced by tokforge {result['tokforge']}, method `{result['label']}`.",
        f"Rows: {rows}. All other weights are unchanged. Verdict: {result['verdict']}.",
        "",
        "| check | outcome | detail |",
        "|---|---|---|",
        *(f"| {check.name} | {check.outcome} | {check.detail.replace('|', '/')} |" for check in checks),
        _END,
    ]
    return (card.rstrip() + "\n\n" if card.strip() else "") + "\n".join(lines) + "\n"
