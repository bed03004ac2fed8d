"""The artefact that is linted: whatever a user points at, with the files beside it, parsed but not judged.

A folder is read by the first of its tokenizer files in `_IN_FOLDERS`; a file by its content. Companions
(tokenizer_config.json, chat template, config.json, safetensors headers) are taken from the same folder when
the tokenizer has its canonical name: `gpt2.json` in a folder of many says nothing about them.
Raises only where nothing can be said: no such file, or bytes of no known format.
"""

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tokforge.errors import FormatError, InputError, TokforgeError
from tokforge.lint.added import Added, added_tokens
from tokforge.lint.bpe import Bpe, bpe_of_gguf, bpe_of_json, bpe_of_text
from tokforge.lint.documents import Document, Place, parse_document, step
from tokforge.lint.gguf_raw import MAGIC, GgufHeader, read_gguf_header
from tokforge.lint.ranks import Rank, is_tekken, parse_tiktoken, tekken_ranks
from tokforge.lint.reachability import unreachable_tokens
from tokforge.lint.sentencepiece_raw import PieceModel, parse_sentencepiece
from tokforge.lint.weights import EmbeddingShape, embedding_shapes
from tokforge.tokenizer.formats.reading import SourceFile
from tokforge.tokenizer.formats.sentencepiece import read_sentencepiece
from tokforge.tokenizer.reach import unreachable_tokens as unreachable_ids
from tokforge.tokenizer.tokenizer import Tokenizer

__all__ = ["Artefact", "Place", "read_artefact"]

TOKENIZER, CONFIG = "tokenizer.json", "tokenizer_config.json"
_COMPANIONS = (
    CONFIG,
    "special_tokens_map.json",
    "config.json",
    "generation_config.json",
    "chat_template.json",
)
_IN_FOLDERS = (
    TOKENIZER,
    "tekken.json",
    "vocab.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)
_SUFFIXES = ("*.tiktoken", "*.model", "*.gguf")
_MAX_BYTES = 2**30


@dataclass(frozen=True)
class Artefact:
    """One tokenizer and its companions. Exactly one of the views below is there, as ``format`` says."""

    path: Path
    format: str
    """``tokenizer.json``, ``vocab.json``, ``tekken``, ``tiktoken``, ``sentencepiece`` or ``gguf``."""
    documents: Mapping[str, Document] = field(default_factory=dict)
    ranks: tuple[Rank, ...] = ()
    pieces: PieceModel | None = None
    gguf: GgufHeader | None = None
    merges_text: bytes | None = None
    chat_template: str | None = None
    """The content of chat_template.jinja."""
    embeddings: tuple[EmbeddingShape, ...] = ()

    @property
    def file(self) -> str:
        """The name of the tokenizer file itself."""
        return self.path.name

    @property
    def tokenizer(self) -> Document | None:
        """The tokenizer.json, or None for the other formats."""
        return self.documents.get(self.file) if self.format == TOKENIZER else None

    @property
    def config(self) -> Document | None:
        """The tokenizer_config.json beside it."""
        return self.documents.get(CONFIG)

    @cached_property
    def added(self) -> tuple[Added, ...]:
        """The added tokens of a tokenizer.json."""
        return added_tokens(self.tokenizer) if self.tokenizer else ()

    @cached_property
    def bpe(self) -> Bpe | None:
        """The BPE model, where the format has merges."""
        if self.tokenizer:
            return bpe_of_json(self.tokenizer, frozenset(token.content for token in self.added))
        if self.gguf:
            return bpe_of_gguf(self.gguf.values, self.file)
        if self.merges_text is not None:
            return bpe_of_text(self.documents[self.file], self.merges_text, "merges.txt")
        return None

    @cached_property
    def unreachable(self) -> list[str]:
        """The tokens that the merges of `bpe` cannot make; empty where merges mark the inside of words."""
        bpe = self.bpe
        return unreachable_tokens(bpe) if bpe and not bpe.prefix and not bpe.suffix else []

    @cached_property
    def unreachable_pieces(self) -> list[int]:
        """The ordinary pieces of a SentencePiece model that its own text does not become; empty where our
        reader refuses the model, which other rules then say."""
        if self.pieces is None:
            return []
        data = _read(self.path)
        try:
            tokenizer = Tokenizer(read_sentencepiece(SourceFile(self.file, self.file, data)).definition)
        except TokforgeError:
            return []
        return [i for i in unreachable_ids(tokenizer) if tokenizer.table.kinds[i] != "byte"]

    @cached_property
    def ids(self) -> dict[int, str]:
        """id -> spelling of every token, added ones included; the id of a Unigram token is its position."""
        if self.bpe:
            found = dict(self.bpe.by_id)
        else:
            vocab = step(self.tokenizer.value, "model", "vocab") if self.tokenizer else None
            found = _ids_of(vocab)
        return {**found, **{token.id: token.content for token in self.added if token.id is not None}}

    @cached_property
    def vocabulary(self) -> dict[str, int]:
        """Spelling -> id of the model's own tokens, added ones left out."""
        if self.bpe:
            return self.bpe.vocab
        vocab = step(self.tokenizer.value, "model", "vocab") if self.tokenizer else None
        return {token: token_id for token_id, token in _ids_of(vocab).items()}


def _ids_of(vocab: Any) -> dict[int, str]:
    if isinstance(vocab, dict):
        return {token_id: token for token, token_id in vocab.items() if type(token_id) is int}
    if isinstance(vocab, list):
        texts = [step(entry, 0) for entry in vocab]
        return {number: text for number, text in enumerate(texts) if isinstance(text, str)}
    return {}


def read_artefact(path: Path) -> Artefact:
    """Reads the tokenizer at ``path``, a file or a folder.

    Raises:
        InputError: there is no such file, it cannot be read, or the folder holds no tokenizer.
        FormatError: the file is of no known format, or is not the JSON it should be.
    """
    place = _in_folder(path) if path.is_dir() else path
    if _head(place) == MAGIC:
        return Artefact(place, "gguf", gguf=read_gguf_header(place))
    data = _read(place)
    if not data.strip():
        raise FormatError("the file is empty", "check that it is complete", str(place))
    if data.lstrip()[:1] in (b"{", b"["):
        return _from_json(place, parse_document(data, place))
    first = data.split(b"\n", 1)[0].split()
    if len(first) == 2 and first[1].isdigit():
        return Artefact(place, "tiktoken", ranks=parse_tiktoken(data, str(place)))
    return Artefact(place, "sentencepiece", pieces=parse_sentencepiece(data, str(place)))


def _in_folder(folder: Path) -> Path:
    for name in _IN_FOLDERS:
        if (folder / name).exists():
            return folder / name
    for suffix in _SUFFIXES:
        if found := sorted(folder.glob(suffix)):
            return found[0]
    raise InputError(
        "no tokenizer in this folder", f"looked for {', '.join([*_IN_FOLDERS, *_SUFFIXES])}", str(folder)
    )


def _from_json(place: Path, document: Document) -> Artefact:
    value = document.value
    if isinstance(step(value, "model"), dict):
        companions = _companions(place.parent) if place.name == TOKENIZER else {}
        template = place.with_name("chat_template.jinja") if companions or place.name == TOKENIZER else None
        return Artefact(
            place,
            TOKENIZER,
            {document.file: document, **companions},
            chat_template=_text(template) if template and template.is_file() else None,
            embeddings=embedding_shapes(place.parent) if place.name == TOKENIZER else (),
        )
    if is_tekken(value):
        ranks, _ = tekken_ranks(document)
        return Artefact(place, "tekken", {document.file: document}, ranks=tuple(ranks))
    merges = place.with_name("merges.txt")
    if (
        value
        and isinstance(value, dict)
        and all(type(one) is int for one in value.values())
        and merges.is_file()
    ):
        return Artefact(place, "vocab.json", {document.file: document}, merges_text=_read(merges))
    raise FormatError(
        "this JSON is no tokenizer: it has neither 'model', nor 'vocab' and 'config'",
        "give a tokenizer.json, a tekken.json, or a vocab.json with merges.txt beside it",
        str(place),
    )


def _companions(folder: Path) -> dict[str, Document]:
    """Parses what is there; a companion that is not JSON keeps its fault for a rule to report."""
    found = {}
    for name in _COMPANIONS:
        path = folder / name
        if path.is_file():
            try:
                found[name] = parse_document(_read(path), path)
            except FormatError as error:
                found[name] = Document(name, None, fault=error.problem)
    return found


def _text(path: Path) -> str:
    return _read(path).decode("utf-8", "replace")


def _head(path: Path) -> bytes:
    """Returns the first bytes, once the path is known to be an ordinary file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError("this is no ordinary file", "give a tokenizer file or its folder", str(path))
        with path.open("rb") as file:
            return file.read(len(MAGIC))
    except FileNotFoundError as error:
        raise InputError("there is no such file", "give a tokenizer file or its folder", str(path)) from error
    except (OSError, ValueError) as error:
        raise _unreadable(error, path) from error


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FormatError("the file is too large for a tokenizer", "give a smaller file", str(path))
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(error, path) from error


def _unreadable(error: Exception, path: Path) -> InputError:
    reason = getattr(error, "strerror", None) or error
    return InputError(f"cannot be read: {reason}", "check the path and its permissions", str(path))
