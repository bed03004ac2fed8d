"""Renders results: tables, charts and pages. It computes nothing that is not on the page."""

from tokforge.report.files import plot_files, report_files
from tokforge.report.tables import csv_table, latex_table, markdown_table

__all__ = ["csv_table", "latex_table", "markdown_table", "plot_files", "report_files"]
