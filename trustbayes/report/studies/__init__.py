"""Reports on simulated experiments: calibration, recovery, and the design of experiments."""

from trustbayes.report.studies.calibration import calibration_report
from trustbayes.report.studies.design import design_report
from trustbayes.report.studies.recovery import recovery_report

__all__ = ["calibration_report", "design_report", "recovery_report"]
