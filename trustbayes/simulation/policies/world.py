"""Two fits and the people of both roles, who play any policy with the same chances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np

from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.estimates.profits import share_of_trust
from trustbayes.games import Feedback, Game
from trustbayes.inference.fit import Fit
from trustbayes.models import Model
from trustbayes.numerics.plain import as_plain, is_whole
from trustbayes.priors.links import LOGIT
from trustbayes.simulation.policies.crowd import Crowd, Crowds, Whose
from trustbayes.simulation.policies.kinds import play_of
from trustbayes.simulation.policies.policy import (
    Ideal,
    Policy,
    at_strength,
    policy_faults,
    shifts_of,
)
from trustbayes.simulation.policies.rounds import Matching, play_rounds
from trustbayes.simulation.policies.stage import Outcomes, Parts, Stage, biases_of

__all__ = ["BASELINE", "Expectations", "World", "averaged", "common_treatments", "faults_of"]

Expectations = Literal["held", "respond"]
"""Whether the trust that senders expect stays as it is, or follows what receivers give."""

BASELINE = Policy("as it is")
"""Nothing is changed."""

_NEW_PEOPLE = 128  # of a role in a treatment, at least


class World:
    """Fits and the people of their roles, who play any policy with the same chances.

    Parameters
    ----------
    sender : Fit or None
        None where people take recommendations, which nobody is modelled to make.
    receiver : Fit
    people : "these" or "new"
    expectations : "held" or "respond"
    seed, draws : int
    place : str
        What to call it in messages.

    Attributes
    ----------
    treatments : tuple of str
        Those that both roles played, in the order of the game.
    size : int
        Number of draws.
    together : "both" or "receiver"
        The party whose payoff a policy should raise.

    Raises
    ------
    InputError
        If the fits do not go together, people learn and no rounds are given, rounds are given and
        nobody learns, or a number is out of its range.
    """

    def __init__(
        self,
        sender: Fit | None,
        receiver: Fit,
        people: Whose,
        expectations: Expectations,
        seed: int,
        draws: int,
        place: str = "policies",
        rounds: int | None = None,
        matching: Matching | None = None,
    ) -> None:
        self.game, self.treatments = common_treatments(sender, receiver, place)
        fits = (
            {"receiver": receiver} if sender is None else {"sender": sender, "receiver": receiver}
        )
        self.models: Mapping[str, Model] = {role: fit.model for role, fit in fits.items()}
        self.together = "receiver" if sender is None else "both"
        _check(people, expectations, seed, draws, place)
        _check_rounds(self.models, rounds, matching, place)
        if expectations == "respond":
            _check_expectations(self.models, place)
        self.people, self.expectations, self.seed = people, expectations, seed
        rng = np.random.default_rng(seed)
        self.size = min(draws, *map(_size, fits.values()))
        order = np.arange(self.size)
        # The halves of a joint fit belong together; other fits know nothing of each other.
        joint = sender is not None and _joint(sender, receiver)
        other = order if joint else rng.permutation(self.size)
        fewest = min(
            np.unique(fit.units.unit_subject[fit.units.unit_treatment == at]).size
            for fit in fits.values()
            for at in map(fit.units.treatments.index, self.treatments)
        )
        copies = max(2, -(-_NEW_PEOPLE // fewest)) if people == "new" else 1
        self._crowds = {
            role: Crowds(fit, self.size, positions, people, rng, copies)
            for role, fit in fits.items()
            for positions in [order if role == "sender" else other]
        }
        units = next(iter(fits.values())).units
        self._biases = {t: biases_of(units, t) for t in self.treatments}
        self._kept: dict[str, dict[Any, Any]] = {t: {} for t in self.treatments}
        self._base: dict[str, Outcomes] = {}
        self.rounds, self._matching = rounds, matching
        self._by_round: dict[Any, Outcomes] = {}

    def faults(self, policy: Policy) -> list[Fault]:
        """All that makes no sense in a policy."""
        return faults_of(policy, self.game, self.models, self._biases)

    def stage(self, policy: Policy, treatment: str) -> Stage:
        """A treatment as a policy makes it."""
        biases = self._biases[treatment]
        return _stage(policy, self.game, treatment, biases, self._matching)

    def as_it_is(self, treatment: str) -> Outcomes:
        """What people do and earn in a treatment if nothing is changed, see `play`."""
        if treatment not in self._base:
            self._base[treatment] = self.play(BASELINE, treatment)
        return self._base[treatment]

    def play(self, policy: Policy, treatment: str) -> Outcomes:
        """What people do and earn in a treatment, by outcome and party, (batches, draws).

        The outcomes are: payoff, of each party and of both; share, the payoff as a share of the way
        from babbling to full trust in the game as the policy makes it; inflation and discount,
        in units of the state; and where there are any lies, fines, trust, expected trust.
        """
        if policy.treatments and treatment not in policy.treatments:
            return self.as_it_is(treatment)
        stage, kind = self.stage(policy, treatment), play_of(self.game)
        if self.rounds is not None:
            rounds = self.by_round(policy, treatment)
            outcomes = {key: values.mean(axis=0)[None] for key, values in rounds.items()}
        elif policy.play is not None:
            outcomes = self._ideal(stage, policy.play, 1)
        else:
            parts = self.parts(policy, treatment)
            same_game = stage.key == self.stage(BASELINE, treatment).key
            cache = self._kept[treatment] if same_game else {}
            seed = self.seed + self.treatments.index(treatment) * 2**32
            outcomes = kind.play(stage, parts.get("sender", []), parts["receiver"], cache, seed)
            outcomes |= _trust(parts)
        for party, (low, high) in kind.references(stage).items():
            if high != low:
                outcomes["share", party] = share_of_trust(outcomes["payoff", party], low, high)
        return outcomes

    def _ideal(self, stage: Stage, play: Ideal, times: int) -> Outcomes:
        """What messages would be like that say nothing, or are true, in every draw."""
        values = play_of(self.game).ideal(stage, play)
        return {key: np.full((times, self.size), value) for key, value in values.items()}

    def by_round(self, policy: Policy, treatment: str) -> Outcomes:
        """What people who learn do and earn in each round, shape (rounds, draws)."""
        if policy.treatments and treatment not in policy.treatments:
            return self.by_round(BASELINE, treatment)
        key = (str(policy.to_dict()), treatment)
        if key not in self._by_round:
            self._by_round[key] = self._rounds_of(policy, treatment)
        return self._by_round[key]

    def _rounds_of(self, policy: Policy, treatment: str) -> Outcomes:
        assert self.rounds is not None
        stage = self.stage(policy, treatment)
        if policy.play is not None:
            return self._ideal(stage, policy.play, self.rounds)
        feedback = stage.game.feedback
        fixed = feedback is not None and feedback.partners == "fixed"
        matching: Matching = "fixed" if fixed else "random"
        seed = self.seed + self.treatments.index(treatment) * 2**32
        return play_rounds(stage, self.parts(policy, treatment), self.rounds, matching, seed)

    def ways(self, treatment: str) -> dict[str, tuple[float, float]]:
        """What each party expects to earn under babbling and full trust, payoff units."""
        return play_of(self.game).references(self.stage(BASELINE, treatment))

    def parts(self, policy: Policy, treatment: str) -> dict[str, Parts]:
        """The people of both roles as a policy makes them."""
        crowds = {role: each.in_treatment(treatment) for role, each in self._crowds.items()}
        shifts = shifts_of(policy, self.models)
        share = policy.share
        if "sender" not in crowds:
            return {"receiver": _sorts(crowds["receiver"], shifts["receiver"], share, {}, ())}
        receivers = _sorts(crowds["receiver"], shifts["receiver"], share, {}, ())
        common: dict[str, Any] = {}
        tag: tuple[Any, ...] = ()
        if self.expectations == "respond" and shifts["receiver"].get("trust"):
            # The gap between expected and given trust is held on the logit scale. What receivers
            # give does not depend on what senders expect, so that one step is the fixed point.
            common["expected_trust"] = self._gap_held(crowds["receiver"], receivers)
            tag = ("gap", share, shifts["receiver"]["trust"])
        senders = _sorts(crowds["sender"], shifts["sender"], share, common, tag)
        return {"sender": senders, "receiver": receivers}

    @staticmethod
    def _gap_held(before: Crowd, after: Parts) -> np.ndarray:
        """By how much expected trust moves on the logit scale, shape (draws,)."""
        old = before.mean("trust")
        new = sum(weight * np.asarray(crowd.mean("trust")) for weight, crowd in after)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(LOGIT.forward(np.asarray(new)) - LOGIT.forward(np.asarray(old)))


def faults_of(
    policy: Policy,
    game: Game,
    models: Mapping[str, Model],
    biases: Mapping[str, tuple[float, ...]],
) -> list[Fault]:
    """All that makes no sense in a policy.

    Parameters
    ----------
    policy : Policy
    game : Game
    models : mapping of role to Model
        Of both roles.
    biases : mapping of str to tuple of float
        Of each treatment that both roles played.
    """
    place = f"policy {policy.name}"
    faults = list(policy_faults(policy, place, models, tuple(biases)))
    if policy.name.strip() in ("", BASELINE.name):
        faults.append(Fault("policies", policy.name, f"a name, other than {BASELINE.name!r}"))
    if any(fault.place.startswith(f"{place}, audit") for fault in faults):
        policy = replace(policy, audit=None)  # said already
    met: list[Fault] = []
    for treatment in policy.treatments or tuple(biases):
        if treatment not in biases:
            continue
        try:
            _stage(policy, game, treatment, biases[treatment])
        except InputError as error:
            met += [replace(fault, place=f"{place}, {fault.place}") for fault in error.faults]
    faults += dict.fromkeys(met)
    if policy.frontier is not None and not faults:
        for end in (policy.frontier.low, policy.frontier.high):
            at_end = faults_of(at_strength(policy, end), game, models, biases)
            where = f"{place}, frontier at {end:g}"
            faults += [replace(f, place=f.place.replace(place, where, 1)) for f in at_end]
    return faults


def _stage(
    policy: Policy,
    game: Game,
    treatment: str,
    biases: tuple[float, ...],
    matching: Matching | None = None,
) -> Stage:
    changed = not policy.treatments or treatment in policy.treatments
    changes, audit = (policy.game, policy.audit) if changed else ({}, None)
    shown = game.feedback
    if shown is not None:
        shown = Feedback(
            (policy.feedback if changed else None) or shown.in_treatment(treatment),
            partners=(policy.partners if changed else None) or matching or shown.partners,
        )
    return play_of(game).stage(game, treatment, biases, changes, audit, shown)


def _sorts(
    crowd: Crowd,
    shifts: Mapping[str, float],
    share: float,
    common: Mapping[str, Any],
    tag: tuple[Any, ...],
) -> list[tuple[float, Crowd]]:
    """People as they are, but for what moves all of them, and those who are shifted."""
    base = crowd.shifted(common, tag)
    if share == 0 or not any(shifts.values()):
        return [(1.0, base)]
    moved = base.shifted(shifts, tuple(sorted(shifts.items())))
    return [(1.0, moved)] if share == 1 else [(share, moved), (1.0 - share, base)]


def _trust(parts: Mapping[str, Parts]) -> Outcomes:
    """Mean trust given and expected, where models have them."""
    outcomes: Outcomes = {}
    for role, name in (("receiver", "trust"), ("sender", "expected_trust")):
        means = [(weight, crowd.mean(name)) for weight, crowd in parts.get(role, [])]
        if means and means[0][1] is not None:
            total = sum(weight * np.asarray(mean) for weight, mean in means)
            outcomes[name.replace("_", " "), role] = np.asarray(total)[None]
    return outcomes


def _size(fit: Fit) -> int:
    return int(fit.posterior.sizes["chain"] * fit.posterior.sizes["draw"])


def _joint(sender: Fit, receiver: Fit) -> bool:
    """Whether two fits are the halves of a joint one."""
    keys = [fit.manifest.get("key") for fit in (sender, receiver)]
    return "joint" in sender.manifest and keys[0] is not None and keys[0] == keys[1]


def common_treatments(
    sender: Fit | None, receiver: Fit, place: str
) -> tuple[Game, tuple[str, ...]]:
    """The game and the treatments that the fits are of.

    Raises
    ------
    InputError
    """
    faults = []
    alone = "sender" not in receiver.game.roles
    if alone != (sender is None):
        given = "none" if sender is None else f"a fit of {sender.model.role}s"
        expected = "none: recommendations have receivers alone" if alone else "a fit of senders"
        raise InputError(Fault(f"{place}, sender", given, expected))
    if sender is None:
        theirs = receiver.units.treatments
        return receiver.game, theirs
    for role, fit in (("sender", sender), ("receiver", receiver)):
        if fit.model.role != role:
            value, expected = f"a fit of {fit.model.role}s", f"a fit of {role}s"
            faults.append(Fault(f"{place}, {role}", value, expected))
    if not faults and sender.game.checksum != receiver.game.checksum:
        expected = f"a fit of the senders' game, {sender.game.name}"
        value = f"a fit of another game, {receiver.game.name}"
        faults.append(Fault(f"{place}, receiver", value, expected))
    if faults:
        raise InputError(faults)
    game = sender.game
    played, theirs = sender.units.treatments, receiver.units.treatments
    order = played if game.treatments is None else tuple(game.treatments)
    common = tuple(name for name in order if name in played and name in theirs)
    if not common:
        expected = f"at least one of the senders' treatments: {listing(played)}"
        raise InputError(Fault(f"{place}, receiver", listing(theirs), expected))
    return game, common


def _check(people: str, expectations: str, seed: int, draws: int, place: str) -> None:
    faults = [
        Fault(f"{place}, {name}", str(value), f"a whole number from {least}")
        for name, value, least in (("seed", seed, 0), ("draws", draws, 1))
        if not is_whole(as_plain(value)) or value < least
    ]
    faults += [
        Fault(f"{place}, {name}", value, suggestion(value, get_args(choices)))
        for name, value, choices in (
            ("people", people, Whose),
            ("expectations", expectations, Expectations),
        )
        if value not in get_args(choices)
    ]
    if faults:
        raise InputError(faults)


def _check_rounds(
    models: Mapping[str, Model], rounds: int | None, matching: str | None, place: str
) -> None:
    """People who learn need rounds; for all others every round is like the first."""
    faults = []
    learners = [f"{role}s" for role, model in models.items() if model.learns]
    if learners and rounds is None:
        expected = f"how many rounds people play, since {listing(learners)} learn"
        faults.append(Fault(f"{place}, rounds", "", expected))
    if rounds is not None and (not is_whole(as_plain(rounds)) or rounds < 1):
        faults.append(Fault(f"{place}, rounds", str(rounds), "a whole number from 1"))
    for name, value in (("rounds", rounds), ("matching", matching)):
        if value is not None and not learners:
            expected = "none: these people do not learn, so that every round is like the others"
            faults.append(Fault(f"{place}, {name}", str(value), expected))
    if matching not in (None, *get_args(Matching)):
        expected = suggestion(str(matching), get_args(Matching))
        faults.append(Fault(f"{place}, matching", str(matching), expected))
    if faults:
        raise InputError(faults)


def _check_expectations(models: Mapping[str, Model], place: str) -> None:
    faults = [
        Fault(f"{place}, expectations", "respond", f"a model of {role}s that has {name}, or held")
        for role, name in (("sender", "expected_trust"), ("receiver", "trust"))
        if role not in models or name not in {p.name for p in models[role].parameters}
    ]
    if faults:
        raise InputError(faults)


def averaged(values: np.ndarray) -> np.ndarray:
    """Average over the batches, shape (draws,), without the spread that they add to the draws.

    The batches of a draw differ by simulation only, so how they differ says how much of the
    variance of their average over the draws is simulation; deviations shrink accordingly.

    Parameters
    ----------
    values : array, shape (batches, draws)
    """
    average = np.asarray(values.mean(axis=0))
    if len(values) == 1:
        return average
    total, simulated = average.var(), values.var(axis=0, ddof=1).mean() / len(values)
    kept = np.sqrt(max(0.0, 1 - simulated / total)) if total > 0 else 0.0
    return np.asarray(average.mean() + kept * (average - average.mean()))
