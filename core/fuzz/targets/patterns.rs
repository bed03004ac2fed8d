//! Any pattern on any text: an error, or pieces that cover the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokforge_core::pretokenizers::Splitter;

fuzz_target!(|input: (&str, &[u8])| {
    let (pattern, data) = input;
    let Ok(splitter) = Splitter::regex(pattern) else { return };
    if let Ok(pieces) = splitter.split(data) {
        let mut end = 0;
        for (start, stop) in pieces {
            assert!(start == end && stop > start);
            end = stop;
        }
        assert_eq!(end, data.len());
    }
});
