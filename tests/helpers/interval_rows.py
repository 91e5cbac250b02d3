"""The game on an interval, one trial at a time: what `loops` asks of a row."""

import math

import numpy as np
from scipy.special import logsumexp

from trustbayes.games import IntervalGame
from trustbayes.theories.hybrid.interval import hybrid_messages
from trustbayes.theories.trust_embedded.interval import message as told_on_interval


def read_by_level(m, level, game, bias, unsent):
    """What a level-k receiver does after a message, going upwards."""
    low, high, reach = game.lowest, game.highest, level * abs(bias)
    if bias < 0:
        mirrored = IntervalGame(low, high, {"up": -bias})
        return low + high - read_by_level(low + high - m, level, mirrored, -bias, unsent)
    if reach >= high - low:
        return (low + high) / 2
    if m == high:
        return high - reach / 2
    if m - reach < low:
        return low if unsent == "monotone" else (low + high) / 2
    return m - reach


def best_on_interval(chosen, game, treatment, seen, values, level):
    """The message or the action that a theory says."""
    low, high, bias = game.lowest, game.highest, game.treatments[treatment]
    middle, settled = (low + high) / 2, chosen.conventions
    state, terms = np.array([float(seen)]), game.terms([treatment])
    aversion = float(values.get("lying_aversion", 0)) * game.lying_unit
    match chosen.name, chosen.role:
        case "full-trust", _:
            return seen
        case "babbling", "sender":
            return middle + values["habit"] * (high - low) / 2
        case "babbling", "receiver":
            return middle
        case "level-k", "sender":
            return min(max(seen + level * bias, low), high)
        case "level-k", "receiver":
            return read_by_level(seen, level, game, bias, settled["unsent"])
        case "hybrid", "receiver":
            read = read_by_level(seen, level, game, bias, settled["unsent"])
            return values["trust"] * seen + (1 - values["trust"]) * read
        case "trust-embedded", "receiver":
            ends = (low if bias >= 0 else seen), (high if bias <= 0 else seen)
            ends = ends if settled["belief"] == "truncated" else (low, high)
            return values["trust"] * seen + (1 - values["trust"]) * sum(ends) / 2
        case "hybrid", "sender":
            wavering = settled["indifference"] == "waver"
            told = hybrid_messages(state, np.array([aversion]), level, terms, wavering)
            return float(told[level, 0])
    assert (chosen.name, chosen.role) == ("trust-embedded", "sender")
    how = {name: settled[name] for name in ("belief", "lying_cost")}
    how["wavering"] = settled["indifference"] == "waver"
    trust = np.array([values["expected_trust"]])
    return float(told_on_interval(state, np.array([aversion]), trust, terms, **how)[0])


def log_near(noise, z, half):
    """Log probability of meaning something no further than half from z, in deviations.

    Taken where it is small: below the best answer, of symmetric noise.
    """
    upper, lower = (noise.logcdf(sign * half - np.abs(z)) for sign in (1, -1))
    return upper + np.log1p(-np.exp(lower - upper))


def heaped_log(noise, z, sigma, choice, rounding, game):
    """Log density of a recorded answer, z deviations above the best one, of who may round."""
    half_step, half_round = game.step / 2 / sigma, game.round_to / 2 / sigma
    if choice in (game.lowest, game.highest):
        beyond = z if choice == game.lowest else -z
        exact, coarse = (noise.logcdf(beyond + half) for half in (half_step, half_round))
    else:
        exact, coarse = (
            log_near(noise, z, half) - math.log(game.step) for half in (half_step, half_round)
        )
        if not math.isclose(choice / game.round_to, round(choice / game.round_to), abs_tol=1e-9):
            coarse = -math.inf
    return logsumexp([exact, coarse], b=[1 - rounding, rounding])
