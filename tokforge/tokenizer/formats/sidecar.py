"""The sidecar, tokenizer.tokforge.json: what tokenizer.json has no place for.

::

    {"format": "tokforge-tokenizer", "version": 1,
     "tokenizer_sha256": "...",          of the tokenizer.json that it belongs to, as tokforge writes it
     "roles": {"bos": "<|start|>"},      role -> text of the added token
     "provenance": {...}}                see `provenance`

Unknown keys are refused: a misspelt one must not be lost in silence. The hash is that of the model part,
not of the file's bytes, so a tokenizer.json that Hugging Face has saved again still belongs.
"""

import json
from difflib import get_close_matches
from typing import NamedTuple

from tokforge.errors import TokforgeError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.strict_json import Node, parse_json
from tokforge.tokenizer.model import ROLES, Definition
from tokforge.tokenizer.provenance import check_provenance

__all__ = ["Sidecar", "read_sidecar", "write_sidecar"]

_FORMAT = "tokforge-tokenizer"
_VERSION = 1
_KEYS = ("format", "version", "tokenizer_sha256", "roles", "provenance")


class Sidecar(NamedTuple):
    """What a sidecar adds to a definition."""

    roles: dict[str, str]
    provenance_json: str


def write_sidecar(definition: Definition, provenance_json: str, fingerprint: str) -> bytes:
    """Returns the sidecar's content."""
    roles = {role: token.text for token in definition.added_tokens for role in token.roles}
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "tokenizer_sha256": fingerprint,
        "roles": {role: roles[role] for role in ROLES if role in roles},
        "provenance": json.loads(provenance_json),
    }
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def read_sidecar(data: bytes, source: str, fingerprint: str) -> Sidecar:
    """Reads the sidecar of the tokenizer with ``fingerprint``; raises FormatError if it is not its own."""
    root = parse_json(data, source)
    if root.need("format").string() != _FORMAT:
        raise root.child("format").error(
            f"{quoted(root.child('format').value)} is no sidecar of tokforge", "remove or rename it"
        )
    version = root.need("version").value
    if type(version) is not int or version != _VERSION:
        raise root.child("version").error(
            f"version {quoted(version)} is unknown", f"this tokforge knows version {_VERSION}"
        )
    _refuse_unknown(root)
    if root.need("tokenizer_sha256").string() != fingerprint:
        raise root.child("tokenizer_sha256").error(
            "the sidecar belongs to another tokenizer.json",
            "restore the pair, or remove the sidecar to load without",
        )
    roles = {role: root.child("roles").child(role).string() for role in root.need("roles").object()}
    return Sidecar(roles, _read_provenance(root.need("provenance")))


def _refuse_unknown(root: Node) -> None:
    for key in root.object():
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, 1)
            guess = f"did you mean {quoted(close[0])}? " if close else ""
            raise root.child(key).error(
                f"the key {quoted(key)} is unknown", f"{guess}known keys: {', '.join(_KEYS)}"
            )


def _read_provenance(node: Node) -> str:
    try:
        return check_provenance(node.object())
    except TokforgeError as error:
        raise node.error(error.problem, error.hint) from error
