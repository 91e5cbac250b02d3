"""Population and subject estimates on the natural scale."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.optimize import minimize
from synthetic import small_trials, synthetic_fit

from trustbayes.estimates.population import population_estimates
from trustbayes.estimates.subjects import subject_estimates, type_estimates
from trustbayes.games import ForecastGame, Market
from trustbayes.models import Babbling, Hybrid, LevelK, Mixture, TrustEmbedded
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate
from trustbayes.theories.trust_embedded.finite import receiver_utility
from trustbayes.theories.trust_embedded.forecast import capacity, report
from trustbayes.trials.table import trials_from_frame

TRIALS = small_trials(pairs=3, rounds=30)


def test_the_populations_mean_trust_equals_quadrature():
    fit = synthetic_fit(TrustEmbedded("receiver"), TRIALS, draws=10)
    rows = population_estimates(fit, fit.draws())
    data = fit.draws().data
    for treatment in fit.units.treatments:
        exact = [
            integrate.quad(
                lambda z, mu=mu, sigma=sigma: stats.norm.pdf(z) / (1 + np.exp(-(mu + sigma * z))),
                -9,
                9,
            )[0]
            for mu, sigma in zip(
                data["trust_mu"].sel(treatment=treatment).to_numpy(),
                data["trust_sigma"].to_numpy(),
                strict=True,
            )
        ]
        mean = rows[(rows["statistic"] == "population mean") & (rows["treatment"] == treatment)]
        assert mean["mean"].item() == pytest.approx(np.mean(exact), abs=1e-6)
        assert mean["lower"].item() == pytest.approx(np.quantile(exact, 0.05), abs=1e-6)
        assert mean["prior_mean"].item() == mean["mean"].item()  # the same draws stood for both


def test_lying_aversion_is_given_in_both_units():
    fit = synthetic_fit(TrustEmbedded("sender"), TRIALS)
    rows = population_estimates(fit, fit.draws())
    median = rows[
        (rows["parameter"] == "lying_aversion") & (rows["statistic"] != "population spread")
    ]
    standard, payoff = median["mean"]
    assert standard == pytest.approx(np.exp(fit.posterior["lying_aversion_mu"]).mean().item())
    assert payoff == pytest.approx(standard * fit.game.receiver_table.std())
    subjects = subject_estimates(fit)
    mine = subjects[(subjects["parameter"] == "lying_aversion") & (subjects["subject"] == "s1")]
    draws = fit.posterior["lying_aversion"].sel(subject="s1")
    assert mine["mean"].item() == pytest.approx(draws.mean().item() * fit.game.scale)
    assert "payoff units" in mine["unit"].item()


def test_shares_and_spreads_say_of_what_they_are():
    fit = synthetic_fit(Mixture("sender"), TRIALS)
    rows = population_estimates(fit, fit.draws()).set_index("parameter")["unit"]
    assert set(rows["theory"]) == {"share of subjects"}
    assert set(rows["level"]) == {"share of those with a level"}
    rows = pd.DataFrame({"sender": ["s1", "s2"], "round": 1, "state": 0.0, "message": [5.0, 7.0]})
    game = ForecastGame(treatments={"only": Market(15.0, 25.0)})
    fit = synthetic_fit(Babbling("sender", game), trials_from_frame(rows, game))
    rows = population_estimates(fit, fit.draws())
    spread = rows[rows["statistic"] == "population spread"].set_index("parameter")["unit"]
    assert spread["habit"] == "share of the forecast range a"
    assert spread["response_noise"] == "log scale"


def test_every_population_quantity_of_every_model_is_finite():
    for model in (TrustEmbedded("sender"), LevelK("sender"), Babbling("sender")):
        fit = synthetic_fit(model, TRIALS)
        rows = population_estimates(fit, fit.draws())
        assert np.isfinite(rows[["mean", "lower", "upper"]].to_numpy()).all()
        assert not rows.duplicated(["parameter", "statistic", "treatment", "option", "unit"]).any()
    shares = rows[rows["statistic"] == "typical share"]["mean"]
    assert shares.sum() == pytest.approx(1)


def test_the_estimate_alone_is_the_subjects_maximum_likelihood():
    fit = synthetic_fit(TrustEmbedded("receiver"), TRIALS)
    rows = subject_estimates(fit)
    game = fit.game

    def loss(subject, precision, trusts):
        total = 0.0
        for row in TRIALS.table[TRIALS.table["receiver"] == subject].itertuples():
            utility = receiver_utility(game, row.bias, np.array(trusts[row.treatment]))
            scaled = precision * utility[int(row.message) - 1] / game.scale
            total -= scaled[int(row.action) - 1] - np.log(np.exp(scaled).sum())
        return total

    for subject in fit.units.subjects:
        mine = rows[rows["subject"] == subject]
        trust = mine[mine["parameter"] == "trust"].set_index("treatment")["alone"]
        precision = mine[mine["parameter"] == "response_precision"]["alone"].item()
        best = loss(subject, precision, trust)
        # No neighbour on a grid of a third of the estimates' step is better by more than the
        # grid allows.
        for factor in (0.8, 1.0, 1.25):
            for low in (-0.4, 0.0, 0.4):
                for high in (-0.4, 0.0, 0.4):
                    moved = {
                        "Low": 1 / (1 / trust["Low"] * np.exp(low) - np.exp(low) + 1),
                        "High": 1 / (1 / trust["High"] * np.exp(high) - np.exp(high) + 1),
                    }
                    assert loss(subject, precision * factor, moved) >= best - 0.02


def test_type_probabilities_add_up():
    rows = type_estimates(synthetic_fit(LevelK("sender"), TRIALS))
    total = rows.groupby("subject")["probability"].sum()
    np.testing.assert_allclose(total, 1)
    assert type_estimates(synthetic_fit(Babbling("sender"), TRIALS)).empty


def test_what_cannot_be_estimated_alone_is_missing_and_not_wrong():
    model = LevelK("sender", varies={"response_precision": ("subject", "treatment")})
    rows = subject_estimates(synthetic_fit(model, TRIALS))
    assert rows["alone"].isna().all()
    assert rows["mean"].notna().all()
    none = subject_estimates(synthetic_fit(Babbling("sender"), TRIALS))
    assert none.empty
    assert list(none.columns) == list(rows)
    assert pd.concat([none, rows])["alone"].dtype == float


# Forecast sharing: units of demand and of payoff, and what each subject's trials alone say

MARKET = ForecastGame(retail_price=95.0, forecast_range=120.0, largest_capacity=400.0)


@pytest.fixture(scope="module")
def shared_forecasts():
    """Trust-embedded play of 4 pairs, all of moderate noise, in four treatments."""
    moderate = {"response_noise": Prior("LogNormal", mu=-2.0, sigma=0.3)}
    averse = {"lying_aversion": Prior("LogNormal", mu=-1.2, sigma=0.5)}
    believed = {"expected_trust": Prior("LogitNormal", mu=0.5, sigma=0.1)}
    trusting = {"trust": Prior("LogitNormal", mu=0.5, sigma=0.7)}
    played = simulate(
        MARKET,
        sender=TrustEmbedded("sender", MARKET, priors=moderate | averse | believed),
        receiver=TrustEmbedded("receiver", MARKET, priors=moderate | trusting),
        subjects=4,
        rounds=60,
        seed=3,
    )
    return trials_from_frame(played.trials, MARKET)


@pytest.mark.parametrize(
    ("made", "role", "factors"),
    [
        (TrustEmbedded, "sender", {"response_noise": 120, "lying_aversion": 20}),
        (TrustEmbedded, "receiver", {"response_noise": 120, "trust": 1}),
        (Hybrid, "sender", {"response_noise": 120, "lying_aversion": 20}),
        (Mixture, "receiver", {"response_noise": 120, "trust": 1}),
        (Babbling, "sender", {"response_noise": 120, "habit": 120}),
    ],
)
def test_subjects_of_forecast_sharing_are_in_units_of_demand_and_payoff(
    shared_forecasts, made, role, factors
):
    fit = synthetic_fit(made(role, MARKET), shared_forecasts)
    rows = subject_estimates(fit, ci_prob=0.8)
    units = {
        "response_noise": "units of demand",
        "lying_aversion": "payoff units per unit of |report - forecast|",
        "habit": "units of demand",
        "trust": "share, 0 to 1",
    }
    assert set(rows["parameter"]) == set(factors)
    for row in rows.itertuples():
        draws = fit.posterior[row.parameter].sel(subject=row.subject)
        draws = draws.sel(treatment=row.treatment) if row.treatment else draws
        values = draws.to_numpy().ravel() * factors[row.parameter]
        assert row.unit == units[row.parameter]
        assert row.mean == pytest.approx(values.mean())
        lower, median, upper = np.quantile(values, [0.1, 0.5, 0.9])
        assert [row.lower, row.median, row.upper] == pytest.approx([lower, median, upper])
        assert row.trials == (15 if row.treatment else 60)


def test_populations_of_forecast_sharing_are_given_in_both_units(shared_forecasts):
    fit = synthetic_fit(TrustEmbedded("sender", MARKET), shared_forecasts)
    rows = population_estimates(fit, fit.draws())
    for name, factor, unit in (
        ("response_noise", 120, "units of demand"),
        ("lying_aversion", 20, "payoff units per unit of |report - forecast|"),
    ):
        median = rows[(rows["parameter"] == name) & (rows["statistic"] == "population median")]
        exact = np.exp(fit.posterior[f"{name}_mu"]).mean().item()
        assert median["mean"].tolist() == pytest.approx([exact, factor * exact])
        assert median["unit"].iloc[1] == unit
    shared = rows[rows["parameter"] == "expected_trust"]
    assert shared["treatment"].tolist() == list(MARKET.treatments)
    assert set(shared["statistic"]) == {"value"}
    expected = fit.posterior["expected_trust"].mean(("chain", "draw"))
    np.testing.assert_allclose(shared["mean"], expected)


def logit(share):
    return np.log(share / (1 - share))


def censored_loss(choice, best, sigma, low, high):
    """Minus log likelihood of choices around the best ones, piled up at the ends."""
    z = (choice - best) / sigma
    inside = stats.norm.logpdf(z) - np.log(sigma)
    ends = np.where(choice >= high, stats.norm.logsf(z), stats.norm.logcdf(z))
    return -np.where((choice > low) & (choice < high), inside, ends).sum()


def best_of(loss, *starts):
    found = [minimize(loss, start, method="Nelder-Mead", options=OPTIONS) for start in starts]
    return min(found, key=lambda one: one.fun)


OPTIONS = {"maxiter": 5000, "maxfev": 5000, "xatol": 1e-4, "fatol": 1e-6}
# Steps of the finer grid on the link scale: an estimate is off by half of one, or by a little
# more where two parameters go together.
STEPS = {"positive": 10 / 48 / 4, "unit": 12 / 48 / 4, "real": 4 / 48 / 4}


def test_a_receivers_estimate_alone_is_his_maximum_likelihood(shared_forecasts):
    fit = synthetic_fit(TrustEmbedded("receiver", MARKET), shared_forecasts)
    estimates, table = subject_estimates(fit), shared_forecasts.table
    for subject in fit.units.subjects:
        rows = table[table["receiver"] == subject]
        terms = MARKET.terms(rows["treatment"])
        at = rows["treatment"].map(list(MARKET.treatments).index).to_numpy()
        action, message = rows["action"].to_numpy(), rows["message"].to_numpy()

        def loss(point, at=at, terms=terms, action=action, message=message):
            trust = 1 / (1 + np.exp(-np.asarray(point)[1:]))
            best = capacity(message, trust[at], terms)
            return censored_loss(action, best, 120 * np.exp(point[0]), 0, 400)

        mine = estimates[estimates["subject"] == subject].set_index(["parameter", "treatment"])
        alone = mine["alone"]
        assert alone.notna().all()
        point = [np.log(alone["response_noise", ""] / 120)]
        point += [logit(alone["trust", name]) for name in MARKET.treatments]
        found = best_of(loss, point, [-2, 0, 0, 0, 0])
        assert loss(point) < found.fun + 0.2
        assert abs(point[0] - found.x[0]) < STEPS["positive"]
        for mine, exact in zip(point[1:], found.x[1:], strict=True):
            assert abs(mine - exact) < STEPS["unit"]


def test_a_senders_estimate_alone_is_her_maximum_likelihood(shared_forecasts):
    # What all senders share stands at its posterior mean.
    chosen = TrustEmbedded("sender", MARKET, lying_cost="quadratic")
    fit = synthetic_fit(chosen, shared_forecasts)
    estimates, table = subject_estimates(fit), shared_forecasts.table
    believed = fit.posterior["expected_trust"].mean(("chain", "draw")).to_numpy()
    for subject in fit.units.subjects:
        rows = table[table["sender"] == subject]
        terms = MARKET.terms(rows["treatment"])
        trust = believed[rows["treatment"].map(list(MARKET.treatments).index).to_numpy()]
        message, state = rows["message"].to_numpy(), rows["state"].to_numpy()

        def loss(point, trust=trust, terms=terms, message=message, state=state):
            aversion = np.full(len(state), 20 * np.exp(point[1]))
            best = report(state, aversion, trust, terms, lying_cost="quadratic")
            return censored_loss(message, best, 120 * np.exp(point[0]), -120, 120)

        alone = estimates[estimates["subject"] == subject].set_index("parameter")["alone"]
        point = np.log([alone["response_noise"] / 120, alone["lying_aversion"] / 20])
        found = best_of(loss, point, [-2, -1.2], [-2, -0.5])
        assert loss(point) < found.fun + 0.2
        np.testing.assert_allclose(point, found.x, atol=STEPS["positive"])


def test_a_babblers_estimate_alone_is_her_maximum_likelihood(shared_forecasts):
    fit = synthetic_fit(Babbling("sender", MARKET), shared_forecasts)
    estimates, table = subject_estimates(fit), shared_forecasts.table
    for subject in fit.units.subjects:
        message = table.loc[table["sender"] == subject, "message"].to_numpy()

        def loss(point, message=message):
            return censored_loss(message, 120 * point[1], 120 * np.exp(point[0]), -120, 120)

        alone = estimates[estimates["subject"] == subject].set_index("parameter")["alone"]
        point = np.array([np.log(alone["response_noise"] / 120), alone["habit"] / 120])
        found = best_of(loss, point, [-1, 0])
        assert loss(point) < found.fun + 0.1
        assert abs(point - found.x) == pytest.approx(0, abs=STEPS["positive"])


def test_what_a_subjects_trials_do_not_bear_on_is_missing():
    # Level 2 in all her reports, hence of no lying aversion; he only ever saw the lowest report,
    # after which trust is all one; and a truthful sender has more aversion than some.
    forecasts = np.linspace(-100, 80, 40).round(1)
    shift = {"CLUL": 10, "CLUH": 30, "CHUL": 40, "CHUH": 120}
    rows = []
    for number, state in enumerate(forecasts):
        name = list(shift)[number % 4]
        thinking = min(state + 2 * shift[name], 120) + 0.3 * (number % 3 - 1)
        common = {"round": number, "treatment": name, "state": state}
        rows.append(common | {"sender": "s1", "receiver": "r1", "message": min(thinking, 120)})
        rows.append(common | {"sender": "s2", "receiver": "r2", "message": -120})
    frame = pd.DataFrame(rows).assign(action=150.0 + np.arange(80) % 7)
    trials = trials_from_frame(frame, MARKET)
    rows = subject_estimates(synthetic_fit(Mixture("sender", MARKET), trials))
    alone = rows.set_index(["parameter", "subject"])["alone"]
    assert np.isnan(alone["lying_aversion", "s1"])
    assert alone["response_noise", "s1"] < 1
    chosen = TrustEmbedded("receiver", MARKET, varies={"trust": ("subject",)})
    alone = subject_estimates(synthetic_fit(chosen, trials))
    alone = alone.set_index(["parameter", "subject"])["alone"]
    assert np.isnan(alone["trust", "r2"])
    assert np.isfinite(alone["trust", "r1"])
    assert alone.drop(("trust", "r2")).notna().all()
    # By treatment too.
    rows = subject_estimates(synthetic_fit(TrustEmbedded("receiver", MARKET), trials))
    trust = rows[rows["parameter"] == "trust"].set_index("subject")["alone"]
    assert trust["r2"].isna().all()
    assert trust["r1"].notna().all()
