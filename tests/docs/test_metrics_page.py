"""docs/metrics.md is what the registry says."""

from pathlib import Path

from tokforge.report.reference import metrics_page

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_page_is_written_from_the_registry():
    assert PAGE.read_text() == metrics_page(), "run: python -m tokforge.report.reference > docs/metrics.md"
