"""The libraries that read each format natively, asked for the ids of a text: the judges of a conversion.

An oracle is loaded from the file as it stands, never from what tokforge understood of it. A library that is
not installed, or that reads no such format, is no judge, and the result says so. Their Rust panics and C++
exceptions are all caught: a judge that dies has not agreed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokforge.errors import ExportError
from tokforge.tokenizer.formats.byte_alphabet import bytes_to_hf
from tokforge.tokenizer.formats.tiktoken_ranks import pattern_of, read_ranks
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["LIBRARIES", "Library", "library_of"]

Encode = Callable[[Sequence[bytes]], list[list[int]]]


@dataclass(frozen=True, slots=True)
class Library:
    """A loaded oracle: its name and version, and ids for probes, special tokens read as text."""

    name: str
    encode: Encode


def library_of(format_name: str, files: Mapping[str, Path], tokenizer: Tokenizer) -> Library | None:
    """Loads the oracle of a format, or returns None where there is none installed.

    ``files``: name within the format ("" for a format of one file) -> where it stands. ``tokenizer`` is
    tokforge's reading: what a format leaves out (a splitter for ranks) is taken from it. Raises
    ExportError where the library refuses the file.
    """
    if format_name not in LIBRARIES:
        return None
    package, load = LIBRARIES[format_name]
    if find_spec(package) is None:
        return None
    name = f"{package.replace('_', '-')} {_version(package)}"
    encode = _guarded(name, lambda: load(files, tokenizer))
    return Library(name, lambda probes: _guarded(name, lambda: encode(probes)))


def _version(package: str) -> str:
    try:
        return version(package.replace("_", "-"))
    except PackageNotFoundError:
        return "of unknown version"


def _guarded(name: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic in Rust is no Exception
        problem = " ".join(str(error).split())[:300] or type(error).__name__
        raise ExportError(
            f"{name} refuses the file: {problem}", "`tokforge lint` may know why", None
        ) from error


def _hf(files: Mapping[str, Path], tokenizer: Tokenizer) -> Encode:
    from tokenizers import Tokenizer as HfTokenizer

    binary = tokenizer.kind == "binary"
    return _hf_encode(HfTokenizer.from_file(str(files[""])), bytes_to_hf if binary else bytes.decode)


def _hf_latin1(files: Mapping[str, Path], tokenizer: Tokenizer) -> Encode:
    from tokenizers import Tokenizer as HfTokenizer

    del tokenizer
    return _hf_encode(HfTokenizer.from_file(str(files[""])), lambda probe: probe.decode("latin-1"))


def _hf_bbpe(files: Mapping[str, Path], tokenizer: Tokenizer) -> Encode:
    """ByteLevel stands before the model, so the library must be fed text; raw bytes go round it."""
    from tokenizers import Tokenizer as HfTokenizer

    del tokenizer
    hf = HfTokenizer.from_file(str(files[""]))
    hf.pre_tokenizer = None
    return _hf_encode(hf, bytes_to_hf)


def _hf_pair(files: Mapping[str, Path], tokenizer: Tokenizer) -> Encode:
    from tokenizers import Tokenizer as HfTokenizer
    from tokenizers import models, pre_tokenizers

    del tokenizer
    hf = HfTokenizer(models.BPE.from_file(str(files["vocab.json"]), str(files["merges.txt"])))
    hf.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return _hf_encode(hf, bytes.decode)


def _hf_encode(hf: Any, spell: Callable[[bytes], str]) -> Encode:
    hf.encode_special_tokens = True
    hf.no_padding()
    hf.no_truncation()
    return lambda probes: [
        encoding.ids
        for encoding in hf.encode_batch([spell(bytes(probe)) for probe in probes], add_special_tokens=False)
    ]


def _tiktoken(files: Mapping[str, Path], tokenizer: Tokenizer) -> Encode:
    from tiktoken import Encoding

    data = files[""].read_bytes()
    ranks = read_ranks(data, str(files[""]))
    pattern = pattern_of(data, tokenizer.pipeline)
    encoding = Encoding("tokforge", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return lambda probes: [encoding.encode_ordinary(probe.decode()) for probe in probes]


def _mistral(files: Mapping[str, Path], tokenizer: Tokenizer) -> Encode:
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    del tokenizer
    tekken = Tekkenizer.from_file(files[""])
    return lambda probes: [tekken.encode(probe.decode(), bos=False, eos=False) for probe in probes]


def _sentencepiece(files: Mapping[str, Path], tokenizer: Tokenizer) -> Encode:
    from sentencepiece import SentencePieceProcessor

    del tokenizer
    processor = SentencePieceProcessor(model_file=str(files[""]))
    return lambda probes: processor.encode([probe.decode() for probe in probes])


LIBRARIES: dict[str, tuple[str, Callable[[Mapping[str, Path], Tokenizer], Encode]]] = {
    "hf": ("tokenizers", _hf),
    "bbpe": ("tokenizers", _hf_bbpe),
    "bbpe-latin1": ("tokenizers", _hf_latin1),
    "vocab-merges": ("tokenizers", _hf_pair),
    "tiktoken": ("tiktoken", _tiktoken),
    "tekken": ("mistral_common", _mistral),
    "sentencepiece": ("sentencepiece", _sentencepiece),
}
"""Format -> the package that reads it, and how it is asked."""
