"""Whether replications look like the data, and whether models find what was planted."""

from trustbayes.checking.calibration import Calibration, calibrate
from trustbayes.checking.planted import identified, type_recovery
from trustbayes.checking.predictive import PredictiveCheck, predictive_check
from trustbayes.checking.recovery import recovery
from trustbayes.checking.replications import Recovery, recover

__all__ = [
    "Calibration",
    "PredictiveCheck",
    "Recovery",
    "calibrate",
    "identified",
    "predictive_check",
    "recover",
    "recovery",
    "type_recovery",
]
