"""What fits say, on the natural scale."""

from trustbayes.estimates.population import population_estimates
from trustbayes.estimates.prior_sensitivity import prior_sensitivity
from trustbayes.estimates.subjects import subject_estimates, type_estimates
from trustbayes.estimates.traits import trait_effects
from trustbayes.estimates.trust_gap import trust_gap
from trustbayes.estimates.trust_worth import trust_worth

__all__ = [
    "population_estimates",
    "prior_sensitivity",
    "subject_estimates",
    "trait_effects",
    "trust_gap",
    "trust_worth",
    "type_estimates",
]
