"""Which part of a piece each of its ids stands for, told from the ids alone.

Definition: ids stand in the order of the text. A token stands for its own bytes, a byte token for one byte,
the unknown token for one character without a token of its own, or (``fuse_unk``) a run of them; WordPiece's
and WordLevel's for the whole piece. Characters that are lost stand for nothing. Linear in the piece.
Hugging Face instead gives each byte token of a Unigram model the whole unknown run, and counts as if lost
characters had not been there.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from tokforge.errors import ConfigError
from tokforge.tokenizer._engine import spelled_tokens
from tokforge.tokenizer.model import BpeModel, Definition, UnigramModel

__all__ = ["Walker"]


@dataclass(frozen=True)
class Walker:
    """Lays ids on the pieces they came from."""

    definition: Definition

    def walk(self, piece: str, ids: list[int]) -> list[tuple[int, int]]:
        """Returns the (start, end) byte of each id in ``piece``. Raises ConfigError where they do not fit."""
        model, data = self.definition.model, piece.encode()
        if not isinstance(model, BpeModel | UnigramModel):
            if ids == [model.unk_id]:
                return [(0, len(data))]
        elif isinstance(model, BpeModel) and model.atoms == "bytes":
            return self._end_to_end(data, ids)
        spans, at = list[tuple[int, int]](), 0
        for number, token_id in enumerate(ids):
            at = self._after_lost(data, at)
            following = ids[number + 1] if number + 1 < len(ids) else None
            end = self._end(data, at, token_id, following)
            spans.append((at, end))
            at = end
        if self._after_lost(data, at) != len(data):
            raise self._refusal
        return spans

    def _end_to_end(self, data: bytes, ids: list[int]) -> list[tuple[int, int]]:
        tokens, lost = self.definition.table.tokens, self._lost_bytes
        if lost and [tokens[token_id] for token_id in ids] == [data]:
            return [(0, len(data))]  # a whole piece may be a token that holds such a byte
        kept = [at for at, byte in enumerate(data) if byte not in lost]
        ends = [*accumulate(len(tokens[token_id]) for token_id in ids)]
        if (ends or [0])[-1] != len(kept):
            raise self._refusal
        return [(kept[start], kept[end - 1] + 1) for start, end in pairwise([0, *ends])]

    def _end(self, data: bytes, at: int, token_id: int, following: int | None) -> int:
        length = self._length(data, at, token_id)
        if length:
            return at + length
        model = self.definition.model
        if token_id != getattr(model, "unk_id", None) or at >= len(data):
            raise self._refusal
        end = at + _character_length(data, at)
        if not isinstance(model, BpeModel | UnigramModel) or not model.fuse_unk:
            return end
        while end < len(data) and not self._is_known(data, end):
            if following is not None and self._length(data, end, following):
                break
            end += _character_length(data, end)
        return end

    def _length(self, data: bytes, at: int, token_id: int) -> int:
        """Bytes of the token at ``at``, 0 if it does not stand there."""
        token = self.definition.table.tokens[token_id]
        if self.definition.table.kinds[token_id] == "byte":
            spelled = b"<0x%02X>" % token[0]
            if isinstance(self.definition.model, UnigramModel) and data.startswith(spelled, at):
                return len(spelled)
        bare = token.removesuffix(self._affixes[1])
        if bare != token and data[at:] == bare:  # a token with both affixes keeps its suffix in the table
            return len(bare)
        return len(token) if data.startswith(token, at) else 0

    def _is_known(self, data: bytes, at: int) -> bool:
        end = at + _character_length(data, at)
        prefix, suffix = self._affixes
        spelled = (prefix if at else b"") + data[at:end] + (suffix if end == len(data) else b"")
        return spelled in self._known

    def _after_lost(self, data: bytes, at: int) -> int:
        model = self.definition.model
        if isinstance(model, BpeModel) and model.unk_id is None and not model.byte_fallback:
            while at < len(data) and not self._is_known(data, at):
                at += _character_length(data, at)
        return at

    @cached_property
    def _lost_bytes(self) -> bytes:
        return self.definition.table.missing_bytes()

    @cached_property
    def _affixes(self) -> tuple[bytes, bytes]:
        model = self.definition.model
        if not isinstance(model, BpeModel):
            return b"", b""
        return model.continuing_subword_prefix.encode(), model.end_of_word_suffix.encode()

    @cached_property
    def _known(self) -> frozenset[bytes]:
        prefix, suffix = self._affixes
        spelled = spelled_tokens(self.definition.table, prefix.decode(), suffix.decode())
        kinds = self.definition.table.kinds
        return frozenset(
            t for t, kind in zip(spelled, kinds, strict=True) if t is not None and kind != "byte"
        )

    @property
    def _refusal(self) -> ConfigError:
        return ConfigError("the ids of this text cannot be laid on it, so they have no offsets", "use encode")


def _character_length(data: bytes, at: int) -> int:
    first = data[at]
    return 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
