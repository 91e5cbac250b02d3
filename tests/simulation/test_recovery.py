"""Recovery: estimates against planted values, held against pandas by hand."""

import numpy as np
import pandas as pd
import pytest
from priorfit import prior_fit
from scipy.stats import spearmanr

import trustbayes.simulation.experiments as experiments
from trustbayes.errors import InputError
from trustbayes.games import FiniteGame
from trustbayes.inference.sampling import Sampling
from trustbayes.models import TrustEmbedded
from trustbayes.report.studies import study_report
from trustbayes.simulation.experiments import Experiment
from trustbayes.simulation.recovery import RecoveryStudy, estimates_of, recovery_study

GAME = FiniteGame([1, 2, 3], treatments={"Low": 0.5, "High": 1.0})
RECEIVERS = Experiment(GAME, TrustEmbedded("sender"), TrustEmbedded("receiver"), 4, 4)


def test_estimates_are_medians_and_quantiles_on_the_scale_named():
    made = RECEIVERS.play(2)
    fit = prior_fit(RECEIVERS.player, made.trials, Sampling(seed=2))
    found = estimates_of(made, [fit])
    known = made.parameters.set_index(["parameter", "subject", "treatment"])["value"]
    one = found[(found["parameter"] == "trust") & (found["place"] == "r02, High")].iloc[0]
    draws = fit.posterior["trust"].sel(subject="r02", treatment="High").to_numpy()
    assert (one["about"], one["scale"]) == ("subject", "natural")
    assert one["planted"] == known["trust", "r02", "High"]
    assert one["estimate"] == pytest.approx(np.median(draws))
    assert one["q95"] == pytest.approx(np.quantile(draws, 0.95))
    mean = found[found["parameter"] == "response_precision_mean"].iloc[0]
    assert (mean["about"], mean["scale"]) == ("population", "log")
    assert mean["planted"] == pytest.approx(np.log(known["response_precision_mean", "", ""]))
    assert (found["parameter"] == "trust").sum() == 8
    assert set(found.loc[found["about"] == "population", "parameter"]) == {
        "response_precision_mean", "response_precision_shape", "trust_mu", "trust_sigma",
    }  # fmt: skip


def by_hand():
    """A recovery of which all is known: normal estimates with honest intervals."""
    rng = np.random.default_rng(4)
    size = 400
    planted = rng.normal(size=size)
    estimate = planted + 0.1 + 0.5 * rng.normal(size=size)
    away = {"q05": -0.8224, "q25": -0.3372, "q75": 0.3372, "q95": 0.8224}
    rows = pd.DataFrame(
        {
            "rounds": np.repeat([10, 40], size // 2),
            "seed": np.tile(np.arange(100), 4),
            "parameter": "trust_mu",
            "about": "population",
            "scale": "natural",
            "place": "",
            "planted": planted,
            "estimate": estimate,
            **{name: estimate + gap for name, gap in away.items()},
        }
    )
    return RecoveryStudy(RECEIVERS, Sampling(), rows, {}, (), {})


def test_the_table_is_that_of_its_values():
    found = by_hand()
    table = found.table.set_index("rounds")
    here = found.values[found.values["rounds"] == 40]
    miss = here["estimate"] - here["planted"]
    assert table.loc[40, "bias"] == pytest.approx(miss.mean())
    assert table.loc[40, "rmse"] == pytest.approx(np.sqrt((miss**2).mean()))
    assert table.loc[40, "covered_90"] == pytest.approx((miss.abs() <= 0.8224).mean())
    assert table.loc[40, "correlation"] == pytest.approx(
        spearmanr(here["planted"], here["estimate"]).statistic
    )
    # Honest but for the bias of a fifth of a standard deviation: 89.4 % and 49 % expected.
    assert table["covered_90"].between(0.84, 0.95).all()
    assert table["covered_50"].between(0.40, 0.58).all()


def test_where_no_fit_was_usable_the_table_is_empty_and_the_report_says_so(tmp_path):
    whole = by_hand()
    lost = {(10, 1): "R-hat 2.9", (40, 1): "R-hat 3.0"}
    nothing = RecoveryStudy(RECEIVERS, Sampling(), whole.values.iloc[:0], lost, (), {})
    assert nothing.table.empty
    assert list(nothing.table) == list(whole.table)
    text = study_report(nothing, tmp_path / "report.html").html.read_text(encoding="utf-8")
    assert "no simulation could be used" in text
    assert "10 and 40 rounds" in text
    assert "R-hat 2.9" in text


def test_errors_allow_for_values_of_an_experiment_being_alike():
    found = by_hand()
    share, error = found.coverage()
    assert error == pytest.approx(np.sqrt(share * (1 - share) / 400), rel=0.35)
    # The same values four times say no more.
    again = pd.concat([found.values] * 4)
    repeated = RecoveryStudy(RECEIVERS, Sampling(), again, {}, (), {})
    assert repeated.coverage()[1] == pytest.approx(error, rel=0.02)


@pytest.mark.slow
def test_draws_of_the_prior_cover_what_the_prior_planted(monkeypatch):
    monkeypatch.setattr(experiments, "fit", prior_fit)
    found = recovery_study(RECEIVERS, rounds=[4, 8], replications=8, progress=False)
    assert set(found.values["rounds"]) == {4, 8}
    for about in ("population", "subject"):
        share, error = found.coverage(about)
        assert abs(share - 0.9) < 4 * error
    assert (found.table["correlation"].abs() < 0.8).all()  # nothing was learnt


def test_too_few_are_refused():
    with pytest.raises(InputError, match="replications"):
        recovery_study(RECEIVERS, replications=1)
