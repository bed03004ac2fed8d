"""Every format by name: how it is read, how it is written, and what its files are called.

``hf`` is the artefact itself (`hf_json`), ``tokforge`` the sidecar that stands alone; the others are the
field's. A format without ``write`` is read only.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tokforge.errors import ExportError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.bbpe import read_bbpe, read_latin1, write_bbpe, write_latin1
from tokforge.tokenizer.formats.gguf_vocabulary import read_gguf
from tokforge.tokenizer.formats.hf_json import read_definition, write_definition
from tokforge.tokenizer.formats.ranks import by_pair
from tokforge.tokenizer.formats.reading import Reading, SourceFile
from tokforge.tokenizer.formats.sentencepiece import read_sentencepiece, write_sentencepiece
from tokforge.tokenizer.formats.sidecar import read_standalone, write_standalone
from tokforge.tokenizer.formats.tekken import read_tekken, write_tekken
from tokforge.tokenizer.formats.tiktoken_ranks import read_tiktoken, write_tiktoken
from tokforge.tokenizer.formats.vocab_merges import read_vocab_merges, write_vocab_merges
from tokforge.tokenizer.formats.wordpiece_txt import read_wordpiece
from tokforge.tokenizer.model import Definition

__all__ = ["FORMATS", "Format", "legacy_merges"]

Write = Callable[[Definition], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: ``write`` gives name within the format -> bytes, "" being the output itself."""

    description: str
    read: Callable[[SourceFile], Reading]
    write: Write | None
    names: tuple[str, ...]
    """Glob patterns by which a folder is searched for it."""


def _alone(write: Callable[[Definition], bytes]) -> Write:
    return lambda definition: {"": write(definition)}


def _read_hf(file: SourceFile) -> Reading:
    return Reading(read_definition(file.data, file.where))


def _read_standalone(file: SourceFile) -> Reading:
    return Reading(read_standalone(file.data, file.where)[0])


def _pairs(write: Callable[[Definition], bytes]) -> Write:
    """For formats that list merges: a model of products is spelled out for them."""
    return _alone(lambda definition: write(by_pair(definition)))


def _write_standalone(definition: Definition) -> bytes:
    return write_standalone(definition, "{}")


FORMATS: dict[str, Format] = {
    "hf": Format("tokenizer.json of Hugging Face", _read_hf, _pairs(write_definition), ("tokenizer.json",)),
    "tokforge": Format(
        "tokenizer.tokforge.json that stands alone",
        _read_standalone,
        _alone(_write_standalone),
        ("tokenizer.tokforge.json",),
    ),
    "vocab-merges": Format(
        "vocab.json + merges.txt, GPT-2's pair of files",
        read_vocab_merges,
        lambda definition: write_vocab_merges(by_pair(definition)),
        ("vocab.json",),
    ),
    "tiktoken": Format("ranks of tiktoken", read_tiktoken, _alone(write_tiktoken), ("*.tiktoken",)),
    "tekken": Format("tekken.json of Mistral", read_tekken, _alone(write_tekken), ("tekken*.json",)),
    "sentencepiece": Format(
        "model of sentencepiece, BPE or Unigram",
        read_sentencepiece,
        _alone(write_sentencepiece),
        ("*.model", "*.model.v*"),
    ),
    "gguf": Format("vocabulary in a GGUF file's metadata", read_gguf, None, ("*.gguf",)),
    "wordpiece": Format("vocab.txt of BERT", read_wordpiece, None, ("vocab.txt",)),
    "bbpe": Format("tokenizer.json of bbpe 0.6.2 and later", read_bbpe, _pairs(write_bbpe), ()),
    "bbpe-latin1": Format("tokenizer.json of bbpe up to 0.6.1", read_latin1, _pairs(write_latin1), ()),
}


def legacy_merges(content: bytes) -> bytes:
    """Returns a tokenizer.json with its merges as ``a b``, for readers from before tokenizers 0.20.

    Raises ExportError where a token of a merge holds a space: two readings would then be possible.
    """
    root = json.loads(content)
    merges = root["model"].get("merges")
    if merges is None:
        raise ExportError("this model has no merges", "leave --legacy-merges out")
    spaced = next((pair for pair in merges if any(" " in part for part in pair)), None)
    if spaced is not None:
        raise ExportError(
            f"the merge {quoted(spaced)} holds a space", "legacy merges cannot; leave --legacy-merges out"
        )
    root["model"]["merges"] = [" ".join(pair) for pair in merges]
    return (json.dumps(root, ensure_ascii=False, indent=2) + "\n").encode()
