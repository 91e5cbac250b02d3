"""What traits predict: average effects by hand, and a planted effect found by a real fit."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, softmax
from scipy.stats import norm
from synthetic import synthetic_fit
from traited import planted_trials

from trustbayes.comparison import leave_one_subject_out
from trustbayes.estimates.population import population_estimates
from trustbayes.estimates.subjects import subject_estimates
from trustbayes.estimates.traits import trait_effects
from trustbayes.estimates.trust_gap import trust_gap
from trustbayes.inference.fit import load_fit
from trustbayes.inference.fitting import fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.models.draws import prior_draws
from trustbayes.models.replications import replicate

TRIALS = planted_trials()
COLUMNS = [
    *("model", "role", "parameter", "symbol", "kind", "term", "change", "option", "unit"),
    *("mean", "lower", "upper", "positive"),
]


def made(chosen, draws=4):
    return synthetic_fit(chosen, TRIALS, chains=1, draws=draws)


def row_of(effects, **labels):
    found = effects
    for name, value in labels.items():
        found = found[found[name] == value]
    [row] = found.to_dict("records")
    return row


def mean_of(location, sigma):
    """Mean of expit of a normal variable."""
    return quad(lambda z: expit(location + sigma * z) * norm.pdf(z), -9, 9)[0]


def test_average_effects_on_trust_are_finite_differences():
    one = made(TrustEmbedded("receiver", formulas={"trust": "1 + crt * treatment + (1 | group)"}))
    effects = trait_effects(one)
    assert list(effects) == COLUMNS
    units, data = one.units, one.draws().data
    crt = units.people["crt"].astype(float)
    high = np.array([0.0, 1.0])
    whole = {
        "crt": np.repeat(crt[:, None], 2, axis=1),
        "treatment[High]": np.tile(high, (crt.size, 1)),
        "crt:treatment[High]": crt[:, None] * high,
    }
    scale = {"treatment[High]": 1.0, **{n: whole[n].std() for n in whole if n.startswith("crt")}}
    groups = list(data["group"].to_numpy())

    def mean(row, crt, high):
        """Over subjects and treatments, each subject's own effect integrated out."""
        columns = {
            "crt": crt + 0 * high,
            "treatment[High]": high + 0 * crt,
            "crt:treatment[High]": crt * high,
        }
        sigma, total = float(data["trust_sigma"][row]), []
        location = float(data["trust_mu"][row]) + np.zeros((units.people["crt"].size, 2))
        for column, values in columns.items():
            slope = float(data["trust_slope"].sel(trust_term=column)[row])
            location = location + slope * (values - whole[column].mean()) / scale[column]
        for at, group in enumerate(units.groups):
            effect = float(data["trust_group_effect"][row, groups.index(group)])
            total += [mean_of(one + effect, sigma) for one in location[at]]
        return np.mean(total)

    now, sd = crt[:, None], crt.std()
    for term, change, low, up in (
        ("crt", "1 unit", (now - 0.5, high), (now + 0.5, high)),
        ("crt", f"1 sd ({sd:.3g})", (now - sd / 2, high), (now + sd / 2, high)),
        ("treatment", "High against Low", (now, np.zeros(2)), (now, np.ones(2))),
    ):
        row = row_of(effects, kind="average effect", term=term, change=change)
        expected = [mean(draw, *up) - mean(draw, *low) for draw in range(4)]
        assert row["mean"] == pytest.approx(np.mean(expected), abs=1e-6)
        assert row["unit"] == "share, 0 to 1"
        assert row["positive"] == np.mean(np.array(expected) > 0)


def test_average_effects_on_levels_are_finite_differences():
    one = made(LevelK("sender", max_level=2, formulas={"level": "1 + crt"}))
    effects = trait_effects(one)
    data, crt = one.draws().data, one.units.people["crt"].astype(float)
    slope = data["level_slope"].to_numpy()[:, :, 0]

    def shares(crt_):
        z = (crt_ - crt.mean()) / crt.std()
        more = np.concatenate([np.zeros((4, 1)), slope], axis=1)[:, None] * z[:, None]
        return softmax(np.log(data["level_share"].to_numpy())[:, None] + more, axis=-1).mean(axis=1)

    gap = (shares(crt + 0.5) - shares(crt - 0.5)).mean(axis=0)
    average = {"kind": "average effect", "term": "crt", "change": "1 unit"}
    for level in range(3):
        row = row_of(effects, option=str(level), **average)
        assert row["mean"] == pytest.approx(gap[level], abs=1e-12)
    mean = row_of(effects, option="mean level", **average)
    assert mean["mean"] == pytest.approx(gap @ [0, 1, 2], abs=1e-12)
    # Coefficients: log odds against the lowest level, for one unit and for one standard deviation.
    for change, factor in (("1 unit", 1 / crt.std()), (f"1 sd ({crt.std():.3g})", 1.0)):
        row = row_of(effects, kind="coefficient", change=change, option="2 against 0")
        assert row["mean"] == pytest.approx(slope[:, 1].mean() * factor)


def test_effects_on_positive_parameters_multiply():
    one = made(TrustEmbedded("receiver", formulas={"response_precision": "1 + country"}))
    effects, data = trait_effects(one), one.draws().data
    slope = data["response_precision_slope"].sel(response_precision_term="country[NL]").to_numpy()
    row = row_of(effects, kind="coefficient", term="country[NL]", change="0 to 1")
    assert row["mean"] == pytest.approx(slope.mean())
    assert row["unit"] == "log scale"
    french = data["response_precision_slope"].sel(response_precision_term="country[FR]").to_numpy()
    country = one.units.people["country"]
    mean = data["response_precision_mean"].to_numpy()
    centre = slope * (country == "NL").mean() + french * (country == "FR").mean()
    expected = mean * (np.exp(slope - centre) - np.exp(-centre))
    row = row_of(effects, kind="average effect", change="NL against DE")
    assert row["mean"] == pytest.approx(expected.mean())


def test_without_formulas_there_are_no_effects():
    effects = trait_effects(made(TrustEmbedded("receiver")))
    assert effects.empty
    assert list(effects) == COLUMNS


def test_population_estimates_are_those_of_people_such_as_these():
    one = made(TrustEmbedded("receiver", formulas={"trust": "1 + treatment + crt"}))
    found = population_estimates(one, one.draws())
    trust = found[found["parameter"] == "trust"].set_index(["statistic", "treatment"])["mean"]
    data, draws = one.draws().data, one.draws()
    location, sigma = draws.location("trust"), data["trust_sigma"].to_numpy()
    by_hand = [
        np.mean([mean_of(at, sigma[d]) for at in location[d, :, 1]]) for d in range(draws.size)
    ]
    assert trust["population mean", "High"] == pytest.approx(np.mean(by_hand), abs=1e-6)
    assert ("population median", "Low") in trust.index
    gap = trust_gap(made(TrustEmbedded("sender")), one).set_index("treatment")
    assert gap.loc["High", "given"] == pytest.approx(np.mean(by_hand), abs=1e-6)


def test_population_shares_are_means_over_people():
    one = made(LevelK("sender", max_level=2, formulas={"level": "1 + crt"}))
    found = population_estimates(one, one.draws())
    share = found[found["statistic"] == "share"].set_index("option")["mean"]
    np.testing.assert_allclose(share, one.draws().shares.mean(axis=(0, 1)))


@pytest.mark.slow
def test_a_planted_effect_on_trust_is_found_kept_and_used(tmp_path):
    trials = planted_trials(pairs=30, rounds=16, trust_slope=1.0)
    chosen = TrustEmbedded("receiver", formulas={"trust": "1 + crt + treatment"})
    one = fit(chosen, trials, Sampling(draws=250, tune=300, chains=2), progress=False)
    sd = trials.fold("receiver").people["crt"].std()
    change = f"1 sd ({sd:.3g})"
    effect = row_of(trait_effects(one), kind="coefficient", term="crt", change=change)
    assert effect["lower"] < 1.0 < effect["upper"]
    assert effect["lower"] > 0.2
    nothing = row_of(trait_effects(one), kind="coefficient", term="treatment[High]")
    assert nothing["lower"] < 0.0 < nothing["upper"]
    again = load_fit(one.save(tmp_path / "trust.nc"))
    assert again.model.to_dict() == one.model.to_dict()
    assert again.manifest["model"]["formulas"]["trust"]["columns"] == ["crt", "treatment[High]"]
    assert set(again.units.people) == {"crt"}
    np.testing.assert_array_equal(trait_effects(again)["mean"], trait_effects(one)["mean"])
    # All that a model is asked for works from the file: prediction, checks, estimates.
    scores = leave_one_subject_out(again, draws=100)
    plain = leave_one_subject_out(dataclasses.replace(one), draws=100)
    np.testing.assert_allclose(scores.elpd, plain.elpd)
    before = prior_draws(again.model, again.game, again.units, 20, seed=1)
    counts = replicate(before, np.random.default_rng(1), given_trials=False)
    assert counts.sum() == 20 * len(trials.table)
    assert len(subject_estimates(again)) == 30 * (2 + 1)


@pytest.mark.slow
def test_a_planted_effect_on_depth_is_found():
    trials = planted_trials(pairs=40, rounds=12, level=2.0)
    chosen = LevelK("sender", max_level=2, formulas={"level": "1 + crt"})
    one = fit(chosen, trials, Sampling(draws=250, tune=300, chains=2), progress=False)
    effects = trait_effects(one, ci_prob=0.98)  # two effects, one experiment
    for option in ("1 against 0", "2 against 0"):
        row = row_of(effects, kind="coefficient", change="1 unit", option=option)
        planted = 2.0 / trials.fold("sender").people["crt"].std()
        assert row["lower"] < planted < row["upper"]
    change = effects["change"].str.startswith("1 sd")
    assert row_of(effects[change], kind="average effect", option="0")["upper"] < -0.1
    assert row_of(effects[change], kind="average effect", option="mean level")["lower"] > 0


@pytest.mark.parametrize(
    ("term", "reference"),
    [
        ("country", "DE"),
        ("T(country, 'NL')", "NL"),
        ("C(country, Treatment('IT'))", "IT"),
        ("S(country)", "DE"),
        ("crt * T(country, ref='NL')", "NL"),
    ],
)
def test_average_effects_are_against_the_level_that_coefficients_are_against(term, reference):
    table = TRIALS.table
    codes = table["receiver"].astype("category").cat.codes
    trials = dataclasses.replace(
        TRIALS, table=table.assign(receiver_country=np.array(["DE", "IT", "NL"])[codes % 3])
    )
    chosen = TrustEmbedded("receiver", formulas={"trust": f"1 + {term}"})
    effects = trait_effects(synthetic_fit(chosen, trials, chains=1, draws=4))
    averages = effects[(effects["kind"] == "average effect") & (effects["term"] == "country")]
    others = sorted({"DE", "IT", "NL"} - {reference})
    assert sorted(averages["change"]) == [f"{level} against {reference}" for level in others]
    named = effects.loc[effects["kind"] == "coefficient", "term"]
    if "S(" not in term:
        assert not named.str.contains(rf"\[{reference}\]").any()
