"""Whether a model's replications look like the data, and whether it finds what was planted."""

from trustbayes.checking.predictive import PredictiveCheck, predictive_check
from trustbayes.checking.recovery import recovery

__all__ = ["PredictiveCheck", "predictive_check", "recovery"]
