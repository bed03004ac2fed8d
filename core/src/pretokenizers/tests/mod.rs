//! Each hand-written splitter against its own regexes, and what holds for every splitter.

mod bytes;
mod code_points;
mod equality;
mod examples;
mod hugging_face;
mod measure;
mod regexes;

use super::{pattern, Splitter};

/// The slow twin: the regexes of the named splitter, applied in turn.
fn twin(name: &str) -> Splitter {
    let stages = pattern(name).unwrap().iter();
    Splitter::sequence(stages.map(|p| Splitter::regex(p).unwrap()).collect())
}

fn named(name: &str) -> Splitter {
    Splitter::named(name).unwrap()
}

/// The pieces themselves, which read better than positions when a test fails.
fn pieces<'a>(splitter: &Splitter, text: &'a str) -> Vec<&'a str> {
    let spans = splitter.split(text.as_bytes()).unwrap();
    spans.into_iter().map(|(start, end)| &text[start..end]).collect()
}

/// Characters that the patterns tell apart, with every member that is special in one of them.
#[rustfmt::skip]
const REPRESENTATIVES: &[char] = &[
    // The contractions, in both cases, with what folds to them or looks as if it might.
    '\'', '\'', '\'', '\u{2019}', 's', 't', 'r', 'e', 'v', 'm', 'l', 'd', 'S', 'T', 'R', 'E', 'V',
    'M', 'L', 'D', '\u{17F}', '\u{FB06}', '\u{1E9E}', '\u{212A}', '\u{130}', '\u{131}',
    // Letters: plain, accented, title case, modifier, other; supplementary planes.
    'a', 'z', 'A', 'Z', '\u{E9}', '\u{C9}', '\u{DF}', '\u{1C5}', '\u{1F88}', '\u{2B0}', '\u{30FC}',
    '\u{AA}', '\u{430}', '\u{410}', '\u{5D0}', '\u{627}', '\u{E01}', '\u{AC00}', '\u{4E2D}',
    '\u{9FA5}', '\u{9FA6}', '\u{4DFF}', '\u{3400}', '\u{20000}', '\u{1D400}', '\u{10428}', '\u{10400}',
    // Kana and the unassigned, marks and signs among them.
    '\u{303F}', '\u{3040}', '\u{3042}', '\u{3097}', '\u{3099}', '\u{309B}', '\u{30A0}', '\u{30AB}',
    '\u{30FB}', '\u{30FF}', '\u{3100}', '\u{3105}', '\u{3007}',
    // Marks: combining, spacing, enclosing, vowel signs, variation selector.
    '\u{301}', '\u{903}', '\u{20E3}', '\u{E31}', '\u{93F}', '\u{FE0F}', '\u{E0100}',
    // Numbers: Nd of several scripts, Nl, No.
    '0', '1', '9', '\u{660}', '\u{967}', '\u{FF11}', '\u{2163}', '\u{BD}', '\u{B2}', '\u{1D7D8}',
    // White space of every kind, and what only looks like it.
    ' ', ' ', ' ', '\t', '\u{B}', '\u{C}', '\r', '\n', '\r', '\n', '\u{85}', '\u{A0}', '\u{1680}',
    '\u{2003}', '\u{2028}', '\u{2029}', '\u{202F}', '\u{205F}', '\u{3000}', '\u{200B}', '\u{FEFF}', '\u{180E}',
    '\u{1C}', '\u{1F}',
    // Punctuation and symbols.
    '!', '"', '/', '/', '-', '_', '`', '$', '+', '(', '~', '\u{BF}', '\u{201C}', '\u{3002}', '\u{FF0C}',
    '\u{20AC}', '\u{1F600}', '\u{1F469}', '\u{1F3FD}', '\u{1F1E6}',
    // Controls, format characters (ZWJ), private use, unassigned, the last code point.
    '\0', '\u{7F}', '\u{80}', '\u{200D}', '\u{AD}', '\u{E000}', '\u{378}', '\u{E0001}', '\u{10FFFF}',
];
