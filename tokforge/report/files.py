"""What a comparison is written as: path -> content, for the caller to write all at once."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokforge.errors import ConfigError
from tokforge.metrics import Comparison
from tokforge.outputs import StrPath
from tokforge.report.tables import csv_table, latex_table, markdown_table

__all__ = ["plot_files", "report_files"]

_TABLES = {".csv": csv_table, ".md": markdown_table, ".tex": latex_table}


def plot_files(folder: Path | None) -> list[Path]:
    """Returns where `report_files` puts the charts; makes the folder if only its last part is missing.

    Raises MissingExtraError without matplotlib.
    """
    if folder is None:
        return []
    from tokforge.report.figures import require_matplotlib
    from tokforge.report.plots import CHARTS

    require_matplotlib()
    folder.mkdir(exist_ok=True)
    return [folder / f"{name}.{end}" for name in CHARTS for end in ("png", "svg")]


def report_files(
    comparison: Comparison, *, html: Path | None, tables: Iterable[Path], plots: Sequence[Path]
) -> dict[StrPath, bytes | str]:
    """Returns the content of every file that was asked for. Raises ConfigError for an unknown suffix."""
    files: dict[StrPath, bytes | str] = {}
    for path in tables:
        if path.suffix not in _TABLES:
            raise ConfigError(f"{path.name} is no table", f"end it in {', '.join(_TABLES)}", "table")
        files[path] = _TABLES[path.suffix](comparison)
    if html is not None:
        from tokforge.report.page import page

        files[html] = page(comparison)
    if plots:
        from tokforge.report.plots import draw

        files |= {path: draw(comparison, path.stem, path.suffix[1:]) for path in plots}
    return files
