r"""L12: A pre-tokenizer that llama.cpp, onnxruntime or vLLM does not know.

What it finds:
The sequence of regexes against those that llama.cpp has a ``pre`` name for, and each alternative against
those that onnxruntime-extensions matches by hand: what is left goes to C++'s `std::regex`, which has no
``\p{...}`` and no inline flags. For a GGUF, its ``tokenizer.ggml.pre`` against llama.cpp's names. For
tiktoken ranks, that vLLM's Rust front end takes a fixed regex. The lists, with their versions, stand in
tokforge/lint/readers.py.

Why it matters:
Conversion ends with "BPE pre-tokenizer was not recognized" (ggml-org/llama.cpp#9927, #8649, #17197), loading
with "Invalid regex" (microsoft/onnxruntime-genai#1557) - after the model has been trained. A known regex is
necessary for llama.cpp, not sufficient: a new vocabulary also needs its hash in the conversion script.

How to fix:
Before training choose a regex all of them know: gpt2, llama3, qwen2 or o200k.
"""

from collections.abc import Iterator

from tokforge.lint.artefact import Artefact
from tokforge.lint.documents import Place
from tokforge.lint.pipeline import is_byte_level
from tokforge.lint.readers import (
    LLAMA_CPP,
    LLAMA_CPP_NAMES,
    LLAMA_CPP_VERSION,
    ONNXRUNTIME_VERSION,
    VLLM_VERSION,
    left_to_std_regex,
    llama_cpp_name,
    regex_sequence,
)
from tokforge.lint.report import Finding
from tokforge.lint.rule import Rule

__all__ = ["RULE", "check"]


def check(artefact: Artefact) -> Iterator[Finding]:
    """Yields at most one finding a library."""
    if artefact.gguf:
        yield from _check_gguf(artefact)
    if artefact.format == "tiktoken":
        yield _vllm(artefact)
    if artefact.tokenizer and is_byte_level(artefact.tokenizer):
        yield from _check_json(artefact)


def _check_json(artefact: Artefact) -> Iterator[Finding]:
    place = Place(artefact.file, "/pre_tokenizer")
    regexes = regex_sequence(artefact.tokenizer) if artefact.tokenizer else ()
    if regexes and llama_cpp_name(regexes) is None:
        yield RULE.finding(
            place,
            " then ".join(regexes),
            f"llama.cpp ({LLAMA_CPP_VERSION}) has no `pre` name for it: conversion to GGUF will refuse it",
            f"before training, use one of {', '.join(sorted(LLAMA_CPP)[:8])}, ...",
        )
    for regex in regexes:
        rest = left_to_std_regex(regex)
        if rest is not None:
            yield RULE.finding(
                place,
                rest,
                f"onnxruntime-extensions {ONNXRUNTIME_VERSION} hands this to std::regex, which refuses it",
                "before training, use gpt2, llama3, qwen2 or o200k",
            )
            return


def _check_gguf(artefact: Artefact) -> Iterator[Finding]:
    values = artefact.gguf.values if artefact.gguf else {}
    name = values.get("tokenizer.ggml.pre")
    if values.get("tokenizer.ggml.model") == "gpt2" and name not in LLAMA_CPP_NAMES:
        yield RULE.finding(
            Place(artefact.file, "/tokenizer.ggml.pre"),
            name,
            f"llama.cpp ({LLAMA_CPP_VERSION}) knows no such name"
            if name
            else "no `pre` name: llama.cpp falls back to its default splitter, with other ids",
            "convert again with a current llama.cpp",
        )


def _vllm(artefact: Artefact) -> Finding:
    return RULE.finding(
        Place(artefact.file),
        "no regex",
        f"ranks hold no regex: vLLM's Rust front end ({VLLM_VERSION}) takes cl100k's in Hugging Face's form, "
        "or Kimi's by config.json's model_type",
        "ship a tokenizer.json beside the ranks if the regex is another",
        severity="note",
    )


RULE = Rule("L12", "unknown-pattern", "warning", check, __doc__)
