r"""Trust that moves with what a person has been shown.

The trust of a trial is the person's static trust, moved on the logit scale by a state that begins
at zero. Four rules say how news moves it: by a shift on that scale (an exponential filter of good
and bad news), by a share of the way to full or no trust (the delta rule of Rescorla and Wagner
1972), by counts of good and bad news beside the trust one began with (Jøsang and Ismail 2002, The
beta reputation system), or by the log likelihood ratio of what was seen under a truthful and an
exaggerating sender (after Sobel 1985, Review of Economic Studies 52(4)). News that was not shown
moves nothing. Source: the project's theory, section 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt

from trustbayes.numerics.arrays import namespace
from trustbayes.numerics.chains import Chains
from trustbayes.numerics.recursions import filtered, relaxed
from trustbayes.theories.values import Values
from trustbayes.trials.sequences import FiniteSequences, Sequences

__all__ = [
    "LINEAR",
    "RULES",
    "mean_state",
    "moved_by",
    "moved_trust",
    "state_of",
    "with_experience",
]

RULES = ("shift", "delta", "reputation", "evidence")
LINEAR = ("shift", "reputation", "evidence")
"""The rules with a memory that fades."""

_END = 1e-12
_FAR = 100.0  # on the logit scale: beyond it trust is full, or none


def with_experience(values: Values, conventions: Mapping[str, Any], name: str) -> Values:
    """The values as of each trial, one parameter moved by what its subject had been shown.

    Parameters
    ----------
    values : Values
        With units that are `trustbayes.trials.sequences.Sequences`.
    conventions : mapping
        With ``learning``, ``news`` and ``experience``.
    name : str
        Of the parameter, a share from 0 to 1.

    Returns
    -------
    Values
        The parameter's has the dimension of the trials alone.
    """
    units = values.units
    arrays = {**values.arrays, name: moved_trust(values, conventions, name)}
    by_trial = units.by_trial if isinstance(units, FiniteSequences) else units
    return Values(arrays, {**values.dims, name: ("trial",)}, by_trial)


def moved_trust(values: Values, conventions: Mapping[str, Any], name: str) -> Any:
    """The parameter in every trial, shape (..., trials)."""
    units = values.units
    static, state = values.of_events(name), state_of(values, conventions, name)
    if not np.array_equal(units.trial_event, np.arange(units.event_subject.size)):
        static, state = static[..., units.trial_event], state[..., units.trial_event]
    return moved_by(static, state)


def moved_by(static: Any, state: Any) -> Any:
    """Static trust, moved on the logit scale by a state; shapes as they broadcast."""
    xp = namespace(static, state)
    return static / (static + (1 - static) * xp.exp(-xp.clip(state, -_FAR, _FAR)))


def state_of(values: Values, conventions: Mapping[str, Any], name: str) -> Any:
    """How far trust has been moved before each event, on the logit scale, shape (..., events)."""
    units, experience = values.units, conventions["experience"]
    if experience == "general":
        return _state(values, conventions, name, units.chains)
    of_partner = _state(values, conventions, name, units.partner_chains)
    if experience == "partner":
        return of_partner
    share = values.of_events("partner_share")
    general = _state(values, conventions, name, units.chains)
    return share * of_partner + (1 - share) * general


def mean_state(values: Values, conventions: Mapping[str, Any], name: str) -> Any:
    """The mean state of each subject's trials, in PyTensor, shape (subjects,).

    Only where it hangs on nothing but what all subjects share: 0 under other rules.
    """
    if conventions["learning"] not in ("shift", "evidence"):
        return 0.0
    units = values.units
    state = state_of(values, conventions, name)[units.trial_event]
    total = pt.zeros(len(units.subjects))
    return pt.inc_subtensor(total[units.trial_subject], state) / units.trials_per_subject


def _state(values: Values, conventions: Mapping[str, Any], name: str, chains: Chains) -> Any:
    units, rule = values.units, conventions["learning"]
    known = units.event_known.astype(float)
    bad = units.event_size if conventions["news"] == "size" else units.event_broken
    good, bad = known * (1 - bad), known * bad
    if rule == "delta":
        up, down = values.of_events("rate_good") * good, values.of_events("rate_bad") * bad
        return relaxed(chains, _logit(values.of_events(name)), up, down)
    # What was not shown fades nothing either.
    memory = 1 - known * (1 - values.of_events("memory"))
    if rule == "shift":
        gain = values.of_events("gain_good") * good - values.of_events("gain_bad") * bad
        return filtered(chains, memory, gain)
    if rule == "evidence":
        return filtered(chains, memory, _evidence(units, values.of_events("slip")))
    pros = filtered(chains, memory, values.of_events("weight_good") * good)
    cons = filtered(chains, memory, values.of_events("weight_bad") * bad)
    static = values.of_events(name)
    xp = namespace(static, pros)
    static = xp.clip(static, _END, 1 - _END)
    return xp.log1p(pros / static) - xp.log1p(cons / (1 - static))


def _evidence(units: Sequences, slip: Any) -> Any:
    """Log likelihood ratio of what was shown, if anybody acts at random with a probability."""
    xp = namespace(slip, units.event_trusting)
    truthful = (1 - slip) * units.event_trusting + slip
    return xp.log(truthful) - xp.log((1 - slip) * units.event_doubting + slip)


def _logit(share: Any) -> Any:
    xp = namespace(share)
    share = xp.clip(share, _END, 1 - _END)
    return xp.log(share) - xp.log1p(-share)
