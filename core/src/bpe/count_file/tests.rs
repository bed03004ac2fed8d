//! Counts files: what is written comes back, anything else is refused.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::merge::{CountFiles, Source};
use super::read::CountReader;
use super::write::CountWriter;
use crate::error::Error;
use crate::progress::Silent;

type Words = BTreeMap<Vec<u8>, u64>;

fn written(words: &Words, header: &[u8]) -> Vec<u8> {
    let mut out = CountWriter::new(Vec::new(), "test", header).unwrap();
    words.iter().for_each(|(word, count)| out.put(word, *count).unwrap());
    out.finish().unwrap()
}

fn read(bytes: &[u8]) -> Result<Words, Error> {
    let mut reader = CountReader::open(Box::new(Cursor::new(bytes.to_vec())), "test")?;
    let mut words = Words::new();
    while reader.advance()? {
        words.insert(reader.word().to_vec(), reader.count());
    }
    Ok(words)
}

fn words() -> impl Strategy<Value = Words> {
    let word = prop_oneof![vec(97..100u8, 1..9), vec(any::<u8>(), 1..300)];
    btree_map(word, prop_oneof![1..5u64, 1..u64::MAX / 64], 0..40)
}

proptest! {
    #[test]
    fn what_is_written_comes_back(words in words(), header in vec(any::<u8>(), 0..70)) {
        let bytes = written(&words, &header);
        prop_assert_eq!(read(&bytes).unwrap(), words);
        let reader = CountReader::open(Box::new(Cursor::new(bytes)), "test").unwrap();
        prop_assert_eq!(reader.header(), header);
    }

    #[test]
    fn any_damage_is_refused(words in words(), at in any::<prop::sample::Index>(), flip in 1..=255u8, cut: bool) {
        let mut bytes = written(&words, b"{}");
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] ^= flip }
        prop_assert!(matches!(read(&bytes), Err(Error::Input(_))));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200), magic: bool) {
        let bytes = if magic { [&super::MAGIC[..], &bytes].concat() } else { bytes };
        let _ = read(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn files_are_read_as_their_sum(files in vec(words(), 0..200)) {
        let mut expected = Words::new();
        for (word, count) in files.iter().flatten() {
            let total = expected.entry(word.clone()).or_default();
            *total = total.saturating_add(*count);
        }
        prop_assume!(expected.values().all(|&count| count < u64::MAX));
        let sources = files.iter().map(|words| Source::Bytes(written(words, b"").into())).collect();
        // More than are opened at once go through unnamed files first.
        let folder = std::env::temp_dir();
        let merged = CountFiles::new(sources).reduced(&folder, &Silent).unwrap();
        for _ in 0..2 {
            let mut seen = Vec::new();
            merged.for_each(&Silent, |word, count| { seen.push((word.to_vec(), count)); Ok(()) }).unwrap();
            prop_assert_eq!(&seen, &expected.clone().into_iter().collect::<Vec<_>>());
        }
    }
}

#[test]
fn another_version_is_named() {
    let mut bytes = written(&Words::new(), b"");
    bytes[6] = 2;
    let Err(Error::Input(message)) = read(&bytes) else { unreachable!() };
    assert!(message.problem.contains("version 2"), "{}", message.problem);
}

#[test]
fn a_missing_file_is_named() {
    let files = CountFiles::new(vec![Source::Named("nowhere.counts".into())]);
    let Err(Error::Input(message)) = files.headers() else { unreachable!() };
    assert_eq!(message.place.as_deref(), Some("nowhere.counts"));
}

#[test]
fn unnamed_files_leave_nothing_behind() {
    let folder = std::env::temp_dir().join(format!("tokforge-test-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let source = super::merge::write_unnamed(&folder, |out| out.put(b"a", 1)).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(CountFiles::new(vec![source]).headers().unwrap(), [b""]);
    fs::remove_dir(&folder).unwrap();
}
