"""vocab.txt of BERT: one token a line, its number the id; WordPiece with BERT's normaliser and splitter.

The file does not say whether text is lower-cased: tokenizer_config.json beside it may (``do_lower_case``,
``strip_accents``, ``tokenize_chinese_chars``); without one, it is lower-cased exactly if no token but the
bracketed ones holds a capital letter. Source: google-research/bert, tokenization.py.
"""

import re
from collections.abc import Sequence

from tokforge.errors import FormatError, TokforgeError
from tokforge.tokenizer.decoders import WordPieceDecoder
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.reading import Reading, SourceFile, placed, special_tokens
from tokforge.tokenizer.formats.strict_json import parse_json
from tokforge.tokenizer.model import AddedToken, Definition, Kind, Pipeline, WordPieceModel, table_of
from tokforge.tokenizer.normalizers import Bert
from tokforge.tokenizer.stages import BertPreTokenizer

__all__ = ["read_wordpiece"]

_PREFIX = "##"
_ROLES = {"[UNK]": "unk", "[SEP]": "sep", "[PAD]": "pad", "[CLS]": "cls", "[MASK]": "mask"}
_BRACKETED = re.compile(r"\[[A-Za-z0-9]+\]|<[^<>]+>")


def read_wordpiece(file: SourceFile) -> Reading:
    """Reads vocab.txt; raises FormatError with the line at fault."""
    lines = _lines(file)
    if "[UNK]" not in lines:
        raise FormatError("it has no [UNK]", "a vocabulary of WordPiece needs its unknown token", file.where)
    added = [AddedToken(i, text, (_ROLES[text],)) for i, text in enumerate(lines) if text in _ROLES]
    given = special_tokens(file.options, len(lines))
    added += [
        AddedToken(lines.index(one.text), one.text)
        for one in given
        if one.text in lines and one.text not in _ROLES
    ]
    claimed = {token.id for token in added}
    pairs = [_token(text) if i not in claimed else (None, "normal") for i, text in enumerate(lines)]
    bert, note = _normalizer(file, lines)
    model = WordPieceModel(unk_id=lines.index("[UNK]"))
    pipeline = Pipeline("text", (BertPreTokenizer(),), (bert,), decoders=(WordPieceDecoder(),))
    kinds: list[Kind] = [kind for _, kind in pairs]
    try:
        table = table_of([token for token, _ in pairs], added, kinds)
        return Reading(Definition(table, model, pipeline, tuple(added)), note)
    except TokforgeError as error:
        raise placed(error, file.where) from error


def _lines(file: SourceFile) -> list[str]:
    try:
        text = file.data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8", "vocab.txt is text", file.where) from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    lines = lines[:-1] if lines[-1] == "" else lines
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line or line == _PREFIX:
            raise FormatError("the token is empty", "every line is a token", f"{file.where}: line {number}")
        if seen.setdefault(line, number) != number:
            raise FormatError(
                f"{quoted(line)} stands in line {seen[line]} already",
                "keep one",
                f"{file.where}: line {number}",
            )
    return lines


def _token(text: str) -> tuple[bytes | None, Kind]:
    if text.startswith(_PREFIX):
        return text.removeprefix(_PREFIX).encode(), "continuing"
    return text.encode(), "normal"


def _normalizer(file: SourceFile, lines: Sequence[str]) -> tuple[Bert, tuple[str, ...]]:
    data = file.neighbour("tokenizer_config.json")
    if data is not None:
        root = parse_json(data, f"{file.where}: tokenizer_config.json beside it")
        accents = root.child("strip_accents")
        return Bert(
            lowercase=root.child("do_lower_case").boolean(default=True),
            handle_chinese_chars=root.child("tokenize_chinese_chars").boolean(default=True),
            strip_accents=None if accents.value is None else accents.boolean(),
        ), ()
    cased = any(text != text.lower() for text in lines if not _BRACKETED.fullmatch(text))
    guess = "kept, since some tokens hold capitals" if cased else "lower-cased, since no token holds capitals"
    return Bert(lowercase=not cased), (f"text is {guess}: no tokenizer_config.json says so",)
