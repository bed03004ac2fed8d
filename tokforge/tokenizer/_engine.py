"""The one place where a tokenizer gets its engine: data of the model and the pipeline become its arguments.

Plain byte-level BPE behind splitters that keep every byte has an engine of its own, `_core.Encoder`,
which gives offsets, too. All else runs on `_core.ModelEncoder`, which gives ids alone, and finds added tokens
and normalises by itself.
"""

from collections.abc import Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

from tokforge.tokenizer import normalizers, stages
from tokforge.tokenizer.model import (
    AddedToken,
    BpeModel,
    Definition,
    Pipeline,
    TokenTable,
    UnigramModel,
    WordLevelModel,
    WordPieceModel,
    merge_list,
)

if TYPE_CHECKING:
    from tokforge._core import Encoder, Finder, ModelEncoder, Normalizer, Segmenter, Spec, Splitter

    Engine: TypeAlias = Encoder | ModelEncoder

_NO_ID = 2**32 - 1
"""What stands for a byte without a token in the engine."""

__all__ = [
    "first_tokens",
    "inner_tokens",
    "make_encoder",
    "make_finder",
    "make_normalizer",
    "make_segmenter",
    "make_splitter",
    "make_stage_spec",
    "make_step_spec",
    "scored_tokens",
    "spelled_tokens",
    "stage_specs",
]


def make_encoder(definition: Definition, *, split: bool = True) -> "Engine":
    """Builds the engine of ``definition``; without ``split`` each input is one pretoken."""
    from tokforge import _core

    model, table = definition.model, definition.table
    names = [stage for stage in definition.pipeline.pretokenizers if isinstance(stage, str)]
    is_plain = not split or len(names) == len(definition.pipeline.pretokenizers)
    if isinstance(model, BpeModel) and _of_bytes(model) and is_plain and not table.missing_bytes():
        return _core.Encoder(
            table.ordinary(),
            merge_list(model.merges).flat,
            byte_ids=table.byte_ids(),
            ranks=model.ranks,
            ignore_merges=model.ignore_merges,
            splitter=_core.Splitter(names) if split and names else None,
        )
    return _model_encoder(definition, stage_specs(definition.pipeline.pretokenizers) if split else [])


def _of_bytes(model: BpeModel) -> bool:
    return model.atoms == "bytes" and not (model.continuing_subword_prefix or model.end_of_word_suffix)


def _model_encoder(definition: Definition, specs: "list[Spec]") -> "ModelEncoder":
    from tokforge._core import ModelEncoder

    table, model = definition.table, definition.model
    match model:
        case BpeModel():
            return _bpe_encoder(table, model, specs)
        case UnigramModel():
            return ModelEncoder.unigram(
                specs,
                scored_tokens(table, model),
                model.scores,
                unk_score=model.unk_score,
                single_precision=model.arithmetic == "float32",
                user_defined=model.user_defined,
                byte_ids=_fallback(table, model),
                unk_id=model.unk_id,
                fuse_unk=model.fuse_unk,
            )
        case WordPieceModel():
            return ModelEncoder.word_piece(
                specs,
                first_tokens(table, model),
                inner_tokens(table),
                unk_id=model.unk_id,
                max_characters=model.max_input_chars_per_word,
            )
        case WordLevelModel():
            return ModelEncoder.word_level(
                specs, _with_specials(table.ordinary(), table, model), unk_id=model.unk_id
            )


def _with_specials(
    tokens: list[bytes | None], table: TokenTable, model: WordPieceModel | WordLevelModel
) -> list[bytes | None]:
    for token_id in model.special_ids:
        tokens[token_id] = table.tokens[token_id]
    return tokens


def first_tokens(table: TokenTable, model: WordPieceModel) -> list[bytes | None]:
    """Returns what each id of WordPiece is matched by at a word's beginning."""
    return _with_specials(spelled_tokens(table, model.continuing_subword_prefix), table, model)


def inner_tokens(table: TokenTable) -> list[bytes | None]:
    """Returns what each id of WordPiece is matched by inside a word."""
    return [
        token if kind == "continuing" else None for token, kind in zip(table.tokens, table.kinds, strict=True)
    ]


def _bpe_encoder(table: TokenTable, model: BpeModel, specs: "list[Spec]") -> "ModelEncoder":
    from tokforge._core import ModelEncoder

    if model.continuing_subword_prefix or model.end_of_word_suffix:
        return ModelEncoder.affixes(
            specs,
            spelled_tokens(table, model.continuing_subword_prefix, model.end_of_word_suffix),
            merge_list(model.merges).flat,
            ranks=model.ranks,
            ignore_merges=model.ignore_merges,
            by_bytes=model.atoms == "bytes",
            prefix=model.continuing_subword_prefix,
            suffix=model.end_of_word_suffix,
            byte_ids=_fallback(table, model),
            unk_id=model.unk_id,
            fuse_unk=model.fuse_unk,
        )
    if model.atoms == "bytes":
        lost = table.missing_bytes()
        filler = count(len(table))  # ids of the lost bytes, which the engine never gives out
        return ModelEncoder.bytes(
            specs,
            [*table.ordinary(), *(bytes((byte,)) for byte in lost)],
            merge_list(model.merges).flat,
            byte_ids=[next(filler) if token_id < 0 else token_id for token_id in table.byte_ids()],
            lost=lost,
            ranks=model.ranks,
            ignore_merges=model.ignore_merges,
        )
    return ModelEncoder.characters(
        specs,
        _without_bytes(table),
        merge_list(model.merges).flat,
        ranks=model.ranks,
        ignore_merges=model.ignore_merges,
        user_defined=model.user_defined,
        byte_ids=_fallback(table, model),
        unk_id=model.unk_id,
        fuse_unk=model.fuse_unk,
    )


def _fallback(table: TokenTable, model: BpeModel | UnigramModel) -> list[int] | None:
    if not model.byte_fallback:
        return None
    return [_NO_ID if token_id < 0 else token_id for token_id in table.byte_ids()]


def _without_bytes(table: TokenTable) -> list[bytes | None]:
    return [
        None if kind == "byte" else token for token, kind in zip(table.ordinary(), table.kinds, strict=True)
    ]


def scored_tokens(table: TokenTable, model: UnigramModel) -> list[bytes | None]:
    """Returns what each scored id is matched by: a byte token by its spelling, as in Hugging Face."""
    return [
        None if score is None else (b"<0x%02X>" % token[0] if kind == "byte" else token)
        for token, kind, score in zip(table.tokens, table.kinds, model.scores, strict=True)
    ]


def spelled_tokens(table: TokenTable, prefix: str = "", suffix: str = "") -> list[bytes | None]:
    """Returns each ordinary token with its prefix or suffix, None for the other ids."""
    before, after = prefix.encode(), suffix.encode()
    spelled: list[bytes | None] = table.ordinary()
    for token_id, kind in enumerate(table.kinds):
        if kind == "continuing":
            spelled[token_id] = before + table.tokens[token_id]
        elif kind == "ending":
            spelled[token_id] = table.tokens[token_id] + after
    return spelled


def make_splitter(pipeline: Pipeline) -> "Splitter | None":
    """Builds the splitter of the stages that keep every byte, None where there is none or another kind."""
    from tokforge import _core

    names = [stage for stage in pipeline.pretokenizers if isinstance(stage, str)]
    return _core.Splitter(names) if names and len(names) == len(pipeline.pretokenizers) else None


def make_normalizer(pipeline: Pipeline) -> "Normalizer | None":
    """Builds the engine's normaliser, None where nothing is normalised."""
    from tokforge import _core

    return (
        _core.Normalizer([make_step_spec(step) for step in pipeline.normalizers])
        if pipeline.normalizers
        else None
    )


def make_finder(texts: Sequence[bytes]) -> "Finder | None":
    """Builds the engine's search for fixed texts, None where there are none."""
    from tokforge import _core

    return _core.Finder(texts) if texts else None


def make_segmenter(pipeline: Pipeline, tokens: Iterable[tuple[bytes, AddedToken]]) -> "Segmenter":
    """Builds the engine's search for added tokens, each with the text that is looked for, and normaliser."""
    from tokforge import _core

    steps = [make_step_spec(step) for step in pipeline.normalizers]
    flags = [
        (text, token.id, token.normalized, token.lstrip, token.rstrip, token.single_word)
        for text, token in tokens
    ]
    return _core.Segmenter(steps, flags)


def stage_specs(pretokenizers: Sequence[stages.Stage]) -> "list[Spec]":
    """Returns the stages as the engine takes them."""
    return [make_stage_spec(stage) for stage in pretokenizers]


def make_stage_spec(stage: stages.Stage) -> "Spec":
    """Returns one stage as the engine takes it."""
    match stage:
        case str():
            return ("splitter", stage)
        case stages.Split():
            return ("split", stage.pattern, stage.regex, stage.behavior, stage.invert)
        case stages.Metaspace():
            return ("metaspace", stage.replacement, stage.prepend_scheme, stage.split)
        case stages.AddPrefixSpace():
            return ("prefix_space",)
        case stages.BertPreTokenizer():
            return ("words", True)
        case stages.WhitespaceSplit():
            return ("words", False)
        case stages.Whitespace():
            return ("runs",)
        case stages.Punctuation():
            return ("class", "punctuation", stage.behavior)
        case stages.Digits():
            return ("class", "numeric", "isolated" if stage.individual_digits else "contiguous")


def make_step_spec(step: normalizers.Normalizer) -> "Spec":
    """Returns one normaliser as the engine takes it."""
    match step:
        case str():
            return (step,)
        case normalizers.Prepend():
            return ("prepend", step.text)
        case normalizers.Replace():
            return ("replace", step.pattern, step.regex, step.content)
        case normalizers.Strip():
            return ("strip", step.left, step.right)
        case normalizers.Lowercase():
            return ("lowercase",)
        case normalizers.StripAccents():
            return ("strip_accents",)
        case normalizers.Nmt():
            return ("nmt",)
        case normalizers.Bert():
            accents = step.lowercase if step.strip_accents is None else step.strip_accents
            return ("bert", step.clean_text, step.handle_chinese_chars, accents, step.lowercase)
        case normalizers.Precompiled():
            return ("precompiled", step.charsmap)
        case normalizers.SentencePiece():
            return (
                "sentencepiece",
                step.charsmap,
                step.add_dummy_prefix,
                step.remove_extra_whitespaces,
                step.escape_whitespaces,
                step.treat_whitespace_as_suffix,
                step.user_defined,
            )
