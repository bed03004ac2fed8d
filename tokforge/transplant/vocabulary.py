"""A vocabulary as transplanting sees it: each token as bytes and its place in a word, and how text is cut.

The key of a token is its bytes, with one leading space if it begins a word, however that is spelled:
``Ġthe`` (GPT-2 bytes), ``▁the`` (Metaspace) and BERT's ``the`` beside ``##the`` are all ``b" the"``.
Special and
other added tokens have a text and no key; ids without a token have neither. It reads tokenizer.json through
`tokenizers` rather than `tokforge.Tokenizer`, since published vocabularies may lack bytes (SmolLM2 lacks
21), which the engine refuses and a model has been trained with all the same.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tokforge.errors import FormatError, InputError
from tokforge.tokenizer.files import read_file
from tokforge.tokenizer.formats.byte_alphabet import spell, unspell
from tokforge.tokenizer.locations import locate
from tokforge.tokenizer.model import ROLES
from tokforge.transplant.pieces import bare_settings, continuing_pieces

__all__ = ["Vocabulary"]

_NAME, _CONFIG, _SIDECAR = "tokenizer.json", "tokenizer_config.json", "tokenizer.tokforge.json"
_MARK = "▁"
_HEX = frozenset("0123456789ABCDEFabcdef")


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Tokens by id, special tokens by role, and the functions that cut text into ids."""

    source: Path
    """The file it was read from."""
    data: bytes
    """The tokenizer.json: of the source itself, or converted from its format."""
    spelling: str
    """``bytes``, ``metaspace``, ``wordpiece`` or ``text``."""
    keys: tuple[bytes | None, ...]
    """id -> key; None for added tokens and for ids without a token."""
    byte_ids: dict[int, int]
    """byte value -> id of its ``<0xNN>`` token."""
    added: dict[int, str]
    """id -> text of the added tokens, special or not."""
    special: frozenset[int]
    roles: dict[str, int]
    """role -> id, of those in `ROLES`."""
    chat_template: str | None

    @classmethod
    def load(cls, path: str | Path) -> "Vocabulary":
        """Reads a tokenizer of any format that tokforge knows, or the tokenizer.json of a model's folder.

        Raises InputError if it cannot be read, FormatError if it is malformed or two tokens share an id.
        """
        place = locate(path)
        place = place / _NAME if (place / _NAME).is_file() else place
        data = _as_json(place)
        try:
            settings = json.loads(data)
            vocab = _entries(settings["model"])
            added = {int(one["id"]): one for one in settings.get("added_tokens") or ()}
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise FormatError(
                f"the tokenizer.json is malformed: {error!r}", "restore it", str(place)
            ) from error
        spelling = _spelling(settings)
        keys, byte_ids = _keys(vocab, added, spelling, settings["model"], str(place))
        texts = {i: str(one["content"]) for i, one in added.items()}
        config = _beside(place, _CONFIG)
        return cls(
            source=place,
            data=data,
            spelling=spelling,
            keys=keys,
            byte_ids=byte_ids,
            added=texts,
            special=frozenset(i for i, one in added.items() if one.get("special")),
            roles=_roles(texts, config, _beside(place, _SIDECAR).get("roles", {}), settings),
            chat_template=_template(place, config),
        )

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def unused(self) -> tuple[int, ...]:
        """Ids without a token, ascending: gaps."""
        return tuple(i for i, key in enumerate(self.keys) if key is None and i not in self.added)

    @cached_property
    def byte_tokens(self) -> frozenset[int]:
        """Ids of the ``<0xNN>`` tokens."""
        return frozenset(self.byte_ids.values())

    @cached_property
    def id_of_added(self) -> dict[str, int]:
        """Text of an added token -> id."""
        return {text: i for i, text in self.added.items()}

    @cached_property
    def index(self) -> dict[bytes, int]:
        """key -> id. Bytes come last: a token of one byte that is spelled as itself goes first."""
        found = {bytes([value]): i for value, i in self.byte_ids.items()}
        found |= {text.encode(): i for i, text in self.added.items() if i not in self.special}
        own = {key: i for i, key in enumerate(self.keys) if key is not None and i not in self.byte_tokens}
        if self.spelling == "wordpiece":  # "," is no part of a word, so it stands for both of its keys
            found |= {key[1:]: i for key, i in own.items() if key.startswith(b" ")}
        return found | own

    @cached_property
    def engine(self) -> Any:
        """The `tokenizers.Tokenizer` that cuts text as the model's users do."""
        return self._engine(json.loads(self.data))

    def encode(self, text: str) -> list[int]:
        """Returns the ids of plain text: no special token is added, and its text is cut as text."""
        return list(self.engine.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the text of ids, special tokens included."""
        return str(self.engine.decode(list(ids), skip_special_tokens=False))

    def byte_lengths(self, ids: Sequence[int]) -> list[int]:
        """Returns the bytes that each token spells; an added token's are those of its text."""
        return [len(self.keys[i] or self.added.get(i, "").encode()) for i in ids]

    def normalized(self, key: bytes) -> bytes:
        """Returns a key as this vocabulary's own normaliser leaves it: an uncased one lower-cases."""
        normalizer = self._bare.normalizer
        try:
            text = key.decode()
        except UnicodeDecodeError:
            return key
        return key if normalizer is None else str(normalizer.normalize_str(text)).encode()

    def pieces(self, keys: Sequence[bytes]) -> list[list[int]]:
        """Returns how this vocabulary cuts each key, in its place in the word; [] where it has no ids for
        it.
        """
        texts = [_text(key) for key in keys]
        found: list[list[int]] = [[] for _ in keys]
        whole = [n for n, text in enumerate(texts) if text is not None and not self._is_inside(text)]
        encoded = self._bare.encode_batch([texts[n] for n in whole], add_special_tokens=False)
        for n, one in zip(whole, encoded, strict=True):
            found[n] = list(one.ids)
        for n, text in enumerate(texts):
            if text is not None and self._is_inside(text):
                found[n] = continuing_pieces(self.normalized(text.encode()), self.index)
            if text is None:
                found[n] = self._cut_bytes(keys[n])
        unknown = {self.roles.get("unk"), self._unknown}
        return [[i for i in ids if i not in unknown and i < len(self.keys)] for ids in found]

    def _is_inside(self, text: str) -> bool:
        """A key without a space, in a vocabulary that spells the inside of words otherwise."""
        return self.spelling == "wordpiece" and not text.startswith(" ")

    @cached_property
    def _unknown(self) -> int | None:
        name = json.loads(self.data)["model"].get("unk_token")
        return None if name is None else self.engine.token_to_id(name)

    def _cut_bytes(self, key: bytes) -> list[int]:
        """Cuts what is no UTF-8: by the merges on spelled bytes, or byte by byte."""
        if self.spelling == "bytes":
            return [token.id for token in self._bare.model.tokenize(spell(key))]
        return [self.byte_ids[value] for value in key if value in self.byte_ids]

    @cached_property
    def _bare(self) -> Any:
        return self._engine(bare_settings(json.loads(self.data)))

    def _engine(self, settings: dict[str, Any]) -> Any:
        from tokenizers import Tokenizer

        try:
            engine = Tokenizer.from_str(json.dumps(settings))
        except Exception as error:  # tokenizers raises the bare class
            raise FormatError(
                f"tokenizers refuses it: {error}", "restore the file", str(self.source)
            ) from error
        engine.encode_special_tokens = True
        engine.no_truncation()
        engine.no_padding()
        return engine


def _as_json(place: Path) -> bytes:
    if place.is_file() and place.suffix == ".json" and place.name != _SIDECAR:
        data = read_file(place)
        if b'"model"' in data and not data.lstrip().startswith(b"["):
            return data
    from tokforge.tokenizer.files import read_tokenizer
    from tokforge.tokenizer.formats.hf_json import write_definition

    return write_definition(read_tokenizer(place).tokenizer.definition)


def _entries(model: dict[str, Any]) -> list[tuple[str, int]]:
    vocab = model["vocab"]
    if isinstance(vocab, dict):
        return [(text, int(i)) for text, i in vocab.items()]
    return [(entry[0], i) for i, entry in enumerate(vocab)]


def _spelling(settings: dict[str, Any]) -> str:
    parts = json.dumps([settings.get(name) for name in ("normalizer", "pre_tokenizer", "decoder")])
    if '"ByteLevel"' in parts:
        return "bytes"
    if settings["model"].get("type") == "WordPiece":
        return "wordpiece"
    return "metaspace" if json.dumps(_MARK)[1:-1] in parts else "text"


def _keys(
    vocab: Iterable[tuple[str, int]],
    added: dict[int, Any],
    spelling: str,
    model: dict[str, Any],
    where: str,
) -> tuple[tuple[bytes | None, ...], dict[int, int]]:
    vocab = list(vocab)
    size = 1 + max([-1, *(i for _, i in vocab), *added])
    if size == 0:
        raise FormatError("the vocabulary is empty", "give another tokenizer", where)
    keys: list[bytes | None] = [None] * size
    byte_ids: dict[int, int] = {}
    prefix = model.get("continuing_subword_prefix") or ("##" if spelling == "wordpiece" else "")
    for text, i in vocab:
        if i in added:
            continue
        if keys[i] is not None:
            raise FormatError(f"id {i} is held by two tokens, {text!r} the second", "renumber one", where)
        if _is_byte(text) and spelling != "bytes":
            byte_ids[int(text[3:5], 16)] = i
            keys[i] = bytes([int(text[3:5], 16)])
        else:
            keys[i] = _key(text, spelling, prefix, model.get("end_of_word_suffix") or "")
    return tuple(keys), byte_ids


def _is_byte(text: str) -> bool:
    return len(text) == 6 and text.startswith("<0x") and text.endswith(">") and _HEX.issuperset(text[3:5])


def _key(text: str, spelling: str, prefix: str, suffix: str) -> bytes:
    if suffix and text.endswith(suffix):
        text = text[: -len(suffix)] + " "
    if spelling == "bytes":
        found = unspell(text)
        return text.encode() if found is None else found
    if spelling == "wordpiece":
        return (
            text[len(prefix) :].encode()
            if text.startswith(prefix) and text != prefix
            else f" {text}".encode()
        )
    return text.replace(_MARK, " ").encode("utf-8", "surrogatepass")


def _text(key: bytes) -> str | None:
    try:
        return key.decode()
    except UnicodeDecodeError:
        return None


def _beside(place: Path, name: str) -> dict[str, Any]:
    path = place.with_name(name)
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", "restore it, or move it away", str(path)) from error
    return content if isinstance(content, dict) else {}


def _roles(
    texts: dict[int, str], config: dict[str, Any], sidecar: dict[str, str], settings: dict[str, Any]
) -> dict[str, int]:
    ids = {text: i for i, text in texts.items()}
    named = {role: config.get(f"{role}_token") for role in ROLES} | dict(sidecar)
    unknown = settings["model"].get("unk_token")
    named["unk"] = named.get("unk") or unknown
    found = {role: one.get("content") if isinstance(one, dict) else one for role, one in named.items()}
    return {role: ids[text] for role, text in found.items() if text in ids}


def _template(place: Path, config: dict[str, Any]) -> str | None:
    beside = place.with_name("chat_template.jinja")
    if beside.is_file():
        return beside.read_text("utf-8")
    template = config.get("chat_template")
    return template if isinstance(template, str) else None
