"""What policies would do, in sentences, and what is taken not to change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from trustbayes.simulation.policies.effects import ALL
from trustbayes.simulation.policies.frontier import Frontier
from trustbayes.simulation.policies.policy import Policy
from trustbayes.simulation.policies.world import World

__all__ = ["invariances", "sentences"]

_MINUS = "\N{MINUS SIGN}"


def sentences(
    policies: Sequence[Policy],
    effects: pd.DataFrame,
    costs: pd.DataFrame,
    frontiers: Sequence[Frontier],
    treatments: Sequence[str],
    together: str,
) -> tuple[str, ...]:
    """A sentence or two on each policy.

    Parameters
    ----------
    policies : sequence of Policy
    together : "both" or "receiver"
        Whose payoff is to be raised.
    effects, costs, frontiers, treatments
        See `trustbayes.simulation.policies.counterfactual.Counterfactual`.

    Returns
    -------
    tuple of str
    """
    where = ALL if len(treatments) > 1 else treatments[0]
    rows = effects[(effects["treatment"] == where) & (effects["round"] == ALL)]
    at = costs[costs["treatment"] == where].set_index("policy")
    by_name = {frontier.policy: frontier for frontier in frontiers}
    return tuple(
        _sentence(policy, rows[rows["policy"] == policy.name], at.loc[policy.name], together)
        + (_best(by_name[policy.name]) if policy.name in by_name else "")
        for policy in policies
    )


def _sentence(policy: Policy, rows: Any, cost: Any, together: str) -> str:
    def of(outcome: str, party: str) -> Any:
        return rows[(rows["outcome"] == outcome) & (rows["party"] == party)].iloc[0]

    both = of("payoff", together)
    if both["difference"] == both["difference_lower"] == both["difference_upper"] == 0:
        return f"{_capital(policy.name)}: nothing that anybody earns would change."
    verb = "gain" if both["difference"] > 0 else "lose"
    who, parties = "receivers", ""
    if together == "both":
        who = "the two together"
        parties = ", " + " and ".join(
            f"{party}s {_signed(of('payoff', party)['difference'])}"
            for party in ("sender", "receiver")
        )
    share = f", probability of a gain {both['p_above_0']:.2f}"
    text = (
        f"{_capital(policy.name)}: {who} would {verb} "
        f"{_plain(abs(both['difference']))} in a meeting "
        f"({_plain(both['difference_lower'])} to {_plain(both['difference_upper'])}{share})"
        f"{parties}."
    )
    if both["difference"] > 0:
        where = f" in {' and '.join(policy.treatments)}" if policy.treatments else ""
        text += f" It may cost {_plain(cost['break_even'])} at most{where}"
        text += f" (to be safe, {_plain(cost['cautious'])})." if cost["cautious"] > 0 else "."
    else:
        text += " It is worth no price."
    if policy.cost:
        text += f" At {_plain(policy.cost)} it pays with probability {cost['p_pays']:.2f}."
    return text


def _best(frontier: Frontier) -> str:
    words = (
        f" The best {frontier.over} is {_plain(frontier.best)} ({_plain(frontier.lower)} to "
        f"{_plain(frontier.upper)}), with a net gain of {_plain(frontier.best_net)}"
    )
    return f"{words}; for the cautious {_plain(frontier.cautious)}."


def _plain(value: float) -> str:
    places = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", _MINUS)


def _signed(value: float) -> str:
    text = _plain(value)
    return text if text.startswith(_MINUS) else f"+{text}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def invariances(world: World, policies: Sequence[Policy]) -> tuple[str, ...]:
    """What is taken not to change under any of the policies: sentences.

    Parameters
    ----------
    world : World
    policies : sequence of Policy
    """
    return tuple(_invariances(world, policies))


def _invariances(world: World, policies: Sequence[Policy]) -> Iterable[str]:
    yield (
        "Held under every policy: the theory by which each role is described, and all parameters "
        "of its people that the policy does not shift, in payoff units and units of the state: "
        "their noise or precision, their aversion to lying, their depth of thinking."
    )
    varied = [
        f"{p.name.replace('_', ' ')} ({role}s)"
        for role, model in world.models.items()
        for p in model.parameters
        if "treatment" in model.varies.get(p.name, ())
    ]
    if varied:
        yield (
            f"What was estimated for each treatment by itself ({', '.join(varied)}) stays that of "
            "the treatment which a policy changes."
        )
    if "sender" not in world.models:
        yield (
            "Decisions are valued by how far they lie from the outcome, in its units, which is all "
            "that a payoff stands for here. Outcomes, estimates and recommendations are as the "
            "game file says, and recommendations do not answer to what people make of them."
        )
    elif any(p.name == "expected_trust" for p in world.models["sender"].parameters):
        if world.expectations == "respond":
            yield (
                "The trust that senders expect follows the trust that receivers give: their "
                "distance on the logit scale is held, and expectations are solved anew, to a fixed "
                "point. It is reached in one step, since what receivers give does not depend on "
                "what senders expect."
            )
        else:
            yield "The trust that senders expect is held, whatever receivers give."
    audits = [policy.audit for policy in policies if policy.audit is not None]
    if audits:
        whose = " and ".join(
            "are lost to both" if to == "nobody" else "go to the receiver"
            for to in dict.fromkeys(audit.to for audit in audits)
        )
        yield (
            f"Fines {whose}. Senders know the fine and how likely a lie is found out, and weigh "
            "its expectation like any payoff; receivers who trust by a factor trust no more for it."
        )
    if world.rounds is None:
        yield (
            "Nobody learns from round to round: what a policy does to trust by what people come to "
            "see is left out."
        )
    else:
        learners = " and ".join(f"{role}s" for role, m in world.models.items() if m.learns)
        yield (
            f"{world.rounds} rounds are played; {learners} learn from what they are shown, as they "
            "were found to."
        )
