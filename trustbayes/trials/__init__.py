"""Trials: tables read, checked, folded, and data sets known by name."""

from trustbayes.trials.datasets import bundled, fetch, published
from trustbayes.trials.finite import Cells
from trustbayes.trials.forecast import Points
from trustbayes.trials.recommendation import Recommendations
from trustbayes.trials.table import Trials, read_trials, trials_from_frame
from trustbayes.trials.units import Units

__all__ = [
    "Cells",
    "Points",
    "Recommendations",
    "Trials",
    "Units",
    "bundled",
    "fetch",
    "published",
    "read_trials",
    "trials_from_frame",
]
