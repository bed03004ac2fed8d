//! The other models against their definitions: Unigram by trying every cut, WordPiece by its rule, BPE of
//! characters by merging ids one by one.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::character_bpe::CharacterBpe;
use super::super::merge_reference::merge_ids_slow;
use super::super::unigram::{Lattice, Unigram};
use super::super::unknown::Unknown;
use super::super::word_piece::WordPiece;
use super::super::{Merge, WordCache};

const ALPHABET: [&str; 5] = ["a", "b", "é", "中", "?"];
const UNK: u32 = 0;

fn unknown(fuse_unk: bool) -> Unknown {
    Unknown { byte_ids: None, unk_id: Some(UNK), fuse_unk }
}

/// Words over the alphabet without its last letter, which no token holds.
fn words(count: usize) -> impl Strategy<Value = Vec<String>> {
    vec(vec(0..4usize, 1..5).prop_map(|w| w.iter().map(|&c| ALPHABET[c]).collect()), 0..count)
}

fn text() -> impl Strategy<Value = Vec<&'static str>> {
    vec((0..5usize).prop_map(|c| ALPHABET[c]), 0..14)
}

/// All cuts of `text`: (score, ids, whether each is known), by trying every token at every place.
fn best_cut(text: &[&str], scores: &HashMap<String, (u32, i32)>, unk: i32) -> i32 {
    let mut best = vec![i32::MIN; text.len() + 1];
    best[0] = 0;
    for start in 0..text.len() {
        for end in start + 1..=text.len() {
            if let Some(&(_, score)) = scores.get(&text[start..end].concat()) {
                best[end] = best[end].max(best[start] + score);
            }
        }
        if !scores.contains_key(text[start]) {
            best[start + 1] = best[start + 1].max(best[start] + unk);
        }
    }
    best[text.len()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn unigram_finds_the_best_cut(
        pieces in words(16), scores in vec(-9..0i32, 16), single in any::<bool>(), text in text(),
    ) {
        let mut known: HashMap<String, (u32, i32)> = HashMap::new();
        let mut tokens = vec![None];
        for (piece, score) in pieces.iter().zip(scores) {
            if !known.contains_key(piece) {
                known.insert(piece.clone(), (tokens.len() as u32, score));
                tokens.push(Some(piece.clone()));
            }
        }
        let by_id: HashMap<u32, (usize, i32)> =
            known.iter().map(|(piece, &(id, score))| (id, (piece.chars().count(), score))).collect();
        let scores: Vec<Option<f64>> =
            (0..tokens.len() as u32).map(|id| by_id.get(&id).map(|&(_, s)| f64::from(s))).collect();
        let given = tokens.iter().map(|token| token.as_ref().map(|token| token.as_bytes()));
        let model = Unigram::new(given, &scores, -20.0, single, &[], unknown(false)).unwrap();
        let mut ids = Vec::new();
        model.encode_piece(text.concat().as_bytes(), &mut Lattice::default(), &mut ids);
        let total: i32 = ids.iter().map(|id| by_id.get(id).map_or(-20, |&(_, score)| score)).sum();
        let length: usize = ids.iter().map(|id| by_id.get(id).map_or(1, |&(len, _)| len)).sum();
        prop_assert_eq!(total, best_cut(&text, &known, -20));
        prop_assert_eq!(length, text.len());
    }

    #[test]
    fn word_piece_is_greedy(first in words(8), inner in words(8), text in text(), max in 1..14usize) {
        let tokens = |words: &[String], base: u32| -> HashMap<String, u32> {
            words.iter().cloned().zip(base..).collect()
        };
        let (first, inner) = (tokens(&first, 1), tokens(&inner, 100));
        let by_id = |words: &HashMap<String, u32>| -> Vec<Option<Vec<u8>>> {
            let mut table = vec![None; 120];
            words.iter().for_each(|(word, &id)| table[id as usize] = Some(word.clone().into_bytes()));
            table
        };
        let (a, b) = (by_id(&first), by_id(&inner));
        let model = WordPiece::new(a.iter().map(Option::as_deref), b.iter().map(Option::as_deref), UNK, max);
        let mut ids = Vec::new();
        model.unwrap().encode_piece(text.concat().as_bytes(), &mut ids);
        let (mut expected, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let words = if at == 0 { &first } else { &inner };
            let longest = (at + 1..=text.len()).rev().find_map(|end| Some((end, *words.get(&text[at..end].concat())?)));
            let Some((end, id)) = longest.filter(|_| text.len() <= max) else {
                expected = vec![UNK];
                break;
            };
            expected.push(id);
            at = end;
        }
        prop_assert_eq!(ids, expected);
    }

    #[test]
    fn characters_merge_as_ids_do(
        picks in vec((any::<u32>(), any::<u32>()), 0..16), ties in vec(any::<bool>(), 16),
        fuse in any::<bool>(), text in text(),
    ) {
        let mut tokens: Vec<String> = ["<unk>", "a", "b", "é", "中"].map(String::from).to_vec();
        let (mut merges, mut ranks): (Vec<Merge>, Vec<u32>) = Default::default();
        for (at, (left, right)) in picks.into_iter().enumerate() {
            let pick = |n: u32| 1 + n % (tokens.len() as u32 - 1);
            let (left, right) = (pick(left), pick(right));
            let product = format!("{}{}", tokens[left as usize], tokens[right as usize]);
            let known = tokens.iter().position(|token| *token == product);
            let id = known.unwrap_or(tokens.len()) as u32;
            if known.is_none() {
                tokens.push(product);
            }
            if !merges.iter().any(|&(l, r, _)| (l, r) == (left, right)) {
                let last = ranks.last().copied().unwrap_or(0);
                ranks.push(last + u32::from(!ties[at]));
                merges.push((left, right, id));
            }
        }
        let given = tokens.iter().enumerate().map(|(id, token)| (id > 0).then_some(token.as_bytes()));
        let model = CharacterBpe::new(given, &merges, Some(&ranks), false, &[], unknown(fuse)).unwrap();
        let mut ids = Vec::new();
        model.encode_piece(text.concat().as_bytes(), &mut WordCache::default(), &mut ids);
        let mut atoms: Vec<u32> =
            text.iter().map(|c| tokens.iter().position(|token| token == c).unwrap_or(0) as u32).collect();
        if fuse {
            atoms.dedup_by(|a, b| *a == UNK && *b == UNK);
        }
        prop_assert_eq!(ids, merge_ids_slow(&merges, Some(&ranks), atoms));
    }
}

/// Characters, marks among them, and merges of them; every byte has a token behind the others.
fn marked() -> impl Strategy<Value = (Vec<String>, Vec<Merge>)> {
    vec((any::<u32>(), any::<u32>()), 0..24).prop_map(|picks| {
        let mut tokens: Vec<String> = ["\u{2581}", "a", "1", ";", "é"].map(String::from).to_vec();
        let mut merges: Vec<Merge> = Vec::new();
        for (left, right) in picks {
            let pick = |n: u32| n % tokens.len() as u32;
            let (left, right) = (pick(left), pick(right));
            let product = format!("{}{}", tokens[left as usize], tokens[right as usize]);
            let id = tokens.iter().position(|token| *token == product).unwrap_or(tokens.len());
            if id == tokens.len() {
                tokens.push(product);
            }
            if !merges.iter().any(|&(l, r, _)| (l, r) == (left, right)) {
                merges.push((left, right, id as u32));
            }
        }
        (tokens, merges)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn words_of_a_run_change_no_id(
        (tokens, merges) in marked(), texts in vec(vec(0..6usize, 0..30), 1..6),
    ) {
        let byte_ids = std::array::from_fn(|byte| (tokens.len() + byte) as u32);
        let unknown = Unknown { byte_ids: Some(Box::new(byte_ids)), unk_id: None, fuse_unk: true };
        let given = tokens.iter().map(|token| Some(token.as_bytes())).chain([None; 256]);
        let model = CharacterBpe::new(given, &merges, None, false, &[], unknown).unwrap();
        let mut cache = WordCache::new(1 << 10);
        for text in &texts {
            let text: Vec<&str> = text.iter().map(|&c| ["\u{2581}", "a", "1", ";", "é", "中"][c]).collect();
            let mut ids = Vec::new();
            model.encode_piece(text.concat().as_bytes(), &mut cache, &mut ids);
            let atoms = text.iter().flat_map(|c| match tokens.iter().position(|token| token == c) {
                Some(id) => vec![id as u32],
                None => c.bytes().map(|byte| byte_ids[usize::from(byte)]).collect(),
            });
            prop_assert_eq!(ids, merge_ids_slow(&merges, None, atoms.collect()));
        }
    }
}

#[test]
fn of_two_tokens_with_the_same_bytes_the_first_counts() {
    let tokens = [Some(&b"?"[..]), Some(b"ab"), Some(b"ab"), Some(b"a")];
    let scores = [None, Some(-1.0), Some(-2.0), Some(-1.0)];
    let unigram = Unigram::new(tokens, &scores, -10.0, false, &[], unknown(false)).unwrap();
    let mut ids = Vec::new();
    unigram.encode_piece(b"aba", &mut Lattice::default(), &mut ids);
    assert_eq!(ids, [1, 3]);
}
