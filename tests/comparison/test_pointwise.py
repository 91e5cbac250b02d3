"""Scores of trials: folding is exact, and types are summed out as enumeration does."""

import sys

import arviz as az
import numpy as np
import pytest
import xarray as xr
from building import natural_names
from loops import TRIALS as TRIALS_OF, log_mean, type_logs, type_weights
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison import pointwise, waic
from trustbayes.models import LevelK, TrustEmbedded, model
from trustbayes.models.draws import cell_log_likelihood, type_probabilities
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.trust_embedded.finite import receiver_utility

TRIALS = small_trials()


def softmax(values):
    weights = np.exp(values - values.max())
    return weights / weights.sum()


def trial_by_trial_level_k(fit):
    """log p(trial | the subject's other trials, draw), by enumeration of levels, in loops."""
    game, cells = fit.game, fit.units
    table = fit.draws().data
    rows = TRIALS.table
    tables = {bias: level_tables(game, bias) for bias in cells.biases}
    found = np.empty((table.sizes["sample"], len(rows)))
    for draw in range(found.shape[0]):
        share = table["level_share"].to_numpy()[draw]
        logs = np.empty((len(rows), 4))
        for i, row in enumerate(rows.itertuples()):
            precision = float(table["response_precision"].sel(subject=row.sender).to_numpy()[draw])
            for k in range(4):
                utility = tables[row.bias].sender_utility[k][int(row.state) - 1] / game.scale
                logs[i, k] = np.log(softmax(precision * utility)[int(row.message) - 1])
        for i, row in enumerate(rows.itertuples()):
            mine = np.flatnonzero((rows["sender"] == row.sender).to_numpy())
            others = [j for j in mine if j != i]
            whole = sum(share[k] * np.exp(logs[mine, k].sum()) for k in range(4))
            rest = sum(share[k] * np.exp(logs[others, k].sum()) for k in range(4))
            found[draw, i] = np.log(whole / rest)
    return found


def unfolded(fit):
    return cell_log_likelihood(fit.draws())[:, fit.units.trial_cell]


def test_level_k_conditional_densities_equal_enumeration():
    fit = synthetic_fit(LevelK("sender"), TRIALS, draws=4)
    np.testing.assert_allclose(unfolded(fit), trial_by_trial_level_k(fit), atol=1e-9)


def test_trust_embedded_densities_equal_a_loop_over_trials():
    fit = synthetic_fit(TrustEmbedded("receiver"), TRIALS, draws=4)
    data, expected = fit.draws().data, np.empty((8, len(TRIALS.table)))
    for i, row in enumerate(TRIALS.table.itertuples()):
        at = {"subject": row.receiver, "treatment": row.treatment}
        trust = data["trust"].sel(at).to_numpy()
        precision = data["response_precision"].sel(subject=row.receiver).to_numpy()
        for draw in range(8):
            utility = receiver_utility(fit.game, row.bias, np.array(trust[draw]))
            chances = softmax(precision[draw] * utility[int(row.message) - 1] / fit.game.scale)
            expected[draw, i] = np.log(chances[int(row.action) - 1])
    np.testing.assert_allclose(unfolded(fit), expected, atol=1e-9)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter")  # random draws are no posterior
@pytest.mark.parametrize("name", ["trust-embedded", "level-k"])
def test_scores_by_cell_equal_those_trial_by_trial(name):
    fit = synthetic_fit(model(name, "sender"), TRIALS, draws=200)
    point, logs = pointwise(fit), unfolded(fit)
    tree = xr.DataTree.from_dict(
        {
            "posterior": fit.posterior[
                [n for n, a in fit.posterior.data_vars.items() if "subject" not in a.dims]
            ],
            "log_likelihood": xr.Dataset(
                {"y": (("chain", "draw", "trial"), logs.reshape(2, 200, -1))}
            ),
        }
    )
    direct = az.loo(tree, pointwise=True)
    np.testing.assert_allclose(point.loo, direct.elpd_i.to_numpy(), atol=1e-9)
    np.testing.assert_allclose(point.pareto_k, direct.pareto_k.to_numpy(), atol=1e-9)
    elpd, p = waic(logs)
    np.testing.assert_allclose(point.waic, elpd, atol=1e-9)
    np.testing.assert_allclose(point.p_waic, p, atol=1e-9)


def test_level_probabilities_equal_bayes_rule_in_loops():
    fit = synthetic_fit(LevelK("receiver", max_level=2), TRIALS, draws=4)
    data, found = fit.draws().data, type_probabilities(fit.draws())
    for s, subject in enumerate(fit.units.subjects):
        rows = TRIALS.table[TRIALS.table["receiver"] == subject]
        for draw in range(8):
            weight = data["level_share"].to_numpy()[draw].copy()
            precision = float(data["response_precision"].sel(subject=subject)[draw])
            for row in rows.itertuples():
                tables = level_tables(fit.game, row.bias, max_level=2)
                for k in range(3):
                    utility = tables.receiver_utility[k][int(row.message) - 1] / fit.game.scale
                    weight[k] *= softmax(precision * utility)[int(row.action) - 1]
            np.testing.assert_allclose(found[draw, s], weight / weight.sum(), atol=1e-9)


def test_a_density_that_no_parameter_bears_on_is_its_own_score():
    # With two states the prior's best replies pay the same: babbling receivers toss a coin.
    trials = small_trials(states=2)
    point = pointwise(synthetic_fit(model("babbling", "receiver"), trials))
    np.testing.assert_allclose(point.loo, np.log(0.5))
    np.testing.assert_allclose(point.waic, np.log(0.5))
    assert point.unreliable == 0


@pytest.mark.parametrize("name", ["trust-embedded", "level-k"])
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_scores_of_points_are_those_of_the_trials_in_their_order(name, role):
    trials = TRIALS_OF["forecast"]
    fit = synthetic_fit(model(name, role, trials.game), trials, draws=30)
    data, names = fit.draws().data, natural_names(fit.model)
    dims = {one: data[one].dims[1:] for one in names}
    owner = trials.table[role].to_numpy()
    logs = np.empty((60, len(owner)))
    for draw in range(60):
        point = {one: data[one].to_numpy()[draw] for one in names}
        of_types, shares = type_logs(fit.model, trials, point, dims), type_weights(fit.model, point)
        for row in range(len(owner)):
            mine = owner == owner[row]
            whole = log_mean(shares, of_types[mine].sum(axis=0))
            others = log_mean(shares, of_types[mine].sum(axis=0) - of_types[row])
            logs[draw, row] = whole - others
    point = pointwise(fit)
    elpd, p = waic(logs)
    np.testing.assert_allclose(point.waic, elpd, atol=1e-7)
    np.testing.assert_allclose(point.p_waic, p, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(point.loo + point.p_loo, elpd + p, atol=1e-7)
    assert [fit.units.subjects[s] for s in point.subject] == owner.tolist()


@pytest.mark.parametrize("model", [TrustEmbedded("receiver"), LevelK("sender")])
def test_some_people_at_a_time_score_as_all_together(model, monkeypatch):
    whole = pointwise(synthetic_fit(model, TRIALS, draws=50))
    again = synthetic_fit(model, TRIALS, draws=50)
    parts = list(again.draws().parts(cells=5))
    assert len(parts) > 1
    assert (sum(trials for _, trials in parts) == 1).all()
    module = sys.modules["trustbayes.comparison.pointwise"]
    monkeypatch.setattr(module, "_BUDGET", 8 * 100 * 5)  # five cells of 100 draws
    split = pointwise(again)
    for name in ("loo", "waic", "p_loo", "p_waic", "pareto_k"):
        np.testing.assert_allclose(getattr(split, name), getattr(whole, name), rtol=1e-12)
    assert (split.subject == whole.subject).all()
