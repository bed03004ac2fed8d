"""L06: An added token's id clashes with the vocabulary, or is not the id it gets.

What it finds:
An added token that the vocabulary holds under another id; one whose id belongs to another token; two with
one id or one text twice; an empty one; one outside the vocabulary whose id is not the number that Hugging
Face will give it. In tokenizer_config.json: entries of ``added_tokens_decoder`` that contradict
tokenizer.json, and roles (``pad_token`` and so on) whose token does not exist (a warning).

Why it matters:
Hugging Face ignores the ids in ``added_tokens``: a token of the vocabulary keeps its id there, any other gets
the next number, counted from the number of entries. So `<s>` with id 300 silently becomes 257, and every
prompt is wrong by one token. skeletoken checks for the same; transplants crashed on it (mergekit#657).

How to fix:
Use the id that the vocabulary has, or add the token to the vocabulary under the id you mean. After holes, all
added tokens must stand in the vocabulary.
"""

from collections.abc import Iterator

from tokforge.lint.added import Added, ids_in_hugging_face
from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import step
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule
from tokforge.tokenizer import ROLES

__all__ = ["RULE", "check"]


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields a finding for each added token at fault, then for each contradiction of the configuration."""
    vocab = artefact.vocabulary
    owners = {token_id: token for token, token_id in vocab.items()}
    given = ids_in_hugging_face(artefact.added, vocab)
    seen: dict[str, Added] = {}
    for token in artefact.added:
        problem = _problem(token, vocab, owners, given, seen)
        if problem:
            yield RULE.finding(token.place.at("id"), token.content, problem, "use one id for one token")
        seen[token.content] = token
        if token.id is not None:
            owners.setdefault(token.id, token.content)
    yield from _check_config(artefact, given)
    yield from _check_roles(artefact, given)


def _problem(
    token: Added, vocab: dict[str, int], owners: dict[int, str], given: dict[str, int], seen: dict[str, Added]
) -> str | None:
    if not token.content:
        return "an added token is empty: Hugging Face drops it"
    if token.content in seen:
        return f"it stands twice, first with id {seen[token.content].id}"
    if token.id is None:
        return None
    if vocab.get(token.content, token.id) != token.id:
        return f"id {token.id} here, {vocab[token.content]} in the vocabulary, which is the one that counts"
    owner = owners.get(token.id, token.content)
    if owner != token.content:
        return f"id {token.id} is that of {owner!r}; Hugging Face gives it {given[token.content]}"
    if given[token.content] != token.id:
        return (
            f"it is not in the vocabulary, and Hugging Face gives it {given[token.content]}, not {token.id}"
        )
    return None


def _check_config(artefact: Artefact, given: dict[str, int]) -> Iterator[Finding]:
    decoder = step(artefact.config.value, "added_tokens_decoder") if artefact.config else None
    if not artefact.config or not isinstance(decoder, dict):
        return
    for key, entry in decoder.items():
        content = step(entry, "content")
        known = given.get(content, artefact.vocabulary.get(content)) if isinstance(content, str) else None
        if known is not None and key.isdigit() and int(key) != known:
            yield RULE.finding(
                artefact.config.place.at("added_tokens_decoder", key),
                content,
                f"id {key} here, {known} in {artefact.file}",
                "take the id of the tokenizer file",
            )


def _check_roles(artefact: Artefact, given: dict[str, int]) -> Iterator[Finding]:
    """A role's token that the tokenizer lacks: transformers adds it, behind all others."""
    for role in ROLES if artefact.config else ():
        value = step(artefact.config.value, f"{role}_token") if artefact.config else None
        text = step(value, "content") if isinstance(value, dict) else value
        if artefact.config and isinstance(text, str) and text and text not in {*given, *artefact.vocabulary}:
            message = (
                f"{text!r} is no token: transformers adds it with a new id, for which models have no row"
            )
            yield RULE.finding(
                artefact.config.place.at(f"{role}_token"), text, message, "name a token", severity="warning"
            )


RULE = Rule("L06", "added-token-ids", "error", check, __doc__)
