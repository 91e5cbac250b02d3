"""Reports on simulated experiments: calibration, recovery, and the design of experiments."""

from trustbayes.report.simulated.calibration import calibration_report
from trustbayes.report.simulated.design import design_report
from trustbayes.report.simulated.recovery import recovery_report

__all__ = ["calibration_report", "design_report", "recovery_report"]
