//! Splits checked by hand against tiktoken and Hugging Face tokenizers.

use super::super::{pattern, NAMES};
use super::{named, pieces, Splitter};

fn check(name: &str, text: &str, expected: &[&str]) {
    assert_eq!(pieces(&named(name), text), expected, "{name}");
}

#[test]
fn names_have_patterns_and_others_have_not() {
    assert!(NAMES.iter().all(|name| Splitter::named(name).is_some()));
    assert!(NAMES.iter().all(|name| pattern(name).is_some()));
    assert!(Splitter::named("gpt3").is_none());
    assert!(pattern("gpt3").is_none());
}

#[test]
fn gpt2_is_case_sensitive_and_takes_a_space_before_anything() {
    check("gpt2", " DON'T don't", &[" DON", "'", "T", " don", "'t"]);
    check("gpt2", "a 1234 ... \t\n x", &["a", " 1234", " ...", " \t\n", " x"]);
    check("gpt2", "a  ", &["a", "  "]);
}

#[test]
fn the_two_forms_of_cl100k_differ_at_the_end_of_text() {
    check("cl100k", "\r  ", &["\r  "]);
    check("cl100k-hf", "\r  ", &["\r", "  "]);
    check("llama3", "\r  ", &["\r", "  "]);
    check("cl100k", "\r  x", &["\r", " ", " x"]);
}

#[test]
fn cl100k_words_take_one_character_in_front() {
    check("cl100k", "DON'T'ſ (a\tb 1234", &["DON", "'T", "'ſ", " (", "a", "\tb", " ", "123", "4"]);
    check("qwen2", "x123", &["x", "1", "2", "3"]);
    check("cl100k-hf", "a!!\r\n\n  b", &["a", "!!\r\n\n", " ", " b"]);
}

#[test]
fn o200k_gives_back_what_the_two_letter_classes_share() {
    check("o200k", "中文English混合", &["中文English混合"]);
    check("o200k", " DON'T", &[" DON'T"]);
    check("o200k", "XMLHttp", &["XMLHttp"]);
    check("o200k", "AB中CD", &["AB中", "CD"]);
    check("o200k", "\u{301}ABC", &["\u{301}", "ABC"]);
    check("o200k", " 1234567", &[" ", "123", "456", "7"]);
    check("o200k", "camelCase's!\n//x", &["camel", "Case's", "!\n//", "x"]);
}

#[test]
fn deepseek_v3_ends_texts_before_digits_and_han() {
    check("deepseek-v3", "a   12345", &["a", "   ", "123", "45"]);
    check("deepseek-v3", "a  漢字かなb", &["a", "  ", "漢字かな", "b"]);
    check("deepseek-v3", "カ・カ", &["カ", "・", "カ"]);
    check("deepseek-v3", "'café", &["'caf", "é"]);
    check("deepseek-v3", "\0\0\0a", &["\0\0", "\0a"]);
}
