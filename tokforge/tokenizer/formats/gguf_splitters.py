"""The splitters that a GGUF file names: `tokenizer.ggml.pre` -> stages.

The patterns are those of the models' makers, as far as they are published; llama.cpp's own are
approximations of them, so ids are the makers'. A name that is not here is refused. Where llama.cpp takes a
pretoken that is a token whole, as Hugging Face's `ignore_merges` does, the flag says so.
Source: ggml-org/llama.cpp, src/llama-vocab.cpp; mistralai/mistral-common, tekken.json.
"""

__all__ = ["PRETOKENIZERS"]

_REGEX = "regex:"
_DIGIT = _REGEX + r"\p{N}"
_LINE_END = _REGEX + r"[\r\n]"
# Escapes, not characters: an editor's NFC must not be able to change a class.
_CJK = _REGEX + r"[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+"
_CASED = (
    r"A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-\u0373"
    r"\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481"
    r"\u048A-\u052F\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B"
    r"\u1D6B-\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B"
    r"\u1F5D\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB"
    r"\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128"
    r"\u212A-\u212D\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4"
    r"\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF"
    r"\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\U00010400-\U0001044F\U000104B0-\U000104D3"
    r"\U000104D8-\U000104FB\U00010C80-\U00010CB2\U00010CC0-\U00010CF2\U000118A0-\U000118DF\U0001E900-\U0001E943"
)
_PUNCTUATION = r"!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002"
_DEEPSEEK_LLM = (
    _LINE_END,
    rf"{_REGEX}\s?[{_CASED}]+",
    rf"{_REGEX}\s?[{_PUNCTUATION}]+",
    _REGEX + r"\s+(?![\s\S])",  # at the end of a piece
    _CJK,
    _REGEX + r"\p{N}+",
)
_DEEPSEEK_CODER = (_LINE_END, _REGEX + r"\s?\p{L}+", _REGEX + r"\s?\p{P}+", _CJK, _DIGIT)
_FALCON = (_REGEX + r"[\p{P}\$\+<=>\^~\|`]+", "gpt2", _REGEX + r"[0-9][0-9][0-9]")
_QWEN35 = (
    _REGEX + r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_TEKKEN = (
    _REGEX + r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

_Group = tuple[tuple[str, ...], bool, tuple[str, ...]]
_GROUPS: tuple[_Group, ...] = (
    (("llama3",), True, ("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "glm4")),
    (("llama3",), False, ("dbrx", "smaug-bpe", "chatglm-bpe")),
    (("gpt2",), False, ("gpt-2", "phi-2", "mpt", "olmo", "jais", "exaone4")),
    (("qwen2",), False, ("qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan", "grok-2")),
    ((_DIGIT, "gpt2"), False, ("starcoder", "refact", "command-r", "smollm", "codeshell", "exaone")),
    (("deepseek-v3",), False, ("deepseek-v3", "hunyuan-dense")),
    (("o200k",), False, ("gpt-4o", "llama4")),
    (_DEEPSEEK_LLM, False, ("deepseek-llm",)),
    (_DEEPSEEK_CODER, False, ("deepseek-coder",)),
    (_FALCON, False, ("falcon",)),
    ((_QWEN35,), False, ("qwen35",)),
    ((_TEKKEN,), True, ("tekken",)),
)
PRETOKENIZERS = {name: (stages, whole) for stages, whole, names in _GROUPS for name in names}
"""llama.cpp's name -> stages, and whether a whole pretoken may be a token at once."""
