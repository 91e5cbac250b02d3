"""Reports on simulated experiments: calibration, recovery, designs; and on policies."""

from trustbayes.report.studies.report import study_report

__all__ = ["study_report"]
