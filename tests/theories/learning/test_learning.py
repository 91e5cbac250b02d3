"""People who learn against loops over their rounds, written from the definition."""

import numpy as np
import pandas as pd
import pytest
from interval_rows import log_near
from scipy.stats import norm

import trustbayes as tb
from trustbayes.games.feedback import Feedback
from trustbayes.games.forecast import Market
from trustbayes.inference.choice import settled
from trustbayes.models.draws import prior_draws, subject_log_likelihood
from trustbayes.theories.trust_embedded import finite, forecast, interval

RULES = ("shift", "delta", "reputation", "evidence")
PARTNERS = ("a", "b", "a", "a", "b", "a")
SHOWN = ("state", "state", "", "state", "none", "state")


def finite_trials():
    """Two people of either role, a round missing, two treatments, one of them without news."""
    rng = np.random.default_rng(2)
    rows = []
    for person in ("1", "2"):
        for number, (partner, shown) in enumerate(zip(PARTNERS, SHOWN, strict=True)):
            state, message, action = rng.integers(1, 4, 3)
            rows.append(
                {
                    "sender": f"s{person}",
                    "receiver": f"r{person}",
                    "round": number + 1 + (number > 3),
                    "treatment": "Low" if number < 4 else "High",
                    "state": state,
                    "message": message,
                    "action": action,
                    "met": partner,
                    "shown": shown,
                }
            )
    game = tb.FiniteGame(
        [1, 2, 3],
        treatments={"Low": 0.5, "High": 1.5},
        feedback=Feedback("none", column="shown", partners="met"),
    )
    return tb.trials_from_frame(pd.DataFrame(rows), game)


def forecast_trials():
    """As `finite_trials`, in numbers on a line; always shown."""
    rng = np.random.default_rng(3)
    rows = []
    for person in ("1", "2"):
        for number, partner in enumerate(PARTNERS):
            state = rng.uniform(-100, 100)
            rows.append(
                {
                    "sender": f"s{person}",
                    "receiver": f"r{person}",
                    "round": number + 1,
                    "state": state,
                    "message": min(state + rng.uniform(0, 40), 150.0),
                    "action": 250 + state + rng.normal(scale=20),
                    "met": partner,
                }
            )
    game = tb.ForecastGame(
        treatments={"only": Market(15.0, 25.0)}, feedback=Feedback("state", partners="met")
    )
    return tb.trials_from_frame(pd.DataFrame(rows), game)


def interval_trials():
    """As `finite_trials`, on an interval, with biases of either sign and nobody at its ends."""
    rng = np.random.default_rng(5)
    rows = []
    for person in ("1", "2"):
        for number, (partner, shown) in enumerate(zip(PARTNERS, SHOWN, strict=True)):
            up = number < 4
            state = rng.uniform(30, 70)
            message = state + rng.choice([0.0, 1.0, -0.2]) * rng.uniform(2, 29) * (1 if up else -1)
            rows.append(
                {
                    "sender": f"s{person}",
                    "receiver": f"r{person}",
                    "round": number + 1,
                    "treatment": "Up" if up else "Down",
                    "state": state,
                    "message": message,
                    "action": message + rng.choice([0.0, 1.0]) * rng.uniform(-20, 20) / 3,
                    "met": partner,
                    "shown": shown,
                }
            )
    game = tb.IntervalGame(
        0,
        100,
        {"Up": 20.0, "Down": -15.0},
        feedback=Feedback("none", column="shown", partners="met"),
    )
    return tb.trials_from_frame(pd.DataFrame(rows), game)


def news_of(row, role, news, kind):
    """Bad news of a row, and the likelihoods of what was shown."""
    if kind == "interval":
        if role == "receiver":
            gap, up = row.message - row.state, row.treatment == "Up"
            share, room = gap / 100, 100 - row.state if up else row.state
            doubting = (gap >= 0 if up else gap <= 0) * 100 / max(room, 5)
        else:  # the best action after a message that is believed is the message
            share, doubting = (row.action - row.message) / 100, 1.0
        bad = abs(share) if news == "size" else float(abs(share) > 0.01)
        return bad, norm.pdf(share, scale=0.05), doubting
    if kind == "finite":
        if role == "receiver":
            gap, room = row.message - row.state, [m for m in (1, 2, 3) if m > row.state]
            exaggerates = 1 / len(room) if room and gap > 0 else float(not room and gap == 0)
        else:
            gap = row.action - row.message
            exaggerates = 0.5 * (gap != 0)
        bad = abs(gap) / 2 if news == "size" else float(gap != 0)
        return bad, 3.0 * (gap == 0), 3.0 * exaggerates
    if role == "receiver":
        share = (row.message - row.state) / 300
        doubting = 300 / max(150 - row.state, 15) * (share >= 0)
    else:
        share, doubting = (row.action - (250 + row.message + 15.0)) / 300, 1.0
    bad = abs(share) if news == "size" else float(abs(share) > 0.01)
    return bad, norm.pdf(share, scale=0.05), doubting


def step(rule, state, static, value, told):
    """The state of trust after a piece of news; of two counts for reputation."""
    bad, trusting, doubting = told
    if rule == "shift":
        gain = value["gain_good"] * (1 - bad) - value["gain_bad"] * bad
        return value["memory"] * state + gain
    if rule == "evidence":
        slip = value["slip"]
        ratio = ((1 - slip) * trusting + slip) / ((1 - slip) * doubting + slip)
        return value["memory"] * state + np.log(ratio)
    if rule == "reputation":
        pros, cons = state
        return (
            value["memory"] * pros + value["weight_good"] * (1 - bad),
            value["memory"] * cons + value["weight_bad"] * bad,
        )
    share = trust(rule, state, static)
    share += value["rate_good"] * (1 - bad) * (1 - share) - value["rate_bad"] * bad * share
    return np.log(share / (1 - share)) - np.log(static / (1 - static))


def trust(rule, state, static):
    """Trust in a state."""
    if rule == "reputation":
        return (static + state[0]) / (1 + sum(state))
    return 1 / (1 + np.exp(-np.log(static / (1 - static)) - state))


def moved(trials, role, conventions, value, name):
    """Trust in every trial, by a loop over people and rounds."""
    rule, kind, found = conventions["learning"], trials.game.kind, {}
    for _, rows in trials.table.groupby(role):
        states = {}
        for row in rows.sort_values("round").itertuples():
            key = row.met if conventions["experience"] == "partner" else ""
            state = states.setdefault(key, (0.0, 0.0) if rule == "reputation" else 0.0)
            static = value(name, getattr(row, role), row.treatment)
            found[row.Index] = trust(rule, state, static)
            if getattr(row, "shown", "state") == "state":
                values = {n: value(n, None, None) for n in NAMES[rule]}
                told = news_of(row, role, conventions["news"], kind)
                states[key] = step(rule, state, static, values, told)
    return [found[index] for index in trials.table.index]


NAMES = {
    "shift": ("memory", "gain_good", "gain_bad"),
    "delta": ("rate_good", "rate_bad"),
    "reputation": ("memory", "weight_good", "weight_bad"),
    "evidence": ("memory", "slip"),
}


def reader(draws, sample):
    """Look up the value of a parameter."""

    def value(name, subject, treatment):
        array = draws.data[name].isel(sample=sample)
        chosen = {"subject": subject, "treatment": treatment}
        return float(array.sel({d: chosen[d] for d in array.dims}))

    return value


def log_density(row, role, game, share, value):
    """Of the choice of a row, given trust."""
    subject = getattr(row, role)
    if game.kind == "finite":
        if role == "receiver":
            utility = finite.receiver_utility(game, row.bias, np.array(share))[int(row.message) - 1]
            chosen = row.action - 1
        else:
            payoff = finite.expected_payoff(game, row.bias, np.array(share))
            cost = value("lying_aversion", subject, None) * game.lying_unit
            utility = (payoff - cost * finite.lie_size(game))[int(row.state) - 1]
            chosen = row.message - 1
        scaled = value("response_precision", subject, None) * utility / game.scale
        return scaled[int(chosen)] - np.log(np.exp(scaled - scaled.max()).sum()) - scaled.max()
    if game.kind == "interval":
        sigma = value("response_noise", subject, None) * game.scale
        terms = game.terms([row.treatment])
        if role == "receiver":
            up = row.treatment == "Up"
            doubted = (0 + row.message) / 2 if up else (row.message + 100) / 2
            return log_of_step(row.action, share * row.message + (1 - share) * doubted, sigma, game)
        cost = np.array([value("lying_aversion", subject, None) * game.lying_unit])
        best = interval.message(
            np.array([row.state]), cost, np.array([share]), terms, "truncated", "quadratic"
        )
        return log_of_step(row.message, best[0], sigma, game)
    terms = game.terms(["only"])
    sigma = value("response_noise", subject, None) * game.scale
    if role == "receiver":
        seen, choice, low, high = row.message, row.action, 0.0, np.inf
        best = forecast.capacity(np.array([seen]), np.array([share]), terms, "truncated")[0]
    else:
        seen, choice, low, high = row.state, row.message, -150.0, 150.0
        cost = np.array([value("lying_aversion", subject, None) * game.lying_unit])
        best = forecast.report(
            np.array([seen]),
            cost,
            np.array([share]),
            terms,
            "truncated",
            "quadratic",
            wavering=True,
        )[0]
    if low < choice < high:
        return norm.logpdf(choice, best, sigma)
    return norm.logsf(choice, best, sigma) if choice == high else norm.logcdf(choice, best, sigma)


def log_of_step(choice, best, sigma, game):
    """Log probability of all that is recorded as a choice, over the step's width."""
    sigma = np.hypot(sigma, game.step / 8)
    return log_near(norm, (choice - best) / sigma, game.step / 2 / sigma) - np.log(game.step)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("role", ["receiver", "sender"])
@pytest.mark.parametrize(
    ("made", "news", "experience"),
    [(finite_trials, "lie", "partner"), (finite_trials, "size", "general"),
     (forecast_trials, "size", "partner"), (forecast_trials, "lie", "general"),
     (interval_trials, "size", "partner"), (interval_trials, "lie", "general")],
)  # fmt: skip
def test_trust_moves_as_a_loop_says(rule, role, made, news, experience):
    trials = made()
    conventions = {"learning": rule, "news": news, "experience": experience}
    model = tb.TrustEmbedded(role, trials.game.kind, **conventions)
    draws = prior_draws(model, trials.game, model.fold(trials), 3, seed=4)
    [(_, logs)] = draws.cell_logs()
    name = "trust" if role == "receiver" else "expected_trust"
    for sample in range(draws.size):
        value = reader(draws, sample)
        shares = moved(trials, role, conventions, value, name)
        want = [
            log_density(row, role, trials.game, share, value)
            for row, share in zip(trials.table.itertuples(), shares, strict=True)
        ]
        gap = np.array(want) - logs[sample]
        if trials.game.kind == "forecast":  # the package leaves constants out
            gap -= gap.mean()
        np.testing.assert_allclose(gap, 0.0, atol=1e-8)


@pytest.mark.parametrize("role", ["receiver", "sender"])
@pytest.mark.parametrize("theory", [tb.TrustEmbedded, tb.LevelK])
def test_without_gains_the_static_model_is_left(theory, role):
    trials = finite_trials()
    learning = "shift" if theory is tb.TrustEmbedded else "depth"
    model, static = theory(role, learning=learning), theory(role)
    draws = prior_draws(model, trials.game, model.fold(trials), 3, seed=4)
    still = {n: 0.0 * draws.data[n] for n in ("gain_good", "gain_bad", "climb", "fall")
             if n in draws.data}  # fmt: skip
    draws = type(draws)(model, trials.game, draws.units, draws.data.assign(still))
    plain = type(draws)(static, trials.game, static.fold(trials), draws.data)
    np.testing.assert_allclose(
        subject_log_likelihood(draws), subject_log_likelihood(plain), atol=1e-10
    )


def test_one_round_teaches_nothing():
    trials = finite_trials()
    first = trials.subset((trials.table["round"] == 1).to_numpy(), "round 1")
    model, static = tb.TrustEmbedded("receiver", learning="shift"), tb.TrustEmbedded("receiver")
    draws = prior_draws(model, trials.game, model.fold(first), 3, seed=4)
    plain = type(draws)(static, trials.game, static.fold(first), draws.data)
    np.testing.assert_allclose(
        subject_log_likelihood(draws), subject_log_likelihood(plain), atol=1e-12
    )


def test_what_is_held_out_is_predicted_with_what_came_before():
    trials = finite_trials()
    model = tb.TrustEmbedded("receiver", learning="shift")
    late = (trials.table["round"] > 3).to_numpy()
    whole = model.fold(trials)
    draws = prior_draws(model, trials.game, whole, 3, seed=4)
    part = type(draws)(model, trials.game, model.fold(trials.subset(late, "late")), draws.data)
    [(_, all_logs)] = draws.cell_logs()
    [(_, late_logs)] = part.cell_logs()
    np.testing.assert_allclose(late_logs, all_logs[:, late], atol=1e-12)


@pytest.mark.parametrize(
    ("feedback", "named"), [(None, "[feedback]"), (Feedback("none"), "[feedback]")]
)
def test_learning_from_nothing_is_refused(feedback, named):
    frame = finite_trials().table.drop(columns=["shown", "met"])
    game = tb.FiniteGame([1, 2, 3], treatments={"Low": 0.5, "High": 1.5}, feedback=feedback)
    trials = tb.trials_from_frame(frame, game)
    with pytest.raises(tb.InputError, match="learning needs it") as error:
        tb.TrustEmbedded("receiver", learning="shift").build(trials)
    assert named in str(error.value)


def test_partners_whom_nobody_knows_teach_nothing_of_themselves():
    frame = finite_trials().table.drop(columns=["shown", "met"])
    game = tb.FiniteGame(
        [1, 2, 3], treatments={"Low": 0.5, "High": 1.5}, feedback=Feedback("state")
    )
    trials = tb.trials_from_frame(frame, game)
    with pytest.raises(tb.InputError, match="people know their partners"):
        tb.TrustEmbedded("receiver", learning="shift", experience="partner").build(trials)


def test_the_population_engine_leaves_learning_to_nuts():
    trials = finite_trials()
    model = tb.LevelK("receiver", learning="depth")
    sampling, reason = settled(model, trials, tb.Sampling())
    assert sampling.method == "nuts"
    assert "people who learn" in reason
    with pytest.raises(tb.InputError, match="every trial one of its own"):
        tb.build_population(model, trials)


def test_receivers_alone_cannot_learn_without_the_state():
    frame = finite_trials().table.drop(columns=["sender", "state", "shown", "met"])
    game = tb.FiniteGame(
        [1, 2, 3], treatments={"Low": 0.5, "High": 1.5}, feedback=Feedback("state")
    )
    with pytest.raises(tb.InputError, match="column state: from it receivers learn"):
        tb.LevelK("receiver", learning="depth").build(tb.trials_from_frame(frame, game))


@pytest.mark.parametrize("game", [finite_trials().game, forecast_trials().game])
def test_who_does_not_learn_has_nothing_of_those_who_do(game):
    still = tb.TrustEmbedded("receiver", game.kind, experience="both", news="size")
    assert still.parameters == tb.TrustEmbedded("receiver", game.kind).parameters
    assert not {"news", "experience"} & set(still.effective_conventions(game))
    moving = still.replace(learning="delta")
    assert {"rate_good", "rate_bad", "partner_share"} <= {p.name for p in moving.parameters}
    assert {"news", "experience"} <= set(moving.effective_conventions(game))
