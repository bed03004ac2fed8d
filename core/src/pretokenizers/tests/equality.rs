//! The property that all else rests on: splitter == its regexes, on strings made to be hard.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::NAMES;
use super::{named, pieces, twin, REPRESENTATIVES};

/// Fragments that single characters rarely make up by chance.
const FRAGMENTS: &[&str] = &[
    "'s",
    "'S",
    "'ll",
    "'RE",
    "'ve",
    "'\u{17F}",
    "''",
    "\r\n",
    "\n\n",
    "  ",
    "   ",
    " \n ",
    "\r  ",
    "//",
    "/\n",
    "!\n",
    "1234567",
    "ABC",
    "abc",
    "XMLHttp",
    "don't",
    "\u{4E2D}\u{6587}",
    "\u{30AB}\u{30FB}\u{30AB}",
    "\u{3042}\u{3099}",
    "e\u{301}",
    "\u{1F469}\u{200D}\u{1F4BB}",
    "\u{E01}\u{E33}",
    "\u{939}\u{93F}",
    "\0\0",
    "\u{200D}a",
    "\u{661}\u{662}\u{663}\u{664}",
    " --",
    "a.b",
    "it\u{2019}s",
    " word one",
];

/// Strings of representatives and fragments, short: the patterns look one character ahead, so what
/// goes wrong goes wrong within a few.
fn hard_text() -> impl Strategy<Value = String> {
    let character = select(REPRESENTATIVES).prop_map(String::from);
    let fragment = select(FRAGMENTS).prop_map(String::from);
    vec(prop_oneof![4 => character, 1 => fragment], 0..14).prop_map(|parts| parts.concat())
}

fn agree_on(name: &str, strategy: impl Strategy<Value = String>, cases: u32) {
    let (fast, slow) = (named(name), twin(name));
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    proptest!(config, |(text in strategy)| {
        prop_assert_eq!(pieces(&fast, &text), pieces(&slow, &text), "{}", name);
    });
}

/// One test a name, so that they run side by side.
macro_rules! each_name_agrees {
    ($($test:ident: $name:literal,)*) => {
        const TESTED: &[&str] = &[$($name),*];
        $(#[test] fn $test() {
            agree_on($name, hard_text(), 20_000);
            agree_on($name, any::<String>(), 1_000);
        })*
    };
}

each_name_agrees! {
    gpt2: "gpt2",
    cl100k: "cl100k",
    cl100k_hf: "cl100k-hf",
    llama3: "llama3",
    o200k: "o200k",
    qwen2: "qwen2",
    deepseek_v3: "deepseek-v3",
    superbpe_words: "superbpe-words",
    superbpe: "superbpe",
    boundless_words: "boundless-words",
    boundless: "boundless",
}

#[test]
fn every_name_is_tested() {
    assert_eq!(TESTED, NAMES);
}

/// tiktoken's gpt2 pattern reads otherwise, but must split alike.
#[test]
fn gpt2_equals_tiktokens_form() {
    let form = concat!(
        r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++",
        r"|\s++$|\s+(?!\S)|\s"
    );
    let (fast, slow) = (named("gpt2"), super::Splitter::regex(form).unwrap());
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5_000) };
    proptest!(config, |(text in hard_text())| {
        prop_assert_eq!(pieces(&fast, &text), pieces(&slow, &text));
    });
}

/// A megabyte of one thing: linear for the splitter, and equal where the regex gets through. Where
/// it does not, it says so.
#[test]
fn long_runs_agree() {
    for unit in [
        "a",
        "A",
        " ",
        "\n",
        "\r\n",
        "'",
        "'s",
        "1",
        "/",
        "\u{301}",
        "\u{4E2D}",
        "\0",
        " a",
        "A\u{4E2D}",
    ] {
        let text = unit.repeat((1 << 20) / unit.len()) + "A";
        for name in NAMES {
            let fast = named(name).split(text.as_bytes()).unwrap();
            match twin(name).split(text.as_bytes()) {
                Ok(slow) => assert!(fast == slow, "{name} differs on {unit:?}"),
                Err(error) => assert!(error.to_string().contains("gave up at byte"), "{error}"),
            }
        }
    }
}
