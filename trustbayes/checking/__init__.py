"""Whether a model's replications look like the data, and whether it finds what was planted."""

from trustbayes.checking.planted import identified, type_recovery
from trustbayes.checking.predictive import PredictiveCheck, predictive_check
from trustbayes.checking.recovery import recovery

__all__ = ["PredictiveCheck", "identified", "predictive_check", "recovery", "type_recovery"]
