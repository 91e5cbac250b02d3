"""What a fit keeps of itself."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from synthetic import small_trials, synthetic_fit

from trustbayes.errors import InputError
from trustbayes.inference.gate import Check, Gate
from trustbayes.models import FullTrust


@pytest.fixture
def made():
    return synthetic_fit(FullTrust("sender"), small_trials(), chains=2, draws=10)


def test_work_is_done_once_for_a_fit_and_what_else_it_needs(made):
    asked = []

    def work(fit, number):
        asked.append((fit, number))
        return number + fit.posterior.sizes["draw"]

    assert [made.once(work, number) for number in (1, 2, 1)] == [11, 12, 11]
    assert asked == [(made, 1), (made, 2)]
    other = replace(made, posterior=made.posterior.isel(draw=slice(4)))
    assert other.once(work, 1) == 5
    assert made.once(work, 1) == 11


def test_a_thinned_fit_has_evenly_spaced_draws_of_each_chain(made):
    few = made.thinned(8)
    assert few.posterior.sizes["chain"] == 2
    xr.testing.assert_identical(few.posterior, made.posterior.isel(draw=[0, 3, 6, 9]))
    assert made.thinned(0) is made
    assert made.thinned(20) is made
    assert made.thinned(1).posterior.sizes["draw"] == 1


def test_a_gate_says_in_plain_values_what_it_checks():
    checks = (
        Check("R-hat", np.float64(1.2), 1.01, True, "trust"),
        Check("E-BFMI", np.nan, 0.3, False),
    )
    said = Gate(checks).to_dict()
    assert said["passed"] is False
    assert [check["value"] for check in said["checks"]] == [1.2, None]
    assert [check["passed"] for check in said["checks"]] == [False, False]
    assert Gate(()).to_dict() == {"passed": True, "checks": []}


@pytest.fixture
def limit():
    """Set the most bytes that a file may have."""
    resource = pytest.importorskip("resource")  # not on Windows
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0.3, 0.999])
def test_a_fit_without_room_is_an_error_and_no_file(made, tmp_path, limit, room):
    whole = made.save(tmp_path / "whole.nc").stat().st_size
    limit(int(room * whole))
    with pytest.raises(InputError, match=r"torn\.nc: found 'File too large', expected a file"):
        made.save(tmp_path / "torn.nc")
    assert [path.name for path in tmp_path.iterdir()] == ["whole.nc"]
