//! Speed beside the regex engine: `TOKFORGE_TEXT=FILE cargo test --release -- --ignored measure
//! --nocapture`.

use std::hint::black_box;
use std::time::Instant;

use super::super::NAMES;
use super::{named, twin, Splitter};
use crate::error::Error;

/// Best of `rounds`, in MB/s.
fn megabytes_per_second(splitter: &Splitter, data: &[u8], rounds: usize) -> f64 {
    let seconds = |_| {
        let (start, mut sum) = (Instant::now(), 0);
        let done = splitter.for_each_piece(data, |from, to| {
            sum ^= to - from;
            Ok::<_, Error>(())
        });
        black_box((sum, done.unwrap()));
        start.elapsed().as_secs_f64()
    };
    let best = (0..rounds).map(seconds).fold(f64::INFINITY, f64::min);
    data.len() as f64 / best / 1e6
}

#[test]
#[ignore = "a measurement; needs TOKFORGE_TEXT"]
fn measure() {
    let data = std::fs::read(std::env::var("TOKFORGE_TEXT").unwrap()).unwrap();
    let part = &data[..data.len().min(1 << 19)];
    for name in NAMES {
        let pieces = named(name).split(&data).unwrap();
        assert_eq!(named(name).split(part), twin(name).split(part), "{name}");
        let fast = megabytes_per_second(&named(name), part, 200);
        let slow = megabytes_per_second(&twin(name), part, 3);
        let length = data.len() as f64 / pieces.len() as f64;
        println!("{name:12} {fast:7.1} MB/s  fancy-regex {slow:6.1}  bytes a piece {length:.2}");
    }
}
