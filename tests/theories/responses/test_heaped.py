"""Answers that heap at round numbers: their density, draws, slopes, information, and a fit."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import pytest
from markets import PYTHON
from scipy import stats
from scipy.special import logsumexp

import trustbayes as tb
from trustbayes.errors import InputError
from trustbayes.games import IntervalGame
from trustbayes.models import FullTrust, LevelK, TrustEmbedded, Values
from trustbayes.simulation.simulate import simulate
from trustbayes.theories.responses.censored import CensoredNoise
from trustbayes.theories.responses.heaped import HeapedNoise, heaped
from trustbayes.theories.responses.noises import NormalNoise, StudentNoise
from trustbayes.trials.table import trials_from_frame

NOISES = {"normal": (NormalNoise(), stats.norm()), "student-t": (StudentNoise(), stats.t(4))}
EITHER = pytest.mark.parametrize("name", NOISES)

# A slider from -20 to 100 in whole steps, people who round to 5

GAME = IntervalGame(-20, 100, {"B": 5, "A": 20}, step=1, round_to=5)
DRAWS, TYPES = 4, 3


def trials():
    rng = np.random.default_rng(4)
    people = [("s1", "A"), ("s2", "B"), ("s1", "B"), ("s3", "A")] * 6
    frame = pd.DataFrame(people, columns=["sender", "treatment"])
    frame["receiver"] = [f"r{number % 3}" for number in range(len(frame))]
    frame["round"] = np.arange(len(frame))
    for column in ("state", "message", "action"):
        frame[column] = rng.integers(-19, 100, len(frame))
    # Multiples and ends in an order of their own, among the others.
    frame.loc[[2, 6, 11, 12], ["message", "action"]] = [[0, 95], [-15, 50], [40, 5], [60, -10]]
    frame.loc[[0, 7, 20], ["message", "action"]] = 100
    frame.loc[[1, 9, 13], ["message", "action"]] = -20
    return trials_from_frame(frame, GAME)


TRIALS = trials()


def setting(typed=False, draws=DRAWS, seed=6):
    """Units of the senders, answers, and values of noise and of rounding."""
    units, rng = TRIALS.fold("sender"), np.random.default_rng(seed)
    lead = () if draws is None else (draws,)
    answer = rng.uniform(-30, 110, (*lead, *((TYPES,) if typed else ()), units.n_trials))
    arrays = {
        "response_noise": rng.uniform(0.02, 0.6, (*lead, 3, 2)),
        "rounding": rng.uniform(0.05, 0.95, (*lead, 3)),
    }
    dims = {"response_noise": ("subject", "treatment"), "rounding": ("subject",)}
    return units, answer, Values(arrays, dims, units)


def rule(name="normal", game=GAME):
    return heaped("sender")(game, {"noise": name, "heaping": True})


def log_of_answer(exact, answer, best, sigma, rounding, game=GAME):
    """By plain SciPy: log density of an answer inside the range, log probability of an end."""
    sigma = math.hypot(sigma, game.step / 8)
    z, half_step, half_round = ((answer - best) / sigma, game.step / 2, game.round_to / 2)
    if answer == game.lowest:
        parts = [exact.logcdf(z + half / sigma) for half in (half_step, half_round)]
    elif answer == game.highest:
        parts = [exact.logsf(z - half / sigma) for half in (half_step, half_round)]
    else:
        parts = []
        for half in (half_step, half_round):
            ends = [z - half / sigma, z + half / sigma]
            logs = exact.logcdf(ends[::-1]) if z < 0 else exact.logsf(ends)
            parts.append(logsumexp(logs, b=[1, -1]) - math.log(game.step))
        if answer % game.round_to:
            return parts[0] + math.log1p(-rounding)
    return logsumexp(parts, b=[1 - rounding, rounding])


def row_by_row(name, answer, noise, rounding):
    """Log densities of shape (trials,) or (trials, types), for one draw."""
    units, rows = TRIALS.fold("sender"), []
    for i, row in enumerate(TRIALS.table.to_dict("records")):
        who = units.subjects.index(row["sender"])
        sigma = 60 * noise[who, units.treatments.index(row["treatment"])]
        given = (sigma, rounding[who])
        best = answer[..., i]
        logs = [
            log_of_answer(NOISES[name][1], row["message"], b, *given) for b in np.atleast_1d(best)
        ]
        rows.append(logs if best.ndim else logs[0])
    return np.array(rows)


CASES = pytest.mark.parametrize(
    ("name", "typed"), [(name, typed) for name in NOISES for typed in (False, True)]
)


@CASES
def test_cell_logs_equal_the_trials_one_by_one(name, typed):
    units, answer, values = setting(typed)
    logs = rule(name).cell_logs(units, answer, values, typed)
    assert logs.shape == (DRAWS, units.n_trials, *((TYPES,) if typed else ()))
    for draw in range(DRAWS):
        of_draw = (values.arrays[key][draw] for key in ("response_noise", "rounding"))
        np.testing.assert_allclose(logs[draw], row_by_row(name, answer[draw], *of_draw), rtol=1e-9)


@CASES
def test_parts_of_the_likelihood_are_those_of_the_subjects(name, typed):
    units, answer, values = setting(typed)
    logs, subject = rule(name).log_likelihood(units, answer, values, typed)
    by_trial = rule(name).cell_logs(units, answer, values, typed)
    assert logs.shape == by_trial.shape
    for who in range(len(units.subjects)):
        expected = by_trial[:, units.trial_subject == who].sum(axis=1)
        np.testing.assert_allclose(logs[:, subject == who].sum(axis=1), expected, rtol=1e-12)


@EITHER
def test_logs_of_units_are_sums_over_their_trials_on_a_grid(name):
    """Of answers, noise and rounding, each along an axis of its own."""
    units, answer, values = setting()
    noise, rounding = values.arrays["response_noise"], values.arrays["rounding"]
    grid = {"response_noise": noise[:, None, None], "rounding": rounding[:, None]}
    logs = rule(name).unit_logs(units, answer[:2], Values(grid, values.dims, units))
    assert logs.shape == (DRAWS, DRAWS, 2, units.unit_subject.size)
    for i, j, k in np.ndindex(logs.shape[:3]):
        by_row = row_by_row(name, answer[k], noise[i], rounding[j])
        expected = np.bincount(units.trial_unit, weights=by_row)
        np.testing.assert_allclose(logs[i, j, k], expected, rtol=1e-9)


def everywhere(game, best, sigma, rounding, name):
    """All answers that can be recorded, units of them, and their log densities."""
    units = replace(
        TRIALS.fold("sender"),
        trial_choice=(every := np.linspace(-20, 100, round(120 / game.step) + 1)),
        trial_unit=np.zeros(every.size, dtype=int),
    )
    arrays = {"response_noise": np.array(sigma / 60), "rounding": np.array(rounding)}
    values = Values(arrays, {"response_noise": (), "rounding": ()}, units)
    logs = rule(name, game).cell_logs(units, np.full(every.size, best), values, typed=False)
    return every, logs, units, values


@EITHER
@pytest.mark.parametrize("best", [-25.0, 31.7, 97.0])
@pytest.mark.parametrize(("step", "round_to"), [(1, 5), (0.5, 10), (0.1, 0.4)])
def test_all_recorded_answers_together_have_the_probability_one(name, best, step, round_to):
    game = IntervalGame(-20, 100, {"B": 5}, step=step, round_to=round_to)
    for sigma in (12.0, 0.1):
        _, logs, _, _ = everywhere(game, best, sigma, 0.35, name)
        total = np.exp(logs[[0, -1]]).sum() + step * np.exp(logs[1:-1]).sum()
        assert total == pytest.approx(1, abs=1e-11)


@EITHER
def test_nobody_rounding_is_the_noise_alone_and_everybody_leaves_multiples_only(name):
    units, answer, values = setting()
    without = CensoredNoise(NOISES[name][0], -20.0, 100.0, 60.0, 1.0)
    noise = {"response_noise": values.arrays["response_noise"]}
    expected = without.cell_logs(units, answer, Values(noise, values.dims, units), typed=False)
    never, always = (
        Values({**noise, "rounding": np.full((DRAWS, 3), p)}, values.dims, units) for p in (0.0, 1)
    )
    logs = rule(name).cell_logs(units, answer, never, typed=False)
    np.testing.assert_allclose(logs, expected, rtol=1e-12, atol=1e-12)
    logs = rule(name).cell_logs(units, answer, always, typed=False)
    multiple = units.trial_choice % 5 == 0
    assert (logs[:, ~multiple] < -600).all()
    # What is left is all there is: the multiples inside, a step each, and the ends.
    every, logs, _, _ = everywhere(GAME, 31.7, 3.0, 1.0, name)
    mass = np.exp(logs)
    assert mass[every % 5 == 0].sum() == pytest.approx(1, abs=1e-12)


# Slopes


def symbolic_logs(name, units, typed):
    """The summed likelihood and its slopes, compiled, of answers, noise and rounding."""
    best = pt.tensor("best", shape=(None,) * (1 + typed))
    noise, rounding = pt.dmatrix("noise"), pt.dvector("rounding")
    dims = {"response_noise": ("subject", "treatment"), "rounding": ("subject",)}
    values = Values({"response_noise": noise, "rounding": rounding}, dims, units)
    logs, _ = rule(name).log_likelihood(units, best, values, typed)
    given = [best, noise, rounding]
    slopes = pytensor.grad(logs.sum(), given, disconnected_inputs="ignore")
    return pytensor.function(given, [logs, *slopes], mode=PYTHON)


@CASES
def test_pytensor_is_numpy_and_its_slopes_are_differences(name, typed):
    units, answer, values = setting(typed, draws=None)
    given = [answer, values.arrays["response_noise"], values.arrays["rounding"]]
    logs, *slopes = symbolic_logs(name, units, typed)(*given)
    expected, _ = rule(name).log_likelihood(units, answer, values, typed)
    np.testing.assert_allclose(logs, expected, rtol=1e-10)

    def total(moved):
        at = Values({"response_noise": moved[1], "rounding": moved[2]}, values.dims, units)
        return rule(name).log_likelihood(units, moved[0], at, typed)[0].sum()

    for which, step in enumerate((1e-3, 1e-6, 1e-6)):
        for place in list(np.ndindex(given[which].shape))[:12]:
            ends = []
            for sign in (1, -1):
                moved = [array.copy() for array in given]
                moved[which][place] += sign * step
                ends.append(total(moved))
            difference = (ends[0] - ends[1]) / (2 * step)
            assert slopes[which][place] == pytest.approx(difference, rel=1e-4, abs=1e-4)


@CASES
def test_answers_may_be_data_of_a_compiled_model(name, typed):
    """Which of them are multiples is then found out at every evaluation."""
    units, answer, values = setting(typed, draws=None)
    choice, best = pt.dvector("choice"), pt.as_tensor(answer)
    logs = rule(name).trial_logs(replace(units, trial_choice=choice), best, values, typed)
    compiled = pytensor.function([choice], logs, mode=PYTHON)
    rng = np.random.default_rng(2)
    for choices in (units.trial_choice, rng.permutation(units.trial_choice)):
        moved = replace(units, trial_choice=choices)
        expected = rule(name).trial_logs(moved, answer, values, typed)
        np.testing.assert_allclose(compiled(choices), expected, rtol=1e-10)


@EITHER
@pytest.mark.parametrize("away", [40.0, 1e4])
def test_far_from_the_best_choice_likelihood_and_slopes_are_those_of_the_tails(name, away):
    """Multiples inside and both ends, so many deviations from what is best."""
    units = replace(TRIALS.fold("sender"), trial_choice=np.array([50.0, 100.0, -20.0, 51.0]))
    units = replace(units, trial_unit=np.array([0, 0, 0, 0]))
    sigma, rounding = 0.6, 0.3
    answer = units.trial_choice + sigma * away * np.array([1.0, -1.0, 1.0, -1.0])
    noise = np.full((3, 2), sigma / 60)
    logs, by_best, by_noise, by_rounding = symbolic_logs(name, units, typed=False)(
        answer, noise, np.full(3, rounding)
    )
    arrays = {"response_noise": noise, "rounding": np.full(3, rounding)}
    dims = {"response_noise": ("subject", "treatment"), "rounding": ("subject",)}
    numpy_logs, _ = rule(name).log_likelihood(units, answer, Values(arrays, dims, units), False)
    np.testing.assert_allclose(logs, numpy_logs, rtol=1e-10)
    for slopes in (by_best, by_noise, by_rounding):
        assert np.isfinite(slopes).all()
    if away > 40:
        return  # SciPy's tails end before
    order = [3, 0, 1, 2]  # parts: off multiples, on them, upper end, lower end
    exact = NOISES[name][1]
    at = np.array([log_of_answer(exact, c, b, sigma, rounding) for c, b in zip(
        units.trial_choice, answer, strict=True)])  # fmt: skip
    np.testing.assert_allclose(logs, at[order], rtol=1e-9)
    step = 1e-4
    moved = [
        [log_of_answer(exact, c, b + sign * step, sigma, rounding) for sign in (1, -1)]
        for c, b in zip(units.trial_choice, answer, strict=True)
    ]
    differences = np.subtract(*np.transpose(moved)) / (2 * step)
    np.testing.assert_allclose(by_best, differences, rtol=1e-5)


# Draws


@EITHER
def test_drawn_answers_have_the_densitys_probabilities(name):
    copies, noise, rounding = 40_000, 7.0, 0.4
    units = replace(
        TRIALS.fold("sender"), trial_choice=np.zeros(3), trial_unit=np.zeros(3, dtype=int)
    )
    dims = {"response_noise": ("subject", "treatment"), "rounding": ("subject",)}
    arrays = {
        "response_noise": np.full((copies, 3, 2), noise / 60),
        "rounding": np.full((copies, 3), rounding),
    }
    best = np.array([-18.0, 43.2, 96.0])
    values, rng = Values(arrays, dims, units), np.random.default_rng(9)
    meant = rule(name).choose(units, np.tile(best, (copies, 1)), values, None, rng)
    answers = GAME.recorded(meant, -20, 100)
    assert answers.min() == -20
    assert answers.max() == 100
    exact, counts, chances = NOISES[name][1], [], []
    for trial, centre in enumerate(best):
        for place in range(-20, 101):
            log = log_of_answer(exact, float(place), centre, noise, rounding)
            chances.append(math.exp(log))
            counts.append((answers[:, trial] == place).sum())
    counts, chances = np.array(counts), np.array(chances)
    assert chances.reshape(3, -1).sum(axis=1) == pytest.approx(1, abs=1e-9)
    # 363 counts: five standard errors, and two for the discreteness of rare ones, hold all of
    # them in 999 of 1,000 seeds.
    error = np.sqrt(copies * chances * (1 - chances))
    assert (abs(counts - copies * chances) <= 5 * error + 2).all()
    multiples = np.tile(np.arange(-20, 101) % 5 == 0, 3)
    share, chance = counts[multiples].sum() / 3 / copies, chances[multiples].sum() / 3
    assert share == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / 3 / copies))


def test_the_noise_drawn_is_that_of_people_who_do_not_round():
    units, answer, values = setting()
    never = Values({**values.arrays, "rounding": np.zeros((DRAWS, 3))}, values.dims, units)
    without = CensoredNoise(NormalNoise(), -20.0, 100.0, 60.0, 1.0)
    drawn, plain = (
        each.draw(units, answer, never, None, np.random.default_rng(3))
        for each in (rule(), without)
    )
    np.testing.assert_array_equal(drawn, plain)


# Information and divergence, which are approximate: rounding as a larger variance


@pytest.mark.parametrize("rounding", [0.1, 0.6])
def test_information_is_nearly_the_expected_squared_score(rounding):
    """Of the centre, of the log of the noise, and of the log odds of rounding, far from the ends.

    On a fine step hardly anybody is at a multiple by chance, so that it is known who rounds.
    """
    game = IntervalGame(-20, 100, {"B": 5}, step=0.05, round_to=5)
    step, sigma, logit = 1e-3, 4.0, math.log(rounding / (1 - rounding))

    def moved(which, t):
        best = 41.3 + (2.0 * t if which == "best" else 0)
        wide = sigma * math.exp(t if which == "noise" else 0)
        share = 1 / (1 + math.exp(-(logit + (t if which == "rounding" else 0))))
        every, logs, units, values = everywhere(game, best, wide, share, "normal")
        return np.full(every.size, best), logs, units, values

    for which, allowed in (("best", 0.05), ("noise", 0.15), ("rounding", 0.05)):
        up, down, middle = (moved(which, t) for t in (step, -step, 0.0))
        score = (up[1] - down[1]) / (2 * step)
        expected = (0.05 * np.exp(middle[1]) * score**2)[1:-1].sum()
        units = up[2]
        told = rule("normal", game).information(
            units, (up[0], up[3]), (down[0], down[3]), step, typed=False
        )
        assert told[0] / units.n_trials == pytest.approx(expected, rel=allowed)


def test_divergence_is_nearly_the_expected_log_likelihood_ratio():
    game = IntervalGame(-20, 100, {"B": 5}, step=0.05, round_to=5)
    for rounding in (0.0, 0.5, 0.9):
        every, logs, units, values = everywhere(game, 41.3, 4.0, rounding, "normal")
        _, others, _, _ = everywhere(game, 41.9, 4.0, rounding, "normal")
        expected = (0.05 * np.exp(logs) * (logs - others))[1:-1].sum()
        best, other = (np.full(every.size, centre) for centre in (41.3, 41.9))
        told = rule("normal", game).divergence(units, best, other, values)
        assert told[0] / units.n_trials == pytest.approx(expected, rel=0.03)


# Models


def test_heaping_needs_a_round_number_and_says_so_before_anything_is_sampled():
    game = IntervalGame(-20, 100, {"B": 5, "A": 20}, step=1, name="slider")
    other = trials_from_frame(TRIALS.table, game)
    model = LevelK("receiver", game, heaping=True)
    expected = (
        "game slider, key round_to: expected a value in the game file: heaping=True of level-k, "
        "receiver, needs it"
    )
    for ask in (
        lambda: tb.fit(model, other),
        lambda: model.build(other),
        lambda: model.describe(game),
        lambda: tb.analyse(other, models=[model]),
        lambda: simulate(
            game, receiver=model, sender=LevelK("sender", game), subjects=2, rounds=2, seed=1
        ),
    ):
        with pytest.raises(InputError) as caught:
            ask()
        assert str(caught.value) == expected


def test_without_heaping_there_is_no_rounding_and_the_rule_is_that_of_before():
    model = LevelK("receiver", GAME)
    assert "rounding" not in [p.name for p in model.parameters]
    assert type(model.response(GAME)) is CensoredNoise
    assert type(model.replace(heaping=True).response(GAME)) is HeapedNoise
    with pytest.raises(ValueError, match="prior of 'rounding'"):
        LevelK("receiver", GAME, priors={"rounding": tb.Prior("Beta", alpha=1.0, beta=1.0)})


def test_a_models_formulas_say_how_answers_heap():
    lines = TrustEmbedded("receiver", GAME, heaping=True).describe(GAME).plates.splitlines()
    assert [line.strip() for line in lines[-3:]] == [
        "best action = trust-embedded(message; trust)",
        "meant action ~ Normal(mu=best action, sigma=response_noise × half the interval)",
        "action = nearest multiple of 5 with probability rounding, else meant action; censored at "
        "the ends of its range",
    ]


@pytest.mark.slow
def test_a_fit_finds_how_many_round():
    """Receivers who trust fully and round a third of what they answer."""
    game = IntervalGame(0, 100, {"Small": 5, "Large": 20}, step=1, round_to=10)
    truth = math.log(0.35 / 0.65)
    planted = {
        "rounding": tb.Prior("LogitNormal", mu=truth, sigma=0.4),
        "response_noise": tb.Prior("LogNormal", mu=math.log(0.12), sigma=0.3),
    }
    made = simulate(
        game,
        receiver=FullTrust("receiver", game, heaping=True, priors=planted),
        sender=LevelK("sender", game),
        subjects=24,
        rounds=30,
        seed=3,
    )
    data, model = trials_from_frame(made.trials, game), FullTrust("receiver", game, heaping=True)
    fit = tb.fit(model, data, tb.Sampling(draws=500, chains=2, seed=1), progress=False)
    assert fit.sampling.method == "population"
    draws = fit.posterior["rounding_mu"].to_numpy()
    assert abs(draws.mean() - truth) < 2.5 * draws.std()
    assert draws.std() < 0.3
    people = fit.posterior["rounding"].mean(("chain", "draw")).to_series()
    of_people = made.parameters.query("parameter == 'rounding' and subject != ''")
    gap = people - of_people.set_index("subject")["value"]
    # 30 trials each: an error of about .09, and of all of them together of about .02.
    assert abs(gap).mean() < 0.12
    assert abs(gap.mean()) < 0.06
