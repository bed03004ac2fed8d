//! Counts files of any bytes: refused, or read as ascending words whose sums the merge of files gives.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use tokforge_core::bpe::count_file::write::CountWriter;
use tokforge_core::bpe::{CountFiles, Source};
use tokforge_core::error::Error;
use tokforge_core::progress::Silent;

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    files: Vec<File<'a>>,
}

/// A file as bytes, or as records under a checksum that is right, so that what they say is read.
#[derive(Arbitrary, Debug)]
enum File<'a> {
    Bytes(&'a [u8]),
    Records { header: &'a [u8], records: Vec<(u64, u8, &'a [u8], u64)>, words: Option<u64> },
    Valid(BTreeMap<&'a [u8], u32>),
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ 0xEDB8_8320 * (crc & 1))
    })
}

impl File<'_> {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Records { header, records, words } => {
                let mut out = b"TOKCNT\x01\n".to_vec();
                out.extend((header.len() as u32).to_le_bytes());
                out.extend(*header);
                for (shared, beyond, rest, count) in records {
                    varint(*shared, &mut out);
                    varint(rest.len() as u64 + u64::from(beyond / 255), &mut out);
                    out.extend(*rest);
                    varint(*count, &mut out);
                }
                out.extend([0, 0]);
                out.extend(words.unwrap_or(records.len() as u64).to_le_bytes());
                out.extend(crc(&out).to_le_bytes());
                out
            }
            Self::Valid(words) => {
                let mut out = CountWriter::new(Vec::new(), "words", b"{}").unwrap();
                let real = words.iter().filter(|(word, &count)| !word.is_empty() && count > 0);
                real.for_each(|(word, &count)| out.put(word, u64::from(count)).unwrap());
                out.finish().unwrap()
            }
        }
    }
}

fn read(files: &[Vec<u8>]) -> Result<BTreeMap<Vec<u8>, u64>, Error> {
    let files = files.iter().map(|bytes| Source::Bytes(bytes[..].into())).collect();
    let (mut words, mut last) = (BTreeMap::new(), Vec::new());
    CountFiles::new(files).for_each(&Silent, |word, count| {
        assert!(word > &last[..] && count > 0);
        last = word.to_vec();
        words.insert(last.clone(), count);
        Ok(())
    })?;
    Ok(words)
}

fuzz_target!(|case: Case| {
    let files: Vec<Vec<u8>> = case.files.iter().take(5).map(File::bytes).collect();
    let mut sums = BTreeMap::new();
    let mut whole = true;
    for (file, told) in files.iter().zip(&case.files) {
        let Ok(words) = read(std::slice::from_ref(file)) else {
            assert!(!matches!(told, File::Valid(_)));
            whole = false;
            continue;
        };
        for (word, count) in words {
            let sum: &mut Option<u64> = sums.entry(word).or_insert(Some(0));
            *sum = sum.and_then(|sum| sum.checked_add(count));
        }
    }
    let expected: Option<BTreeMap<_, _>> =
        sums.into_iter().map(|(word, sum)| Some((word, sum?))).collect();
    // A sum beyond 64 bits is refused, as is every file that is not whole.
    assert_eq!(read(&files).ok(), expected.filter(|_| whole));
});
