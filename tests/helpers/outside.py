"""A small theory of a finite game from outside the package: receivers who add a constant."""

from trustbayes.models import ModelSpec, Parameter
from trustbayes.priors.prior import Prior
from trustbayes.theories.responses.logit import RESPONSE_PRECISION, logit

_SHIFT = 0.0


def misfit(gap):
    """What an action costs that is off."""
    return gap**2 + _SHIFT


def utility(game, values, conventions):
    """Actions near the message and the subject's own constant are good."""
    wish = game.messages[:, None] + values.of_units("constant")[..., None, None]
    return -misfit(game.actions[None, :] - wish) / game.scale


def theory(name="adding", **changes):
    """Its declaration."""
    declared = {
        "role": "receiver",
        "kind": "finite",
        "title": "Adding",
        "description": "Receivers add a constant to every message.",
        "citation": "nobody",
        "parameters": (
            RESPONSE_PRECISION,
            Parameter(
                name="constant",
                symbol="c",
                meaning="what is added",
                unit="states",
                support="real",
                varies=("subject",),
                prior=Prior(
                    "Normal",
                    mu=Prior("Normal", mu=0.0, sigma=1.0),
                    sigma=Prior("HalfNormal", sigma=1.0),
                ),
            ),
        ),
        "conventions": (),
        "answer": utility,
        "response": logit,
    }
    return ModelSpec(name, **(declared | changes))
