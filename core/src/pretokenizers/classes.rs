//! What a character is to a splitter: one byte of flags, from the regex engine's own tables.
//!
//! Every pattern tests only general categories, white space and line breaks, so eight flags tell all
//! characters apart that any of them tells apart. They come from regex-syntax, the tables that
//! fancy-regex matches by, so that a splitter and its regex cannot disagree about a character.
//! `char::is_alphabetic` would be wrong: it adds letter numbers and some marks to `\p{L}`.
//!
//! Two-stage table of 256-character blocks, equal blocks shared: about 60 KB, built once in about
//! a millisecond; one lookup is two loads.

use std::sync::OnceLock;

use regex_syntax::hir::{Class as HirClass, HirKind};

/// Flags of one character. Classes that overlap none but themselves, except that a letter without
/// case (Lm, Lo) counts as upper and as lower, which is how o200k reads it. No flag: end of text.
pub(super) type Class = u8;

/// Lu, Lt, Lm, Lo.
pub(super) const UPPER: Class = 1;
/// Ll, Lm, Lo.
pub(super) const LOWER: Class = 2;
/// `\p{L}`.
pub(super) const LETTER: Class = UPPER | LOWER;
/// `\p{M}`.
pub(super) const MARK: Class = 4;
/// `\p{N}`.
pub(super) const NUMBER: Class = 8;
/// `\s` but CR and LF: Unicode's White_Space, so U+0085, U+00A0 and U+3000 are in, U+200B is not.
pub(super) const SPACE: Class = 16;
/// CR and LF.
pub(super) const NEWLINE: Class = 32;
/// `\p{P}` and `\p{S}`.
pub(super) const PUNCTUATION: Class = 64;
/// The rest: control, format, private and unassigned characters.
pub(super) const OTHER: Class = 128;
/// `\s`.
pub(super) const WHITESPACE: Class = SPACE | NEWLINE;

/// Version of the Unicode tables behind all splitters, regexes included.
pub const fn unicode_version() -> &'static str {
    // regex-syntax does not say; its version is pinned, and a test probes its tables.
    "16.0.0"
}

/// In the order they are painted: a later line overwrites an earlier one (U+0085 is Cc and `\s`).
const SOURCES: [(&str, Class); 8] = [
    (r"[\p{Lu}\p{Lt}]", UPPER),
    (r"\p{Ll}", LOWER),
    (r"[\p{Lm}\p{Lo}]", UPPER | LOWER),
    (r"\p{M}", MARK),
    (r"\p{N}", NUMBER),
    (r"[\p{P}\p{S}]", PUNCTUATION),
    (r"\s", SPACE),
    (r"[\r\n]", NEWLINE),
];

/// ASCII without the detour through the table's two stages; no flag from 0x80 on.
pub(super) static ASCII: [Class; 256] = ascii_classes();

const fn ascii_classes() -> [Class; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 0x80 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' => UPPER,
            b'a'..=b'z' => LOWER,
            b'0'..=b'9' => NUMBER,
            b'\r' | b'\n' => NEWLINE,
            b' ' | b'\t' | 0x0B | 0x0C => SPACE,
            b'!'..=b'~' => PUNCTUATION,
            _ => OTHER,
        };
        byte += 1;
    }
    classes
}

/// Characters in a block of the table.
const BLOCK: usize = 256;

/// Classes of all characters.
pub(super) struct Classes {
    /// For each 256 characters, which block describes them.
    block_of: Vec<u16>,
    blocks: Vec<[Class; BLOCK]>,
}

impl Classes {
    /// The table, built on the first call.
    pub(super) fn get() -> &'static Self {
        static TABLE: OnceLock<Classes> = OnceLock::new();
        TABLE.get_or_init(Self::build)
    }

    /// Class of a code point.
    #[inline]
    pub(super) fn of(&self, code_point: u32) -> Class {
        let code_point = code_point as usize;
        self.block_of
            .get(code_point / BLOCK)
            .and_then(|&block| self.blocks.get(usize::from(block)))
            .map_or(OTHER, |block| block[code_point % BLOCK])
    }

    fn build() -> Self {
        let flat = paint();
        let mut blocks: Vec<[Class; BLOCK]> = Vec::new();
        let mut block_of = Vec::with_capacity(flat.len() / BLOCK);
        let mut known = hashbrown::HashMap::<_, u16, rustc_hash::FxBuildHasher>::default();
        for block in flat.as_chunks::<BLOCK>().0 {
            let id = *known.entry(*block).or_insert_with(|| {
                blocks.push(*block);
                (blocks.len() - 1) as u16
            });
            block_of.push(id);
        }
        Self { block_of, blocks }
    }
}

/// The class of every code point, end to end.
fn paint() -> Vec<Class> {
    let mut classes = vec![OTHER; char::MAX as usize + 1];
    for (pattern, class) in SOURCES {
        for (first, last) in ranges(pattern) {
            classes[first as usize..=last as usize].fill(class);
        }
    }
    classes
}

/// The characters that a class of the regex engine holds.
fn ranges(class: &str) -> Vec<(char, char)> {
    match regex_syntax::parse(class).map(|hir| hir.into_kind()) {
        Ok(HirKind::Class(HirClass::Unicode(set))) => {
            set.ranges().iter().map(|r| (r.start(), r.end())).collect()
        }
        // The eight constants above are all that is parsed here, and each is a Unicode class.
        other => unreachable!("{class} is no Unicode class but {other:?}"),
    }
}
