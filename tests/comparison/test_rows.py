"""Sums, differences and weights of models, against ArviZ, brute force and closed forms."""

import arviz as az
import numpy as np
import pytest
import xarray as xr
from arviz_stats.utils import ELPDDataLOO
from scipy import stats

from trustbayes.comparison.rows import score_rows

RNG = np.random.default_rng(4)
SCORES = {name: -2 + 0.4 * RNG.normal(size=60) + up for name, up in (("a", 0), ("b", 0.05))}
SCORES["c"] = SCORES["a"] - 0.3 + 0.1 * RNG.normal(size=60)


def arviz_rows(scores, method):
    """What ArviZ makes of the scores as they are."""
    containers = {
        name: ELPDDataLOO(
            elpd=values.sum(),
            se=1.0,
            p=0.0,
            n_samples=1,
            n_data_points=values.size,
            scale="log",
            warning=False,
            good_k=0.7,
            elpd_i=xr.DataArray(values, dims="unit"),
            pareto_k=xr.DataArray(np.zeros(values.size), dims="unit"),
        )
        for name, values in scores.items()
    }
    return az.compare(containers, method=method, round_to="none")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_rows_are_those_of_arviz():
    rows = score_rows(SCORES)
    for method, column in (("stacking", "weight"), ("BB-pseudo-BMA", "weight_bma")):
        expected = arviz_rows(SCORES, method)
        assert rows.index.tolist() == expected.index.tolist()
        np.testing.assert_allclose(rows[column], expected["weight"], atol=1e-4)
        np.testing.assert_allclose(rows["elpd_diff"], expected["elpd_diff"])
        np.testing.assert_allclose(rows["dse"], expected["dse"])
        # ArviZ says how probable it is that a model is worse, the best having no number.
        np.testing.assert_allclose(1 - rows["other_sign"][1:], expected["p_worse"][1:])


def test_the_probability_of_the_other_sign():
    sure, tie = np.array([-3.0, -3.0]), np.array([-1.0, -2.0])
    rows = score_rows({"best": tie, "same": tie.copy(), "surely worse": sure - 9})
    assert rows["other_sign"].tolist() == [0.5, 0.5, pytest.approx(0.0, abs=1e-30)]
    gap = np.array([1.0, 2.0, -1.5])
    rows = score_rows({"a": np.zeros(3), "b": -gap})
    expected = stats.norm(gap.sum(), np.sqrt(3 * gap.var())).cdf(0)
    assert rows.loc["b", "other_sign"] == pytest.approx(expected)
    same_gap = score_rows({"a": np.zeros(3), "b": np.full(3, -1.0)})  # no spread: no doubt
    assert same_gap["other_sign"].tolist() == [0.5, 0.0]


def test_stacking_has_the_highest_averaged_score():
    rows = score_rows({name: SCORES[name] for name in "ab"})
    grid = np.linspace(0, 1, 10001)[:, None]
    averaged = np.log(grid * np.exp(SCORES["a"]) + (1 - grid) * np.exp(SCORES["b"])).sum(axis=1)
    assert rows.loc["a", "weight"] == pytest.approx(grid[averaged.argmax(), 0], abs=2e-3)


def test_weights_of_densities_that_underflow_are_those_of_their_ratios():
    near = {name: SCORES[name] for name in "ab"}
    far = {name: values - np.linspace(800, 3000, 60) for name, values in near.items()}
    for column in ("weight", "weight_bma"):
        np.testing.assert_allclose(score_rows(far)[column], score_rows(near)[column], atol=1e-4)
    apart = score_rows({"a": np.full(5, -2000.0), "b": np.full(5, -3000.0)})
    assert apart["weight"].tolist() == pytest.approx([1, 0])
    assert apart["weight_bma"].tolist() == pytest.approx([1, 0])


def test_one_model_has_all_the_weight():
    rows = score_rows({"a": np.array([-1.0, -3.0])})
    assert rows.loc["a", ["elpd", "elpd_diff", "dse", "other_sign"]].tolist() == [-4, 0, 0, 0.5]
    assert rows.loc["a", ["weight", "weight_bma"]].tolist() == [1, 1]
