"""What trust is worth: what the people of a forecast-sharing experiment earn by meeting.

Source of the game and of its efficiency: Özer, Zheng and Chen (2011), Management Science 57(6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError, listing
from trustbayes.estimates.profits import (
    babbling_profits,
    expected_profits,
    full_trust_profits,
    share_of_trust,
)
from trustbayes.games import ForecastGame, Game
from trustbayes.inference.fit import Fit
from trustbayes.models import Values
from trustbayes.models.draws import Draws, draw_types
from trustbayes.trials.forecast import Points

__all__ = ["has_worth", "trust_worth"]

_PARTIES = ("sender", "receiver", "both")
_ROUNDS = 8
_MEETINGS = 1000  # of a draw in a treatment and a round, at least
_STRATA = 30  # forecasts of each sender in a round, at least
_BUDGET = 8 * 2**20  # bytes of the largest array of a slice of draws


def trust_worth(
    sender: Fit, receiver: Fit, *, seed: int, ci_prob: float = 0.9, draws: int = 200
) -> pd.DataFrame:
    """What the people of an experiment earn when they meet at random, and what trust adds.

    For each draw from both posteriors and each treatment, every sender who played the treatment
    reports at forecasts spread evenly over [-a, a] (the midpoints of equal strata), and each
    report goes to a receiver of the treatment drawn at random. Both choose with their own
    parameters of the draw, response noise and the ends of the range included. Where the model
    has types, a person's type is drawn once for each draw, from its probabilities given the
    draw and her trials. Profits are expected over demand, in closed form.

    The share says how far from babbling to full trust the profit lies. It is below 0 where
    people earn less than if reports said nothing and all knew it, as receivers who believe
    exaggerations may. It is above 1 for a sender whose exaggerations are believed, since
    receivers then build more than is good for them; that may even be good for both together.

    The intervals are those of the expected profit, not of single meetings. A draw averages 8
    rounds of at least 1,000 meetings in each treatment, 30 forecasts or more for each sender,
    and in a round receivers are dealt so that all meet equally many reports, up to one. The
    spread that the simulation still adds to the draws is known from how the rounds differ, and
    is taken out. The midpoints err by less than 0.003 of the way from babbling to full trust,
    in the game's default treatments.

    Parameters
    ----------
    sender, receiver : Fit
        Models of the two roles of one forecast-sharing game. The two posteriors are taken to be
        independent: their draws are matched at random.
    seed : int
        At least 0. The same seed gives the same table.
    ci_prob : float
        Probability of the equal-tailed intervals, between 0 and 1.
    draws : int
        How many posterior draws to use, at least 1; all of them if there are fewer.

    Returns
    -------
    DataFrame
        A row for each treatment that both roles played, in the order of the game, and each
        party: "sender", "receiver", "both". Columns treatment, party; profit, lower, upper
        (posterior mean and interval of the expected profit of a meeting, payoff units);
        babbling, full_trust (expected profits there, payoff units); share, share_lower,
        share_upper (0 at babbling, 1 at full trust).

    Raises
    ------
    InputError
        If a fit is of the other role or of a finite game, if the fits are of different games,
        or have no treatment in common; if a number is out of its range.

    Examples
    --------
    >>> import trustbayes as tb
    >>> fits = [tb.load_fit(f"{role}.nc") for role in ("sender", "receiver")]  # doctest: +SKIP
    >>> trust_worth(*fits, seed=1)[["treatment", "party", "share"]]  # doctest: +SKIP
    """
    game, treatments = _common(sender, receiver)
    _check_numbers(seed, ci_prob, draws)
    rng = np.random.default_rng(seed)
    size = min(draws, *(_size(fit) for fit in (sender, receiver)))
    people = (
        _People.of(sender.draws(size), np.arange(size), rng),
        _People.of(receiver.draws(size), rng.permutation(size), rng),
    )
    rows = []
    for treatment in treatments:
        terms = game.terms([treatment])
        earned = _mean_profits(game, treatment, *people, rng)
        babbling, full_trust = babbling_profits(terms), full_trust_profits(terms)
        for party in _PARTIES:
            low, high = float(getattr(babbling, party)[0]), float(getattr(full_trust, party)[0])
            profit = _summary(earned[party], ci_prob)
            share = share_of_trust(profit, np.array(low), np.array(high))
            rows.append((treatment, party, *profit, low, high, *share))
    columns = ["profit", "lower", "upper", "babbling", "full_trust"]
    columns += ["share", "share_lower", "share_upper"]
    return pd.DataFrame(rows, columns=["treatment", "party", *columns])


@dataclass(frozen=True, eq=False)
class _People:
    """The people of one role, with their parameters in each draw.

    Parameters
    ----------
    draws : Draws
    order : array of int, shape (draws,)
        In which order to take the draws.
    type_index : array of int, shape (draws, subjects), or None
        Their types.
    """

    draws: Draws
    order: np.ndarray
    type_index: np.ndarray | None

    @classmethod
    def of(cls, draws: Draws, order: np.ndarray, rng: np.random.Generator) -> _People:
        """Draw their types, too."""
        return cls(draws, order, draw_types(draws, rng))

    def in_treatment(self, treatment: str) -> np.ndarray:
        """Positions of those who played the treatment."""
        units = self.draws.units
        return units.unit_subject[units.unit_treatment == units.treatments.index(treatment)]

    def choices(
        self,
        treatment: str,
        rows: slice,
        who: np.ndarray,
        seen: np.ndarray,
        rng: np.random.Generator,
        times: int = 1,
    ) -> list[np.ndarray]:
        """What they choose at meetings, each as if it were a subject of its own.

        Parameters
        ----------
        treatment : str
        rows : slice
            Of the draws in their order.
        who : array of int, shape (rows, meetings) or (1, meetings)
            Positions of the subjects.
        seen : array, shape (meetings,) or (rows, meetings)
            Forecasts or reports, units of demand.
        rng : numpy.random.Generator
        times : int
            How often they choose: the same but for noise.

        Returns
        -------
        list of arrays, shape (rows, meetings)
            Reports or capacities, units of demand.
        """
        model, game, order = self.draws.model, self.draws.game, self.order[rows]
        meetings = np.arange(who.shape[-1])
        units = Points(
            role=model.role,
            subjects=tuple(map(str, meetings)),
            treatments=(treatment,),
            groups=None,
            unit_subject=meetings,
            unit_treatment=np.zeros_like(meetings),
            trial_unit=meetings,
            trial_seen=seen,
            trial_choice=np.full(seen.shape, np.nan),  # not made yet
        )
        at = self.draws.units.treatments.index(treatment)
        arrays: dict[str, np.ndarray] = {}
        dims: dict[str, tuple[str, ...]] = {}
        for name in (p.name for p in model.parameters if p.support != "simplex"):
            data = self.draws.data[name]
            data = data.isel(treatment=at) if "treatment" in data.dims else data
            own = "subject" in data.dims
            drawn = data.to_numpy()[order]
            arrays[name] = np.take_along_axis(drawn, who, axis=1) if own else drawn
            dims[name] = ("subject",) if own else ()
        values = Values(arrays, dims, units)
        answer, response = model.answer(game, values), model.response(game)
        type_index = None
        if self.type_index is not None:
            type_index = np.take_along_axis(self.type_index[order], who, axis=1)
        return [response.draw(units, answer, values, type_index, rng) for _ in range(times)]


def has_worth(game: Game) -> bool:
    """Whether `trust_worth` knows what people earn in a game: in forecast sharing it does.

    Examples
    --------
    >>> has_worth(ForecastGame())
    True
    """
    return game.kind == ForecastGame.kind


def _size(fit: Fit) -> int:
    return int(fit.posterior.sizes["chain"] * fit.posterior.sizes["draw"])


def _mean_profits(
    game: ForecastGame,
    treatment: str,
    senders: _People,
    receivers: _People,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Mean profit of a meeting in each draw, shape (draws,), for each party."""
    reporting, building = senders.in_treatment(treatment), receivers.in_treatment(treatment)
    strata = max(_STRATA, -(-_MEETINGS // reporting.size))
    middle = (np.arange(strata) + 0.5) / strata
    forecast = np.repeat((2 * middle - 1) * game.forecast_range, reporting.size)
    who = np.tile(reporting, strata)[None]
    size, types = senders.order.size, [len(p.draws.model.types) for p in (senders, receivers)]
    step = max(1, _BUDGET // (forecast.size * max(1, *types) * 8))
    terms = game.terms([treatment])
    earned = {party: np.empty((_ROUNDS, size)) for party in _PARTIES}
    for start in range(0, size, step):
        rows = slice(start, min(start + step, size))
        reports = senders.choices(treatment, rows, who, forecast, rng, times=_ROUNDS)
        for number, report in enumerate(reports):
            met = _deal(building, report.shape, rng)
            [capacity] = receivers.choices(treatment, rows, met, report, rng)
            profits = expected_profits(capacity, forecast, terms)
            for party in _PARTIES:
                earned[party][number, rows] = getattr(profits, party).mean(axis=1)
    return {party: _expected(rounds) for party, rounds in earned.items()}


def _expected(rounds: np.ndarray) -> np.ndarray:
    """Average of the rounds, shape (draws,), without the spread that they add to the draws.

    The rounds of a draw differ by simulation only, so how they differ says how much of the
    variance of their average over the draws is simulation; deviations shrink accordingly.
    """
    average = rounds.mean(axis=0)
    total, simulated = average.var(), rounds.var(axis=0, ddof=1).mean() / len(rounds)
    kept = np.sqrt(max(0.0, 1 - simulated / total)) if total > 0 else 0.0
    return average.mean() + kept * (average - average.mean())


def _deal(receivers: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """A random receiver for each report, all equally often up to one; shape (draws, meetings).

    As from shuffled decks of receivers, dealt one after the other.
    """
    size, meetings = shape
    decks = np.tile(receivers, (size, -(-meetings // receivers.size), 1))
    return rng.permuted(decks, axis=-1).reshape(size, -1)[:, :meetings]


def _summary(values: np.ndarray, ci_prob: float) -> np.ndarray:
    """Mean and interval."""
    tail = (1 - ci_prob) / 2
    return np.array([values.mean(), *np.quantile(values, [tail, 1 - tail])])


def _common(sender: Fit, receiver: Fit) -> tuple[ForecastGame, tuple[str, ...]]:
    """The game and the treatments that both fits are of."""
    faults = []
    for role, fit in (("sender", sender), ("receiver", receiver)):
        if fit.model.role != role:
            found, expected = f"a fit of {fit.model.role}s", f"a fit of {role}s"
            faults.append(Fault(f"worth of trust, {role}", found, expected))
        if not has_worth(fit.game):
            found, expected = f"a fit of the {fit.game.kind} game", "one of forecast sharing"
            faults.append(Fault(f"worth of trust, {role}", found, expected))
    if not faults and sender.game.checksum != receiver.game.checksum:
        expected = f"a fit of the senders' game, {sender.game.name}"
        found = f"a fit of another game, {receiver.game.name}"
        faults.append(Fault("worth of trust, receiver", found, expected))
    if faults:
        raise InputError(faults)
    game = cast(ForecastGame, sender.game)  # of that kind
    played, theirs = sender.units.treatments, receiver.units.treatments
    common = tuple(name for name in game.treatments if name in played and name in theirs)
    if not common:
        expected = f"at least one of the senders' treatments: {listing(played)}"
        raise InputError(Fault("worth of trust, receiver", listing(theirs), expected))
    return game, common


def _check_numbers(seed: int, ci_prob: float, draws: int) -> None:
    faults = [
        Fault(f"worth of trust, {name}", str(value), f"a whole number from {least}")
        for name, value, least in (("seed", seed, 0), ("draws", draws, 1))
        if not isinstance(value, int) or value < least
    ]
    if not 0 < ci_prob < 1:
        faults.append(Fault("worth of trust, ci_prob", str(ci_prob), "a number between 0 and 1"))
    if faults:
        raise InputError(faults)
