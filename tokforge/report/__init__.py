"""Renders results: tables, charts and pages. It computes nothing that is not on the page."""

from tokforge.report.figures import check_plot
from tokforge.report.files import check_tables, plot_files, plot_folder, report_files
from tokforge.report.tables import csv_table, latex_table, markdown_table

__all__ = [
    "check_plot",
    "check_tables",
    "csv_table",
    "latex_table",
    "markdown_table",
    "plot_files",
    "plot_folder",
    "report_files",
]
