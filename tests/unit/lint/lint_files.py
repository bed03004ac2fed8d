"""A sound byte-level tokenizer.json, and the parts that tests change in it."""

import copy

from tokforge.tokenizer.formats.byte_alphabet import initial_bytes, spell

BYTES = {spell(token): number for number, token in enumerate(initial_bytes())}


def added(content, token_id, **more):
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": token_id, "content": content, **flags, **more}


def split(pattern, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": "Isolated", "invert": False}


def byte_level(use_regex=True):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


SOUND = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": byte_level(),
    "post_processor": None,
    "decoder": byte_level(),
    "model": {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": {**BYTES, "ab": 256, "Ġab": 257},
        "merges": [["a", "b"], ["Ġ", "ab"]],
    },
}


def tokenizer(model=None, **sections):
    """The sound tokenizer.json with some sections, and some fields of the model, replaced."""
    made = copy.deepcopy(SOUND)
    made.update(sections)
    made["model"].update(model or {})
    return made


CHARACTERS = {
    "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    "pre_tokenizer": None,
    "decoder": None,
}
"""Sections of a SentencePiece-like tokenizer."""
