"""The check of each treatment left out, on fits that know the planted parameters."""

import numpy as np
import pandas as pd
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes import Policy, counterfactual, model, trials_from_frame, unseen_treatments
from trustbayes.errors import InputError
from trustbayes.games import Feedback, FiniteGame, ForecastGame, Market
from trustbayes.simulation.policies import unseen

TRIALS = small_trials(rounds=20)


@pytest.fixture
def learnt(monkeypatch):
    """Random numbers in the place of fits, and what was to be fitted."""
    tasks = []

    def made(given, folder, executor, progress):
        for at, task in enumerate(given):
            tasks.append(task)
            yield at, synthetic_fit(task.model, task.trials, at + 1, 1, 30)

    monkeypatch.setattr(unseen, "iter_fits", made)
    return tasks


def fits_of(name, trials=TRIALS, draws=4):
    return tuple(
        synthetic_fit(model(name, role, trials.game), trials, 1, 1, draws)
        for role in ("sender", "receiver")
    )


@pytest.mark.parametrize("name", ["trust-embedded", "level-k", "mixture"])
def test_each_treatment_is_left_out_once_and_observed_means_are_those_of_the_table(learnt, name):
    found = unseen_treatments(*fits_of(name), TRIALS, seed=1)
    assert found.table[["role", "treatment"]].to_numpy().tolist() == [
        [role, treatment] for role in ("sender", "receiver") for treatment in ("Low", "High")
    ]
    for task, row in zip(learnt, found.table.to_dict("records"), strict=True):
        assert row["treatment"] not in set(task.trials.table["treatment"])
        assert not any("treatment" in over for over in task.model.varies.values())
        table = TRIALS.table
        for column, rows in (
            ("observed", table["treatment"] == row["treatment"]),
            ("others", table["treatment"] != row["treatment"]),
        ):
            here = table[rows]
            gap = here["message"] - here["state"]
            gap = gap if row["role"] == "sender" else here["message"] - here["action"]
            assert row[column] == pytest.approx(gap.mean())
        assert row["lower"] <= row["predicted"] <= row["upper"]
        assert row["known"] == row["people"] == 4


def test_predictions_are_those_of_a_loop_over_trials(learnt):
    """Known people with their own values, a new one from the population."""
    half = TRIALS.table[(TRIALS.table["sender"] != "s0") | (TRIALS.table["treatment"] == "High")]
    trials = trials_from_frame(half, TRIALS.game)
    found = unseen_treatments(*fits_of("full-trust", trials), trials, seed=1).table
    row = found[(found["role"] == "sender") & (found["treatment"] == "High")].iloc[0]
    assert (row["known"], row["people"]) == (3, 4)
    [task] = [
        task
        for task in learnt
        if task.model.role == "sender" and set(task.trials.table["treatment"]) == {"Low"}
    ]
    at = learnt.index(task)
    fit = synthetic_fit(task.model, task.trials, at + 1, 1, 30)
    posterior = fit.draws().data
    scale = trials.game.scale
    rng = np.random.default_rng(0)
    sums = np.zeros(30)
    here = trials.table[trials.table["treatment"] == "High"]
    table = trials.game.receiver_table
    for draw in range(30):
        new = rng.gamma(
            float(posterior["response_precision_shape"][draw]),
            float(posterior["response_precision_mean"][draw])
            / float(posterior["response_precision_shape"][draw]),
            4000,
        )
        known = posterior["response_precision"].isel(sample=draw)
        for who, state in zip(here["sender"], here["state"], strict=True):
            precision = new if who == "s0" else np.array([float(known.sel(subject=who))])
            utility = table[int(state) - 1] / scale
            chances = np.exp(precision[:, None] * (utility - utility.max()))
            chances /= chances.sum(axis=1, keepdims=True)
            sums[draw] += (chances @ [1, 2, 3]).mean() - state
    # The package draws choices and one new person in each draw: errors of both, five times.
    error = np.hypot(1.0 / np.sqrt(len(here)), 0.3) / np.sqrt(30)
    assert row["predicted"] == pytest.approx((sums / len(here)).mean(), abs=5 * error)


def test_the_check_is_asked_for_by_one_argument(learnt):
    found = counterfactual(*fits_of("level-k"), [Policy("x")], seed=1, check=TRIALS)
    assert found.unseen is not None
    assert len(found.to_dict()["unseen"]) == 4
    assert "of 4 observed means" in found.unseen.text


def test_forecast_sharing_is_checked_by_means_of_reports_and_capacities(learnt):
    game = ForecastGame(treatments={"CLUL": Market(15.0, 25.0), "CHUH": Market(60.0, 75.0)})
    rows = [
        (f"s{i}", f"r{i}", 2 * i + at, name, 10.0 * i, 20.0 * i, 250.0)
        for at, name in enumerate(game.treatments)
        for i in range(1, 4)
    ]
    columns = ["sender", "receiver", "round", "treatment", "state", "message", "action"]
    trials = trials_from_frame(pd.DataFrame(rows, columns=columns), game)
    table = unseen_treatments(*fits_of("trust-embedded", trials), trials, seed=1).table
    senders = table[table["role"] == "sender"]
    assert senders["observed"].tolist() == [20.0, 20.0]
    receivers = table[table["role"] == "receiver"].set_index("treatment")["observed"]
    assert receivers["CLUL"] == pytest.approx(250 + 40 + 25 * 0.6 - 250)


def test_what_cannot_be_checked_is_refused():
    low = trials_from_frame(TRIALS.table[TRIALS.table["treatment"] == "Low"], TRIALS.game)
    with pytest.raises(InputError, match="two or more, to leave one out"):
        unseen_treatments(*fits_of("level-k"), low, seed=1)
    other = small_trials(states=4)
    assert isinstance(other.game, FiniteGame)
    with pytest.raises(InputError, match="of finite game, as the fit"):
        unseen_treatments(*fits_of("level-k"), other, seed=1)


@pytest.mark.parametrize(("name", "rule"), [("trust-embedded", "shift"), ("level-k", "depth")])
def test_people_who_learn_are_predicted_after_what_they_had_been_shown(learnt, name, rule):
    """What was left out has moved them: the answer in each trial is that of a loop over news."""
    trials = small_trials(rounds=20, feedback=Feedback("state"))
    fits = tuple(
        synthetic_fit(model(name, role, trials.game, learning=rule), trials, 1, 1, 4)
        for role in ("sender", "receiver")
    )
    found = unseen_treatments(*fits, trials, seed=1).table
    assert found["known"].tolist() == found["people"].tolist() == [4] * 4
    for task in learnt:  # they learn from all trials, and are fitted to some
        units = task.model.fold(task.trials)
        assert units.n_trials == 40
        assert units.event_subject.size == 80
    assert found["predicted"].between(found["lower"], found["upper"]).all()
    if name == "level-k":
        return
    row = found[(found["role"] == "receiver") & (found["treatment"] == "High")].iloc[0]
    [at] = [
        at
        for at, task in enumerate(learnt)
        if task.model.role == "receiver" and set(task.trials.table["treatment"]) == {"Low"}
    ]
    # `foreseen` counts the tasks of each role from 0.
    fit = synthetic_fit(learnt[at].model, learnt[at].trials, at % 2 + 1, 1, 30)
    data = fit.draws().data
    states, scale = np.array([1.0, 2.0, 3.0]), trials.game.scale
    means = np.zeros(30)
    for draw in range(30):
        own = {
            n: data[n].isel(sample=draw) for n in data if "_" not in n or n[:4] in ("gain", "resp")
        }
        for who, rows in trials.table.groupby("receiver"):
            of = {
                n: float(a.sel(subject=who) if "subject" in a.dims else a)
                for n, a in own.items()
                if a.ndim <= 1
            }
            moved = 0.0
            for trial in rows.sort_values("round").to_dict("records"):
                alpha = 1 / (1 + np.exp(-(np.log(of["trust"] / (1 - of["trust"])) + moved)))
                possible = states[states <= trial["message"]]
                believed = alpha * trial["message"] + (1 - alpha) * possible
                worth = [(110 - 20 * abs(believed - a) ** 1.4).mean() / scale for a in states]
                chances = np.exp(of["response_precision"] * (np.array(worth) - max(worth)))
                chances /= chances.sum()
                if trial["treatment"] == "High":
                    means[draw] += trial["message"] - chances @ states
                bad = trial["message"] != trial["state"]
                moved = of["memory"] * moved + (-of["gain_bad"] if bad else of["gain_good"])
    # Choices are drawn once in each of 30 draws: five standard errors of that.
    error = 1.0 / np.sqrt(30 * row["trials"])
    assert row["predicted"] == pytest.approx((means / row["trials"]).mean(), abs=5 * error)
