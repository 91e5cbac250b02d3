"""Reports on simulated experiments: calibration, recovery, designs; and on policies."""

from trustbayes.report.studies.calibration import calibration_report
from trustbayes.report.studies.design import design_report
from trustbayes.report.studies.policies import policy_report
from trustbayes.report.studies.recovery import recovery_report

__all__ = ["calibration_report", "design_report", "policy_report", "recovery_report"]
