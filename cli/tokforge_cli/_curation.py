"""Options that open archives and leave part of the inputs out; all are off unless given."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokforge_cli._options import byte_count

if TYPE_CHECKING:
    from tokforge.bpe import CurationConfig

CHOOSING = "Choosing what is read"


def _option(metavar: str, text: str, **more: Any) -> Any:
    return typer.Option(metavar=metavar, help=text, rich_help_panel=CHOOSING, **more)


Archives = Annotated[
    bool,
    typer.Option(
        "--archives",
        help="Read the members of zip, tar and ar (wheel, .deb, AAR, APK) in memory.",
        rich_help_panel=CHOOSING,
    ),
]
ArchivePassword = Annotated[str | None, _option("TEXT", "Opens encrypted zips; stored in no recipe.")]
ArchiveDepth = Annotated[int, _option("N", "Archives within archives that are opened.")]
ArchiveMember = Annotated[str, _option("BYTES", "Largest member that is read.")]
Labels = Annotated[
    Path | None, _option("CSV", "Columns sha256 or path, and group, time or both.", readable=False)
]
CapPerGroup = Annotated[
    int | None, _option("N", "Most documents of a group: the CSV's, else the first folder below INPUT.")
]
CapBytesPerGroup = Annotated[str | None, _option("BYTES", "Most bytes of a group.")]
Since = Annotated[str | None, _option("DATE", "Only documents that the CSV dates then or later.")]
Before = Annotated[str | None, _option("DATE", "Only documents that the CSV dates earlier.")]
Duplicates = Annotated[str, _option("keep|exact|near", "Read equal, or nearly equal, documents once.")]
Similarity = Annotated[float, _option("S", "From which on, 0.5 to 1, documents are nearly equal.")]
MinEntropy = Annotated[float | None, _option("BITS", "Leave out blocks of fewer bits a byte: padding.")]
MaxEntropy = Annotated[float | None, _option("BITS", "Leave out blocks of more: packed or encrypted.")]
EntropyBlock = Annotated[str, _option("BYTES", "Size of these blocks.")]
NulRuns = Annotated[int | None, _option("N", "No token crosses the ends of a run of N NULs or more.")]


def chosen(context: typer.Context, seed: int) -> "CurationConfig":
    """Returns the options of a command that declares all of the above."""
    from tokforge.bpe import CurationConfig

    given = context.params
    return CurationConfig(
        archives=given["archives"],
        archive_password=given["archive_password"],
        archive_depth=given["archive_depth"],
        archive_member_bytes=byte_count("--archive-member", given["archive_member"]) or 0,
        labels=str(given["labels"]) if given["labels"] else None,
        cap_per_group=given["cap_per_group"],
        cap_bytes_per_group=byte_count("--cap-bytes-per-group", given["cap_bytes_per_group"]),
        since=given["since"],
        before=given["before"],
        duplicates=given["duplicates"],
        similarity=given["similarity"],
        min_entropy=given["min_entropy"],
        max_entropy=given["max_entropy"],
        entropy_block_bytes=byte_count("--entropy-block", given["entropy_block"]) or 0,
        nul_run_bytes=given["nul_runs"],
        seed=seed,
    )
