"""From an analysis to one self-contained HTML file and its numbers."""

from trustbayes.report.page.page import Written
from trustbayes.report.results import results
from trustbayes.report.write import first_page, write_report

__all__ = ["Written", "first_page", "results", "write_report"]
