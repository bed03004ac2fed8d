//! Hides chosen tokens: replaced by the mask, by a random token, or kept, and all of them to be predicted.

use super::choose::Choice;
use super::random::Random;

/// The label of a token that is not to be predicted.
pub const IGNORED: i64 = -100;

/// What stands in place of a masked token.
#[derive(Debug, Clone, PartialEq)]
pub struct Replacement {
    /// The id of the mask.
    pub mask_id: i64,
    /// Ids that random tokens are drawn from: no special ones.
    pub random_ids: Vec<i64>,
    /// Share of masked tokens that become the mask.
    pub mask_share: f64,
    /// Share that become a random token; the rest is kept.
    pub random_share: f64,
    /// Whether all tokens of a unit share one fate; else each token has its own.
    pub by_unit: bool,
}

/// An example as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// Ids with masked tokens replaced.
    pub ids: Vec<i64>,
    /// The true ids of masked tokens; [`IGNORED`] elsewhere.
    pub labels: Vec<i64>,
}

/// Masks the chosen tokens of `ids`.
pub fn mask(ids: &[i64], choice: &Choice, how: &Replacement, random: &mut Random) -> Masked {
    let mut masked = Masked { ids: ids.to_vec(), labels: vec![IGNORED; ids.len()] };
    for run in &choice.runs {
        let mut fate = random.unit();
        for at in run.clone() {
            if !how.by_unit && at > run.start {
                fate = random.unit();
            }
            masked.labels[at] = ids[at];
            if fate < how.mask_share {
                masked.ids[at] = how.mask_id;
            } else if fate < how.mask_share + how.random_share && !how.random_ids.is_empty() {
                masked.ids[at] = how.random_ids[random.below(how.random_ids.len())];
            }
        }
    }
    masked
}
