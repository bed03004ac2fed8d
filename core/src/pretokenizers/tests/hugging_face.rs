//! Hugging Face's own splits, from a file that `TOKFORGE_HF_SPLITS` names: lines of name, text and
//! lengths of the pieces in bytes, as `name<TAB>hex<TAB>1,2,3`.

use super::named;

#[test]
#[ignore = "needs TOKFORGE_HF_SPLITS"]
fn splits_equal_hugging_faces() {
    let file = std::fs::read_to_string(std::env::var("TOKFORGE_HF_SPLITS").unwrap()).unwrap();
    let mut lines = 0;
    for line in file.lines() {
        let [name, hex, lengths] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let data: Vec<u8> = (0..hex.len()).step_by(2).map(pair).collect();
        let pieces = named(name).split(&data).unwrap();
        let ours: Vec<String> =
            pieces.iter().map(|(start, end)| (end - start).to_string()).collect();
        assert_eq!(ours.join(","), lengths, "{name} on {:?}", String::from_utf8_lossy(&data));
        lines += 1;
    }
    assert!(lines > 0, "the file is empty");
}
