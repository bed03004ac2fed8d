//! Every hand-written splitter gives the pieces of its regex; pieces cover the text; safe cuts are safe.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tokforge_core::pretokenizers::{pattern, Splitter, NAMES};

/// Compiled once: that takes a thousand times longer than a case.
static REGEXES: LazyLock<Vec<Splitter>> = LazyLock::new(|| {
    let of = |name| {
        let stages = pattern(name).unwrap().iter().map(|one| Splitter::regex(one).unwrap());
        Splitter::sequence(stages.collect())
    };
    NAMES.iter().map(|&name| of(name)).collect()
});

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, data) = input;
    let choice = usize::from(choice) % NAMES.len();
    let name = NAMES[choice];
    let splitter = Splitter::named(name).unwrap();
    let pieces = splitter.split(data).unwrap();
    let mut end = 0;
    for &(start, stop) in &pieces {
        assert!(start == end && stop > start);
        end = stop;
    }
    assert_eq!(end, data.len());
    if let Ok(expected) = REGEXES[choice].split(data) {
        assert_eq!(pieces, expected, "{name}");
    }
    for cut in [splitter.last_safe_cut(data), splitter.safe_cut(data, data.len() / 2)]
        .into_iter()
        .flatten()
    {
        let left = splitter.split(&data[..cut]).unwrap();
        let right = splitter.split(&data[cut..]).unwrap();
        let joined: Vec<_> = left
            .into_iter()
            .chain(right.into_iter().map(|(start, stop)| (start + cut, stop + cut)))
            .collect();
        assert_eq!(joined, pieces, "{name} cut at {cut}");
    }
});
