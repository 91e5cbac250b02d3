"""Trust over the rounds and after one lie, against closed forms and loops."""

import numpy as np
import pytest
from priorfit import prior_fit

import trustbayes as tb
from trustbayes.theories.learning.trust import moved_trust


def logit(share):
    return np.log(share) - np.log1p(-share)


@pytest.fixture(scope="module")
def trials():
    data = tb.bundled("simulated-learning")
    return tb.read_trials(data.trials, data.game)


@pytest.fixture(scope="module")
def shift(trials):
    return prior_fit(tb.TrustEmbedded("receiver", learning="shift"), trials, tb.Sampling())


def test_the_path_after_one_lie_is_that_of_the_filter(shift):
    """s(t) = sum of memory^(t-1-j) times the gain of round j; three rounds before the lie."""
    after = tb.after_one_lie(shift, draws=20)
    data = shift.draws(20).data
    memory, good, bad = (data[n].to_numpy() for n in ("memory", "gain_good", "gain_bad"))
    static = logit(data["trust"].to_numpy()[:, :, 0])  # draws, subjects
    state, without, means, others = 0.0, 0.0, [], []
    for number in range(24):
        means.append((1 / (1 + np.exp(-static - np.reshape(state, (-1, 1))))).mean(axis=1))
        others.append((1 / (1 + np.exp(-static - np.reshape(without, (-1, 1))))).mean(axis=1))
        state = memory * state + (-bad if number == 3 else good)
        without = memory * without + good
    means, others = np.array(means), np.array(others)
    np.testing.assert_allclose(after.path["mean"], means.mean(axis=1), atol=1e-10)
    np.testing.assert_allclose(after.path["without"], others.mean(axis=1), atol=1e-10)
    assert after.path["round"].tolist() == list(range(-3, 21))
    [fall] = after.fall.to_dict("records")
    lost = others - means
    assert fall["before"] == pytest.approx(means[3].mean())
    assert fall["depth"] == pytest.approx(lost[4].mean())
    assert fall["moves"] == (lost[4] > 0).mean()
    halves = []
    for draw in np.flatnonzero(lost[4] > 0):
        there = [t for t in range(20) if lost[4 + t, draw] <= lost[4, draw] / 2]
        halves.append(there[0] if there else np.inf)
    assert fall["back"] == np.isfinite(halves).mean()
    assert fall["half"] in halves
    assert (
        np.mean(np.array(halves) < fall["half"]) <= 0.5 <= np.mean(np.array(halves) <= fall["half"])
    )


def test_depth_after_one_lie_is_that_of_a_markov_chain(trials):
    fit = prior_fit(tb.LevelK("receiver", learning="depth"), trials, tb.Sampling())
    after = tb.after_one_lie(fit, draws=5)
    draws = fit.draws(5)
    want = []
    for draw in range(5):
        up, down = (float(draws.data[name][draw]) for name in ("climb", "fall"))
        share, path = draws.shares[draw, 0], []
        for number in range(24):
            path.append(share @ np.arange(4))
            moves = np.eye(4)
            for level in range(4):
                goal = min(level + 1, 3) if number == 3 else max(level - 1, 0)
                chance = up if number == 3 else down
                moves[level, level] -= chance
                moves[level, goal] += chance
            share = share @ moves
        want.append(path)
    np.testing.assert_allclose(after.path["mean"], np.mean(want, axis=0), atol=1e-10)
    assert (after.name, after.fall["depth"].item() > 0) == ("level", True)


def test_trust_over_rounds_is_the_trust_of_the_trials(shift, trials):
    """With one treatment every trial is played in it."""
    moved = tb.trust_over_rounds(shift, trials, draws=10)
    draws = shift.draws(10)
    trust = moved_trust(
        draws.values(slice(None)), shift.model.resolve_conventions(shift.game), "trust"
    )
    rounds = trials.table["round"].to_numpy()
    want = [trust[:, rounds == number].mean() for number in moved.population["round"]]
    np.testing.assert_allclose(moved.population["mean"], want, atol=1e-12)
    assert len(moved.people) == len(trials.table)
    np.testing.assert_allclose(moved.people["mean"], trust.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("model", [tb.TrustEmbedded("sender"), tb.LevelK("receiver")])
def test_without_learning_nothing_moves(trials, model):
    fit = prior_fit(model, trials, tb.Sampling())
    moved = tb.trust_over_rounds(fit, trials, draws=10)
    assert moved.population["mean"].std() < 1e-12
    with pytest.raises(tb.InputError, match="no learning"):
        tb.after_one_lie(fit)


def test_models_without_trust_or_levels_are_refused(trials):
    fit = prior_fit(tb.FullTrust("receiver"), trials, tb.Sampling())
    with pytest.raises(tb.InputError, match="neither"):
        tb.trust_over_rounds(fit, trials)
