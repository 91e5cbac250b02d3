"""The pilot: how much each treatment says about a subject, and which form follows from it."""

import math

import numpy as np
import pandas as pd
import pytest
from loops import TRIALS
from scipy.optimize import minimize_scalar

from trustbayes.games import FiniteGame, ForecastGame, Market
from trustbayes.models import SPECS, FullTrust, LevelK, Model, TrustEmbedded
from trustbayes.models.parametrisation.pilot import _Alike, _spread, pilot
from trustbayes.priors.prior import prior_centre
from trustbayes.theories.trust_embedded.finite import (
    expected_payoff,
    receiver_utility,
    sender_utility,
)
from trustbayes.theories.trust_embedded.forecast import capacity, report
from trustbayes.trials.table import trials_from_frame

GAME = FiniteGame([1, 2, 3, 4, 5])
FINITE = [spec for spec in SPECS if spec.kind == "finite"]
SPEC_IDS = [f"{spec.name} {spec.role}" for spec in FINITE]


def play(biases, rounds, subjects=12, seed=0, unequal=False, trust=0.6, precision=3, differ=0.0):
    """Trials of trust-embedded play (standardised β = 0.5) in treatments of one bias each.

    Subjects differ by so many standard deviations of aversion, trust and precision on their links.
    """
    rng = np.random.default_rng(seed)
    own = differ * np.random.default_rng(seed + 1).normal(size=(subjects, 3))
    rows = []
    for bias in biases:
        material = expected_payoff(GAME, bias, np.array(trust))
        for subject in range(subjects):
            aversion = 0.5 * math.exp(own[subject, 0]) * GAME.lying_unit
            trusting = 1 / (1 + (1 - trust) / trust * math.exp(-own[subject, 1]))
            sending = sender_utility(GAME, material, np.array(aversion))
            answering = receiver_utility(GAME, bias, np.array(trusting))
            sharp = precision * math.exp(own[subject, 2])
            chances = [np.exp(sharp * u / GAME.scale) for u in (sending, answering)]
            chances = [c / c.sum(axis=1, keepdims=True) for c in chances]
            for _ in range(rounds + (4 * subject if unequal and bias == biases[0] else 0)):
                state = rng.integers(5)
                message = rng.choice(5, p=chances[0][state])
                action = rng.choice(5, p=chances[1][message])
                names = (f"s{subject}", f"r{subject}", len(rows), f"bias {bias:g}", bias)
                rows.append((*names, state + 1, message + 1, action + 1))
    columns = ["sender", "receiver", "round", "treatment", "bias", "state", "message", "action"]
    return trials_from_frame(pd.DataFrame(rows, columns=columns), GAME)


@pytest.fixture(scope="module")
def uneven():
    return play([0.5, 1.0, 2.0], rounds=6, unequal=True)


@pytest.mark.parametrize("spec", FINITE, ids=SPEC_IDS)
def test_every_parameter_has_weights_that_add_up_to_one_and_a_form(spec, uneven):
    chosen = Model(spec)
    found = pilot(chosen, uneven.fold(spec.role), GAME)
    assert set(found.weights) == set(found.form) == {p.name for p in chosen.parameters}
    for name, weights in found.weights.items():
        assert weights.shape == (12, 3)
        assert (weights >= 0).all()
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12, err_msg=name)
        # Subjects with more trials in the first treatment know more from there, unless nothing is
        # known from there: receivers of the hybrid read messages alike, whatever their trust.
        nothing = (weights[:, 0] == 0).all() and (spec.name, name) == ("hybrid", "trust")
        assert weights[-1, 0] > weights[0, 0] or nothing


def test_lying_aversion_falls_with_precision_as_by_a_finer_grid_of_both():
    trials = play([1.0], rounds=40, subjects=4)
    table = trials.table.copy()
    first = table["sender"] == "s0"
    table.loc[first, "message"] = table.loc[first, "state"]  # honest, unlike the others
    trials = type(trials)(**{**vars(trials), "table": table})
    model = TrustEmbedded("sender")
    found = pilot(model, trials.fold("sender"), GAME)
    names = ("lying_aversion", "response_precision")
    aversion, precision = (prior_centre(model.priors[name]) for name in names)
    trust = 1 / (1 + math.exp(-float(np.squeeze(found.locations["expected_trust"]))))
    material = expected_payoff(GAME, 1.0, np.array(trust))
    grid = np.linspace(-5, 5, 61)
    for place, (_, rows) in enumerate(table.groupby("sender", sort=False)):
        seen = np.zeros((5, 5))
        for state, message in zip(rows["state"], rows["message"], strict=True):
            seen[int(state) - 1, int(message) - 1] += 1
        logs = np.empty((61, 61))
        for i, effect in enumerate(grid):
            beta = math.exp(aversion + effect)
            utility = sender_utility(GAME, material, np.array(beta * GAME.lying_unit)) / GAME.scale
            for j, other in enumerate(grid):
                scaled = math.exp(precision + other) * utility
                top = scaled.max(axis=1, keepdims=True)
                chance = scaled - top - np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
                logs[i, j] = (seen * chance).sum() - (effect**2 + other**2) / 8
        weight = np.exp(logs - logs.max())
        weight /= weight.sum()
        middle = (weight.sum(axis=1) @ grid, weight.sum(axis=0) @ grid)
        covariance = (grid - middle[0]) @ weight @ (grid - middle[1])
        slope = covariance / (weight.sum(axis=0) @ (grid - middle[1]) ** 2)
        assert found.couplings["lying_aversion"][place] == pytest.approx(
            min(max(-slope, 0), 1), abs=0.03
        )


@pytest.mark.parametrize("seed", range(5))
def test_chains_start_near_what_was_planted_where_people_differ_much(seed):
    # Half of the senders are honest, so their aversion and precision are known as a product only,
    # and a fit that gives everybody the same values finds no good value of what they expect.
    treatments = [0.5, 1.0, 2.0], np.array([0.95, 0.7, 0.3])
    rng = np.random.default_rng(seed)
    rows = []
    for subject in range(40):
        beta, precision = math.exp(rng.normal(-0.7, 2)), rng.gamma(2, 2)
        for bias, trust in zip(*treatments, strict=True):
            material = expected_payoff(GAME, bias, np.array(trust))
            utility = sender_utility(GAME, material, np.array(beta * GAME.lying_unit))
            chance = np.exp(precision * (utility - utility.max()) / GAME.scale)
            chance /= chance.sum(axis=1, keepdims=True)
            for state in rng.integers(5, size=20):
                sent = rng.choice(5, p=chance[state]) + 1
                names = (f"s{subject}", f"r{subject}", len(rows), f"bias {bias:g}", bias)
                rows.append((*names, state + 1, sent, 3))
    columns = ["sender", "receiver", "round", "treatment", "bias", "state", "message", "action"]
    trials = trials_from_frame(pd.DataFrame(rows, columns=columns), GAME)
    model = TrustEmbedded("sender")
    starts = pilot(model, trials.fold("sender"), GAME).starts
    planted = np.log(treatments[1]) - np.log1p(-treatments[1])
    # The grid has steps of one; the largest trust differs little from all trust there is.
    np.testing.assert_allclose(starts["expected_trust_mu"][1:], planted[1:], atol=1)
    assert starts["expected_trust_mu"][0] > 1.5
    assert starts["lying_aversion_mu"] == pytest.approx(-0.7, abs=1)
    assert set(starts) == {"expected_trust_mu", "lying_aversion_mu", "response_precision_mean"}


@pytest.mark.parametrize("seed", range(3))
def test_chains_of_senders_of_forecasts_start_near_what_was_planted(seed):
    game = ForecastGame(treatments={"A": Market(15, 25), "B": Market(60, 75)})
    rng, rows, planted = np.random.default_rng(seed), [], {"A": 0.9, "B": 0.3}
    for subject in range(30):
        beta = math.exp(rng.normal(-1, 1))
        for number in range(20):
            name = "AB"[number % 2]
            state, terms = rng.uniform(-150, 150, 1), game.terms([name])
            trust = np.array([planted[name]])
            best = report(state, np.array([beta * game.lying_unit]), trust, terms)[0]
            sent = min(max(best + 15 * rng.normal(), -150), 150)
            rows.append((f"s{subject}", f"r{subject}", number, name, state[0], sent, 0))
    columns = ["sender", "receiver", "round", "treatment", "state", "message", "action"]
    trials = trials_from_frame(pd.DataFrame(rows, columns=columns), game)
    starts = pilot(TrustEmbedded("sender", game), trials.fold("sender"), game).starts
    logits = [math.log(trust / (1 - trust)) for trust in planted.values()]
    # Steps of the grid are one wide, and of much trust more is hardly told apart.
    assert starts["expected_trust_mu"][0] > logits[0] - 1
    assert starts["expected_trust_mu"][1] == pytest.approx(logits[1], abs=1)
    assert starts["lying_aversion_mu"] == pytest.approx(-1, abs=1)
    assert set(starts) == {"expected_trust_mu", "lying_aversion_mu", "response_noise_mu"}


FORECAST = [spec for spec in SPECS if spec.kind == "forecast-sharing"]


@pytest.mark.parametrize("spec", FORECAST, ids=lambda spec: f"{spec.name} {spec.role}")
def test_every_parameter_of_forecast_sharing_has_weights_and_a_form(spec):
    chosen, units = Model(spec), TRIALS["forecast"].fold(spec.role)
    found = pilot(chosen, units, TRIALS["forecast"].game)
    assert set(found.weights) == set(found.form) == {p.name for p in chosen.parameters}
    met = np.zeros((4, 3), dtype=bool)
    met[units.unit_subject, units.unit_treatment] = True
    for name, weights in found.weights.items():
        assert (weights[~met] == 0).all(), name
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12, err_msg=name)
    assert set(found.form.values()) <= {"centred", "non-centred"}


def test_weights_are_the_information_about_trust_where_nothing_is_censored():
    # With the belief "prior" capacity is the constant less trust times what is below face value,
    # all but linear in trust: the information about its logit is (α (1 - α) ∂K/∂α / σ)².
    game = ForecastGame(treatments={"A": Market(15, 25), "B": Market(60, 75)})
    rng, rows = np.random.default_rng(2), []
    for subject in range(6):
        for number in range(8 + 4 * subject):
            name = "AB"[number % 3 > 0]
            state = round(rng.uniform(-150, 150), 1)
            noise = 15 * rng.normal()
            best = capacity(np.array([state]), np.array([0.6]), game.terms([name]), "prior")[0]
            row = (f"s{subject}", f"r{subject}", number, name, state, state, best + noise)
            rows.append(row)
    columns = ["sender", "receiver", "round", "treatment", "state", "message", "action"]
    trials = trials_from_frame(pd.DataFrame(rows, columns=columns), game)
    units = trials.fold("receiver")
    varies = {"trust": ("subject",), "response_noise": ()}
    chosen = TrustEmbedded("receiver", game, belief="prior", varies=varies)
    found = pilot(chosen, units, game)
    # The fitted trust is close to 0.6, and shares of the information hardly depend on it.
    expected = np.zeros((6, 2))
    for row in trials.table.to_dict("records"):
        terms, x = game.terms([row["treatment"]]), np.array([row["message"]])
        up, down = (capacity(x, np.array([t]), terms, "prior")[0] for t in (0.601, 0.599))
        where = (units.subjects.index(row["receiver"]), units.treatments.index(row["treatment"]))
        expected[where] += ((up - down) / 0.002) ** 2
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.weights["trust"], expected, atol=0.02)
    assert np.ptp(expected[:, 0]) > 0.1
    # Noise is the same for all by the model, trust by how they play.
    assert found.form == {"response_noise": "centred", "trust": "non-centred"}


def test_a_treatment_without_conflict_says_nothing_about_trust():
    # Without a bias the distrusting belief is the message too, so trust changes nothing.
    trials = play([0.0, 1.0], rounds=10)
    found = pilot(TrustEmbedded("receiver"), trials.fold("receiver"), GAME)
    np.testing.assert_allclose(found.weights["trust"], [[0, 1]] * 12, atol=1e-9)
    # Precision shows without a conflict as well.
    assert found.weights["response_precision"][:, 0].min() > 0.2


def test_a_treatment_with_a_tiny_bias_gets_little_weight():
    # To a sender who expects to be believed, the nearest lie is worth about -β - 20/41 = -1
    # payoff deviation at a bias of 0.01, which λ = 6 turns into odds of 0.003; at a bias of 2
    # lies of one and of two steps are both worth about +0.3. The information about aversion is
    # the variance of the lie: below 0.01 against 0.2 or more, in the same number of trials.
    trials = play([0.01, 2.0], rounds=10, trust=1.0, precision=6)
    found = pilot(TrustEmbedded("sender"), trials.fold("sender"), GAME)
    assert found.weights["lying_aversion"][:, 0].max() < 0.2


def test_weights_are_the_expected_information_at_the_fitted_precision(uneven):
    # With a single parameter all is in closed form: at precision λ the Fisher information of
    # log λ in one trial is λ² Var(U) under the chances of the options.
    trials = play([1.0, 2.0], rounds=3, subjects=5, unequal=True)
    cells = trials.fold("receiver")
    utilities = [[-20 * abs(m - a) ** 1.4 / GAME.scale for a in range(1, 6)] for m in range(1, 6)]

    def chances(precision, message):
        weights = [math.exp(precision * u) for u in utilities[message - 1]]
        return [w / sum(weights) for w in weights]

    def loss(log_precision):
        precision, total = math.exp(log_precision), 0.0
        for row in trials.table.itertuples():
            total -= math.log(chances(precision, int(row.message))[int(row.action) - 1])
        # Held loosely (standard deviation 2) at the hyperprior's median, exp(1).
        return total + (log_precision - 1) ** 2 / 8

    precision = math.exp(minimize_scalar(loss, bounds=(-5, 5), method="bounded").x)
    expected = np.zeros((5, 2))
    for row in trials.table.itertuples():
        p = chances(precision, int(row.message))
        u = utilities[int(row.message) - 1]
        mean = sum(x * y for x, y in zip(p, u, strict=True))
        variance = sum(x * (y - mean) ** 2 for x, y in zip(p, u, strict=True))
        subject = cells.subjects.index(row.receiver)
        expected[subject, cells.treatments.index(row.treatment)] += variance * precision**2
    found = pilot(FullTrust("receiver"), cells, GAME)
    # Both searches stop at about 1e-5 of log λ.
    np.testing.assert_allclose(
        found.weights["response_precision"],
        expected / expected.sum(axis=1, keepdims=True),
        atol=1e-3,
    )
    assert np.median(expected.sum(axis=1)) > 1


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        (TrustEmbedded("sender"), "lying_aversion"),
        (TrustEmbedded("sender"), "response_precision"),
        (TrustEmbedded("receiver"), "trust"),
        (TrustEmbedded("receiver"), "response_precision"),
        (LevelK("sender"), "response_precision"),
        (FullTrust("receiver"), "response_precision"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.name} {value.role}",
)
def test_the_form_follows_the_number_of_trials_and_how_much_people_differ(chosen, name):
    # One trial cannot hold more than the population does about a subject; sixty do by far, unless
    # the population says that all are alike: then the spread's mass is where chains of the centred
    # form hardly come.
    many, single, alike = (
        pilot(chosen, play(biases, rounds, differ=differ).fold(chosen.role), GAME).form[name]
        for biases, rounds, differ in (([1.0, 2.0], 30, 0.8), ([1.0], 1, 0.8), ([1.0, 2.0], 30, 0))
    )
    assert (many, single, alike) == ("centred", "non-centred", "non-centred")


@pytest.mark.parametrize("differ", [0.0, 0.3, 0.8])
def test_the_spread_is_that_of_subjects_fitted_one_by_one_less_their_errors(differ):
    trials = play([1.0], rounds=60, subjects=40, differ=differ, trust=0.999)
    model, cells = FullTrust("receiver"), trials.fold("receiver")
    alike = _Alike(model, cells, GAME)
    point = alike.most_probable()
    found = _spread(alike, point, "response_precision")
    utilities = GAME.receiver_table / GAME.scale

    def loss(log_precision, counts):
        scaled = math.exp(log_precision) * utilities
        return -(counts * (scaled - np.logaddexp.reduce(scaled, axis=1)[:, None])).sum()

    fitted, errors = [], []
    for counts in cells.counts:
        best = minimize_scalar(loss, bounds=(-4, 4), args=(counts,), method="bounded").x
        above, below = (loss(best + step, counts) for step in (0.01, -0.01))
        fitted.append(best)
        errors.append(1e-4 / (above + below - 2 * loss(best, counts)))
    between = math.sqrt(max(np.var(fitted, ddof=1) - np.mean(errors), 0.0))
    # Two moment estimates, of differing weights, from 40 people: each has an error of about a
    # ninth of the total standard deviation, and they share most of it.
    assert found == pytest.approx(between, abs=0.15 * math.hypot(between, 0.2))


def test_the_chosen_form_is_the_one_that_is_built_unless_overridden():
    few, many = play([1.0], rounds=1), play([1.0], rounds=40, differ=0.8)

    def free(trials, **settings):
        built = TrustEmbedded("receiver", **settings).build(trials)
        return {rv.name for rv in built.free_RVs}

    assert "trust_own" in free(many)
    assert "trust_offset" in free(few)
    assert "trust_own" in free(few, parametrisation={"trust": "centred"})
    assert "trust_offset" in free(many, parametrisation={"trust": "non-centred"})
