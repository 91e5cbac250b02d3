"""Population and subject estimates on the natural scale."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from synthetic import small_trials, synthetic_fit

from trustbayes.estimates import population_estimates, subject_estimates, type_estimates
from trustbayes.games import ForecastGame, Market
from trustbayes.models import Babbling, LevelK, Mixture, TrustEmbedded
from trustbayes.theories.finite.trust_embedded import receiver_utility
from trustbayes.trials import trials_from_frame

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
