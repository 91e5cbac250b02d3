"""WAIC against ArviZ 0.23, the last that had it."""

import numpy as np
import pytest

from trustbayes.comparison import waic


def stored_log_likelihood() -> np.ndarray:
    """Four chains of 250 draws of 40 observations."""
    rng = np.random.default_rng(20240117)
    logs = rng.normal(-1.2, 0.3, size=(4, 250, 40)) - np.abs(rng.standard_t(4, size=40))
    return logs.round(6).reshape(1000, 40)


def test_waic_equals_that_of_arviz_0_23():
    # arviz 0.23.4: az.waic(data, pointwise=True, scale="log") on the same array.
    elpd, p = waic(stored_log_likelihood())
    assert elpd.sum() == pytest.approx(-83.39221788013252, abs=1e-6)
    assert p.sum() == pytest.approx(3.6104738382418473, abs=1e-6)
    assert np.sqrt(elpd.size * elpd.var()) == pytest.approx(4.1203441062985195, abs=1e-6)
    first = [-1.7749632362649441, -1.9050520236786341, -3.575237697198716]
    np.testing.assert_allclose(elpd[:3], first, atol=1e-6)


def test_without_uncertainty_waic_is_the_log_density():
    elpd, p = waic(np.full((10, 3), np.log(0.25)))
    np.testing.assert_allclose(elpd, np.log(0.25))
    np.testing.assert_allclose(p, 0, atol=1e-12)
