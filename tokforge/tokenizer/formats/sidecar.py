"""The sidecar, tokenizer.tokforge.json: what tokenizer.json has no place for.

::

    {"format": "tokforge-tokenizer", "version": 1,
     "tokenizer_sha256": "...",          of the tokenizer.json that it belongs to, as tokforge writes it
     "roles": {"bos": "<|start|>"},      role -> text of the added token
     "provenance": {...}}                see `provenance`

A tokenizer that Hugging Face cannot express has no tokenizer.json; its sidecar stands alone and holds
``definition`` in place of ``tokenizer_sha256`` (see `definition_json`).

Unknown keys are refused: a misspelt one must not be lost in silence. The hash is that of the model part,
not of the file's bytes, so a tokenizer.json that Hugging Face has saved again still belongs.
"""

import json
from difflib import get_close_matches
from typing import NamedTuple

from tokforge.errors import FormatError, TokforgeError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.definition_json import read_json, to_json
from tokforge.tokenizer.formats.strict_json import Node, parse_json
from tokforge.tokenizer.model import ROLES, Definition
from tokforge.tokenizer.provenance import check_provenance

__all__ = ["FORMAT", "Sidecar", "read_sidecar", "read_standalone", "write_sidecar", "write_standalone"]

FORMAT = "tokforge-tokenizer"
_VERSION = 1
_KEYS = ("format", "version", "tokenizer_sha256", "roles", "provenance")
_STANDALONE_KEYS = ("format", "version", "definition", "provenance")


class Sidecar(NamedTuple):
    """What a sidecar adds to a definition."""

    roles: dict[str, str]
    provenance_json: str


def write_sidecar(definition: Definition, provenance_json: str, fingerprint: str) -> bytes:
    """Returns the sidecar's content."""
    roles = {role: token.text for token in definition.added_tokens for role in token.roles}
    content = {
        "format": FORMAT,
        "version": _VERSION,
        "tokenizer_sha256": fingerprint,
        "roles": {role: roles[role] for role in ROLES if role in roles},
        "provenance": json.loads(provenance_json),
    }
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def read_sidecar(data: bytes, source: str, fingerprint: str) -> Sidecar:
    """Reads the sidecar of the tokenizer with ``fingerprint``; raises FormatError if it is not its own."""
    root = parse_json(data, source)
    _check_head(root)
    _refuse_unknown(root, _KEYS)
    if root.need("tokenizer_sha256").string() != fingerprint:
        raise root.child("tokenizer_sha256").error(
            "the sidecar belongs to another tokenizer.json",
            "restore the pair, or remove the sidecar to load without",
        )
    roles = {role: root.child("roles").child(role).string() for role in root.need("roles").object()}
    return Sidecar(roles, _read_provenance(root.need("provenance")))


def write_standalone(definition: Definition, provenance_json: str) -> bytes:
    """Returns a sidecar that stands alone: the whole definition and its provenance."""
    content = {
        "format": FORMAT,
        "version": _VERSION,
        "provenance": json.loads(provenance_json),
        "definition": to_json(definition),
    }
    return (json.dumps(content, ensure_ascii=False) + "\n").encode()


def read_standalone(data: bytes, source: str) -> tuple[Definition, str]:
    """Reads what `write_standalone` gave; raises FormatError for a sidecar that needs its tokenizer.json."""
    root = parse_json(data, source)
    _check_head(root)
    if not root.has("definition"):
        raise FormatError("this is a sidecar, not a tokenizer", "load tokenizer.json beside it", source)
    _refuse_unknown(root, _STANDALONE_KEYS)
    return read_json(root.need("definition")), _read_provenance(root.need("provenance"))


def _check_head(root: Node) -> None:
    if root.need("format").string() != FORMAT:
        raise root.child("format").error(
            f"{quoted(root.child('format').value)} is no sidecar of tokforge", "remove or rename it"
        )
    version = root.need("version").value
    if type(version) is not int or version != _VERSION:
        raise root.child("version").error(
            f"version {quoted(version)} is unknown", f"this tokforge knows version {_VERSION}"
        )


def _refuse_unknown(root: Node, known: tuple[str, ...]) -> None:
    for key in root.object():
        if key not in known:
            close = get_close_matches(key, known, 1)
            guess = f"did you mean {quoted(close[0])}? " if close else ""
            raise root.child(key).error(
                f"the key {quoted(key)} is unknown", f"{guess}known keys: {', '.join(known)}"
            )


def _read_provenance(node: Node) -> str:
    try:
        return check_provenance(node.object())
    except TokforgeError as error:
        raise node.error(error.problem, error.hint) from error
