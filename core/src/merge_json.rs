//! Merges read from the text of a tokenizer.json, without an object for each of half a million strings.
//!
//! [`spans`] finds `model.vocab` and `model.merges`; [`read`] turns the text of the latter into ids. Both say None
//! where anything is unusual (a lone surrogate, a control character, a key that is not there): the caller
//! then parses the whole file slowly, and says what is wrong. So neither need tell why.
//!
//! Invariant: a text that `read` accepts is a JSON array, hence the file is valid JSON exactly if it is so
//! with `[]` in its place. Complexity: linear in the text, no recursion. Source: RFC 8259.

use crate::encode::Merge;
use crate::json::{string, Cursor};
use crate::keys::Keys;

/// Where `model.vocab`, an object, and `model.merges`, an array, begin and end; those that are there.
pub fn spans(data: &[u8]) -> Option<[Option<(usize, usize)>; 2]> {
    let mut cursor = Cursor { data, at: 0 };
    cursor.enter(b"\"model\"")?;
    let mut found = [None; 2];
    cursor.take(b'{')?;
    loop {
        let key = cursor.key()?;
        let start = cursor.at;
        let part = match (key, cursor.peek()?) {
            (b"\"vocab\"", b'{') => found.first_mut(),
            (b"\"merges\"", b'[') => found.last_mut(),
            _ => None,
        };
        cursor.skip_value()?;
        if let Some(part) = part {
            part.is_none().then_some(())?;
            *part = Some((start, cursor.at));
        }
        cursor.space();
        if cursor.bump()? != b',' {
            return Some(found);
        }
    }
}

/// The merges of an array's text, pairs of keys or `"a b"`; `cut` bytes of a right part's key are no part of
/// the product's.
pub fn read(text: &str, vocabulary: &Keys, cut: usize) -> Option<Vec<Merge>> {
    let mut cursor = Cursor { data: text.as_bytes(), at: 0 };
    let (mut merges, mut strings) = (Vec::new(), Strings::default());
    cursor.take(b'[')?;
    cursor.space();
    if cursor.peek()? == b']' {
        return cursor.ends_with(b']').then_some(merges);
    }
    loop {
        cursor.space();
        merges.push(strings.merge(text, &mut cursor, vocabulary, cut)?);
        cursor.space();
        if cursor.peek()? != b',' {
            return cursor.ends_with(b']').then_some(merges);
        }
        cursor.at += 1;
    }
}

/// The merge of two keys, if they and their product are in the vocabulary. `product` is scratch space.
pub fn join(
    (left, right): (&str, &str),
    vocabulary: &Keys,
    cut: usize,
    product: &mut String,
) -> Option<Merge> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    product.clear();
    product.push_str(left);
    product.push_str(right.get(cut..)?);
    Some((vocabulary.get(left)?, vocabulary.get(right)?, vocabulary.get(product)?))
}

/// Buffers for strings with escapes and for products.
#[derive(Default)]
struct Strings {
    left: String,
    right: String,
    product: String,
}

impl Strings {
    fn merge(
        &mut self,
        text: &str,
        cursor: &mut Cursor,
        vocabulary: &Keys,
        cut: usize,
    ) -> Option<Merge> {
        if cursor.peek()? == b'"' {
            let pair = string(text, cursor, &mut self.left)?.split_once(' ')?;
            return join(pair, vocabulary, cut, &mut self.product);
        }
        cursor.take(b'[')?;
        cursor.space();
        let left = string(text, cursor, &mut self.left)?;
        cursor.space();
        cursor.take(b',')?;
        cursor.space();
        let right = string(text, cursor, &mut self.right)?;
        cursor.space();
        cursor.take(b']')?;
        join((left, right), vocabulary, cut, &mut self.product)
    }
}

#[cfg(test)]
mod tests {
    use super::{read, spans};
    use crate::keys::Keys;

    fn keys<'k>(keys: impl IntoIterator<Item = &'k str>) -> Keys {
        let mut all = Keys::default();
        assert!(keys.into_iter().zip(0..).all(|(key, id)| all.insert(key, id)));
        all
    }

    fn vocabulary() -> Keys {
        keys(["a", "b", "ab", "\u{1F600}", "a\u{1F600}", "\"", "a\"", "é", "aé"])
    }

    #[test]
    fn finds_the_two_under_their_keys_alone() {
        let data = br#"{"x": {"model": {"merges": [9]}}, "merges": [8], "model": {"v": {"merges": 1}, "merges" : [["]", "\"]"]] , "vocab":{"}":1}}}"#;
        let [vocab, merges] =
            spans(data).unwrap().map(|span| &data[span.unwrap().0..span.unwrap().1]);
        assert_eq!(merges, br#"[["]", "\"]"]]"#);
        assert_eq!(vocab, br#"{"}":1}"#);
    }

    #[test]
    fn finds_nothing_in_what_is_cut_or_of_another_shape() {
        let whole = br#"{"model": {"merges": [["a", "b"]]}}"#;
        let end = whole.len() - 2;
        assert!((0..end).all(|end| spans(&whole[..end]).is_none()));
        for other in
            [&b"[]"[..], b"{}", br#"{"model": 1}"#, br#"{"model": {"merges": [], "merges": []}}"#]
        {
            assert_eq!(spans(other), None);
        }
        assert_eq!(spans(br#"{"model": {"merges": null, "vocab": []}}"#), Some([None, None]));
    }

    #[test]
    fn reads_pairs_lines_and_escapes() {
        let text = r#" ["a", "b"] , "a b",["a","\ud83d\uDE00"], ["a", "\u00e9"],["a" ,"\""] "#;
        let expected = [(0, 1, 2), (0, 1, 2), (0, 3, 4), (0, 7, 8), (0, 5, 6)];
        assert_eq!(read(&format!("[{text}]"), &vocabulary(), 0).unwrap(), expected);
        assert_eq!(read("[ ]", &vocabulary(), 0).unwrap(), []);
    }

    #[test]
    fn refuses_what_is_no_json_or_no_merge() {
        let bad = [
            "",
            "[",
            "[]]",
            r#"[["a","b"],]"#,
            r#"[["a" "b"]]"#,
            r#"[["a","b"]"#,
            r#"[["a","b","a"]]"#,
            r#"[["a","c"]]"#,
            r#"["ab"]"#,
            r#"[["","a"]]"#,
            r#"[["a","\ud83d"]]"#,
            r#"[["a","\ude00"]]"#,
            r#"[["a","\x"]]"#,
            r#"[["a","\u00+9"]]"#,
            "[[\"a\",\"\u{1}\"]]",
            r#"[1]"#,
            r#"[null]"#,
        ];
        for text in bad {
            assert_eq!(read(text, &vocabulary(), 0), None, "{text}");
        }
    }

    #[test]
    fn leaves_the_prefix_out_of_the_product() {
        let vocabulary = keys(["a", "##b", "ab"]);
        assert_eq!(read(r###"[["a","##b"]]"###, &vocabulary, 2).unwrap(), [(0, 1, 2)]);
    }
}
