"""Options of `tokforge.binaries.inspect_binaries`."""

from dataclasses import dataclass, field

from tokforge.errors import ConfigError
from tokforge.options import check_types

__all__ = ["InspectBinariesConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectBinariesConfig:
    """What is read, and what one file may cost."""

    archives: bool = False
    """Read the members of zip, tar and ar files in their place."""
    archive_password: str | None = field(default=None, repr=False)
    """Opens encrypted zips."""
    nul_run_bytes: int = 16
    """Runs of as many NULs and more are zero padding."""
    code_bytes: int = 1 << 18
    """Most code of a file that is disassembled; 0 leaves instructions out."""
    timeout_seconds: float = 20.0
    """Wall-clock time of parsing one file; processor time is limited to as much."""
    memory_bytes: int = 3 << 30
    """Address space of the process that parses."""
    seed: int = 0
    """Of the random places that token boundaries are compared with."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.nul_run_bytes < 2:
            raise ConfigError(f"nul_run_bytes is {self.nul_run_bytes}", "use 2 or more")
        if self.code_bytes < 0:
            raise ConfigError(f"code_bytes is {self.code_bytes}", "use 0 or more")
        if not 0 < self.timeout_seconds <= 3600:
            raise ConfigError(f"timeout_seconds is {self.timeout_seconds}", "use up to 3600")
        if self.memory_bytes < 1 << 28:
            raise ConfigError(f"memory_bytes is {self.memory_bytes}", "use 268435456 or more")
