//! The only pyo3 of the crate: convert arguments, release the GIL, call, map the error.

mod buffers;
mod counting;
mod encoding;
mod errors;
mod loading;
mod masking;
mod mixture;
mod models;
mod pipeline;
mod progress;
mod supertokens;
mod training;

use pyo3::prelude::*;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("UNICODE_VERSION", crate::pretokenizers::unicode_version())?;
    module.add_class::<encoding::Splitter>()?;
    module.add_class::<encoding::Encoder>()?;
    module.add_class::<models::ModelEncoder>()?;
    module.add_class::<loading::Keys>()?;
    module.add_function(wrap_pyfunction!(loading::unspell_all, module)?)?;
    module.add_function(wrap_pyfunction!(loading::keys_differ, module)?)?;
    module.add_function(wrap_pyfunction!(loading::read_parts, module)?)?;
    module.add_function(wrap_pyfunction!(loading::read_merges, module)?)?;
    module.add_function(wrap_pyfunction!(loading::merges_hold, module)?)?;
    module.add_function(wrap_pyfunction!(loading::tokens_differ, module)?)?;
    module.add_class::<pipeline::Normalizer>()?;
    module.add_class::<pipeline::Finder>()?;
    module.add_class::<pipeline::Segmenter>()?;
    module.add_function(wrap_pyfunction!(pipeline::cut_pieces, module)?)?;
    module.add_function(wrap_pyfunction!(pipeline::sentencepiece_places, module)?)?;
    module.add_function(wrap_pyfunction!(pipeline::charsmap_holds_inside, module)?)?;
    module.add_class::<counting::WordCounts>()?;
    module.add_class::<counting::CountFiles>()?;
    module.add_function(wrap_pyfunction!(pipeline::cut_spans, module)?)?;
    module.add_function(wrap_pyfunction!(pipeline::normalizer_changes, module)?)?;
    module.add_class::<training::ByteCorpus>()?;
    module.add_class::<training::Training>()?;
    module.add_class::<masking::Masker>()?;
    module.add_function(wrap_pyfunction!(masking::align_words, module)?)?;
    module.add_function(wrap_pyfunction!(masking::word_spans, module)?)?;
    module.add_class::<supertokens::Runs>()?;
    module.add_class::<supertokens::ChunkCounts>()?;
    module.add_class::<mixture::MixtureColumns>()?;
    module.add_class::<mixture::MixtureTable>()?;
    module.add_class::<mixture::MixtureHistory>()?;
    module.add_function(wrap_pyfunction!(training::train, module)?)
}
