//! Normalisers and stages in any order on any text: an error of the regex engine, or pieces, none empty.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use tokforge_core::pipeline::{
    Behavior, Bert, Flag, Form, Metaspace, Normalizer, Pattern, Prepend, Split, Stage, Stages, Step,
};
use tokforge_core::pretokenizers::{Regex, Splitter, NAMES};

#[derive(Arbitrary, Debug)]
enum Rewrite<'a> {
    Form(u8),
    Prepend(&'a [u8]),
    Replace(&'a [u8], &'a [u8]),
    Pattern(&'a str, &'a [u8]),
    Strip(bool, bool),
    Lowercase,
    StripAccents,
    Nmt,
    Bert(bool, bool, bool, bool),
}

#[derive(Arbitrary, Debug)]
enum Cut<'a> {
    Named(u8),
    Literal(&'a [u8], u8, bool),
    Pattern(&'a str, u8, bool),
    Class(bool, u8, bool),
    Words(bool),
    Runs,
    Metaspace(char, u8, bool),
    PrefixSpace,
}

fn step(rewrite: &Rewrite) -> Option<Step> {
    let forms = [Form::Nfc, Form::Nfd, Form::Nfkc, Form::Nfkd];
    Some(match rewrite {
        Rewrite::Form(n) => Step::Form(forms[usize::from(*n) % 4]),
        Rewrite::Prepend(text) => Step::Prepend((*text).into()),
        Rewrite::Replace(what, by) => Step::Replace(Pattern::Literal((*what).into()), (*by).into()),
        Rewrite::Pattern(what, by) => {
            Step::Replace(Pattern::Regex(Regex::new(what).ok()?), (*by).into())
        }
        Rewrite::Strip(left, right) => Step::Strip(*left, *right),
        Rewrite::Lowercase => Step::Lowercase,
        Rewrite::StripAccents => Step::StripAccents,
        Rewrite::Nmt => Step::Nmt,
        &Rewrite::Bert(clean_text, handle_chinese_chars, strip_accents, lowercase) => {
            Step::Bert(Bert { clean_text, handle_chinese_chars, strip_accents, lowercase })
        }
    })
}

fn stage(cut: &Cut) -> Option<Stage> {
    let behaviors = [
        Behavior::Isolated,
        Behavior::Removed,
        Behavior::MergedWithPrevious,
        Behavior::MergedWithNext,
        Behavior::Contiguous,
    ];
    let split = |pattern, behavior: &u8, invert: &bool| {
        Stage::Split(Split {
            pattern,
            behavior: behaviors[usize::from(*behavior) % 5],
            invert: *invert,
        })
    };
    Some(match cut {
        Cut::Named(n) => Stage::Splitter(Splitter::named(NAMES[usize::from(*n) % NAMES.len()])?),
        Cut::Literal(text, behavior, invert) => {
            split(Pattern::Literal((*text).into()), behavior, invert)
        }
        Cut::Pattern(text, behavior, invert) => {
            split(Pattern::Regex(Regex::new(text).ok()?), behavior, invert)
        }
        Cut::Class(numeric, behavior, invert) => {
            let flag = if *numeric { Flag::Numeric } else { Flag::Punctuation };
            split(Pattern::of_class(flag), behavior, invert)
        }
        Cut::Words(punctuation) => Stage::Words { punctuation: *punctuation },
        Cut::Runs => Stage::Runs,
        Cut::Metaspace(mark, prepend, split) => Stage::Metaspace(Metaspace {
            replacement: mark.to_string().into_bytes().into(),
            prepend: [Prepend::Always, Prepend::First, Prepend::Never][usize::from(*prepend) % 3],
            split: *split,
        }),
        Cut::PrefixSpace => Stage::PrefixSpace,
    })
}

fuzz_target!(|input: (Vec<Rewrite>, Vec<Cut>, &[u8])| {
    let (rewrites, cuts, text) = input;
    let normalizer = Normalizer::new(rewrites.iter().take(4).filter_map(step).collect());
    let Ok(text) = normalizer.apply(&text[..text.len().min(4096)]) else { return };
    if text.len() > 1 << 20 {
        return; // replacing every byte by a long text, four times over
    }
    let stages = Stages::new(cuts.iter().take(4).filter_map(stage).collect());
    let _ = stages.for_each_piece(&text, 1, &mut |piece| {
        assert!(!piece.is_empty());
        Ok(())
    });
});
