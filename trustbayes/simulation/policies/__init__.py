"""What policies would do: fitted people in games, and populations, that are changed."""

from trustbayes.simulation.policies.counterfactual import Counterfactual, counterfactual
from trustbayes.simulation.policies.policy import Audit, Policy, Strength
from trustbayes.simulation.policies.reading import read_policies

__all__ = [
    "Audit",
    "Counterfactual",
    "Policy",
    "Strength",
    "counterfactual",
    "read_policies",
]
