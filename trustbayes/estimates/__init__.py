"""What fits say, on the natural scale."""

from trustbayes.estimates.population import population_estimates
from trustbayes.estimates.subjects import subject_estimates, type_estimates
from trustbayes.estimates.traits import trait_effects

__all__ = [
    "population_estimates",
    "subject_estimates",
    "trait_effects",
    "type_estimates",
]
