"""What a comparison is written as: path -> content, for the caller to write all at once."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tokforge.errors import ConfigError
from tokforge.metrics import Comparison
from tokforge.outputs import StrPath
from tokforge.report.tables import csv_table, latex_table, markdown_table

__all__ = ["check_tables", "plot_files", "plot_folder", "report_files"]

_TABLES = {".csv": csv_table, ".md": markdown_table, ".tex": latex_table}


def check_tables(paths: Iterable[Path]) -> None:
    """Raises ConfigError for a suffix that is no table's."""
    for path in paths:
        if path.suffix not in _TABLES:
            raise ConfigError(f"{path.name} is no table", f"end it in {', '.join(_TABLES)}", "table")


def plot_files(folder: Path | None) -> list[Path]:
    """Returns where `report_files` puts the charts. Raises MissingExtraError without matplotlib."""
    if folder is None:
        return []
    from tokforge.report.figures import require_matplotlib
    from tokforge.report.plots import CHARTS

    require_matplotlib()
    return [folder / f"{name}.{end}" for name in CHARTS for end in ("png", "svg")]


@contextmanager
def plot_folder(folder: Path | None) -> Iterator[None]:
    """Makes the folder of the charts if its last part is missing; a block that fails leaves no empty one."""
    made = folder is not None and not folder.exists()
    if folder is not None:
        folder.mkdir(exist_ok=True)
    try:
        yield
    finally:
        if folder is not None and made:
            with suppress(OSError):  # it holds the charts, as it should
                folder.rmdir()


def report_files(
    comparison: Comparison, *, html: Path | None, tables: Iterable[Path], plots: Sequence[Path]
) -> dict[StrPath, bytes | str]:
    """Returns the content of every file that was asked for; raises as `check_tables`."""
    tables = list(tables)
    check_tables(tables)
    files: dict[StrPath, bytes | str] = {path: _TABLES[path.suffix](comparison) for path in tables}
    if html is not None:
        from tokforge.report.page import page

        files[html] = page(comparison)
    if plots:
        from tokforge.report.plots import draw

        files |= {path: draw(comparison, path.stem, path.suffix[1:]) for path in plots}
    return files
