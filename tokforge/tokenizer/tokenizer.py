"""The `Tokenizer`: bytes or text to ids and back. Frozen, thread-safe, picklable; its engine is made late."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from tokforge.errors import ConfigError, InputError, TokenIdError, UnknownNameError, pick
from tokforge.outputs import StrPath
from tokforge.tokenizer._engine import make_encoder
from tokforge.tokenizer.model import (
    AddedToken,
    BpeModel,
    Definition,
    Merge,
    Pipeline,
    TokenTable,
    merge_list,
    table_of,
)
from tokforge.tokenizer.provenance import check_provenance
from tokforge.tokenizer.segments import AllowedSpecial, Segment, Segmenter

if TYPE_CHECKING:
    from tokforge._core import Encoder, ModelEncoder
    from tokforge.tokenizer.spans import Unit
    from tokforge.tokenizer.walking import Walker

__all__ = ["Tokenizer", "as_bytes"]

Data: TypeAlias = bytes | bytearray | memoryview | str
Errors: TypeAlias = Literal["strict", "replace"]
Ids: TypeAlias = npt.NDArray[np.uint32]
Offsets: TypeAlias = npt.NDArray[np.uint64]


_FEW_SEGMENTS = 4
"""Up to so many are encoded one by one; more go to the engine together, as each call costs microseconds."""


@dataclass(frozen=True, repr=False)
class Tokenizer:
    """A byte-level tokenizer: a `Definition`, which decides ids, and where it came from.

    Make one with `load`, `from_parts`, or a trainer. Text never becomes a special token unless
    ``allowed_special`` says so; ids of special tokens decode to their text.
    """

    definition: Definition
    provenance_json: str = field(default="{}")
    """The provenance as canonical JSON text: it keeps the tokenizer immutable and comparable."""

    @classmethod
    def from_parts(
        cls,
        tokens: Sequence[bytes | None],
        merges: Iterable[Merge],
        *,
        pipeline: Pipeline,
        added_tokens: Iterable[AddedToken] = (),
        ignore_merges: bool = False,
        provenance: Mapping[str, Any] | None = None,
    ) -> "Tokenizer":
        """Builds a tokenizer from tokens in id order (None where the id is an added token, or unused),
        merges in rank order, and what stands around them.

        Raises FormatError where the parts contradict each other, ConfigError for provenance that is no
        JSON or has unknown keys.
        """
        added = tuple(added_tokens)
        model = BpeModel(merge_list(merges), ignore_merges)
        definition = Definition(table_of(tokens, added), model, pipeline, added)
        return cls(definition, check_provenance(provenance or {}))

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        format: str | None = None,
        pretokenizer: str | None = None,
        special_tokens: Sequence[str] = (),
    ) -> "Tokenizer":
        """Reads a tokenizer in any format that `tokforge.tokenizer.formats.registry` knows.

        ``path`` is a file, the folder that holds one, ``pkg:package/path`` for an installed package's
        resource, ``hf:owner/name`` for a repository of the hub, or a released name: ``binary-4k``, ``-8k``,
        ``-16k``, ``-32k``, ``-64k`` (``released:binary-16k`` where a file has that name). The format is found
        from the content;
        ``format`` forces one. A tokenizer.json is read with the sidecar beside it, if there is one.
        ``pretokenizer`` and ``special_tokens`` (``TEXT`` or ``TEXT=ID``) say what a file of ranks leaves out.

        Raises InputError if it cannot be read, FormatError with file, field and value if it is malformed,
        unknown or ambiguous, ConfigError where something is left out that nobody gave.
        """
        from tokforge.tokenizer.files import load
        from tokforge.tokenizer.formats.reading import ReadOptions

        return load(path, format, ReadOptions(pretokenizer, tuple(special_tokens)))

    def save(
        self, path: str | Path, *, force: bool = False, beside: Mapping[StrPath, bytes] | None = None
    ) -> Path:
        """Writes tokenizer.json (``path``, or in the folder ``path``) and its sidecar; returns the former.

        A tokenizer that Hugging Face cannot express is written as its sidecar alone, whose path is returned.
        The files of ``beside`` are written with them, all or none.

        Hugging Face must load the file and give equal ids before it appears under its name. Raises
        ExportError where it does not, OutputError where a file exists (unless ``force``) or the folder
        is missing, full or read-only; nothing is half-written.
        """
        from tokforge.tokenizer.files import save

        return save(self, Path(path), force=force, beside=beside)

    def save_pretrained(self, folder: str | Path, *, force: bool = False) -> Path:
        """Writes what `save` writes, and the tokenizer_config.json by which `AutoTokenizer` loads the folder.

        The folder is made if only its last part is missing. Raises as `save` does.
        """
        from tokforge.tokenizer.files import save_pretrained

        return save_pretrained(self, Path(folder), force=force)

    # -- what it is ---------------------------------------------------------------------------------

    @property
    def kind(self) -> Literal["text", "binary"]:
        """``binary`` takes any bytes unsplit; ``text`` runs the pre-tokenizer first."""
        return self.definition.pipeline.kind

    @property
    def vocab_size(self) -> int:
        """Length of the table: the highest id and one, unused ids included."""
        return len(self.table)

    @property
    def table(self) -> TokenTable:
        """id -> (bytes, kind) for every id."""
        return self.definition.table

    @property
    def pipeline(self) -> Pipeline:
        """What happens around the model: normalisers and pre-tokenizers."""
        return self.definition.pipeline

    @property
    def merges(self) -> Sequence[Merge]:
        """(left, right, merged) ids in rank order, a `MergeList`; none where the model is not BPE."""
        model = self.definition.model
        return model.merges if isinstance(model, BpeModel) else ()

    @property
    def added_tokens(self) -> tuple[AddedToken, ...]:
        """The tokens that are matched whole in text, by id; the special ones among them."""
        return self.definition.added_tokens

    @property
    def special_tokens(self) -> tuple[AddedToken, ...]:
        """The added tokens that are control, by id."""
        return tuple(token for token in self.added_tokens if token.special)

    @property
    def provenance(self) -> dict[str, Any]:
        """Where it came from: tool version, order rule, options, source shares (a copy)."""
        return json.loads(self.provenance_json)  # type: ignore[no-any-return]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the tokenizer.json it is saved as: the model part alone. Raises ExportError."""
        from tokforge.tokenizer.formats.hf_json import write_definition

        return sha256(write_definition(self.definition)).hexdigest()

    def token_bytes(self, token_id: int) -> bytes:
        """Returns the bytes of a token; of an added token, its text. Raises TokenIdError."""
        self._check_id(token_id)
        return self.table.tokens[token_id]

    def id_of(self, token: bytes) -> int | None:
        """Returns the id of the ordinary token with these bytes, or None. Added tokens are not found."""
        return self._ids_by_bytes.get(bytes(token))

    def role(self, name: str) -> AddedToken | None:
        """Returns the token that holds a role (``bos``, ``eos``, ``pad``, ...), or None."""
        return next((token for token in self.added_tokens if name in token.roles), None)

    def prefix(self, vocab_size: int) -> "Tokenizer":
        """Returns the family member with the first ``vocab_size`` ids: what training would have given.

        Raises ConfigError if an added token or a byte lies beyond, or if ids do not follow merge order.
        """
        from tokforge.tokenizer.prefix import prefix_definition

        definition = prefix_definition(self.definition, vocab_size)
        origin = self.provenance | {"prefix_of": self.vocab_size}
        return replace(self, definition=definition, provenance_json=check_provenance(origin))

    # -- what it does -------------------------------------------------------------------------------

    def encode(
        self, data: Data, *, allowed_special: AllowedSpecial = "none", errors: Errors = "strict"
    ) -> Ids:
        """Returns the ids of ``data``, (tokens,) uint32. A ``str`` is encoded as UTF-8.

        ``allowed_special`` names the special tokens whose text counts as the token: ``"none"``, ``"all"``
        or a set of texts. ``errors`` decides on lone surrogates in a ``str``: InputError, or U+FFFD.
        """
        from tokforge import _core
        from tokforge.tokenizer.batch import encode_documents, encode_segments

        raw, encoder = as_bytes(data, errors), self._encoder
        if isinstance(encoder, _core.ModelEncoder):
            return encode_documents(encoder, [raw], 1, self._segmenter, allowed_special)[0]
        segments = self._segmenter.cut(raw, allowed_special)
        if len(segments) > _FEW_SEGMENTS:
            return encode_segments(encoder, [segments], 1)[0]
        parts = [
            _one(part.id) if part.id is not None else np.frombuffer(encoder.encode(part.data), np.uint32)
            for part in segments
        ]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.uint32), *parts])

    def encode_with_offsets(
        self, data: Data, *, allowed_special: AllowedSpecial = "none", errors: Errors = "strict"
    ) -> tuple[Ids, Offsets]:
        """Returns ids and each token's first byte in ``data``, (tokens,) uint32 and uint64.

        These tokens lie end to end. Raises ConfigError where they need not, as normalisation changes the
        text, or the pipeline may rewrite it; `encode_spans` takes these, too.
        """
        raw = as_bytes(data, errors)
        self._segmenter.require_offsets(raw)
        ids, offsets = [np.empty(0, np.uint32)], [np.empty(0, np.uint64)]
        for part in self._segmenter.cut(raw, allowed_special):
            found, starts = (_one(part.id), bytes(8)) if part.id is not None else self._offsets(part)
            ids.append(found)
            offsets.append(np.frombuffer(starts, np.uint64) + np.uint64(part.start))
        return np.concatenate(ids), np.concatenate(offsets)

    def encode_spans(
        self,
        data: Data,
        *,
        unit: "Unit" = "bytes",
        allowed_special: AllowedSpecial = "none",
        errors: Errors = "strict",
    ) -> tuple[Ids, Offsets]:
        """Returns ids and the (start, end) of each token in ``data``, (tokens,) uint32, (tokens, 2) uint64.

        ``unit`` is ``bytes`` or ``characters``. A token covers every character of which it holds a byte,
        as in Hugging Face, so tokens that share a character overlap in it. Where text is rewritten, bytes
        are those of these characters, and what is dropped lies between tokens. Raises InputError for what is
        no UTF-8, unless bytes are asked for and none is rewritten; ConfigError where a normaliser cannot tell
        what came from where (another Unicode version).
        """
        from tokforge.tokenizer.aligned_spans import encode_aligned
        from tokforge.tokenizer.spans import spans_of

        raw = as_bytes(data, errors)
        if not self.tiles(raw):
            return encode_aligned(self, bytes(raw), unit, allowed_special)
        ids, starts = self.encode_with_offsets(raw, allowed_special=allowed_special)
        return ids, spans_of(raw, starts, unit)

    def tiles(self, data: Data | None = None) -> bool:
        """Tells whether the tokens of ``data``, or of any data if None, lie end to end.

        They do unless the pipeline rewrites the text; then only `encode_spans` knows what came from where.
        """
        from tokforge.tokenizer.aligned_spans import tiles

        return tiles(self, None if data is None else as_bytes(data, "strict"))

    def encode_batch(
        self,
        docs: Iterable[Data],
        threads: int | None = None,
        *,
        allowed_special: AllowedSpecial = "none",
        errors: Errors = "strict",
    ) -> tuple[Ids, Offsets]:
        """Returns the ids of all documents end to end, and where each begins: (docs + 1,) uint64.

        Document ``i`` is ``ids[boundaries[i]:boundaries[i + 1]]``. ``threads``: all cores by default.
        """
        from tokforge.tokenizer.batch import encode_documents

        raw = [as_bytes(doc, errors, f"document {number}") for number, doc in enumerate(docs)]
        return encode_documents(self._encoder, raw, threads, self._segmenter, allowed_special)

    def decode(self, ids: npt.ArrayLike, *, skip_special_tokens: bool = False) -> bytes:
        """Returns the bytes of ``ids``, (tokens,) integers; special tokens give their text, or nothing.

        Raises TokenIdError, with the position, for an id without a token.
        """
        from tokforge import _core
        from tokforge.tokenizer.batch import decode_ids

        encoder = self._encoder
        if self.pipeline.decoders or not isinstance(encoder, _core.Encoder):
            return self._decode_tokens(ids, skip_special_tokens=skip_special_tokens)
        return decode_ids(encoder, self.table, self._ordinary, ids, skip_special_tokens=skip_special_tokens)

    def decode_text(
        self,
        ids: npt.ArrayLike,
        errors: Literal["strict", "replace"] = "replace",
        *,
        skip_special_tokens: bool = False,
    ) -> str:
        """Returns ``decode(ids)`` as text; bytes that are no UTF-8 become U+FFFD, or raise InputError."""
        pick("errors", errors, dict.fromkeys(("strict", "replace")))
        data = self.decode(ids, skip_special_tokens=skip_special_tokens)
        try:
            return data.decode("utf-8", errors)
        except UnicodeDecodeError as error:
            raise InputError(
                f"the decoded bytes are no UTF-8 at byte {error.start}", "use decode, or errors='replace'"
            ) from error

    # -- parts made on first use --------------------------------------------------------------------

    @cached_property
    def _encoder(self) -> "Encoder | ModelEncoder":
        return make_encoder(self.definition)

    @cached_property
    def _segmenter(self) -> Segmenter:
        return Segmenter(self.pipeline, self.added_tokens)

    @cached_property
    def _ordinary(self) -> npt.NDArray[np.bool_]:
        return np.array([token is not None for token in self.table.ordinary()], bool)

    @cached_property
    def _ids_by_bytes(self) -> dict[bytes, int]:
        return {token: i for i, token in enumerate(self.table.ordinary()) if token is not None}

    @cached_property
    def _spellings(self) -> list[bytes]:
        from tokforge.tokenizer.decoding import decoder_spellings

        return decoder_spellings(self.definition)

    def _decode_tokens(self, ids: npt.ArrayLike, *, skip_special_tokens: bool) -> bytes:
        from tokforge.tokenizer.batch import checked_ids
        from tokforge.tokenizer.decoding import decode_tokens

        checked, kinds = checked_ids(ids, self.table).tolist(), self.table.kinds
        for at, token_id in enumerate(checked):
            if kinds[token_id] == "unused":
                raise TokenIdError(
                    f"id {token_id} at position {at} is unused", "it has no token in this vocabulary"
                )
        kept = [i for i in checked if not (skip_special_tokens and kinds[i] == "special")]
        return decode_tokens([self._spellings[i] for i in kept], self.pipeline.decoders)

    def __getstate__(self) -> dict[str, Any]:
        return {"definition": self.definition, "provenance_json": self.provenance_json}

    def __repr__(self) -> str:
        name = "+".join(self.pipeline.splitter_names()) or "none"
        sizes = f"vocab_size={self.vocab_size}, merges={len(self.merges)}"
        return f"Tokenizer({self.kind}, {sizes}, pretokenizer={name})"

    def _repr_html_(self) -> str:
        from tokforge.tokenizer.notebook import tokenizer_html

        return tokenizer_html(self)

    @cached_property
    def _piece_encoder(self) -> "Encoder | ModelEncoder":
        return make_encoder(self.definition, split=False)

    @cached_property
    def _walker(self) -> "Walker":
        from tokforge.tokenizer.walking import Walker

        return Walker(self.definition)

    def _offsets(self, part: Segment) -> tuple[Ids, bytearray]:
        from tokforge import _core

        if not isinstance(self._encoder, _core.Encoder):
            raise ConfigError(
                "this pipeline may rewrite text, so its tokens need not tile it", "use encode_spans"
            )
        ids, starts = self._encoder.encode_offsets(part.data)
        return np.frombuffer(ids, np.uint32), starts

    def _check_id(self, token_id: int) -> None:
        if not 0 <= token_id < self.vocab_size:
            raise TokenIdError(f"there is no id {token_id}", f"ids run from 0 to {self.vocab_size - 1}")
        if self.table.kinds[token_id] == "unused":
            raise TokenIdError(f"id {token_id} is unused", "it has no token in this vocabulary")


def as_bytes(
    data: Data, errors: Errors = "strict", where: str | None = None
) -> bytes | bytearray | memoryview:
    """Returns ``data`` as bytes, a ``str`` as UTF-8; raises InputError at a lone surrogate."""
    if isinstance(data, bytes | bytearray):
        return data
    if isinstance(data, memoryview):
        return data if data.format == "B" and data.ndim == 1 and data.c_contiguous else data.tobytes()
    if not isinstance(data, str):
        raise ConfigError(
            f"a tokenizer takes bytes or str, not {type(data).__name__}", "convert it first", where
        )
    if errors not in ("strict", "replace"):
        raise UnknownNameError(f"errors has no {errors!r}", "use one of: replace, strict")
    try:
        return data.encode()
    except UnicodeEncodeError as error:
        if errors == "replace":
            return re.sub("[\ud800-\udfff]", "\ufffd", data).encode()
        raise InputError(
            f"character {error.start} is the lone surrogate U+{ord(data[error.start]):04X}, outside UTF-8",
            "clean the text, pass bytes, or use errors='replace'",
            where,
        ) from error


def _one(token_id: int) -> Ids:
    return np.array([token_id], np.uint32)
