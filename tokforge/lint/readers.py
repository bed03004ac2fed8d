r"""Which pre-tokenizers other readers know: facts from their sources, with the version read.

llama.cpp: src/llama-vocab.cpp at 00ad355e (2026): `pre` names, and the original regexes behind its adapted
ones. onnxruntime-extensions: operators/tokenizer/bpe_utils.hpp at 319f8d2c (0.15.0, 2026-07): alternatives
matched by hand; the rest of a pattern is compiled by std::regex in ECMAScript syntax. vLLM:
rust/src/tokenizer/src/tiktoken.rs at 76b90fb8 (2026): ranks are split by cl100k's or Kimi's regex.
"""

import re

from tokforge.lint.documents import Document, step
from tokforge.lint.pipeline import Step, steps
from tokforge.tokenizer.pretokenizers import PATTERNS

__all__ = [
    "LLAMA_CPP",
    "LLAMA_CPP_NAMES",
    "LLAMA_CPP_VERSION",
    "ONNXRUNTIME_VERSION",
    "VLLM_VERSION",
    "left_to_std_regex",
    "llama_cpp_name",
    "regex_sequence",
]

LLAMA_CPP_VERSION = "source of 2026, 00ad355e"
ONNXRUNTIME_VERSION = "0.15.0"
VLLM_VERSION = "source of 2026, 76b90fb8"

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_GPT2 = PATTERNS["gpt2"][0]
_UPPER, _LOWER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_SPACE = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_WORD = rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+"
_PUNCTUATION = r" ?[^\s\p{L}\p{N}]+[\r\n]*"
_CASED = (
    rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+",
    rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*",
)
_KIMI = (
    rf"[\p{{Han}}]+"
    rf"|[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}&&[^\p{{Han}}]]*[{_LOWER}&&[^\p{{Han}}]]+{_CONTRACTIONS}?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}&&[^\p{{Han}}]]+[{_LOWER}&&[^\p{{Han}}]]*{_CONTRACTIONS}?"
    rf"|\p{{N}}{{1,3}}|{_PUNCTUATION}|{_SPACE}"
)
_BLOOM = r" ?[^(\s|[.,!?\u2026\u3002\uFF0C\u3001\u0964\u06D4\u060C])]+"

LLAMA_CPP: dict[str, tuple[str, ...]] = {
    "gpt-2": (_GPT2,),
    "llama-bpe": PATTERNS["llama3"],
    "qwen2": PATTERNS["qwen2"],
    "qwen35": (
        rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}"
        rf"| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{_SPACE}",
    ),
    "gpt-4o": PATTERNS["o200k"],
    "deepseek-v3": PATTERNS["deepseek-v3"],
    "tekken": (rf"{_CASED[0]}|{_CASED[1]}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACE}",),
    "starcoder": (r"\p{N}", _GPT2),
    "kimi-k2": (_KIMI,),
    "tiny_aya": (r"\d{1,3}(?=(?:\d{3})*\b)", PATTERNS["o200k"][0]),
    "superbpe": (r"\p{N}+", r"(?=(\d{3})+(?!\d))"),
    "bailingmoe": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*"
        r"|\s*[\r\n]|\s+(?!\S)|\s+",
    ),
    "seed-coder": (rf"{_WORD}|\p{{N}}{{1}}| ?[^\s\p{{L}}\p{{N}}\r\n]+|{_SPACE}",),
    "ufakzeka": (rf"[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{_PUNCTUATION}|{_SPACE}",),
    "exaone-moe": (
        rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?(?:\p{{L}}\p{{M}}*(?: \p{{L}}\p{{M}}*)*)+|\p{{N}}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+",
    ),
    "minicpm5": (r"\p{N}{1,3}", rf"{_WORD}|\p{{N}}+|{_PUNCTUATION}|{_SPACE}"),
    "deepseek-coder": (
        r"[\r\n]",
        r"\s?\p{L}+",
        r"\s?\p{P}+",
        r"[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+",
        r"\p{N}",
    ),
    "falcon": (r"[\p{P}\$\+<=>\^~\|`]+", _GPT2, r"[0-9][0-9][0-9]"),
    "bloom": (_BLOOM,),
    "viking": (_BLOOM, r"\p{N}"),
    "laguna": (r"[^\n]+|[\n]+", PATTERNS["qwen2"][0]),
    "jais-2": (
        rf"{_WORD}|\p{{N}}{{1,3}}|{_PUNCTUATION}|\s*[\r\n]+|\s{{512}}(?!\S)|\s{{256}}(?!\S)|\s{{128}}(?!\S)"
        r"|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}",
    ),
    "deepseek-llm": (
        r"[\r\n]",
        *(r"\s?[A-Za-z\u00B5...", r"\s?[!-/:-~\uFF01...", r"\s+$", r"[\u4E00-\u9FA5...", r"\p{N}+"),
    ),
    "youtu": (
        r"[\uAC00-\uD7A3\u3131-\u318E]+|[\uFF01\u2026\u201C\u201D\u2018\u2019\u2014\uFF1A\uFF1B\uFF0C"
        r"\u3001-\u303F\uFE30-\uFE4F]+|[\u3105-\u312F]+|[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+",
        rf"{_CASED[0]}{_CONTRACTIONS}?|{_CASED[1]}{_CONTRACTIONS}?|\p{{N}}"
        rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACE}",
    ),
    "gemma4": (r"[^\n]+|[\n]+",),
}
"""A `pre` name -> the regexes of the tokenizer.json files that it was made for. Names that differ only in
other settings (llama4 for gpt-4o, dbrx for llama-bpe) stand in `LLAMA_CPP_NAMES` alone. A regex that ends in
``...`` is the beginning of one: hundreds of ranges need not be written down to be recognised."""

LLAMA_CPP_NAMES = frozenset(
    [
        *("a.x-4.0", "afmoe", "bailingmoe", "bailingmoe2", "bloom", "chameleon", "chatglm-bpe"),
        *("codeshell", "cohere2moe", "command-r", "dbrx", "deepseek-coder", "deepseek-llm"),
        *("deepseek-r1-qwen", "deepseek-v3", "default", "exaone", "exaone-moe", "exaone4", "f2llmv2"),
        *("falcon", "falcon-h1", "falcon3", "gemma4", "gigachat", "glm4", "gpt-2", "gpt-4o"),
        *("gpt3-finnish", "granite-docling", "granite-embed-multi-311m", "granite-embed-multi-97m"),
        *("grok-2", "hunyuan", "hunyuan-dense", "hy_v4", "jais", "jais-2", "jina-de", "jina-es"),
        *("jina-v1-en", "jina-v2-code", "jina-v2-de", "jina-v2-es", "jina-v5-nano", "joyai-llm"),
        *("kanana2", "kimi-k2", "kormo", "laguna", "lfm2", "llada-moe", "llama-bpe", "llama-v3"),
        *("llama3", "llama4", "megrez", "mellum", "mellum2", "midm-2.0", "minerva-7b", "minicpm5"),
        *("minimax-m2", "modern-bert", "mpt", "olmo", "phi-2", "pixtral", "poro-chat", "qwen2"),
        *("qwen35", "refact", "roberta-bpe", "sarvam-moe", "seed-coder", "smaug-bpe", "smollm"),
        *("solar-open", "spark2_5", "stablelm2", "starcoder", "superbpe", "talkie", "tekken"),
        *("tiny_aya", "trillion", "ufakzeka", "viking", "whitespace", "youtu"),
    ]
)
"""Every name that llama.cpp takes for `tokenizer.ggml.pre`."""

_ONNXRUNTIME = sorted(
    {
        *(f"{part}{_CONTRACTIONS}?" for part in _CASED),
        *_CASED,
        "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])",
        _CONTRACTIONS,
        *(r" ?[^\s\p{L}\p{N}]+[\r\n/]*", _PUNCTUATION, r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+"),
        *(r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*", r"[^\r\n\p{L}\p{N}]?\p{L}+", "'s|'t|'re|'ve|'m|'ll|'d"),
        *(r" ?[^\s\p{L}\p{N}]+", r" ?\p{L}+| ?\p{N}+", r"[\p{L}]+|[\p{N}]", r"[^\s\p{L}\p{N}]+"),
        *(
            r"\s+(?!\S)|\s+",
            r"\p{N}{1,3}",
            r"\s*[\r\n]+",
            r"\p{N}",
            "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
        ),
        *(r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+""", r"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"),
        r" ?[\p{P}\p{S}]+[\r\n]*",
    },
    key=lambda part: (-len(part), part),
)
# What ECMAScript's regexes, as std::regex reads them, do not have: it throws, and the model does not load.
_NOT_ECMASCRIPT = re.compile(r"\\p|\\P|\(\?[a-zA-Z<>#]|[*+?}]\+|\\[uU]\{|&&|\\[AzZGK]")


def regex_sequence(document: Document) -> tuple[str, ...]:
    """Returns the regexes of a pre-tokenizer in order, line ends and non-ASCII characters as escapes.

    Empty where a step is no regex, so that nothing can be said about the whole.
    """
    found: list[str] = []
    for one in steps(document, "pre_tokenizer"):
        regex = _regex(one)
        if regex is None:
            return ()
        found += [_escaped(regex)] if regex else []
    return tuple(found)


def _regex(one: Step) -> str | None:
    """Returns the regex by which a step splits, "" for none, None for a step that is no regex."""
    if one.type == "ByteLevel":
        return _GPT2 if one.value.get("use_regex") is not False else ""
    if one.type == "Digits":
        return r"\p{N}" if one.value.get("individual_digits") is True else r"\p{N}+"
    pattern = step(one.value, "pattern", "Regex")
    return pattern if one.type == "Split" and isinstance(pattern, str) else None


def llama_cpp_name(regexes: tuple[str, ...]) -> str | None:
    """Returns the `pre` name that llama.cpp has for ``regexes``, or None."""
    return next((name for name, known in LLAMA_CPP.items() if _same(regexes, known)), None)


def _same(regexes: tuple[str, ...], known: tuple[str, ...]) -> bool:
    if len(regexes) != len(known):
        return False
    pairs = zip(map(_escaped, regexes), map(_escaped, known), strict=True)
    return all(one == other or (other.endswith("...") and one.startswith(other[:-3])) for one, other in pairs)


def left_to_std_regex(regex: str) -> str | None:
    """Returns what onnxruntime-extensions hands to std::regex, though that cannot read it; else None.

    Follows its `Compile`: known alternatives are cut out, the longest first, and what is left is compiled.
    """
    rest = _escaped(regex)
    for part in map(_escaped, _ONNXRUNTIME):
        at = rest.find(part)
        end = at + len(part)
        if at >= 0 and (at == 0 or rest[at - 1] == "|") and (end == len(rest) or rest[end] == "|"):
            rest = rest[: at - 1] + rest[end:] if at else rest[end + 1 :]
    return rest if _NOT_ECMASCRIPT.search(rest) else None


def _escaped(regex: str) -> str:
    """Published files differ in this alone: raw characters, or escapes such as ``\\n`` and ``\\uXXXX``."""
    regex = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), regex)
    regex = regex.replace("\r", r"\r").replace("\n", r"\n").replace("\t", r"\t")
    return "".join(char if char < "\x80" else f"\\u{ord(char):04X}" for char in regex)
