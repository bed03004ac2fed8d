"""Ids beside llama.cpp's own, on real text: vocabulary-only GGUF files, equal or where not.

llama.cpp is the shared library that npm's `@node-llama-cpp/linux-x64` ships (`npm pack` it and unpack: the
folder with libllama*.so is LIBRARIES); nothing of it is built or installed. Special tokens are text on both
sides, and nothing is put in front. Only the vocabulary is loaded, which takes the structure of the release's
model parameters: its defaults are checked before it is used.
"""

import argparse
import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

from benches.oracle import text_documents
from tokforge.errors import TokforgeError
from tokforge.tokenizer import Tokenizer

__all__ = ["LlamaCpp", "oracle_llama"]

RELEASE = "0.5.0"
HEADER = "| file | tokens | text MB | documents that differ | first difference |\n|---|---|---|---|---|\n"


class _Parameters(ctypes.Structure):
    """llama_model_params of llama.h."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("devices", "overrides")),
        *(
            (name, ctypes.c_int32)
            for name in ("gpu_layers", "split_mode", "load_mode", "lazy_mode", "main_gpu")
        ),
        *((name, ctypes.c_void_p) for name in ("tensor_split", "progress", "user_data", "kv_overrides")),
        *((name, ctypes.c_bool) for name in ("vocab_only", "check", "extra", "no_host", "no_alloc", "mtp")),
    ]


class LlamaCpp:
    """The tokenizer of a GGUF file, by llama.cpp."""

    def __init__(self, libraries: Path, path: Path) -> None:
        self._library = _library(libraries)
        parameters = self._library.llama_model_default_params()
        if (parameters.gpu_layers, parameters.split_mode, parameters.extra) != (-1, 1, True):
            raise SystemExit(f"this library is not release {RELEASE}: its parameters differ")
        parameters.vocab_only = True
        model = self._library.llama_model_load_from_file(os.fsencode(path), parameters)
        if not model:
            raise SystemExit(f"llama.cpp refuses {path}")
        self._vocabulary = self._library.llama_model_get_vocab(model)

    def encode(self, data: bytes) -> list[int]:
        room = len(data) + 16
        ids = (ctypes.c_int32 * room)()
        found = self._library.llama_tokenize(self._vocabulary, data, len(data), ids, room, False, False)
        return list(ids[:found])


def _library(folder: Path) -> ctypes.CDLL:
    for stem in ("libggml-base", "libggml", "libllama"):
        (file,) = [one for one in folder.glob(f"{stem}*.so") if one.name.split(".")[0] == stem]
        library = ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)
    library.llama_model_default_params.restype = _Parameters
    library.llama_model_load_from_file.restype = ctypes.c_void_p
    library.llama_model_load_from_file.argtypes = [ctypes.c_char_p, _Parameters]
    library.llama_model_get_vocab.restype = ctypes.c_void_p
    library.llama_model_get_vocab.argtypes = [ctypes.c_void_p]
    ids, flag, size = ctypes.POINTER(ctypes.c_int32), ctypes.c_bool, ctypes.c_int32
    library.llama_tokenize.argtypes = [ctypes.c_void_p, ctypes.c_char_p, size, ids, size, flag, flag]
    library.llama_log_set(_QUIET, None)
    return library


_QUIET = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)


def oracle_llama(arguments: Sequence[str]) -> str:
    """Returns the table that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benches oracle-llama", description=__doc__)
    parser.add_argument("libraries", type=Path, help="the folder that holds libllama*.so")
    parser.add_argument("files", type=Path, nargs="+", help="GGUF files")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="folders of text")
    parser.add_argument("--megabytes", type=float, default=10)
    options = parser.parse_args(arguments)
    documents = list(text_documents(options.text, int(options.megabytes * 1e6)))
    return HEADER + "".join(_row(options.libraries, path, documents) for path in options.files)


def _row(libraries: Path, path: Path, documents: Sequence[str]) -> str:
    try:
        ours = Tokenizer.load(path)
    except TokforgeError as error:
        return f"| {path.name} | | | | refused: {error} |\n"
    theirs, tokens, differ, first = LlamaCpp(libraries, path), 0, 0, ""
    for text in documents:
        ids, expected = ours.encode(text).tolist(), theirs.encode(text.encode())
        tokens += len(ids)
        if ids != expected:
            differ, first = differ + 1, first or _difference(ours, ids, expected)
    size = sum(len(text.encode()) for text in documents) / 1e6
    return f"| {path.name} | {tokens} | {size:.1f} | {differ} of {len(documents)} | {first} |\n"


def _difference(ours: Tokenizer, ids: list[int], expected: list[int]) -> str:
    pairs = zip(ids, expected, strict=False)
    at = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(ids), len(expected)))
    left, right = ([ours.table.tokens[i] for i in found[at : at + 3]] for found in (ids, expected))
    return f"{left!r} for {right!r}"
