"""Trials of every kind of game, and the models' likelihoods in plain loops over their rows."""

import itertools
import math
from statistics import median, pstdev

import numpy as np
import pandas as pd
from advice import advised
from interval_rows import best_on_interval, heaped_log
from scipy import stats

from trustbayes.games import (
    FiniteGame,
    ForecastGame,
    IntervalGame,
    Market,
    PayoffTable,
    PowerLoss,
)
from trustbayes.models import model
from trustbayes.theories.hybrid import finite as hybrid
from trustbayes.theories.hybrid.forecast import hybrid_reports
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.trust_embedded.finite import (
    expected_payoff,
    quantal_payoff,
    receiver_utility,
)
from trustbayes.theories.trust_embedded.forecast import report
from trustbayes.trials.table import trials_from_frame

SEEN_AND_CHOSEN = {"sender": ("state", "message"), "receiver": ("message", "action")}


# Trials of finite games: three treatments, one of them with two biases, one with a negative
# bias; not every subject is in every treatment; one subject has a single trial.

TREATMENTS = {"none": (0.0,), "both": (1.0, 2.0), "down": (-1.5,)}


def design(treatments, subjects, rounds):
    """Who meets whom: treatment, number of the trial in it, sender and receiver."""
    for treatment in treatments:
        for i, j in itertools.product(range(rounds), range(subjects)):
            if (j == 1 and treatment == "none") or (j == 2 and treatment == "down"):
                continue
            if j == 3 and (treatment, i) != ("both", 0):
                continue
            # Senders and receivers in different order, so that their cells differ.
            receiver = (j + 1) % subjects if treatment == "both" else j
            yield treatment, i, f"s{j}", f"r{receiver}"


def frame(states, messages, actions, seed=1, subjects=4, rounds=5, treatments=TREATMENTS):
    rng = np.random.default_rng(seed)
    rows = []
    for treatment, i, sender, receiver in design(treatments, subjects, rounds):
        rows.append(
            {
                "sender": sender,
                "receiver": receiver,
                "round": len(rows),
                "treatment": treatment,
                "bias": treatments[treatment][i % len(treatments[treatment])],
                "state": rng.choice(states),
                "message": rng.choice(messages),
                "action": rng.choice(actions),
            }
        )
    return pd.DataFrame(rows).sample(frac=1, random_state=seed)


def power_game():
    """Messages beyond and between the states, actions spaced otherwise, an uneven prior."""
    return FiniteGame(
        states=[1, 2, 4],
        messages=[1, 2.5, 4, 6],
        actions=[1, 1.5, 2.5, 4],
        prior=[0.5, 0.2, 0.3],
        payoffs=PowerLoss(60, 7, 1.3),
    )


def table_game():
    rng = np.random.default_rng(5)
    states, actions = (1.0, 2.0, 3.0), (1.0, 2.0)
    biases = {b for values in TREATMENTS.values() for b in values}
    tables = {b: rng.normal(size=(3, 2)) for b in sorted(biases)}
    payoffs = PayoffTable(states, actions, tables, rng.normal(size=(3, 2)))
    return FiniteGame(states, actions=actions, messages=(1.0, 3.0), payoffs=payoffs)


def trials_of(game, **how):
    return trials_from_frame(
        frame(game.states.tolist(), game.messages.tolist(), game.actions.tolist(), **how), game
    )


# Trials of a forecast-sharing game: the same people, choices inside and at the ends of the range


def forecast_game():
    """Critical ratios of about .71, .21 and .83; capacities are limited too."""
    return ForecastGame(
        mean_demand=120,
        retail_price=95,
        production_cost=5,
        forecast_range=80,
        largest_capacity=260,
        treatments={"none": Market(20, 60), "both": Market(55, 15), "down": Market(12, 10)},
    )


def forecast_frame(game, seed=1, subjects=4, rounds=5):
    """Random play, but that a fifth of the choices is at an end, and some are next to it."""
    rng = np.random.default_rng(seed)
    a, top = game.forecast_range, game.largest_capacity
    rows = []
    for treatment, _, sender, receiver in design(game.treatments, subjects, rounds):
        message, action = rng.uniform(-1.2 * a, 1.2 * a), rng.uniform(-0.1 * top, 1.1 * top)
        rows.append(
            {
                "sender": sender,
                "receiver": receiver,
                "round": len(rows),
                "treatment": treatment,
                "state": round(rng.uniform(-a, a), 1),
                "message": np.clip(message, -a, a).round(1),
                "action": np.clip(action, 0, top).round(1),
            }
        )
    return pd.DataFrame(rows).sample(frac=1, random_state=seed)


# Trials of a game on an interval: the same people, answers on a slider, many of them at its ends


def interval_game():
    """A slider from 2 to 12 in steps of a tenth, biases of either sign and none.

    People who round answer in fifths, as half of all answers are by chance.
    """
    treatments = {"none": 0.0, "both": 1.5, "down": -2.5}
    return IntervalGame(2, 12, treatments, PowerLoss(50, 2, 1.6), step=0.1, round_to=0.2)


def interval_frame(game, seed=1, subjects=4, rounds=5):
    """Random play, but that a fifth of the choices is at an end."""
    rng = np.random.default_rng(seed)
    low, high = game.seen_range("sender")
    rows = []
    for treatment, _, sender, receiver in design(game.treatments, subjects, rounds):
        message, action = rng.uniform(low - 1.2, high + 1.2, 2)
        rows.append(
            {
                "sender": sender,
                "receiver": receiver,
                "round": len(rows),
                "treatment": treatment,
                "state": round(rng.uniform(low, high), 1),
                "message": np.clip(message, low, high).round(1),
                "action": np.clip(action, low, high).round(1),
            }
        )
    return pd.DataFrame(rows).sample(frac=1, random_state=seed)


GAMES = {
    "power": power_game(),
    "table": table_game(),
    "forecast": forecast_game(),
    "interval": interval_game(),
}
TRIALS = {name: trials_of(GAMES[name]) for name in ("power", "table")} | {
    "forecast": trials_from_frame(forecast_frame(GAMES["forecast"]), GAMES["forecast"]),
    "interval": trials_from_frame(interval_frame(GAMES["interval"]), GAMES["interval"]),
    "recommendation": advised(estimate_width=4.0, message_width=2.0),
}
TRIALS_OF_KIND = {
    "finite": TRIALS["power"],
    "forecast-sharing": TRIALS["forecast"],
    "interval": TRIALS["interval"],
    "recommendation": TRIALS["recommendation"],
}


# Types


def components(chosen):
    """The theories of a mixture as models of their own; any other model by itself."""
    if chosen.name != "mixture":
        return [chosen]
    models = []
    for name in ("trust-embedded", "level-k", "babbling"):
        known = model(name, chosen.role, chosen.spec.kind).conventions
        conventions = {k: v for k, v in chosen.conventions.items() if k in known}
        models.append(model(name, chosen.role, chosen.spec.kind, **conventions))
    return models


def levels(chosen):
    if chosen.name in ("level-k", "hybrid"):
        return list(range(chosen.conventions["max_level"] + 1))
    return [None]


def type_weights(chosen, point):
    """Shares of the types, in the order of `row_logs`."""
    if chosen.name in ("level-k", "hybrid"):
        return list(point["level_share"])
    if chosen.name == "mixture":
        embedded, thinking, babbling = point["theory_share"]
        return [embedded, *(thinking * share for share in point["level_share"]), babbling]
    return [1.0]


# The finite game, one trial at a time


def payoff_sd(game):
    return pstdev(float(game.payoffs.receiver(s, a)) for s in game.states for a in game.actions)


LISTED_BELIEF = {"trust-embedded": "truncated", "hybrid": "weighted"}


def option_utilities(chosen, game, bias, position, values, level):
    """Standardised utilities of the options after one state or message, as a list."""
    scale, role = payoff_sd(game), chosen.role
    settled = dict(chosen.conventions)
    for name in ("belief", "expected_action"):
        if name in settled and settled[name] is None:
            table = isinstance(game.payoffs, PayoffTable)
            settled[name] = {
                "belief": "mixture" if table else LISTED_BELIEF[chosen.name],
                "expected_action": "quantal" if table else "mean",
            }[name]
    if chosen.name == "trust-embedded" and role == "receiver":
        trust = np.array(values["trust"])
        rows = receiver_utility(game, bias, trust, settled["belief"])
        return [u / scale for u in rows[position].tolist()]
    if chosen.name == "trust-embedded":
        trust, precision = np.array(values["expected_trust"]), values["response_precision"]
        if settled["expected_action"] == "quantal":
            rows = quantal_payoff(game, bias, trust, np.array(precision), settled["belief"])
        else:
            rows = expected_payoff(game, bias, trust, settled["belief"])
        material = [u / scale for u in rows[position].tolist()]
        return less_lies(material, game, position, values["lying_aversion"])
    if chosen.name == "babbling" and role == "sender":
        return values["habit"].tolist()
    if chosen.name == "babbling":
        return [
            sum(
                p * float(game.payoffs.receiver(s, a))
                for p, s in zip(game.prior, game.states, strict=True)
            )
            / scale
            for a in game.actions
        ]
    if chosen.name == "full-trust":
        # Full trust knows no bias, so a tie between two actions is broken as without one.
        level, bias = 0, 0.0
        settled = {"max_level": 0, "ties": "smallest-lie", "unsent": "monotone"}
    how = [settled[name] for name in ("max_level", "ties", "unsent")]
    if chosen.name == "hybrid" and role == "receiver":
        trust = np.array(values["trust"])
        rows = hybrid.receiver_utility(game, bias, trust, [level], *how[1:], settled["belief"])
        return [u / scale for u in rows[0, position].tolist()]
    utilities = getattr(level_tables(game, bias, *how), f"{role}_utility")[level, position]
    scaled = [u / scale for u in utilities.tolist()]
    if chosen.name == "hybrid" and level > 0:
        return less_lies(scaled, game, position, values["lying_aversion"])
    return scaled


def less_lies(utilities, game, position, aversion):
    """Standardised aversion: the cost of a lie of one message step, in payoff deviations."""
    step = median(np.diff(game.messages).tolist())
    return [
        u - aversion * abs(m - game.states[position]) / step
        for u, m in zip(utilities, game.messages.tolist(), strict=True)
    ]


def log_probability(utilities, option, precision, lapse):
    logits = [precision * u for u in utilities]
    top = max(logits)
    log_total = top + math.log(sum(math.exp(u - top) for u in logits))
    log_p = logits[option] - log_total
    if lapse is None:
        return log_p
    return math.log((1 - lapse) * math.exp(log_p) + lapse / len(logits))


def option_log(chosen, game, row, values, level, lapse):
    """Log probability of a row's choice in a finite game."""
    seen, option = SEEN_AND_CHOSEN[chosen.role]
    position = game.seen(chosen.role).tolist().index(row[seen])
    picked = game.options(chosen.role).tolist().index(row[option])
    utilities = option_utilities(chosen, game, row["bias"], position, values, level)
    # Habits are log odds: precision has no part in them.
    habits = chosen.name == "babbling" and chosen.role == "sender"
    precision = 1.0 if habits else values["response_precision"]
    return log_probability(utilities, picked, precision, lapse)


# The forecast-sharing game, one trial at a time


def quantile(width, e, f):
    """The f-quantile of U[0, width] + U[-e, e]: the four cases of the theory."""
    q = min(f, 1 - f)
    if width <= 4 * e * q:
        return width / 2 + (2 * f - 1) * e
    if width >= e / q:
        return f * width
    if f < 0.5:
        return math.sqrt(4 * e * f * width) - e
    return width + e - math.sqrt(4 * e * (1 - f) * width)


def believed_interval(x, level, a, h, unsent):
    """Lowest state and width of what a level-k receiver believes after a report."""
    if x == a:
        return max(a - level * h, -a), min(level * h, 2 * a)
    if level * h >= 2 * a or (unsent == "prior" and x - level * h < -a):
        return -a, 2 * a
    return max(x - level * h, -a), 0.0


def best_choice(chosen, game, treatment, seen, values, level):
    """The choice that a theory says, in the game's units."""
    if game.kind == "interval":
        return best_on_interval(chosen, game, treatment, seen, values, level)
    market, mu, a = game.treatments[treatment], game.mean_demand, game.forecast_range
    e, margin = market.uncertainty, game.wholesale_price - game.production_cost
    f = (margin - market.capacity_cost) / margin
    h, g = 2 * e * (1 - f), e * (2 * f - 1)
    settled, forecast = chosen.conventions, np.array([float(seen)])
    aversion = float(values.get("lying_aversion", 0)) * (game.retail_price - game.wholesale_price)
    match chosen.name, chosen.role:
        case "full-trust", "sender":
            return seen
        case "full-trust", "receiver":
            return mu + seen + g
        case "babbling", "sender":
            return values["habit"] * a
        case "babbling", "receiver":
            return mu - a + quantile(2 * a, e, f)
        case "level-k", "sender":
            return min(seen + level * h, a)
        case "level-k", "receiver":
            low, width = believed_interval(seen, level, a, h, settled["unsent"])
            return mu + low + quantile(width, e, f)
        case "hybrid", "receiver":
            low, width = believed_interval(seen, level, a, h, settled["unsent"])
            doubt = 1 - values["trust"]
            return mu + (1 - doubt) * seen + doubt * low + quantile(doubt * width, e, f)
        case "trust-embedded", "receiver":
            doubt, top = 1 - values["trust"], seen if settled["belief"] == "truncated" else a
            return mu + (1 - doubt) * seen - doubt * a + quantile(doubt * (top + a), e, f)
        case "hybrid", "sender":
            terms = game.terms([treatment])
            wavering = settled["indifference"] == "waver"
            reports = hybrid_reports(forecast, np.array([aversion]), level, terms, wavering)
            return float(reports[level, 0])
    assert (chosen.name, chosen.role) == ("trust-embedded", "sender")
    trust, terms = np.array([values["expected_trust"]]), game.terms([treatment])
    how = {name: settled[name] for name in ("belief", "lying_cost")}
    how["wavering"] = settled["indifference"] == "waver"
    return float(report(forecast, np.array([aversion]), trust, terms, **how)[0])


NOISES = {"normal": stats.norm, "student-t": stats.t(4)}


def point_log(chosen, game, row, values, level):
    """Log density of a row's choice in a game on a line; at an end, log probability."""
    seen, choice = (row[name] for name in SEEN_AND_CHOSEN[chosen.role])
    best = best_choice(chosen, game, row["treatment"], seen, values, level)
    interval = game.kind == "interval"
    sigma = values["response_noise"] * (5.0 if interval else game.forecast_range)
    noise, z = NOISES[chosen.conventions["noise"]], (choice - best) / sigma
    low, high = game.choice_range(chosen.role)
    if interval:
        sigma = math.hypot(sigma, game.step / 8)
        z = (choice - best) / sigma
        rounding = values["rounding"] if chosen.conventions["heaping"] else 0.0
        return heaped_log(noise, z, sigma, choice, rounding, game)
    if choice in (low, high):
        return float(noise.logcdf(z) if choice == low else noise.logsf(z))
    return float(noise.logpdf(z)) - math.log(sigma)


# Every kind


def row_logs(chosen, game, row, values):
    """Log density of a row's choice under every type, as a list."""
    logs = []
    for part in components(chosen):
        for level in levels(part):
            if game.kind == "finite":
                lapse = values.get("lapse")
                logs.append(option_log(part, game, row, values, level, lapse))
            else:
                logs.append(point_log(part, game, row, values, level))
    return logs


def type_logs(chosen, trials, point, dims):
    """Log densities of all rows, shape (rows, types)."""
    subjects, treatments = trials.subjects(chosen.role), trials.treatments
    logs = []
    for row in trials.table.to_dict("records"):
        where = {
            "subject": subjects.index(row[chosen.role]),
            "treatment": treatments.index(row["treatment"]),
        }
        values = {
            name: point[name][tuple(where[d] for d in dims[name] if d in where)] for name in point
        }
        logs.append(row_logs(chosen, trials.game, row, values))
    return np.array(logs)


def log_mean(weights, logs):
    """Log of the weighted mean of exp."""
    weighted = [math.log(w) + x for w, x in zip(weights, logs, strict=True) if w > 0]
    top = max(weighted)
    return top + math.log(sum(math.exp(x - top) for x in weighted))


def trial_by_trial(chosen, trials, point, dims):
    """Log likelihood of all trials, types summed out per subject."""
    logs, weights = type_logs(chosen, trials, point, dims), type_weights(chosen, point)
    owner = trials.table[chosen.role].to_numpy()
    return math.fsum(
        log_mean(weights, logs[owner == subject].sum(axis=0))
        for subject in trials.subjects(chosen.role)
    )
