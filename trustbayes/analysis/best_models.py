"""What the best models of both roles say together: gap, worth of trust, policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import pandas as pd

from trustbayes.analysis.conventions import Key
from trustbayes.comparison import Comparison
from trustbayes.errors import InputError
from trustbayes.estimates.trust_gap import trust_gap
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.inference.joint import JointFit
from trustbayes.models import Model
from trustbayes.models.joint import check_roles
from trustbayes.simulation.policies import Counterfactual, Policy, counterfactual
from trustbayes.simulation.policies.stage import biases_of
from trustbayes.simulation.policies.world import common_treatments, faults_of
from trustbayes.simulation.policies.worth import trust_worth
from trustbayes.trials.table import Trials

__all__ = ["best", "check_policies", "gap_of", "policies_of", "worth_of"]


def check_policies(
    policies: Sequence[Policy], models: Mapping[Role, Sequence[Model]], trials: Trials
) -> None:
    """Refuse policies that make no sense with any of the models, before anything is fitted.

    Parameters
    ----------
    policies : sequence of Policy
    models : mapping of role to sequence of Model
    trials : Trials

    Raises
    ------
    InputError
        With the faults of the pair of models that have the fewest.
    """
    if not policies:
        return
    check_roles(trials)
    units = trials.fold("sender")
    biases = {name: biases_of(units, name) for name in trials.treatments}
    pairs = product(models["sender"], models["receiver"])
    faults = [
        [
            fault
            for policy in policies
            for fault in faults_of(
                policy, trials.game, {"sender": sender, "receiver": receiver}, biases
            )
        ]
        for sender, receiver in pairs
    ]
    fewest = min(faults, key=len)
    if fewest:
        raise InputError(fewest)


def policies_of(
    policies: Sequence[Policy],
    fits: Mapping[Key, Fit],
    comparisons: Mapping[Role, Comparison],
    seed: int,
    ci_prob: float,
) -> Counterfactual | None:
    """What policies would do to the people as the best models have them that the policies suit.

    Parameters
    ----------
    policies : sequence of Policy
    fits : mapping of (model name, role) to Fit
    comparisons : mapping of role to Comparison
    seed : int
    ci_prob : float

    Returns
    -------
    Counterfactual or None
        None without policies, or where no suitable model passed the gate.
    """
    if not policies:
        return None
    static = {key: fit for key, fit in fits.items() if not fit.model.learns}
    ranked = {role: _passed(static, comparisons, role) for role in ("sender", "receiver")}
    # The sum of ranks, the senders' first where two pairs are as good.
    pairs = sorted(
        product(enumerate(ranked["sender"]), enumerate(ranked["receiver"])),
        key=lambda pair: (pair[0][0] + pair[1][0], pair[0][0]),
    )
    for (_, sender), (_, receiver) in pairs:
        game, treatments = common_treatments(sender, receiver, "policies")
        biases = {name: biases_of(sender.units, name) for name in treatments}
        both = {"sender": sender.model, "receiver": receiver.model}
        if not any(faults_of(policy, game, both, biases) for policy in policies):
            return counterfactual(sender, receiver, policies, seed=seed, ci_prob=ci_prob)
    return None


def worth_of(
    fits: Mapping[Key, Fit], comparisons: Mapping[Role, Comparison], seed: int, ci_prob: float
) -> pd.DataFrame | None:
    """What trust is worth to the people as the best-predicting model of each role has them.

    See `trustbayes.trust_worth`; None where no model of a role passed the gate. People
    who learn have no single round to be asked for.
    """
    static = {key: fit for key, fit in fits.items() if not fit.model.learns}
    sender, receiver = (best(static, comparisons, role) for role in ("sender", "receiver"))
    if sender is None or receiver is None:
        return None
    return trust_worth(sender, receiver, seed=seed, ci_prob=ci_prob)


def gap_of(
    fits: Mapping[Key, Fit],
    comparisons: Mapping[Role, Comparison],
    joint: JointFit | None,
    ci_prob: float,
) -> pd.DataFrame | None:
    """What senders expect against what receivers do, see `trustbayes.trust_gap`."""
    if joint is not None:
        sender: Fit | None = joint.sender
        receiver: Fit | None = joint.receiver
    else:
        sender = best(fits, comparisons, "sender", "expected_trust")
        receiver = best(fits, comparisons, "receiver", "trust")
    if sender is None or receiver is None:
        return None
    names = {"sender_model": sender.model.name, "receiver_model": receiver.model.name}
    return trust_gap(sender, receiver, ci_prob).assign(**names)


def best(
    fits: Mapping[Key, Fit], comparisons: Mapping[Role, Comparison], role: Role, has: str = ""
) -> Fit | None:
    """The fit that predicts best among those past the gate that have a parameter."""
    passed = [fit for fit in _passed(fits, comparisons, role) if not has or has in fit.posterior]
    return passed[0] if passed else None


def _passed(
    fits: Mapping[Key, Fit], comparisons: Mapping[Role, Comparison], role: Role
) -> list[Fit]:
    """The fits past the gate, those that predict best first."""
    if role not in comparisons:
        return []
    names = map(str, comparisons[role].rows().index)
    ranked = [fits[name, role] for name in names if (name, role) in fits]
    return [fit for fit in ranked if fit.gate.passed]
