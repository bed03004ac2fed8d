"""tokenizer.json written from a `Definition`. The bytes depend on the definition alone."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tokforge.errors import ExportError
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.hf_models import UNK_PENALTY
from tokforge.tokenizer.formats.hf_pipeline import write_pipeline
from tokforge.tokenizer.formats.hf_ranks import pair_ranked
from tokforge.tokenizer.formats.hf_vocabulary import is_byte_level, spelled_vocabulary, spelling_of
from tokforge.tokenizer.formats.serde_float import write_float
from tokforge.tokenizer.model import (
    AddedToken,
    BpeModel,
    Definition,
    UnigramModel,
    WordLevelModel,
    WordPieceModel,
)

__all__ = ["write_definition"]


def write_definition(definition: Definition) -> bytes:
    """Returns tokenizer.json; raises ExportError where Hugging Face cannot express the definition."""
    vocab, added = _vocab(definition), [_write_added(token) for token in definition.added_tokens]
    pipeline = write_pipeline(definition.pipeline, is_byte_level=is_byte_level(definition))
    sections = [
        '"version": "1.0"',
        *(_member(name, pipeline[name]) for name in ("truncation", "padding")),
        f'"added_tokens": {_lines("[", [_compact(token) for token in added], "]", "    ")}',
        *(
            _member(name, pipeline[name])
            for name in ("normalizer", "pre_tokenizer", "post_processor", "decoder")
        ),
        f'"model": {_write_model(definition, vocab)}',
    ]
    return (_lines("{", sections, "}", "  ") + "\n").encode()


def _vocab(definition: Definition) -> dict[str, int]:
    """Returns spelling -> id, in id order.

    Added tokens that only follow the vocabulary stay out of it, as in the field's files: with
    ``ignore_merges`` Hugging Face would turn plain text into any special token it holds. The others
    must be in it, since Hugging Face numbers a token it does not hold anew.
    """
    table, vocab = definition.table, spelled_vocabulary(definition)
    for token in definition.added_tokens:
        own = token.id if table.kinds[token.id] not in ("special", "added") else None
        if vocab.get(token.text) != own:
            raise ExportError(
                f"the added token {quoted(token.text)} is spelled like another token, or unlike its own id",
                "rename the added token: tokenizer.json holds both in one dictionary",
            )
    inner = definition.added_tokens[: len(definition.added_tokens) - _tail(definition)]
    vocab.update((token.text, token.id) for token in inner)
    return dict(sorted(vocab.items(), key=lambda item: item[1]))


def _tail(definition: Definition) -> int:
    """Counts the added tokens that follow everything else without a hole; 0 if any id is unused."""
    kinds, unk_id = definition.table.kinds, getattr(definition.model, "unk_id", None)
    if "unused" in kinds:
        return 0
    model = definition.model
    scored = model.scores if isinstance(model, UnigramModel) else ()
    named = model.special_ids if isinstance(model, WordPieceModel | WordLevelModel) else ()
    inner = list(named)
    inner += [i for i, kind in enumerate(kinds) if kind not in ("special", "added")]
    inner += [i for i, score in enumerate(scored) if score is not None]
    return len(kinds) - 1 - max([*inner, -1 if unk_id is None else unk_id])


def _write_added(token: AddedToken) -> dict[str, Any]:
    flags = {
        name: getattr(token, name) for name in ("single_word", "lstrip", "rstrip", "normalized", "special")
    }
    return {"id": token.id, "content": token.text, **flags}


def _write_model(definition: Definition, vocab: dict[str, int]) -> str:
    model = definition.model
    match model:
        case BpeModel():
            return _write_bpe(model, vocab)
        case UnigramModel():
            return _write_unigram(definition, model, vocab)
        case WordPieceModel():
            fields = {
                "unk_token": _key(vocab, model.unk_id),
                "continuing_subword_prefix": model.continuing_subword_prefix,
                "max_input_chars_per_word": model.max_input_chars_per_word,
            }
            return _model("WordPiece", fields, {"vocab": _entries(vocab)})
        case WordLevelModel():
            return _model("WordLevel", {"unk_token": _key(vocab, model.unk_id)}, {"vocab": _entries(vocab)})


def _write_bpe(model: BpeModel, vocab: dict[str, int]) -> str:
    if model.user_defined:
        raise ExportError(
            "user-defined tokens that the model itself finds have no place in tokenizer.json",
            "make them added tokens, and compare ids",
        )
    names = {token_id: _text(key) for key, token_id in vocab.items()}
    merges = [f"[{names[left]}, {names[right]}]" for left, right, _ in pair_ranked(model)]
    fields = {
        "dropout": None,
        "unk_token": None if model.unk_id is None else _key(vocab, model.unk_id),
        "continuing_subword_prefix": model.continuing_subword_prefix or None,
        "end_of_word_suffix": model.end_of_word_suffix or None,
        "fuse_unk": model.fuse_unk,
        "byte_fallback": model.byte_fallback,
        "ignore_merges": model.ignore_merges,
    }
    listed = {"vocab": _entries(vocab), "merges": _lines("[", merges, "]", "      ")}
    return _model("BPE", fields, listed)


def _write_unigram(definition: Definition, model: UnigramModel, vocab: dict[str, int]) -> str:
    _check_unigram(model, vocab)
    spelling, table = spelling_of(definition), definition.table
    names = {token_id: key for key, token_id in vocab.items()}
    pieces = []
    for token_id, score in enumerate(model.scores[: len(vocab)]):
        kind = table.kinds[token_id]
        key = names.get(token_id) or spelling.write(table.tokens[token_id], kind)
        pieces.append(f"[{_compact(key)}, {write_float(score or 0.0)}]")
    fields = {"unk_id": model.unk_id}
    listed = {"vocab": _lines("[", pieces, "]", "      "), "byte_fallback": _compact(model.byte_fallback)}
    return _model("Unigram", fields, listed)


def _check_unigram(model: UnigramModel, vocab: dict[str, int]) -> None:
    scores = model.scores[: len(vocab)]
    if None in scores or sorted(vocab.values()) != list(range(len(vocab))):
        raise ExportError(
            "Hugging Face scores every piece, and this model has some that text never becomes",
            "only a model whose pieces all take part has an exact form",
        )
    lowest = min(score for score in scores if score is not None)
    if model.unk_score != lowest - UNK_PENALTY or not model.fuse_unk or model.user_defined:
        raise ExportError(
            "Hugging Face's Unigram treats unknown or user-defined text in another way", "keep its format"
        )
    if model.arithmetic != "float64":
        raise ExportError(
            "Hugging Face sums scores in double precision, this model in single: near ties would differ",
            "set arithmetic='float64' if that may change ids",
        )


def _key(vocab: Mapping[str, int], token_id: int) -> str:
    return next(key for key, value in vocab.items() if value == token_id)


def _model(name: str, fields: Mapping[str, Any], listed: Mapping[str, str]) -> str:
    members = [_member(key, value) for key, value in {"type": name, **fields}.items()]
    return _lines("{", [*members, *(f'"{key}": {text}' for key, text in listed.items())], "}", "    ")


def _entries(vocab: Mapping[str, int]) -> str:
    return _lines("{", [f"{_text(key)}: {token_id}" for key, token_id in vocab.items()], "}", "      ")


def _lines(opening: str, items: Sequence[str], closing: str, indent: str) -> str:
    """Lays items out one a line: a diff of two vocabularies then shows tokens, not brackets."""
    if not items:
        return opening + closing
    return f"{opening}\n{indent}" + f",\n{indent}".join(items) + f"\n{indent[:-2]}{closing}"


def _member(name: str, value: Any) -> str:
    return f"{_compact(name)}: {_compact(value)}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_text = json.encoder.encode_basestring
"""`_compact` of a string: there may be hundreds of thousands."""
