"""Whether replications look like the data, and whether models find what was planted."""

from trustbayes.simulation.calibration import Calibration, calibrate
from trustbayes.simulation.planted import identified, recovery, type_recovery
from trustbayes.simulation.predictive import PredictiveCheck, predictive_check
from trustbayes.simulation.recovery import Recovery, recover

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
