"""Parameters and conventions that several models of the forecast-sharing game share."""

from __future__ import annotations

from typing import Any

from trustbayes.games.forecast import ForecastGame, Terms
from trustbayes.models.spec import Convention, Parameter
from trustbayes.priors import Prior

__all__ = ["CITATION", "NOISE", "RESPONSE_NOISE", "trial_terms"]

CITATION = "Özer, Zheng and Chen (2011), Management Science 57(6)"

RESPONSE_NOISE = Parameter(
    name="response_noise",
    symbol="σ",
    meaning="standard deviation of choices around the best one",
    unit="share of the forecast range a",
    support="positive",
    varies=("subject",),
    prior=Prior(
        "LogNormal",
        mu=Prior("Normal", mu=-2.0, sigma=1.0),
        sigma=Prior("HalfNormal", sigma=0.7),
    ),
    report_unit="units of demand",
    report_factor="scale",
)

NOISE = Convention(
    name="noise",
    choices=("normal", "student-t"),
    default="normal",
    meaning=(
        "How choices scatter around the best one: normal, or Student's t with 4 degrees of "
        "freedom for outliers."
    ),
)


def trial_terms(game: ForecastGame, units: Any) -> Terms:
    """The terms of every trial."""
    return game.terms(units.treatments).at(units.unit_treatment[units.trial_unit])
