"""Experiments on an interval: what is planted is played, and few people already tell it."""

import numpy as np
import pytest
from loops import SEEN_AND_CHOSEN, best_choice
from scipy import stats

from trustbayes import fit, model_names, predictive_check
from trustbayes.games import IntervalGame
from trustbayes.inference.sampling import Sampling
from trustbayes.models import model
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import trials_from_frame

ROLES = ("sender", "receiver")
GAME = IntervalGame(0, 100, {"Small": 5, "Down": -20, "Large": 40})
NOISE = Prior("LogNormal", mu=np.log(0.08), sigma=0.3)


@pytest.mark.parametrize("name", model_names("interval"))
def test_choices_scatter_round_what_the_theory_says(name):
    made = simulate(
        GAME,
        sender=model(name, "sender", GAME),
        receiver=model(name, "receiver", GAME),
        subjects=30,
        rounds=18,
        seed=7,
    )
    table = made.trials
    for column in ("state", "message", "action"):
        assert table[column].between(0, 100).all()
        steps = table[column] / GAME.step
        np.testing.assert_allclose(steps, steps.round(), atol=1e-6)
    trials_from_frame(table, GAME)
    for role in ROLES if name != "mixture" else ():  # whose theory the table says by its type
        planted = made.parameters.query("role == @role")
        known = {(r.parameter, r.subject, r.treatment): r.value for r in planted.itertuples()}
        seen, chosen = SEEN_AND_CHOSEN[role]
        one, best, sigma = model(name, role, GAME), [], []
        for row in table.to_dict("records"):
            values = {}
            for (parameter, subject, treatment), value in known.items():
                if subject in (row[role], "") and treatment in (row["treatment"], ""):
                    values[parameter] = value
            level = int(values["level"]) if "level" in values else None
            best.append(best_choice(one, GAME, row["treatment"], row[seen], values, level))
            sigma.append(values["response_noise"] * 50)
        choice, best, sigma = table[chosen].to_numpy(), np.array(best), np.array(sigma)
        below, above = (stats.norm.cdf((end - best) / sigma) for end in (0, 100))
        # Where a choice stands in its distribution is uniform; at an end, anywhere in the mass.
        place, spread = stats.norm.cdf((choice - best) / sigma), np.random.default_rng(1)
        place = np.where(choice == 0, spread.uniform(0, below), place)
        place = np.where(choice == 100, spread.uniform(above, 1), place)
        assert stats.kstest(place, "uniform").pvalue > 0.001


def test_states_are_uniform_and_answers_on_the_slider():
    game = IntervalGame(10, 20, {"b": 2}, step=0.5)
    made = simulate(
        game,
        sender=model("full-trust", "sender", game),
        receiver=model("full-trust", "receiver", game),
        subjects=100,
        rounds=40,
        seed=1,
    )
    state = made.trials["state"]
    assert set(state) == set(np.arange(10, 20.1, 0.5))
    inner = state[(state > 10) & (state < 20)]
    assert stats.chisquare(inner.value_counts()).pvalue > 0.001
    # At the ends half as many: what is within half a step.
    ends = ((state == 10).mean() + (state == 20).mean()) / 2
    assert ends == pytest.approx(0.025, abs=0.008)


PLANTED = {
    ("trust-embedded", "sender"): {
        "response_noise": NOISE,
        "lying_aversion": Prior("LogNormal", mu=-0.3, sigma=0.6),
        "expected_trust": Prior("LogitNormal", mu=1.0, sigma=0.01),
    },
    ("trust-embedded", "receiver"): {
        "response_noise": NOISE,
        "trust": Prior("LogitNormal", mu=0.5, sigma=0.7),
    },
    ("level-k", "sender"): {
        "response_noise": NOISE,
        "level": Prior("Fixed", shares=[0.2, 0.5, 0.2, 0.1]),
    },
    ("level-k", "receiver"): {
        "response_noise": NOISE,
        "level": Prior("Fixed", shares=[0.2, 0.5, 0.2, 0.1]),
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["trust-embedded", "level-k"])
def test_a_fit_to_a_dozen_people_tells_what_was_planted(name):
    slider = IntervalGame(0, 100, {"Small": 5, "Medium": 20, "Large": 40}, step=1)
    players = {role: model(name, role, slider, priors=PLANTED[name, role]) for role in ROLES}
    made = simulate(slider, **players, subjects=12, rounds=21, seed=3)
    trials = trials_from_frame(made.trials, slider)
    sampling = Sampling(draws=300, tune=300, chains=2, seed=1)
    for role in ROLES:
        found = fit(model(name, role, slider), trials, sampling, progress=False)
        assert found.gate.checks[0].value < 1.1  # R-hat

        def away(parameter, planted, found=found):
            values = found.posterior[parameter]
            gap = values.mean(("chain", "draw")) - planted
            return float(abs(gap / values.std(("chain", "draw"))).max())

        assert away("response_noise_mu", np.log(0.08)) < 3
        if name == "level-k":
            true = made.parameters.query("role == @role and parameter == 'level'")["value"]
            played = np.bincount(true.astype(int), minlength=4) / 12
            assert abs(found.posterior["level_share"].mean(("chain", "draw")) - played).max() < 0.2
        elif role == "sender":
            assert away("lying_aversion_mu", -0.3) < 3
            assert away("expected_trust_mu", 1.0) < 3
        else:
            assert away("trust_mu", 0.5) < 3
        # And what it replicates is what was played.
        check = predictive_check(found.draws(100), "posterior", 1).shift
        assert check["observed"].between(check["lower"] - 1, check["upper"] + 1).all()
