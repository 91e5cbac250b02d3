"""From an analysis to one self-contained HTML file and its numbers."""

from trustbayes.report.build import Written, report
from trustbayes.report.results import results

__all__ = ["Written", "report", "results"]
