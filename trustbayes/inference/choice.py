"""Which engine fits a model."""

from __future__ import annotations

from dataclasses import replace

from trustbayes.errors import Fault, InputError
from trustbayes.inference.engines.population.engine import fitting_layout
from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.sampling import Sampling
from trustbayes.models.model import Model
from trustbayes.trials.recommendation import Recommendations
from trustbayes.trials.table import Trials

__all__ = ["nuts_of_both", "settled", "why_not"]

_MOST = 2
"""Parameters a person with which the engine was held against NUTS (benchmarks/against_nuts.py):
nodes grow with their power."""


def settled(
    model: Model, trials: Trials, sampling: Sampling, *, built: bool = False
) -> tuple[Sampling, str]:
    """Settle by which engine a model is fitted.

    Parameters
    ----------
    model : Model
    trials : Trials
        With the model's role, and of its kind of game.
    sampling : Sampling
    built : bool
        Whether what is sampled is a PyMC model that a user has built.

    Returns
    -------
    sampling : Sampling
        With the method "population" or "nuts".
    reason : str
        Why "auto" came to "nuts"; else empty.

    Raises
    ------
    InputError
        If the population engine is asked for and cannot fit the model; with the reason, and the
        engine that can.

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> settled(tb.LevelK("sender"), trials, Sampling())[0].method
    'population'
    """
    if sampling.method == "nuts":
        return sampling, ""
    try:
        if built:
            expected = 'method="nuts": subjects stand in a built model with all the rest'
            raise InputError(Fault("population engine", "a built model", expected))
        units = trials.fold(model.role)
        slower = _slower(fitting_layout(model, trials.game, units))
        if slower and sampling.method == "auto":
            return replace(sampling, method="nuts"), slower
    except InputError as error:
        if sampling.method == "population":
            raise
        return replace(sampling, method="nuts"), why_not(error)
    return replace(sampling, method="population"), ""


def _slower(layout: Layout) -> str:
    """Why NUTS is quicker with a model, or was not yet compared; empty if it is not."""
    if isinstance(layout.units, Recommendations):
        return "recommendations, with which the engine was not held against NUTS"
    if layout.model.formulas:
        # Each subject has gaps between treatments of her own, and so tables of her own.
        return "formulas, where NUTS is quicker"
    widest = max((len(layout.active(kind)) for kind in layout.kinds), default=0)
    if widest > _MOST:
        return f"{widest} parameters a person"
    small = not (layout.units.continuous or layout.model.types)
    if widest == _MOST and layout.shared and small:
        # Tables on knots in all of them take longer than compiling and sampling so small a model.
        return f"{layout.shared[0].name} is common to all"
    return ""


def why_not(error: InputError) -> str:
    """Why the population engine does not fit a model, from what it said."""
    return "; ".join(f"{fault.place}: {fault.value}" for fault in error.faults)


def nuts_of_both(sampling: Sampling) -> Sampling:
    """How to sample both roles together: by NUTS.

    Raises
    ------
    InputError
        If the population engine is asked for.
    """
    if sampling.method == "population":
        expected = '"auto" or "nuts": both roles together are sampled by NUTS'
        raise InputError(Fault("joint fit, method", sampling.method, expected))
    return replace(sampling, method="nuts")
