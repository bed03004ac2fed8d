//! BPE, the definition word for word: quadratic on purpose, the twin of every other form.

use std::collections::HashMap;

use super::Merge;

/// The ids of `piece`.
pub(super) fn merge_slow(
    merges: &[Merge],
    given: Option<&[u32]>,
    byte_ids: &[u32; 256],
    piece: &[u8],
) -> Vec<u32> {
    let ids = piece.iter().map(|&b| byte_ids[usize::from(b)]).collect();
    merge_ids_slow(merges, given, ids)
}

/// What `ids` merge to.
pub(super) fn merge_ids_slow(
    merges: &[Merge],
    given: Option<&[u32]>,
    mut ids: Vec<u32>,
) -> Vec<u32> {
    let mut ranks = HashMap::new();
    for (place, &(left, right, merged)) in merges.iter().enumerate() {
        let rank = given.map_or(place as u32, |given| given[place]);
        ranks.insert((left, right), (rank, merged)); // the last entry of a pair counts
    }
    loop {
        let pairs = ids.windows(2).enumerate();
        let merges = pairs.filter_map(|(at, pair)| {
            let &(rank, merged) = ranks.get(&(pair[0], pair[1]))?;
            Some((rank, at, merged))
        });
        let Some((_, at, merged)) = merges.min() else {
            return ids;
        };
        ids.splice(at..at + 2, [merged]);
    }
}
