"""Where a document may be cut so that its parts are encoded apart, whatever the model.

A *border* lies between a character ``c`` and a separator (space, line feed, carriage return) behind it,
where three things hold. *Theorem.* Then the ids of the whole are those of its parts end to end.

1. *Normalisers see no further.* Each is one that looks at single characters, graphemes or what stands
   before all text, or at white space alone; no rule has ``c`` behind other characters; and ``c`` and the
   separator become the same beside each other as apart, the one not ending in white space (both tried).
   So what becomes of the left part does not depend on the right one, nor the other way round but for there
   being text before it.
2. *No added token lies across*, swallows white space, or ends in ``c`` or what it becomes: the text goes
   on there.
3. *A stage cuts there, or the model does*: no token holds the separator behind other text, so no merge
   joins the two sides, and every cut of the text into tokens passes the border. Text that the model
   drops is not taken for such a ``c``: what stands before it would merge.

A right part is encoded behind the *guard*, a letter, so that it is not taken for the beginning of a text;
the guard's ids, which stand before the border, are left out. So a stage that puts a mark in front of every
piece must find the same beginnings behind the guard as behind ``c``. Where Unigram's sums go on across they
are carried, since a sum decides how the next one is rounded.

Splitters into words cut between letters, as they see them, and separators, and behind a line feed that
follows no white space, in front of a letter (`core/src/pretokenizers/cut.rs` has the proof).
"""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

from tokforge.tokenizer.model import AddedToken, BpeModel, Definition, UnigramModel
from tokforge.tokenizer.normalizers import (
    FORMS,
    Bert,
    Lowercase,
    Nmt,
    Normalizer,
    Precompiled,
    Prepend,
    Replace,
    SentencePiece,
    StripAccents,
)
from tokforge.tokenizer.pretokenizers import PATTERNS
from tokforge.tokenizer.segments import AllowedSpecial, Segmenter
from tokforge.tokenizer.stages import (
    AddPrefixSpace,
    BertPreTokenizer,
    Metaspace,
    Punctuation,
    Split,
    Stage,
    Whitespace,
    WhitespaceSplit,
)
from tokforge.tokenizer.streaming.places import Borders, Known
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["borders_of"]

_GUARD = b"a"
_SEPARATORS = " \n\r"
_SPACES = _SEPARATORS + "\t\u2581"
"""Separators, and what pipelines spell them as."""
_CHARACTER_BYTES = 4
"""At most."""
_HAN_ALONE = r"regex:\p{Han}+"
_INTO_WORDS = {*PATTERNS, _HAN_ALONE} - {"superbpe", "boundless"}
_SCRIPTS = (
    *((0x21, 0x7E), (0xC0, 0x24F), (0x370, 0x3FF), (0x400, 0x481), (0x48A, 0x4FF), (0x5D0, 0x5EA)),
    *((0x620, 0x64A), (0x904, 0x939), (0x985, 0x9B9), (0xE01, 0xE30), (0x10D0, 0x10FA)),
    *((0x3001, 0x3002), (0x300C, 0x300D), (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x9FA5)),
    *((0xAC00, 0xD7A3), (0xFF01, 0xFF1F)),
)
"""First and last of the characters that a border is looked for behind."""


def borders_of(tokenizer: Tokenizer, allowed: AllowedSpecial) -> Borders | None:
    """Returns the borders of a tokenizer's texts, None where none is known."""
    from tokforge import _core

    definition, segmenter = tokenizer.definition, tokenizer._segmenter
    steps, stages = definition.pipeline.normalizers, definition.pipeline.pretokenizers
    is_plain = isinstance(tokenizer._encoder, _core.Encoder)
    searched = segmenter.searched(allowed)
    if not all(map(_sees_no_further, steps)) or (is_plain and any(map(_asks_for_the_beginning, steps))):
        return None
    images = _images(segmenter)
    guard_is_text = all(segment.id is None for segment in segmenter.cut(_GUARD, allowed))
    if not guard_is_text or not all(_keeps_clear(text, token, images) for text, token in searched):
        return None
    ends = {text[-1:].encode() for found, token in searched for text in (found, token.text)}
    stays = _staying(segmenter, images)
    rewritten = _rewritten_behind_others(steps)
    any_end = Known(
        lambda char: (
            _kind(char) != "" and char not in ends and not rewritten(char) and _is_text(stays(char), ends)
        )
    )
    letter_end = Known(lambda char: any_end[char] and _is_letters(stays(char)))
    into_words = any(isinstance(stage, str) for stage in stages)
    end = letter_end if into_words else any_end
    passed = {one: found for one, image in images.items() if (found := _passed(stages, image))}
    behind = {one: end for one, (cuts, _) in passed.items() if cuts}
    carries = isinstance(definition.model, UnigramModel) and not behind
    tokens = _tokens(definition)
    for one, (cuts, seen) in passed.items():
        if (
            not cuts
            and (carries or isinstance(definition.model, BpeModel))
            and _may_part(definition, tokens, seen)
        ):
            joined = _joined(tokens, seen.encode())
            behind[one] = _unless(joined, stays, end)
    if not behind:
        return None
    return Borders(
        behind={ord(one): behind[one] for one in behind},
        feeds=(any_end, letter_end) if is_plain and _cut_behind_feeds(stages, images, searched) else None,
        guard=b"" if is_plain else _GUARD,
        carries=carries,
    )


def _sees_no_further(step: Normalizer) -> bool:
    from tokforge._core import charsmap_holds_inside

    match step:
        case SentencePiece():
            across = any(
                _is_across(text, _SEPARATORS) for text in step.user_defined
            ) or charsmap_holds_inside(step.charsmap, _SEPARATORS.encode())
            return not across and not step.treat_whitespace_as_suffix
        case Replace():
            return not step.regex and step.pattern in tuple(_SPACES)
    return step in FORMS or isinstance(step, (Lowercase, StripAccents, Nmt, Bert, Precompiled, Prepend))


def _rewritten_behind_others(steps: Sequence[Normalizer]) -> Callable[[bytes], bool]:
    """Returns what tells whether a character may become something else behind certain others.

    A charsmap is asked for the character's first byte, which stands nowhere but at a character's beginning.
    """
    from tokforge._core import charsmap_holds_inside

    charsmaps = [step.charsmap for step in steps if isinstance(step, (Precompiled, SentencePiece))]
    named = [text for step in steps if isinstance(step, SentencePiece) for text in step.user_defined]
    kept = {char.encode() for text in named for char in text[1:]}
    begins = Known(lambda byte: any(charsmap_holds_inside(charsmap, byte) for charsmap in charsmaps))
    return lambda char: char in kept or begins[char[:1]]


def _asks_for_the_beginning(step: Normalizer) -> bool:
    return isinstance(step, (Prepend, SentencePiece))


def _is_across(text: str, spaces: str) -> bool:
    """Tells whether a text holds one of ``spaces`` behind anything else."""
    return any(before not in spaces and behind in spaces for before, behind in pairwise(text))


def _keeps_clear(text: str, token: AddedToken, images: dict[str, str]) -> bool:
    """Tells whether an added token, looked for by ``text``, neither lies across a border nor sees across."""
    spaces = "".join(images.values()) if token.normalized else _SEPARATORS
    looks_left = token.single_word and text[:1] in spaces
    return not (token.lstrip or token.rstrip or looks_left or _is_across(text, spaces))


def _images(segmenter: Segmenter) -> dict[str, str]:
    """Returns what each separator is after normalisation, if that is white space of one character."""
    normal, head = segmenter.normal, segmenter.normal(_GUARD)
    images = {}
    for separator in _SEPARATORS:
        made = normal(_GUARD + separator.encode() + b"b")
        image = made.removeprefix(head).removesuffix(b"b").decode()
        if image in tuple(_SPACES) and made == head + image.encode() + b"b":
            images[separator] = image
    return images


def _passed(stages: Sequence[Stage], image: str) -> tuple[bool, str] | None:
    """Returns whether a stage cuts before a separator, and how the model sees it; None: unknown."""
    cuts = tells_apart = False
    for stage in stages:
        if tells_apart and _marks_all(stage):
            return None
        tells_apart |= isinstance(stage, Punctuation) or stage == _HAN_ALONE
        match stage:
            case str():
                if stage not in _INTO_WORDS or image not in _SEPARATORS:
                    return None
                cuts |= stage != _HAN_ALONE
            case Metaspace():
                image = stage.replacement if image == " " else image
                cuts |= stage.split and image == stage.replacement
            case BertPreTokenizer() | Whitespace() | WhitespaceSplit():
                if image not in _SEPARATORS:
                    return None
                cuts = True
            case Split():
                if stage.regex or stage.invert or stage.pattern.strip(_SPACES):
                    return None
                cuts |= stage.pattern == image and stage.behavior != "merged_with_previous"
    return cuts, image


def _marks_all(stage: Stage) -> bool:
    """Tells whether a stage puts a mark in front of every piece."""
    is_metaspace = isinstance(stage, Metaspace) and stage.prepend_scheme == "always"
    return is_metaspace or isinstance(stage, AddPrefixSpace)


def _cut_behind_feeds(
    stages: Sequence[Stage], images: dict[str, str], searched: list[tuple[str, AddedToken]]
) -> bool:
    """Tells whether a splitter cuts between a line feed and a letter, and no added token lies there."""
    into_words = any(stage in PATTERNS and stage in _INTO_WORDS for stage in stages)
    across = any("\n" in text[:-1] for found, token in searched for text in (found, token.text))
    return into_words and images.get("\n") == "\n" and not across


def _may_part(definition: Definition, tokens: Collection[bytes], seen: str) -> bool:
    """Tells whether a model knows a separator, as it sees it, drops no text, and asks for no piece's ends."""
    model, table = definition.model, definition.table
    if isinstance(model, BpeModel):
        asks_for_ends = model.continuing_subword_prefix or model.end_of_word_suffix or model.ignore_merges
        if model.atoms == "bytes" and len(seen.encode()) > 1:
            return False  # tokens may end inside it
        has_bytes = model.atoms == "bytes" or model.byte_fallback
    elif isinstance(model, UnigramModel):  # sums are carried from a part's last piece to the next one's first
        asks_for_ends = not all(map(_keeps_one_piece, definition.pipeline.pretokenizers))
        has_bytes = model.byte_fallback
    else:
        return False
    spells_all = has_bytes and not table.missing_bytes()
    is_known = spells_all or (model.unk_id is not None and seen.encode() in tokens)
    return is_known and not asks_for_ends


def _keeps_one_piece(stage: Stage) -> bool:
    return isinstance(stage, Metaspace) and not stage.split


def _tokens(definition: Definition) -> set[bytes]:
    """Returns what the model may make of text that it knows: no bytes that unknown text falls back to."""
    model, table = definition.model, definition.table
    if isinstance(model, UnigramModel):
        may_be = [score is not None or at in model.user_defined for at, score in enumerate(model.scores)]
    else:
        may_be = [token is not None for token in table.ordinary()]
    is_text = not (isinstance(model, BpeModel) and model.atoms == "bytes")
    named = zip(table.tokens, table.kinds, may_be, strict=True)
    return {token for token, kind, may in named if token and may and not (is_text and kind == "byte")}


def _joined(tokens: Iterable[bytes], separator: bytes) -> Callable[[bytes], bool]:
    """Returns what tells whether a token, which may begin inside, joins a text's end to a separator."""
    places = ((token, at) for token in tokens if separator in token for at in _places(token, separator))
    before = {token[max(at - _CHARACTER_BYTES, 0) : at] for token, at in places if at}
    tails = {text[-size:] for text in before for size in range(1, len(text) + 1)}

    def joins(text: bytes) -> bool:
        return text in tails or any(text[-size:] in before for size in range(1, _CHARACTER_BYTES + 1))

    return joins


def _unless(joined: Callable[[bytes], bool], image_of: Callable[[bytes], bytes], end: Known) -> Known:
    return Known(lambda char: end[char] and not joined(image_of(char)))


def _places(token: bytes, separator: bytes) -> Iterator[int]:
    at = token.find(separator)
    while at >= 0:
        yield at
        at = token.find(separator, at + 1)


def _staying(segmenter: Segmenter, images: dict[str, str]) -> Callable[[bytes], bytes]:
    """Returns what tells what becomes of a character that becomes the same in front of any separators.

    It is empty where the character does not, vanishes, or ends in white space.
    """
    normal, head = segmenter.normal, segmenter.normal(_GUARD)
    runs = [one.encode() * 2 + b"b" for one in images]
    behind = [normal(_GUARD + run).removeprefix(head) for run in runs]

    def stays(char: bytes) -> bytes:
        if not segmenter.normalizes:
            return char
        image = normal(_GUARD + char).removeprefix(head)
        text, expected = _GUARD, head
        for run, after in zip(runs, behind, strict=True):
            text, expected = text + char + run, expected + image + after
        ends_in_space = image.decode(errors="replace")[-1:] in _SPACES
        return b"" if ends_in_space or normal(text) != expected else image

    return stays


def _is_text(image: bytes, ends: Collection[bytes]) -> bool:
    """Tells whether a character's image is there, and no added token ends in it."""
    return image != b"" and image.decode(errors="replace")[-1].encode() not in ends


def _is_letters(image: bytes) -> bool:
    return all(_kind(char.encode()) == "letter" for char in image.decode(errors="replace"))


def _kind(char: bytes) -> Literal["", "letter", "mark"]:
    """Tells letters and marks of `_SCRIPTS` apart from all else."""
    try:
        text = char.decode()
    except UnicodeDecodeError:
        return ""
    if len(text) != 1 or not any(first <= ord(text) <= last for first, last in _SCRIPTS):
        return ""
    general = unicodedata.category(text)[0]
    return "letter" if general == "L" else "mark" if general in "NPS" else ""
