"""L07: A post-processor, padding or special-token field that names a stale id.

What it finds:
Ids in TemplateProcessing, BertProcessing and RobertaProcessing, and ``padding.pad_id``, that are not the
ids of the tokens named beside them; template tokens without an entry. Ids in config.json,
generation_config.json and a GGUF that are no token (a warning: generation then never stops, or starts
wrongly).

Why it matters:
These ids are written into every encoded text as they stand, without a look at the vocabulary: after an edit
that moves ids, each text begins with a wrong token. skeletoken#93 is this fault; llama.cpp#25475 checks the
range. A template token without an entry makes Hugging Face panic at the first text.

How to fix:
Take the ids of the tokens: `--fix` does so where the token exists.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tokforge.lint.added import ids_in_hugging_face
from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import Place, step
from tokforge.lint.pipeline import steps
from tokforge.lint.report import Finding
from tokforge.lint.rule import Change, Documents, Fix, Rule

__all__ = ["RULE", "check"]

_GGUF_IDS = ("bos", "eos", "eot", "eom", "unknown", "seperator", "separator", "padding", "cls", "mask")


_ROLE_IDS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")


class _Reference(NamedTuple):
    """A token named by text and by id: where the id stands, and the list or object that holds it."""

    place: Place
    holder: Any
    key: str | int
    text: str


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields a finding for each id that is not its token's."""
    if artefact.gguf:
        yield from _check_gguf(artefact)
    if not artefact.tokenizer:
        return
    ids = _ids(artefact)
    for one in _references(artefact, artefact.tokenizer.value):
        value = step(one.holder, one.key)
        if one.text not in ids:
            message = f"{one.text!r} is no token, yet id {value} is put into every text"
            yield RULE.finding(one.place, value, message, "name a token that exists", fixable=False)
        elif ids[one.text] != value:
            yield RULE.finding(
                one.place, value, f"{one.text!r} has id {ids[one.text]}, not {value}", "use its id"
            )
    yield from _check_templates(artefact)
    yield from _check_configs(artefact)


def _check_configs(artefact: Artefact) -> Iterator[Finding]:
    """Ids that the model's own files give to roles; -1 and the like say that there is none."""
    for document in map(artefact.documents.get, ("config.json", "generation_config.json")):
        for name in _ROLE_IDS if document else ():
            value = step(document.value, name) if document else None
            for token_id in value if isinstance(value, list) else [value]:
                if document and type(token_id) is int and token_id >= 0 and token_id not in artefact.ids:
                    message = f"{name} is {token_id}, which is no token of {artefact.file}"
                    yield RULE.finding(
                        document.place.at(name),
                        token_id,
                        message,
                        "use the id of the token that is meant",
                        severity="warning",
                        fixable=False,
                    )


def _ids(artefact: Artefact) -> dict[str, int]:
    return {**artefact.vocabulary, **ids_in_hugging_face(artefact.added, artefact.vocabulary)}


def _references(artefact: Artefact, root: Any) -> Iterator[_Reference]:
    """Walks ``root``, the parsed file or a copy of it that is being fixed."""
    place = Place(artefact.file)
    padding = step(root, "padding")
    if isinstance(text := step(padding, "pad_token"), str):
        yield _Reference(place.at("padding", "pad_id"), padding, "pad_id", text)
    if artefact.tokenizer is None:
        return
    for one in steps(artefact.tokenizer, "post_processor"):
        part = root
        for key in one.place.pointer.split("/")[1:]:
            part = part[int(key)] if isinstance(part, list) else part[key]
        for name in ("sep", "cls"):
            if one.type in ("BertProcessing", "RobertaProcessing") and isinstance(step(part, name, 0), str):
                yield _Reference(one.place.at(name, 1), part[name], 1, part[name][0])
        yield from _template_references(one.place.at("special_tokens"), step(part, "special_tokens"))


def _template_references(place: Place, entries: Any) -> Iterator[_Reference]:
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        ids, tokens = step(entry, "ids"), step(entry, "tokens")
        if isinstance(ids, list) and isinstance(tokens, list):
            for number, text in enumerate(tokens[: len(ids)]):
                if isinstance(text, str):
                    yield _Reference(place.at(name, "ids", number), ids, number, text)


def _check_templates(artefact: Artefact) -> Iterator[Finding]:
    for one in steps(artefact.tokenizer, "post_processor") if artefact.tokenizer else ():
        known = step(one.value, "special_tokens")
        for form in ("single", "pair"):
            pieces = step(one.value, form)
            for number, piece in enumerate(pieces if isinstance(pieces, list) else []):
                name = step(piece, "SpecialToken", "id")
                if isinstance(name, str) and step(known, name) is None:
                    yield RULE.finding(
                        one.place.at(form, number, "SpecialToken", "id"),
                        name,
                        f"{name!r} has no entry in special_tokens: Hugging Face panics at the first text",
                        "add the entry, or remove the piece",
                        fixable=False,
                    )


def _check_gguf(artefact: Artefact) -> Iterator[Finding]:
    values = artefact.gguf.values if artefact.gguf else {}
    count = len(values.get("tokenizer.ggml.tokens") or [])
    for name in _GGUF_IDS:
        key = f"tokenizer.ggml.{name}_token_id"
        token_id = values.get(key)
        if type(token_id) is int and count and not 0 <= token_id < count:
            yield RULE.finding(
                Place(artefact.file, f"/{key}"),
                token_id,
                f"the file has {count:,} tokens",
                "name one of them",
                severity="warning",
                fixable=False,
            )


def _fix(artefact: Artefact, documents: Documents) -> Iterable[Change]:
    ids = _ids(artefact)
    for one in _references(artefact, documents[artefact.file]):
        old = step(one.holder, one.key)
        if one.text in ids and old != ids[one.text]:
            one.holder[one.key] = ids[one.text]
            yield Change(
                "L07", artefact.file, one.place.pointer, f"{old} -> {ids[one.text]}, the id of {one.text!r}"
            )


# Ids of plain text stay; what changes is what is put around it.
RULE = Rule("L07", "stale-ids", "error", check, __doc__, Fix(_fix, keeps_ids=True))
