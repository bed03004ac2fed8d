"""How files are encoded: options, checked before any work."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tokforge.errors import ConfigError, pick
from tokforge.inputs import ArchiveOptions
from tokforge.options import check_types
from tokforge.threads import thread_count

__all__ = ["DTYPES", "EncodeConfig", "id_dtype"]

DTYPES = ("uint16", "int32", "uint32", "int64")
"""The types that ids may be written in, little-endian."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodeConfig:
    """How files are encoded."""

    window: int | None = None
    """Ids in a window; None makes no windows."""
    stride: int | None = None
    """Ids between the starts of two windows; None is the window itself, so that none overlap."""
    offsets: bool = False
    """Whether to keep the byte offset of each token."""
    characters: bool = False
    """Whether to keep the character span of each token; the files must be UTF-8."""
    special: str = "none"
    """``none``: text that spells a special token is text; ``all``: it is that token."""
    dtype: str | None = None
    """Type of the ids, one of `DTYPES`; None is uint16 up to 65,536 entries, else uint32."""
    threads: int | None = None
    """Threads; None is one for each core."""
    archives: bool = False
    """Whether the members of zip, tar and ar files stand in their place, each a document."""
    archive_password: str | None = field(default=None, repr=False)
    """Opens encrypted zips. Never stored."""

    def __post_init__(self) -> None:
        check_types(self)
        pick("special", self.special, {"none": (), "all": ()})
        if self.dtype is not None:
            pick("dtype", self.dtype, dict.fromkeys(DTYPES))
        if self.stride is not None and self.window is None:
            raise ConfigError(f"stride is {self.stride}, and there is no window", "set window too")
        if self.window is not None and not 1 <= self.step <= self.window:
            raise ConfigError(f"window is {self.window} and stride {self.step}", "use 1 <= stride <= window")
        thread_count(self.threads)

    @property
    def archive_options(self) -> ArchiveOptions | None:
        """What archives may cost and what opens them; None if they are taken for the bytes they are."""
        password = None if self.archive_password is None else self.archive_password.encode()
        return ArchiveOptions(password=password) if self.archives else None

    @property
    def step(self) -> int:
        """Ids between the starts of two windows; 0 without windows."""
        return (self.window or 0) if self.stride is None else self.stride


def id_dtype(name: str | None, vocab_size: int) -> np.dtype[Any]:
    """Returns the little-endian type for ids of a vocabulary; ConfigError if ``name`` cannot hold them."""
    if name is None:
        name = "uint16" if vocab_size <= 1 << 16 else "uint32"
    dtype = np.dtype(name).newbyteorder("<")
    most = int(np.iinfo(dtype).max)
    if vocab_size - 1 > most:
        raise ConfigError(
            f"dtype is {name}, which ends at {most}, and the vocabulary has {vocab_size} ids", "use uint32"
        )
    return dtype
