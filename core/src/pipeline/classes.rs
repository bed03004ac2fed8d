//! What a character is to normalisers and stages: a set of flags, worked out a block at a time.
//!
//! The predicates are the ones that Hugging Face calls, from the same crates (`unicode_categories` knows
//! an older Unicode than the splitters do, and that decides what BERT calls punctuation); they search
//! tables, so each block of 256 characters is asked once, on first touch. A look-up is two loads.

use std::iter::once;
use std::sync::{LazyLock, OnceLock};

use regex_syntax::hir::{Class as HirClass, ClassUnicode, HirKind};
use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::char::is_combining_mark;
use unicode_normalization_alignments::UnicodeNormalization;

/// Flags of one character.
pub(super) type Class = u16;

/// White_Space.
pub(super) const SPACE: Class = 1;
/// ASCII's punctuation and `\p{P}`: not `\p{S}` elsewhere.
pub(super) const PUNCTUATION: Class = 1 << 1;
/// `\p{N}`, as the standard library has it.
pub(super) const NUMERIC: Class = 1 << 2;
/// `\w`.
pub(super) const WORD: Class = 1 << 3;
/// `\p{M}`.
pub(super) const MARK: Class = 1 << 4;
/// `\p{Mn}`.
pub(super) const NONSPACING: Class = 1 << 5;
/// What BERT's cleaning drops: NUL, U+FFFD, and `\p{C}` but tab, LF and CR.
pub(super) const UNCLEAN: Class = 1 << 6;
/// CJK ideographs, to BERT.
pub(super) const CHINESE: Class = 1 << 7;
/// The form leaves the character, and what stands before and after it, as they are: a text may be cut
/// before it and normalised apart.
pub(super) const NFC_SAFE: Class = 1 << 8;
pub(super) const NFD_SAFE: Class = 1 << 9;
pub(super) const NFKC_SAFE: Class = 1 << 10;
pub(super) const NFKD_SAFE: Class = 1 << 11;
/// Its lower case is itself.
pub(super) const LOWER: Class = 1 << 12;

const BLOCK: usize = 256;
const BLOCKS: usize = (char::MAX as usize + 1) / BLOCK;

static TABLE: [OnceLock<Box<[Class; BLOCK]>>; BLOCKS] = [const { OnceLock::new() }; BLOCKS];

/// Flags of a character.
#[inline]
pub(super) fn class_of(character: char) -> Class {
    let code = character as usize;
    let block = TABLE[code / BLOCK].get_or_init(|| {
        let of = |low| char::from_u32((code / BLOCK * BLOCK + low) as u32).map_or(0, classify);
        Box::new(std::array::from_fn(of))
    });
    block[code % BLOCK]
}

fn classify(c: char) -> Class {
    let control = c.is_other() && !matches!(c, '\t' | '\n' | '\r');
    let flags = [
        (SPACE, c.is_whitespace()),
        (PUNCTUATION, c.is_ascii_punctuation() || c.is_punctuation()),
        (NUMERIC, c.is_numeric()),
        (WORD, is_word(c)),
        (MARK, is_combining_mark(c)),
        (NONSPACING, c.is_mark_nonspacing()),
        (UNCLEAN, control || c == '\0' || c == '\u{FFFD}'),
        (CHINESE, is_chinese(c)),
        (LOWER, c.to_lowercase().eq([c])),
        (NFC_SAFE, joins_nothing(c) && once(c).nfc().map(|(c, _)| c).eq([c])),
        (NFD_SAFE, joins_nothing(c) && once(c).nfd().map(|(c, _)| c).eq([c])),
        (NFKC_SAFE, joins_nothing(c) && once(c).nfkc().map(|(c, _)| c).eq([c])),
        (NFKD_SAFE, joins_nothing(c) && once(c).nfkd().map(|(c, _)| c).eq([c])),
    ];
    flags.iter().filter(|(_, holds)| *holds).fold(0, |class, (flag, _)| class | flag)
}

/// Whether no normalisation form moves or composes the character with one before it: marks may be, and
/// the vowels and final consonants of Hangul. Unassigned characters may become marks: they count as such.
fn joins_nothing(c: char) -> bool {
    let is_jamo = matches!(c, '\u{1160}'..='\u{11FF}' | '\u{D7B0}'..='\u{D7FF}');
    !is_jamo && !is_combining_mark(c) && !c.is_other()
}

fn is_chinese(c: char) -> bool {
    matches!(
        c as u32,
        0x4E00..=0x9FFF
            | 0x3400..=0x4DBF
            | 0x20000..=0x2A6DF
            | 0x2A700..=0x2B73F
            | 0x2B740..=0x2B81F
            | 0x2B920..=0x2CEAF
            | 0xF900..=0xFAFF
            | 0x2F800..=0x2FA1F
    )
}

fn is_word(c: char) -> bool {
    static WORDS: LazyLock<ClassUnicode> =
        LazyLock::new(|| match regex_syntax::parse(r"\w").map(|hir| hir.into_kind()) {
            Ok(HirKind::Class(HirClass::Unicode(set))) => set,
            _ => ClassUnicode::empty(),
        });
    let ranges = WORDS.ranges();
    let at = ranges.partition_point(|range| range.end() < c);
    ranges.get(at).is_some_and(|range| range.start() <= c)
}
