"""Two fits and the people of both roles, who play any policy with the same chances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np

from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.estimates.profits import share_of_trust
from trustbayes.games import Game
from trustbayes.inference.fit import Fit
from trustbayes.models import Model
from trustbayes.numerics.plain import as_plain, is_whole
from trustbayes.priors.links import LOGIT
from trustbayes.simulation.policies.crowd import Crowd, Crowds, Whose
from trustbayes.simulation.policies.kinds import play_of
from trustbayes.simulation.policies.policy import Policy, policy_faults, shifts_of
from trustbayes.simulation.policies.stage import Outcomes, Parts, Stage, biases_of

__all__ = ["BASELINE", "Expectations", "World", "averaged", "common_treatments", "faults_of"]

Expectations = Literal["held", "respond"]
"""Whether the trust that senders expect stays as it is, or follows what receivers give."""

BASELINE = Policy("as it is")
"""Nothing is changed."""

_NEW_PEOPLE = 128  # of a role in a treatment, at least


class World:
    """Two fits and the people of both roles, who play any policy with the same chances.

    Parameters
    ----------
    sender, receiver : Fit
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

    Raises
    ------
    InputError
        If the fits do not go together, people learn, or a number is out of its range.
    """

    def __init__(
        self,
        sender: Fit,
        receiver: Fit,
        people: Whose,
        expectations: Expectations,
        seed: int,
        draws: int,
        place: str = "policies",
    ) -> None:
        self.game, self.treatments = common_treatments(sender, receiver, place)
        self.models: Mapping[str, Model] = {"sender": sender.model, "receiver": receiver.model}
        _check(people, expectations, seed, draws, place)
        _check_static(self.models, place)
        if expectations == "respond":
            _check_expectations(self.models, place)
        self.people, self.expectations, self.seed = people, expectations, seed
        rng = np.random.default_rng(seed)
        self.size = min(draws, *(_size(fit) for fit in (sender, receiver)))
        order = np.arange(self.size)
        # The halves of a joint fit belong together; other fits know nothing of each other.
        other = order if _joint(sender, receiver) else rng.permutation(self.size)
        fewest = min(
            np.unique(fit.units.unit_subject[fit.units.unit_treatment == at]).size
            for fit in (sender, receiver)
            for at in map(fit.units.treatments.index, self.treatments)
        )
        copies = max(2, -(-_NEW_PEOPLE // fewest)) if people == "new" else 1
        self._crowds = {
            role: Crowds(fit, self.size, positions, people, rng, copies)
            for role, fit, positions in (("sender", sender, order), ("receiver", receiver, other))
        }
        self._biases = {t: biases_of(self.game, sender.units, t) for t in self.treatments}
        self._kept: dict[str, dict[Any, Any]] = {t: {} for t in self.treatments}
        self._base: dict[str, Outcomes] = {}

    def faults(self, policy: Policy) -> list[Fault]:
        """All that makes no sense in a policy."""
        return faults_of(policy, self.game, self.models, self._biases)

    def stage(self, policy: Policy, treatment: str) -> Stage:
        """A treatment as a policy makes it."""
        return _stage(policy, self.game, treatment, self._biases[treatment])

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
        parts = self.parts(policy, treatment)
        if policy.play is not None:
            found = {
                key: np.full((1, self.size), value)
                for key, value in kind.ideal(stage, policy.play).items()
            }
        else:
            same_game = stage.key == self.stage(BASELINE, treatment).key
            cache = self._kept[treatment] if same_game else {}
            seed = self.seed + self.treatments.index(treatment) * 2**32
            found = kind.play(stage, parts["sender"], parts["receiver"], cache, seed)
            found |= _trust(parts)
        for party, (low, high) in kind.references(stage).items():
            if high != low:
                found["share", party] = share_of_trust(found["payoff", party], low, high)
        return found

    def ways(self, treatment: str) -> dict[str, tuple[float, float]]:
        """What each party expects to earn under babbling and full trust, payoff units."""
        return play_of(self.game).references(self.stage(BASELINE, treatment))

    def parts(self, policy: Policy, treatment: str) -> dict[str, Parts]:
        """The people of both roles as a policy makes them."""
        crowds = {role: each.in_treatment(treatment) for role, each in self._crowds.items()}
        shifts = shifts_of(policy, self.models)
        share = policy.share
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
    found = list(policy_faults(policy, place, models, tuple(biases)))
    if any(fault.place.startswith(f"{place}, audit") for fault in found):
        policy = replace(policy, audit=None)  # said already
    met: list[Fault] = []
    for treatment in policy.treatments or tuple(biases):
        if treatment not in biases:
            continue
        try:
            _stage(policy, game, treatment, biases[treatment])
        except InputError as error:
            for fault in error.faults:
                prefix = "" if fault.place.startswith(("audit", "game")) else "game."
                met.append(replace(fault, place=f"{place}, {prefix}{fault.place}"))
    return [*found, *dict.fromkeys(met)]


def _stage(policy: Policy, game: Game, treatment: str, biases: tuple[float, ...]) -> Stage:
    changed = not policy.treatments or treatment in policy.treatments
    changes, audit = (policy.game, policy.audit) if changed else ({}, None)
    return play_of(game).stage(game, treatment, biases, changes, audit)


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
    found: Outcomes = {}
    for role, name in (("receiver", "trust"), ("sender", "expected_trust")):
        means = [(weight, crowd.mean(name)) for weight, crowd in parts[role]]
        if means[0][1] is not None:
            total = sum(weight * np.asarray(mean) for weight, mean in means)
            found[name.replace("_", " "), role] = np.asarray(total)[None]
    return found


def _size(fit: Fit) -> int:
    return int(fit.posterior.sizes["chain"] * fit.posterior.sizes["draw"])


def _joint(sender: Fit, receiver: Fit) -> bool:
    """Whether two fits are the halves of a joint one."""
    keys = [fit.manifest.get("key") for fit in (sender, receiver)]
    return "joint" in sender.manifest and keys[0] is not None and keys[0] == keys[1]


def common_treatments(sender: Fit, receiver: Fit, place: str) -> tuple[Game, tuple[str, ...]]:
    """The game and the treatments that both fits are of.

    Raises
    ------
    InputError
    """
    faults = []
    for role, fit in (("sender", sender), ("receiver", receiver)):
        if fit.model.role != role:
            value, expected = f"a fit of {fit.model.role}s", f"a fit of {role}s"
            faults.append(Fault(f"{place}, {role}", value, expected))
        if fit.model.learns:
            expected = 'learning="none": policies are played in games of a single round'
            faults.append(Fault(f"{place}, {role}", "people who learn", expected))
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


def _check_static(models: Mapping[str, Model], place: str) -> None:
    """Refuse people who learn: every meeting is played like the first."""
    faults = [
        Fault(
            f"{place}, {role}",
            f"a fit of {role}s who learn ({model.conventions['learning']})",
            'a fit with learning = "none": people play every meeting alike',
        )
        for role, model in models.items()
        if model.conventions.get("learning", "none") != "none"
    ]
    if faults:
        raise InputError(faults)


def _check_expectations(models: Mapping[str, Model], place: str) -> None:
    faults = [
        Fault(f"{place}, expectations", "respond", f"a model of {role}s that has {name}, or held")
        for role, name in (("sender", "expected_trust"), ("receiver", "trust"))
        if name not in {p.name for p in models[role].parameters}
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
