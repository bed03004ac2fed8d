//! Normalisers: text to text, step by step.
//!
//! Each step is linear in its input and copies it only if it may change it. A Unicode form is applied to
//! the short runs between characters that it leaves alone, which is nearly nothing in most text.
//! Source of the rules: Hugging Face `tokenizers`, normalizers/.

use std::borrow::Cow;

use unicode_normalization_alignments::UnicodeNormalization;

use super::charsmap::Charsmap;
use super::classes::{self, class_of, Class};
use super::sentencepiece::SentencePiece;
use super::split::Pattern;
use crate::error::Error;

/// A Unicode normalisation form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names are the standard's")]
pub enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

/// What BERT's normaliser does, in this order.
#[derive(Clone, Copy, Debug)]
pub struct Bert {
    /// Drops control characters, and turns every white space into a space.
    pub clean_text: bool,
    /// Puts spaces around CJK ideographs.
    pub handle_chinese_chars: bool,
    /// Decomposes, and drops nonspacing marks.
    pub strip_accents: bool,
    /// Lower-cases.
    pub lowercase: bool,
}

/// One step.
pub enum Step {
    /// A Unicode form.
    Form(Form),
    /// Puts a text in front of any other.
    Prepend(Box<[u8]>),
    /// Replaces matches by a text.
    Replace(Pattern, Box<[u8]>),
    /// Drops white space at the beginning, at the end.
    Strip(bool, bool),
    /// Lower-cases each character on its own.
    Lowercase,
    /// Drops combining marks.
    StripAccents,
    /// Drops controls and turns odd spaces into spaces.
    Nmt,
    /// BERT's rules.
    Bert(Bert),
    /// A charsmap, grapheme by grapheme.
    Precompiled(Charsmap),
    /// sentencepiece's own normaliser.
    SentencePiece(Box<SentencePiece>),
}

/// Steps in turn. Immutable; threads may share it.
#[derive(Default)]
pub struct Normalizer {
    steps: Vec<Step>,
}

impl Normalizer {
    /// The steps, in order.
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    /// Applies all steps.
    ///
    /// # Errors
    /// `Pattern` where a regex spends its budget.
    pub fn apply<'t>(&self, text: &'t [u8]) -> Result<Cow<'t, [u8]>, Error> {
        Ok(self.apply_with_origin(text, 0)?.0)
    }

    /// Applies all steps; also returns how many bytes at the beginning come from the first `origin` ones.
    ///
    /// # Errors
    /// As `apply`.
    pub(super) fn apply_with_origin<'t>(
        &self,
        text: &'t [u8],
        mut origin: usize,
    ) -> Result<(Cow<'t, [u8]>, usize), Error> {
        let mut text = Cow::Borrowed(text);
        for step in &self.steps {
            origin = if origin == 0 { 0 } else { step.origin(&text, origin)? };
            let changed = match step.apply(&text)? {
                Cow::Borrowed(same) if same.len() == text.len() => None,
                changed => Some(changed.into_owned()),
            };
            text = changed.map_or(text, Cow::Owned);
        }
        Ok((text, origin))
    }
}

impl Step {
    /// What the step makes of `text`, character by character, each with its change as Hugging Face counts: 0
    /// replaces a character, 1 comes behind one, -n replaces one and n after it. None for a step whose
    /// characters tell that by themselves.
    pub fn changes(&self, text: &str) -> Option<Vec<(char, isize)>> {
        Some(match self {
            Step::Form(Form::Nfc) => text.nfc().collect(),
            Step::Form(Form::Nfd) => text.nfd().collect(),
            Step::Form(Form::Nfkc) => text.nfkc().collect(),
            Step::Form(Form::Nfkd) => text.nfkd().collect(),
            Step::Precompiled(charsmap) => charsmap.changes(text),
            _ => return None,
        })
    }

    /// The text after this step; borrowed where it is the same, or a part of the same.
    pub(super) fn apply<'t>(&self, text: &'t [u8]) -> Result<Cow<'t, [u8]>, Error> {
        Ok(match self {
            Step::Prepend(_) if text.is_empty() => Cow::Borrowed(text),
            Step::Prepend(front) => Cow::Owned([front, text].concat()),
            Step::Strip(left, right) => Cow::Borrowed(strip(text, *left, *right)),
            Step::SentencePiece(rules) => Cow::Owned(rules.apply(text)),
            Step::Replace(pattern, content) => pattern.replace(text, content)?,
            Step::Form(form) => by_stretch(text, |text| form.apply(text)),
            Step::Lowercase => by_stretch(text, lowercase),
            Step::StripAccents => {
                by_stretch(text, |text| keep(text, |c| class_of(c) & classes::MARK == 0))
            }
            Step::Nmt => by_stretch(text, nmt),
            Step::Bert(rules) => by_stretch(text, |text| rules.apply(text)),
            Step::Precompiled(charsmap) => by_stretch(text, |text| charsmap.by_grapheme(text)),
        })
    }
}

/// Applies `rule` to every stretch of valid UTF-8.
fn by_stretch(text: &[u8], rule: impl Fn(&str) -> Option<String>) -> Cow<'_, [u8]> {
    if let Ok(valid) = std::str::from_utf8(text) {
        return rule(valid).map_or(Cow::Borrowed(text), |changed| Cow::Owned(changed.into_bytes()));
    }
    let mut changed = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        let valid = chunk.valid();
        changed.extend_from_slice(rule(valid).as_deref().unwrap_or(valid).as_bytes());
        changed.extend_from_slice(chunk.invalid());
    }
    Cow::Owned(changed)
}

/// Cuts `text` into runs of characters whose class has a flag of `safe`, each character of which is also
/// followed by such a one, and the rest.
fn by_run(text: &str, safe: Class, mut f: impl FnMut(&str, bool)) {
    let (mut done, mut last, mut was_safe) = (0, 0, true);
    for (at, c) in text.char_indices() {
        let is_safe = c.is_ascii() || class_of(c) & safe != 0;
        // The last safe character before an unsafe one may compose with it.
        let border = if is_safe { at } else { last };
        if is_safe != was_safe {
            if done < border {
                f(&text[done..border], was_safe);
            }
            (done, was_safe) = (border, is_safe);
        }
        last = at;
    }
    if done < text.len() {
        f(&text[done..], was_safe);
    }
}

impl Form {
    /// None where the text is in this form already.
    fn apply(self, text: &str) -> Option<String> {
        if text.is_ascii() {
            return None;
        }
        let safe = match self {
            Form::Nfc => classes::NFC_SAFE,
            Form::Nfd => classes::NFD_SAFE,
            Form::Nfkc => classes::NFKC_SAFE,
            Form::Nfkd => classes::NFKD_SAFE,
        };
        let mut changed = String::with_capacity(text.len());
        by_run(text, safe, |run, is_safe| match self {
            _ if is_safe => changed.push_str(run),
            Form::Nfc => changed.extend(run.nfc().map(|(c, _)| c)),
            Form::Nfd => changed.extend(run.nfd().map(|(c, _)| c)),
            Form::Nfkc => changed.extend(run.nfkc().map(|(c, _)| c)),
            Form::Nfkd => changed.extend(run.nfkd().map(|(c, _)| c)),
        });
        (changed != text).then_some(changed)
    }
}

pub(super) fn strip(text: &[u8], left: bool, right: bool) -> &[u8] {
    let Ok(valid) = std::str::from_utf8(text) else {
        return text.trim_ascii();
    };
    let valid = if left { valid.trim_start() } else { valid };
    (if right { valid.trim_end() } else { valid }).as_bytes()
}

fn lowercase(text: &str) -> Option<String> {
    if text.is_ascii() {
        return Some(text.to_ascii_lowercase());
    }
    let mut lower = String::with_capacity(text.len());
    for c in text.chars() {
        push_lower(c, &mut lower);
    }
    Some(lower)
}

#[inline]
fn push_lower(c: char, lower: &mut String) {
    if c.is_ascii() {
        lower.push(c.to_ascii_lowercase());
    } else if class_of(c) & classes::LOWER != 0 {
        lower.push(c);
    } else {
        lower.extend(c.to_lowercase());
    }
}

fn keep(text: &str, holds: impl Fn(char) -> bool) -> Option<String> {
    text.chars().any(|c| !holds(c)).then(|| text.chars().filter(|&c| holds(c)).collect())
}

fn nmt(text: &str) -> Option<String> {
    let rewritten = text.chars().filter_map(|c| match c as u32 {
        0x1..=0x8 | 0xB | 0xE..=0x1F | 0x7F | 0x8F | 0x9F => None,
        0x9 | 0xA | 0xC | 0xD | 0x1680 | 0x200B..=0x200F => Some(' '),
        0x2028 | 0x2029 | 0x2581 | 0xFEFF | 0xFFFD => Some(' '),
        _ => Some(c),
    });
    Some(rewritten.collect())
}

impl Bert {
    fn apply(&self, text: &str) -> Option<String> {
        let mut clean = String::with_capacity(text.len() + text.len() / 8);
        for c in text.chars() {
            self.push_clean(c, &mut clean);
        }
        let clean = if self.strip_accents {
            let decomposed = Form::Nfd.apply(&clean).unwrap_or(clean);
            keep(&decomposed, |c| c.is_ascii() || class_of(c) & classes::NONSPACING == 0)
                .unwrap_or(decomposed)
        } else {
            clean
        };
        Some(if self.lowercase { lowercase(&clean).unwrap_or(clean) } else { clean })
    }

    #[inline]
    fn push_clean(&self, c: char, out: &mut String) {
        if (' '..='~').contains(&c) {
            return out.push(c);
        }
        let class = class_of(c);
        if self.clean_text && class & classes::UNCLEAN != 0 {
            return;
        }
        if self.handle_chinese_chars && class & classes::CHINESE != 0 {
            out.extend([' ', c, ' ']);
        } else {
            let is_space = self.clean_text && class & classes::SPACE != 0;
            out.push(if is_space { ' ' } else { c });
        }
    }
}
