r"""L20: The known wrong regex of Mistral's conversions.

What it finds:
Llama 3's regex in a byte-level tokenizer whose added tokens are Mistral's (``[INST]`` with
``[AVAILABLE_TOOLS]`` or ``[TOOL_CALLS]``), or whose config.json is of a Mistral family, and whose
vocabulary has no token of two digits. Tekken splits digits one by one, so its vocabularies have none, while
Llama 3's regex is made for groups of three: the evidence is in the vocabulary, not in a name.

Why it matters:
The converter wrote its default regex for months, so text is cut otherwise than in training (``eBay``, ``pH``;
transformers#42299, #42131). transformers' own warning went by names and fired for Qwen and others (#44031,
#42591).

How to fix:
Put tekken's regex into the first Split; it stands in tokforge/lint/readers.py and in mistral-common. `--fix`
does so. Check with mistral-common before you replace the file of a deployed model.
"""

from collections.abc import Iterable, Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import step
from tokforge.lint.pipeline import is_byte_level, split_patterns
from tokforge.lint.readers import LLAMA_CPP, llama_cpp_name, regex_sequence
from tokforge.lint.report import Finding
from tokforge.lint.rule import Change, Documents, Fix, Rule

__all__ = ["RULE", "check"]

_FAMILY = {"mistral", "mistral3", "ministral", "pixtral", "voxtral"}


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields one finding at the regex."""
    document = artefact.tokenizer
    if not document or not is_byte_level(document) or not _is_mistral(artefact):
        return
    if llama_cpp_name(regex_sequence(document)) == "llama-bpe" and not _has_digit_groups(artefact):
        place = split_patterns(document)[0].place
        yield RULE.finding(
            place,
            split_patterns(document)[0].text,
            "this is Llama 3's regex; Mistral's vocabulary was trained with tekken's",
            "put tekken's regex here",
        )


def _is_mistral(artefact: Artefact) -> bool:
    added = {token.content for token in artefact.added}
    config = artefact.documents.get("config.json")
    family = config is not None and step(config.value, "model_type") in _FAMILY
    return family or ("[INST]" in added and bool(added & {"[AVAILABLE_TOOLS]", "[TOOL_CALLS]"}))


def _has_digit_groups(artefact: Artefact) -> bool:
    return any(token.isascii() and token.isdigit() and len(token) > 1 for token in artefact.vocabulary)


def _fix(artefact: Artefact, documents: Documents) -> Iterable[Change]:
    parts = step(documents[artefact.file], "pre_tokenizer", "pretokenizers")
    for number, part in enumerate(parts if isinstance(parts, list) else []):
        if step(part, "type") == "Split":
            part["pattern"] = {"Regex": LLAMA_CPP["tekken"][0]}
            place = f"/pre_tokenizer/pretokenizers/{number}/pattern"
            yield Change("L20", artefact.file, place, "Llama 3's regex -> tekken's")
            return


RULE = Rule("L20", "mistral-regex", "error", check, __doc__, Fix(_fix, keeps_ids=False))
