"""tekken.json of Mistral: ranks as in tiktoken, with the regex and the special tokens in the same file.

A token's id is its rank + the number of special tokens, which come first; ranks are contiguous from 0, the
first 256 are the bytes 0 to 255 in order, and the vocabulary is cut to ``default_vocab_size`` ids. Fewer
special tokens than ``default_num_special_tokens`` are filled up with ``<SPECIAL_n>``; files to v7 without
a list mean Mistral's first twenty. Everything else in the file (images, audio, chat) does not decide ids.
Source: mistralai/mistral-common, tokens/tokenizers/tekken.py.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Any

from tokforge.errors import ExportError, TokforgeError
from tokforge.tokenizer._engine import make_splitter
from tokforge.tokenizer.display import quoted
from tokforge.tokenizer.formats.one_regex import one_regex
from tokforge.tokenizer.formats.ranks import ranked_definition, ranks_of
from tokforge.tokenizer.formats.reading import Reading, SourceFile, placed
from tokforge.tokenizer.formats.strict_json import Node, parse_json
from tokforge.tokenizer.model import AddedToken, Definition, Pipeline
from tokforge.tokenizer.pretokenizers import canonical_stages, parse_pretokenizer

__all__ = ["is_tekken", "read_tekken", "write_tekken"]

_VERSIONS = ("v1", "v2", "v3", "v7", "v11", "v13", "v15")
_IMPLIED = (
    *("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
    *("[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]"),
    *("[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]"),
)
_ROLES = {"<unk>": ("unk",), "<s>": ("bos",), "</s>": ("eos",), "<pad>": ("pad",)}
_VERSION = "v7"
"""What is written: the first version whose special tokens stand in the file."""
_MOST = 2**24


def is_tekken(root: Node) -> bool:
    """Tells whether a JSON value has tekken's two parts."""
    config, vocab = root.child("config").value, root.child("vocab").value
    return isinstance(config, dict) and isinstance(vocab, list) and "default_vocab_size" in config


def read_tekken(file: SourceFile) -> Reading:
    """Reads tekken.json; raises FormatError with the field at fault."""
    root = parse_json(file.data, file.where)
    config = root.need("config")
    version = config.need("version").string()
    if version not in _VERSIONS:
        raise config.child("version").error(
            f"version {quoted(version)} is unknown", f"known: {', '.join(_VERSIONS)}"
        )
    specials_count, size = (
        _count(config.need(name)) for name in ("default_num_special_tokens", "default_vocab_size")
    )
    specials = _read_specials(root, version, specials_count)
    tokens = _read_vocab(root.need("vocab"), size - specials_count)
    notes = [
        f"{name} is left behind: it does not decide ids"
        for name in ("image", "multimodal", "audio", "model_settings_builder")
        if root.has(name)
    ]
    dropped = len(root.child("vocab").array()) - len(tokens)
    if dropped:
        notes.append(f"the last {dropped} tokens of the file lie beyond default_vocab_size and are no tokens")
    try:
        added = [
            AddedToken(i, text, _ROLES.get(text, ()), special) for i, (text, special) in enumerate(specials)
        ]
        stages = _stages(config, file)
        make_splitter(Pipeline("text", stages))  # a regex that no engine takes is the file's fault
        definition = ranked_definition([*[None] * specials_count, *tokens], stages, added, file.where)
    except TokforgeError as error:
        raise placed(error, file.where) from error
    return Reading(definition, tuple(notes))


def _stages(config: Node, file: SourceFile) -> tuple[str, ...]:
    if file.options.pretokenizer:
        return parse_pretokenizer(file.options.pretokenizer)
    return canonical_stages((f"regex:{config.need('pattern').string()}",))


def _count(node: Node) -> int:
    value = node.id()
    if value > _MOST:
        raise node.error(f"{value} is too many for a vocabulary", f"at most {_MOST}")
    return value


def _read_specials(root: Node, version: str, count: int) -> list[tuple[str, bool]]:
    """Returns (text, is control) in id order, filled up to ``count``."""
    if root.has("special_tokens"):
        found = []
        for number, node in enumerate(root.child("special_tokens").items()):
            if node.need("rank").id() != number:
                raise node.child("rank").error(
                    f"rank {node.child('rank').value} stands at place {number}", "number them from 0"
                )
            found.append((node.need("token_str").string(), node.child("is_control").boolean(default=True)))
    elif _VERSIONS.index(version) > _VERSIONS.index("v7"):
        raise root.error("the field 'special_tokens' is missing", f"version {version} needs it")
    else:
        found = [(text, True) for text in _IMPLIED]
    if len(found) > count:
        raise (
            root.child("config")
            .child("default_num_special_tokens")
            .error(f"{count} is fewer than the {len(found)} special tokens", "raise it")
        )
    return [*found, *((f"<SPECIAL_{i}>", True) for i in range(len(found), count))]


def _read_vocab(node: Node, size: int) -> list[bytes | None]:
    entries = node.array()
    if not 256 <= size <= len(entries):
        raise node.error(
            f"{size} ids are left for {len(entries)} ranked tokens",
            "sizes in config contradict the vocabulary",
        )
    tokens: list[bytes | None] = []
    for number, entry in zip(range(size), node.items(), strict=False):
        if entry.need("rank").id() != number:
            raise entry.child("rank").error(
                f"rank {entry.child('rank').value} stands at place {number}", "sort by rank, without holes"
            )
        token = _token(entry.need("token_bytes"))
        if number < 256 and token != bytes((number,)):
            raise entry.child("token_bytes").error(
                f"rank {number} must be byte 0x{number:02X}", "the first 256 ranks are the bytes"
            )
        tokens.append(token)
    return tokens


def _token(node: Node) -> bytes:
    try:
        token = b64decode(node.string(), validate=True)
    except (Base64Error, ValueError) as error:
        raise node.error("it is no base64") from error
    if not token:
        raise node.error("the token is empty")
    return token


def write_tekken(definition: Definition) -> bytes:
    """Returns tekken.json; raises ExportError where its order of ids cannot be kept."""
    ranks = ranks_of(definition)
    count = _leading_specials(definition)
    for place, (token, token_id) in enumerate(ranks):
        if token_id != count + place or (place < 256 and token != bytes((place,))):
            raise ExportError(
                f"id {token_id} is {quoted(token)}: tekken wants the special tokens, then the bytes 0 to 255 "
                "in order, then merged tokens without holes",
                "renumber with --allow-lossy, or choose tokenizer.json",
            )
    pattern = _pattern(definition)
    config = {
        "pattern": pattern,
        "num_vocab_tokens": len(ranks),
        "default_vocab_size": count + len(ranks),
        "default_num_special_tokens": count,
        "version": _VERSION,
    }
    vocab = [
        {"rank": rank, "token_bytes": b64encode(token).decode(), "token_str": _text(token)}
        for rank, (token, _) in enumerate(ranks)
    ]
    specials = [
        {"rank": token.id, "token_str": token.text, "is_control": token.special}
        for token in definition.added_tokens[:count]
    ]
    content: dict[str, Any] = {"config": config, "vocab": vocab, "special_tokens": specials}
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _pattern(definition: Definition) -> str:
    if definition.pipeline.normalizers or not definition.pipeline.pretokenizers:
        raise ExportError("tekken has exactly one regex and no normaliser", "choose tokenizer.json")
    return one_regex(definition.pipeline)


def _leading_specials(definition: Definition) -> int:
    """Counts the added tokens, which must be the first ids."""
    added = definition.added_tokens
    if any(token.id != i for i, token in enumerate(added)):
        raise ExportError(
            "tekken numbers its special tokens first, from 0",
            "renumber with --allow-lossy, or choose tokenizer.json",
        )
    return len(added)


def _text(token: bytes) -> str | None:
    try:
        return token.decode()
    except UnicodeDecodeError:
        return None
