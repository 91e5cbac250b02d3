"""Parameters and conventions that several models share."""

from __future__ import annotations

from trustbayes.models.spec import Convention, Parameter
from trustbayes.priors import Prior

__all__ = ["LAPSE", "RESPONSE_PRECISION", "WITH_LAPSE"]

RESPONSE_PRECISION = Parameter(
    name="response_precision",
    symbol="λ",
    meaning="how sharply choices follow utility (0: at random)",
    unit="per standard deviation of the payoff table",
    support="positive",
    varies=("subject",),
    # A gamma population: its light upper tail keeps a few perfectly regular subjects from
    # pinning down the parameters that all subjects share.
    prior=Prior(
        "Gamma",
        mean=Prior("LogNormal", mu=1.0, sigma=1.0),
        shape=Prior("LogNormal", mu=0.0, sigma=0.5),
    ),
)

LAPSE = Parameter(
    name="lapse",
    symbol="ε",
    meaning="probability of a choice at random, whatever the utility",
    unit="probability",
    support="unit",
    varies=("subject",),
    prior=Prior(
        "LogitNormal",
        mu=Prior("Normal", mu=-3.5, sigma=1.0),
        sigma=Prior("HalfNormal", sigma=1.0),
    ),
    only_with="lapse",
)

WITH_LAPSE = Convention(
    name="lapse",
    choices=(False, True),
    default=False,
    meaning="Whether subjects may also choose at random with a small probability.",
)
