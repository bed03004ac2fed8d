//! The regexes that the hand-written splitters stand for, letter for letter.
//!
//! They are what is written into `tokenizer.json`, and what the tests hold the state machines to.
//! Sources: openai/tiktoken `tiktoken_ext/openai_public.py`; the published `tokenizer.json` files of
//! Llama 3, Qwen2 and DeepSeek-V3; PythonNut/superbpe, scripts/; kensho-technologies' fastboundlessbpe,
//! regexconstants.py. CJK ranges are kept as escapes, since an editor that normalises
//! text would silently change the characters themselves.

/// Names of the hand-written splitters.
#[rustfmt::skip]
pub const NAMES: &[&str] = &[
    "gpt2", "cl100k", "cl100k-hf", "llama3", "o200k", "qwen2", "deepseek-v3",
    "superbpe-words", "superbpe", "boundless-words", "boundless",
];

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// Today's tiktoken form. Not for Hugging Face: Oniguruma reads `{1,3}+` as a repeated group, so
/// that `12345` would stay whole, and `$` as the end of a line.
const CL100K: &str = concat!(
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+",
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
);

const CL100K_HF: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

const QWEN2: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

const O200K: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

const DEEPSEEK_V3: &[&str] = &[
    r"\p{N}{1,3}",
    r"[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+",
    concat!(
        r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"##,
        r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*",
        r"|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
];

/// The first stage of SuperBPE: o200k without contractions.
const SUPERBPE_WORDS: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

/// The second stage of SuperBPE.
const SUPERBPE: &str = r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]{2,}[\r\n/]*| +(?!\S)";

macro_rules! boundless {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            r" ?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
            r"(?:['\u2019](?:\p{L}\p{M}*)+)*",
            r"| ?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
            r"(?:['\u2019](?:\p{L}\p{M}*)+)*",
            $after,
            r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        )
    };
}

/// Single words that take nothing but a space in front.
const BOUNDLESS_WORDS: &str = boundless!("", "");
/// Runs of such words.
const BOUNDLESS: &str = boundless!("(?:", ")+");

/// The regexes of a named splitter, one a stage, in the order they are applied.
pub fn pattern(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "gpt2" => &[GPT2],
        "cl100k" => &[CL100K],
        "cl100k-hf" | "llama3" => &[CL100K_HF],
        "o200k" => &[O200K],
        "qwen2" => &[QWEN2],
        "deepseek-v3" => DEEPSEEK_V3,
        "superbpe-words" => &[SUPERBPE_WORDS],
        "superbpe" => &[SUPERBPE],
        "boundless-words" => &[BOUNDLESS_WORDS],
        "boundless" => &[BOUNDLESS],
        _ => return None,
    })
}
