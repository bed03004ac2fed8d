//! Key -> id: the vocabulary of a tokenizer.json, read from its text without an object for each key.
//!
//! Invariant: keys differ, ids differ. The keys stand end to end in one string, in the order of the file; a
//! hash table holds their places. Complexity: O(1) expected a look-up, linear to build.

use std::hash::BuildHasher;

use hashbrown::{HashSet, HashTable};
use rustc_hash::FxBuildHasher;

use crate::json::{string, Cursor};

/// A vocabulary's keys and their ids.
#[derive(Default)]
pub struct Keys {
    text: String,
    ends: Vec<usize>,
    ids: Vec<u32>,
    places: HashTable<u32>,
}

impl Keys {
    /// Reads an object of ids; None for another value, a key or an id that stands twice, or anything that
    /// is not plain to see.
    pub fn read(text: &str) -> Option<Self> {
        let mut keys = Self::default();
        let mut cursor = Cursor { data: text.as_bytes(), at: 0 };
        let mut buffer = String::new();
        cursor.take(b'{')?;
        loop {
            cursor.space();
            let key = string(text, &mut cursor, &mut buffer)?;
            cursor.space();
            cursor.take(b':')?;
            cursor.space();
            let id = number(&mut cursor)?;
            keys.insert(key, id).then_some(())?;
            cursor.space();
            match cursor.peek()? {
                b',' => cursor.at += 1,
                _ => break,
            }
        }
        (cursor.ends_with(b'}') && keys.ids_differ()).then_some(keys)
    }

    fn ids_differ(&self) -> bool {
        let in_order = self.ids.iter().zip(0..).all(|(&id, place)| id == place);
        let mut seen = HashSet::<u32, FxBuildHasher>::default();
        in_order || self.ids.iter().all(|&id| seen.insert(id))
    }

    /// Adds a key behind the others; false if it is there already.
    pub fn insert(&mut self, key: &str, id: u32) -> bool {
        let hash = FxBuildHasher.hash_one(key);
        let place = self.ids.len() as u32;
        let Self { text, ends, places, .. } = self;
        if places.find(hash, |&other| key_at(text, ends, other) == key).is_some() {
            return false;
        }
        text.push_str(key);
        ends.push(text.len());
        places
            .insert_unique(hash, place, |&other| FxBuildHasher.hash_one(key_at(text, ends, other)));
        self.ids.push(id);
        true
    }

    /// The id of a key.
    pub fn get(&self, key: &str) -> Option<u32> {
        let is_key = |&place: &u32| key_at(&self.text, &self.ends, place) == key;
        let place = self.places.find(FxBuildHasher.hash_one(key), is_key)?;
        Some(self.ids[*place as usize])
    }

    /// The ids, in the order of the keys.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The keys in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ids.len() as u32).map(|place| key_at(&self.text, &self.ends, place))
    }
}

fn key_at<'t>(text: &'t str, ends: &[usize], place: u32) -> &'t str {
    let place = place as usize;
    let start = if place == 0 { 0 } else { ends[place - 1] };
    &text[start..ends[place]]
}

/// An id: digits alone, without a zero in front, below 2^32.
fn number(cursor: &mut Cursor) -> Option<u32> {
    let start = cursor.at;
    let mut value = 0u32;
    while let Some(digit @ b'0'..=b'9') = cursor.peek() {
        value = value.checked_mul(10)?.checked_add(u32::from(digit - b'0'))?;
        cursor.at += 1;
    }
    let digits = cursor.at - start;
    (digits == 1 || (digits > 1 && cursor.data[start] != b'0')).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn reads_keys_and_ids_in_the_order_of_the_file() {
        let keys = Keys::read(r#"{ "b" : 7 , "\u00e9\"":0,"":4294967295}"#).unwrap();
        assert_eq!(keys.iter().collect::<Vec<_>>(), ["b", "é\"", ""]);
        assert_eq!(keys.ids(), [7, 0, u32::MAX]);
        assert_eq!(
            ["b", "é\"", "", "c"].map(|key| keys.get(key)),
            [Some(7), Some(0), Some(u32::MAX), None]
        );
    }

    #[test]
    fn refuses_repeats_and_what_is_no_id() {
        let bad = [
            "",
            "{",
            "{}",
            "{}}",
            "[]",
            r#"{"a"}"#,
            r#"{"a": }"#,
            r#"{"a": 1,}"#,
            r#"{"a": 1} "#,
            r#"{"a": 01}"#,
            r#"{"a": -1}"#,
            r#"{"a": 1.0}"#,
            r#"{"a": 1e2}"#,
            r#"{"a": 4294967296}"#,
            r#"{"a": 1, "a": 2}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"{"a": 1, "b": 1}"#,
            r#"{"\ud800": 1}"#,
        ];
        for text in bad {
            assert!(Keys::read(text).is_none(), "{text}");
        }
    }
}
