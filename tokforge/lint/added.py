"""The added tokens of a tokenizer.json, as written and as Hugging Face numbers them."""

from dataclasses import dataclass

from tokforge.lint.documents import Document, Place, step

__all__ = ["Added", "added_tokens", "ids_in_hugging_face"]


@dataclass(frozen=True, slots=True)
class Added:
    """One entry of ``added_tokens``; ``id`` is None where it is no number."""

    id: int | None
    content: str
    special: bool
    place: Place


def added_tokens(document: Document) -> tuple[Added, ...]:
    """Returns the entries that have a text, in the order of the file."""
    entries = step(document.value, "added_tokens")
    found = []
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        token_id, content = step(entry, "id"), step(entry, "content")
        if isinstance(content, str):
            known = token_id if type(token_id) is int else None
            place = document.place.at("added_tokens", number)
            found.append(Added(known, content, step(entry, "special") is True, place))
    return tuple(found)


def ids_in_hugging_face(added: tuple[Added, ...], vocab: dict[str, int]) -> dict[str, int]:
    """Returns content -> the id that Hugging Face gives it: the file's ids are ignored.

    A token of the vocabulary keeps its id; any other gets the next number, which starts at the count of the
    vocabulary's entries (not at its highest id). Source: AddedVocabulary::add_tokens of tokenizers 0.23.
    """
    ids: dict[str, int] = {}
    highest = -1
    for token in added:
        if not token.content or token.content in ids:
            continue
        ids[token.content] = vocab.get(token.content, max(highest + 1, len(vocab)))
        highest = max(highest, ids[token.content])
    return ids
