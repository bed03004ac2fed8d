//! JSON, as much of it as loading needs: strings, brackets, and whether an object holds a key twice.
//!
//! No recursion, so no text exhausts the stack. Source: RFC 8259.

use std::borrow::Cow;

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

/// Deeper texts are not looked into: Python's own parser refuses them.
const DEEPEST: usize = 1000;

/// Whether no object of a JSON text holds a key twice; false, too, where that is not plain to see.
///
/// Linear in the text. What is no JSON may get either answer.
pub fn keys_differ(text: &str) -> bool {
    look_for_repeats(text).is_some()
}

/// An open bracket: the keys of an object so far, None of an array; whether a key comes next.
struct Open<'t> {
    keys: Option<HashSet<Cow<'t, str>, FxBuildHasher>>,
    expects_key: bool,
}

fn look_for_repeats(text: &str) -> Option<()> {
    let mut cursor = Cursor { data: text.as_bytes(), at: 0 };
    let mut open: Vec<Open> = Vec::new();
    while let Some(byte) = cursor.peek() {
        match byte {
            b'{' => open.push(Open { keys: Some(HashSet::default()), expects_key: true }),
            b'[' => open.push(Open { keys: None, expects_key: false }),
            b']' | b'}' => drop(open.pop()?),
            b',' => {
                let top = open.last_mut()?;
                top.expects_key = top.keys.is_some();
            }
            b'"' => {
                note_string(text, &mut cursor, open.last_mut())?;
                continue;
            }
            _ => {}
        }
        (open.len() <= DEEPEST).then_some(())?;
        cursor.at += 1;
    }
    Some(())
}

/// Goes behind a string; None if it is a key that its object holds already.
fn note_string<'t>(text: &'t str, cursor: &mut Cursor, top: Option<&mut Open<'t>>) -> Option<()> {
    let Some(Open { keys: Some(keys), expects_key: expects_key @ true }) = top else {
        return cursor.skip_string();
    };
    *expects_key = false;
    let start = cursor.at + 1;
    cursor.skip_string()?;
    let raw = text.get(start..cursor.at - 1)?;
    if !raw.contains('\\') {
        return keys.insert(Cow::Borrowed(raw)).then_some(());
    }
    let (mut again, mut buffer) = (Cursor { data: cursor.data, at: start - 1 }, String::new());
    let key = string(text, &mut again, &mut buffer)?.to_owned();
    keys.insert(Cow::Owned(key)).then_some(())
}

/// Reads a string: a slice of `text`, or `buffer` where it has escapes.
pub fn string<'s>(text: &'s str, cursor: &mut Cursor, buffer: &'s mut String) -> Option<&'s str> {
    cursor.take(b'"')?;
    let start = cursor.at;
    loop {
        match cursor.peek()? {
            b'"' => break,
            b'\\' => return escaped(text, start, cursor, buffer),
            0..=0x1F => return None,
            _ => cursor.at += 1,
        }
    }
    cursor.at += 1;
    text.get(start..cursor.at - 1)
}

fn escaped<'s>(
    text: &str,
    start: usize,
    cursor: &mut Cursor,
    buffer: &'s mut String,
) -> Option<&'s str> {
    buffer.clear();
    buffer.push_str(text.get(start..cursor.at)?);
    loop {
        let run = cursor.at;
        while !matches!(cursor.peek()?, b'"' | b'\\' | 0..=0x1F) {
            cursor.at += 1;
        }
        buffer.push_str(text.get(run..cursor.at)?);
        match cursor.bump()? {
            b'"' => return Some(buffer),
            b'\\' => buffer.push(escape(text, cursor)?),
            _ => return None,
        }
    }
}

fn escape(text: &str, cursor: &mut Cursor) -> Option<char> {
    Some(match cursor.bump()? {
        plain @ (b'"' | b'\\' | b'/') => char::from(plain),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = hex(text, cursor)?;
            if !(0xD800..0xDC00).contains(&unit) {
                return char::from_u32(unit);
            }
            cursor.take(b'\\')?;
            cursor.take(b'u')?;
            let low = hex(text, cursor)?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
            char::from_u32(0x10000 + ((unit - 0xD800) << 10 | low))?
        }
        _ => return None,
    })
}

fn hex(text: &str, cursor: &mut Cursor) -> Option<u32> {
    let digits = text.get(cursor.at..cursor.at + 4)?;
    cursor.at += 4;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u32::from_str_radix(digits, 16).ok())?
}

/// A place in a text.
pub struct Cursor<'d> {
    /// The text.
    pub data: &'d [u8],
    /// The place.
    pub at: usize,
}

impl<'d> Cursor<'d> {
    /// The byte here.
    pub fn peek(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    /// The byte here, left behind.
    pub fn bump(&mut self) -> Option<u8> {
        self.at += 1;
        self.data.get(self.at - 1).copied()
    }

    /// Leaves `byte` behind; None where another stands.
    pub fn take(&mut self, byte: u8) -> Option<()> {
        (self.bump()? == byte).then_some(())
    }

    /// Goes to what is no white space.
    pub fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Whether `byte` is the last of the text.
    pub fn ends_with(&mut self, byte: u8) -> bool {
        self.take(byte).is_some() && self.at == self.data.len()
    }

    /// Goes to the value of `key`, quotes and all, in the object that begins here.
    pub fn enter(&mut self, key: &[u8]) -> Option<()> {
        self.space();
        self.take(b'{')?;
        while self.key()? != key {
            self.skip_value()?;
            self.space();
            self.take(b',')?;
        }
        Some(())
    }

    /// Returns a key, quotes and all, and goes to its value.
    pub fn key(&mut self) -> Option<&'d [u8]> {
        self.space();
        let start = self.at;
        self.skip_string()?;
        let end = self.at;
        self.space();
        self.take(b':')?;
        self.space();
        self.data.get(start..end)
    }

    /// Goes behind the string that begins here.
    pub fn skip_string(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            match self.bump()? {
                b'"' => return Some(()),
                b'\\' => self.at += 1,
                _ => {}
            }
        }
    }

    /// Goes behind the value that begins here, by its brackets and strings alone.
    pub fn skip_value(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'[' | b'{' => (depth, self.at) = (depth + 1, self.at + 1),
                b']' | b'}' if depth > 0 => (depth, self.at) = (depth - 1, self.at + 1),
                b',' | b']' | b'}' if depth == 0 => return Some(()),
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::keys_differ;

    #[test]
    fn finds_a_key_that_stands_twice_in_one_object_however_it_is_spelled() {
        let twice = [
            r#"{"a": 1, "a": 2}"#,
            r#"[{"x": {"a": [1], "b": {}, "a": "a"}}]"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"{"\"": 1, "\u0022": 2}"#,
        ];
        assert!(twice.iter().all(|text| !keys_differ(text)));
    }

    #[test]
    fn lets_keys_of_other_objects_and_values_be() {
        let once = [
            r#"{"a": "a", "b": ["a", "a"], "c": {"a": "b", "b": {"a": 1}}}"#,
            r#"[{"a": 1}, {"a": 1}]"#,
            r#"{"\"": 1, "\\": 2, "\\\"": 3}"#,
            "7",
            "[]",
        ];
        assert!(once.iter().all(|text| keys_differ(text)));
    }

    #[test]
    fn does_not_look_into_a_tower() {
        assert!(!keys_differ(&"[".repeat(1_000_000)));
    }
}
