"""Priors, as data and as code."""

from trustbayes.priors.families import FAMILIES
from trustbayes.priors.family import Family
from trustbayes.priors.prior import Prior

__all__ = ["FAMILIES", "Family", "Prior"]
