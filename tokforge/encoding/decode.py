"""A file of ids to the bytes they stand for."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tokforge.encoding.arrays import load_ids

if TYPE_CHECKING:
    from tokforge.tokenizer import Tokenizer

__all__ = ["DecodeResult", "decode_file"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DecodeResult:
    """The bytes that ids stand for, and the figures."""

    data: bytes
    tokens: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures, ready for JSON."""
        size = len(self.data)
        per_token = size / self.tokens if self.tokens else None
        return {"bytes": size, "tokens": self.tokens, "bytes_per_token": per_token, "seconds": self.seconds}


def decode_file(tokenizer: "Tokenizer", path: str | Path, *, dtype: str | None = None) -> DecodeResult:
    """Decodes a .npy or .bin file of ids; the documents of several files come end to end.

    Raises:
        InputError, TokenIdError: as `load_ids`, and for an id of this tokenizer that stands for no bytes.
    """
    started = perf_counter()
    ids = load_ids(Path(path), tokenizer.vocab_size, dtype)
    data = tokenizer.decode(ids)
    return DecodeResult(data=data, tokens=len(ids), seconds=perf_counter() - started)
