"""What the tokenizer classes of transformers 5 build, and the same view of a tokenizer.json.

A signature names what decides pretokens: the family (byte-level, metaspace, bert), Unicode forms, and for
byte-level the splitters in canonical form. Different signatures give different ids; equal ones may still
differ in small print (prefix spaces, strips), about which nothing is said here. Source: each class of
transformers 5.23.0 instantiated without arguments and dumped; tests/unit/lint/test_classes.py does the same
with the installed version.
"""

from tokforge.lint.documents import Document, step
from tokforge.lint.pipeline import Step, steps
from tokforge.tokenizer.pretokenizers import PATTERNS

__all__ = ["CLASSES", "signature"]

_FORMS = ("NFC", "NFD", "NFKC", "NFKD", "Lowercase")
_GPT2 = ("byte-level", "gpt2")
_QWEN35 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CLASSES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        [
            *("BartTokenizer", "BlenderbotTokenizer", "DebertaTokenizer", "GPT2Tokenizer", "LEDTokenizer"),
            *("LayoutLMv3Tokenizer", "LukeTokenizer", "MvpTokenizer", "RobertaTokenizer", "WhisperTokenizer"),
        ],
        _GPT2,
    ),
    **dict.fromkeys(
        ["CodeLlamaTokenizer", "GemmaTokenizer", "LlamaTokenizer", "NllbTokenizer", "ReformerTokenizer"],
        ("metaspace",),
    ),
    "GPTNeoXTokenizer": ("byte-level", "NFC", "gpt2"),
    "CohereTokenizer": ("byte-level", "NFC", "digit", "gpt2"),
    "Qwen2Tokenizer": ("byte-level", "NFC", "qwen2"),
    "Qwen3_5Tokenizer": ("byte-level", "NFC", _QWEN35),
}
"""Class, without the suffix Fast -> signature. Classes with a WordPiece or Unigram pipeline are left out:
what they take from the file, and what from the configuration, is no matter of a signature."""


def signature(document: Document) -> tuple[str, ...]:
    """Returns the signature of a tokenizer.json."""
    normalizers, splitters = steps(document, "normalizer"), steps(document, "pre_tokenizer")
    types = {one.type for one in (*normalizers, *splitters)}
    forms = [one.type for one in normalizers if one.type in _FORMS]
    if "ByteLevel" in types:
        return ("byte-level", *forms, *(name for one in splitters for name in _splitter(one)))
    if "BertPreTokenizer" in types or "BertNormalizer" in types:
        return ("bert",)
    if "Metaspace" in types or any(step(one.value, "content") == "▁" for one in normalizers):
        return ("metaspace", *forms)
    return ("another pipeline",)


def _splitter(one: Step) -> list[str]:
    if one.type == "ByteLevel":
        return ["gpt2"] if one.value.get("use_regex") is not False else []
    if one.type == "Digits":
        return ["digit" if one.value.get("individual_digits") is True else "digits"]
    pattern = step(one.value, "pattern", "Regex")
    if one.type != "Split" or not isinstance(pattern, str):
        return [one.type]
    known = (name for name, regexes in PATTERNS.items() if regexes == (pattern,))
    return [next(known, pattern)]
