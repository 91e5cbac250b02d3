"""Depth of thought that moves with experience: up a level after bad news, down after good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.numerics.hidden_chains import HiddenSteps
from trustbayes.theories.values import Values

__all__ = ["level_steps"]


def level_steps(values: Values, conventions: Mapping[str, Any]) -> HiddenSteps | None:
    """How levels move between the trials; None if they stay.

    Parameters
    ----------
    values : Values
        With ``climb`` and ``fall``, and units that are `trustbayes.trials.sequences.Sequences`.
    conventions : mapping
        With ``learning``, ``news`` and ``experience``.

    Returns
    -------
    HiddenSteps or None
    """
    if conventions["learning"] == "none":
        return None
    units = values.units
    of_partner = conventions["experience"] == "partner"
    chains = units.partner_chains if of_partner else units.chains
    known = units.event_known.astype(float)
    bad = units.event_size if conventions["news"] == "size" else units.event_broken
    return HiddenSteps(
        chains=chains,
        subject=units.event_subject[chains.first],
        up=values.of_events("climb") * known * bad,
        down=values.of_events("fall") * known * (1 - bad),
        trial_step=units.trial_event,
    )
