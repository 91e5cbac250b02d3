"""What policies would do: the fitted people of both roles play games, or are people, changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.files import records
from trustbayes.inference.fit import Fit
from trustbayes.simulation.policies.crowd import Whose
from trustbayes.simulation.policies.effects import (
    break_even,
    effects_table,
    play_all,
    rounds_table,
)
from trustbayes.simulation.policies.frontier import Frontier, frontier
from trustbayes.simulation.policies.policy import Policy
from trustbayes.simulation.policies.rounds import Matching
from trustbayes.simulation.policies.sentences import invariances, sentences
from trustbayes.simulation.policies.unseen import Unseen, check_trials, unseen_treatments
from trustbayes.simulation.policies.world import Expectations, World
from trustbayes.trials.table import Trials

__all__ = ["Counterfactual", "counterfactual"]

_DRAWS, _DRAWS_IN_ROUNDS = 400, 40


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """What policies would do.

    Parameters
    ----------
    policies : tuple of Policy
    effects : DataFrame
        A row for each policy ("as it is" first), treatment ("all": their mean, each counted
        alike), round ("all", and where people learn each, from 1), outcome and party. Outcomes
        are payoff (of sender, receiver, both; payoff units, the policy's cost not taken off),
        share (of the way from babbling to full trust, in the game as the policy makes it),
        inflation (message less state in the direction of the bias) and discount (message less
        action so; in forecast sharing the capacity of full trust less that built; where actions
        are labels the share of all but the first), lies (share of messages), fines (paid in a
        meeting), trust and expected trust (means over people). Columns mean, lower, upper
        (posterior); difference, difference_lower, difference_upper (to "as it is", paired by
        draw and chance); p_above_0, and p_matters (probability of more than the smallest that
        matters; NaN for what is not earned).
    costs : DataFrame
        A row for each policy and treatment that it changes ("all": the mean over these): cost (as
        the policy states it), break_even, lower, upper (what both together would earn more in a
        meeting: what it may cost at most), cautious (a low quantile of that), p_pays (probability
        that it earns more than it costs).
    frontiers : tuple of Frontier
        Of the policies that have one.
    unseen : Unseen or None
        The check, if it was asked for: each treatment left out, predicted, and what happened.
    game : str
        Its name.
    models : mapping of role to str
    people, expectations : str
    sentences : tuple of str
        One or more on each policy.
    held : tuple of str
        Sentences on what is taken not to change.
    ci_prob, smallest, caution : float
    draws, seed : int
    """

    policies: tuple[Policy, ...]
    effects: pd.DataFrame
    costs: pd.DataFrame
    frontiers: tuple[Frontier, ...]
    unseen: Unseen | None
    game: str
    models: dict[str, str]
    treatments: tuple[str, ...]
    people: Whose
    expectations: Expectations
    sentences: tuple[str, ...]
    held: tuple[str, ...]
    ci_prob: float
    smallest: float
    caution: float
    draws: int
    seed: int

    @property
    def together(self) -> Literal["both", "receiver"]:
        """The party whose payoff is to be raised: of recommendations the receiver."""
        return "both" if "sender" in self.models else "receiver"

    @property
    def text(self) -> str:
        """The effects in sentences, one policy after the other, and what was held."""
        return " ".join([*self.sentences, *self.held])

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-safe."""
        settings = ("people", "expectations", "ci_prob", "smallest", "caution", "draws", "seed")
        return {
            "game": self.game,
            "models": self.models,
            "together": self.together,
            "treatments": list(self.treatments),
            "policies": [policy.to_dict() for policy in self.policies],
            "effects": records(self.effects),
            "costs": records(self.costs),
            "frontiers": [vars(f) | {"table": records(f.table)} for f in self.frontiers],
            "unseen": None if self.unseen is None else records(self.unseen.table),
            "sentences": list(self.sentences),
            "held": list(self.held),
            **{name: getattr(self, name) for name in settings},
        }


def counterfactual(
    sender_fit: Fit | None,
    receiver_fit: Fit,
    policies: Sequence[Policy],
    *,
    seed: int,
    people: Whose = "these",
    expectations: Expectations = "held",
    rounds: int | None = None,
    matching: Matching | None = None,
    draws: int | None = None,
    ci_prob: float = 0.9,
    smallest: float = 0.02,
    caution: float = 0.1,
    check: Trials | None = None,
    progress: bool = False,
) -> Counterfactual:
    """Say what policies would do to what people earn and do.

    The people of both roles meet at random, in every draw of the posterior, in each treatment as it
    is and as each policy makes it. Effects are differences draw by draw, with the same people, the
    same meetings and the same chances, so that a policy that changes nothing has the effect 0
    exactly. In a finite game nothing but new people is simulated: expected payoffs follow from the
    mean choice probabilities of either role. In games on a line 8 rounds of 1,000 meetings are
    played in each draw and treatment, and the spread that they add is taken out of the intervals.
    Recommendations have receivers alone: their payoff is minus the distance of decisions from
    outcomes, the way of trust leads from keeping every estimate to following every recommendation,
    and decisions are simulated as in games on a line.

    Parameters
    ----------
    sender_fit : Fit or None
        None for recommendations, which nobody is modelled to make.
    receiver_fit : Fit
        Of the same game, by any theory. The draws of the halves of a `trustbayes.JointFit` belong
        together; those of two other fits are matched at random.
    policies : sequence of Policy
    seed : int
    people : "these" or "new"
        The people of the experiment, each with the parameters that were estimated for her; or
        others from their population, of whom nothing else is known (128 of a role or more, for
        each draw anew).
    expectations : "held" or "respond"
        Whether the trust that senders expect stays as it is when a policy moves that of receivers,
        or follows it: its distance on the logit scale from the mean trust given is then held.
    rounds : int, optional
        How many rounds people play who learn: everybody of every draw, round by round. Outcomes
        are then also there for each round, and else averaged over all; the play of a draw is one
        experiment, whose chances are part of the intervals.
    matching : "random" or "fixed", optional
        Whether people who learn meet others in every round, or one partner throughout; default: as
        the game says, and in a policy as its ``partners`` say.
    draws : int, optional
        How many posterior draws to use, all of them if there are fewer; default 400, and 40 where
        rounds are played.
    ci_prob : float
        Probability of the equal-tailed intervals.
    smallest : float
        The smallest gain that matters, as a share of the way from babbling to full trust.
    caution : float
        The quantile of the gain by which a cautious choice goes, between 0 and 1.
    check : Trials, optional
        The trials of the experiment: each treatment is then left out in turn, the models are
        fitted to the others and predict it. A policy is trusted as far as that goes.
    progress : bool
        Whether to show the progress of the check's fits.

    Returns
    -------
    Counterfactual

    Raises
    ------
    InputError
        With all that is wrong with the policies: an unknown treatment, parameter or key of the
        game, a market that makes no sense, a policy on feedback or partners where nobody learns.
        If people learn and no rounds are given, or rounds where nobody does. If
        the fits do not go together, or a number is out of its range.

    References
    ----------
    Özer, Zheng and Chen (2011), Management Science 57(6), for what trust is worth; the project's
    theory, section 11.

    Examples
    --------
    >>> import trustbayes as tb
    >>> fits = [tb.load_fit(f"{role}.nc") for role in ("sender", "receiver")]  # doctest: +SKIP
    >>> fine = tb.Policy("a fine", audit=tb.Audit(probability=0.25, fine=40))
    >>> tb.counterfactual(*fits, [fine], seed=1).costs  # doctest: +SKIP
    """
    _check_numbers(ci_prob, smallest, caution)
    most = draws if draws is not None else _DRAWS if rounds is None else _DRAWS_IN_ROUNDS
    world = World(
        sender_fit,
        receiver_fit,
        people,
        expectations,
        seed,
        most,
        rounds=rounds,
        matching=matching,
    )
    chosen = tuple(policies)
    faults = [fault for policy in chosen for fault in world.faults(policy)]
    names = [policy.name for policy in chosen]
    faults += [
        Fault("policies", name, "every name once")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if not chosen:
        faults.append(Fault("policies", "", "at least one policy"))
    if faults:
        raise InputError(faults)
    if check is not None:
        if sender_fit is None:
            expected = "none: a treatment of recommendations is another adviser, not another game"
            raise InputError(Fault("check", "trials of recommendations", expected))
        check_trials(sender_fit, receiver_fit, check)  # before the work
    base, played = play_all(world, chosen)
    effects = effects_table(world, chosen, base, played, ci_prob, smallest)
    if rounds is not None:
        by_round = rounds_table(world, chosen, ci_prob)
        effects = pd.concat([effects, by_round], ignore_index=True)
    costs = break_even(chosen, played, world, ci_prob, caution)
    frontiers = tuple(
        frontier(world, policy, ci_prob, caution)
        for policy in chosen
        if policy.frontier is not None
    )
    return Counterfactual(
        policies=chosen,
        effects=effects,
        costs=costs,
        frontiers=frontiers,
        unseen=(
            None
            if check is None or sender_fit is None
            else unseen_treatments(
                sender_fit, receiver_fit, check, seed=seed, ci_prob=ci_prob, progress=progress
            )
        ),
        game=world.game.name,
        models={role: model.name for role, model in world.models.items()},
        treatments=world.treatments,
        people=people,
        expectations=expectations,
        sentences=sentences(chosen, effects, costs, frontiers, world.treatments, world.together),
        held=invariances(world, chosen),
        ci_prob=ci_prob,
        smallest=smallest,
        caution=caution,
        draws=world.size,
        seed=seed,
    )


def _check_numbers(ci_prob: float, smallest: float, caution: float) -> None:
    faults = [
        Fault(f"policies, {name}", str(value), "a number between 0 and 1")
        for name, value in (("ci_prob", ci_prob), ("caution", caution))
        if not 0 < value < 1
    ]
    if not 0 <= smallest < 1:
        expected = "a number of at least 0 and less than 1"
        faults.append(Fault("policies, smallest", str(smallest), expected))
    if faults:
        raise InputError(faults)
