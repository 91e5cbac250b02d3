"""Whether replications look like the data, and whether models find what was planted."""

from trustbayes.simulation.calibration import Calibration, calibrate
from trustbayes.simulation.planted import (
    identified,
    planted_against_estimated,
    type_recovery,
)
from trustbayes.simulation.predictive import PredictiveCheck, predictive_check
from trustbayes.simulation.recovery import RecoveryStudy, recovery_study

__all__ = [
    "Calibration",
    "PredictiveCheck",
    "RecoveryStudy",
    "calibrate",
    "identified",
    "planted_against_estimated",
    "predictive_check",
    "recovery_study",
    "type_recovery",
]
