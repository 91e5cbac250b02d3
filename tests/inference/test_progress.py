"""What a running fit shows, and that an interrupted one gives nothing."""

import time
from types import SimpleNamespace

import arviz as az
import numpy as np
import pytest
import xarray as xr

from trustbayes.inference.progress import TimeLeft, Watch, smallest_ess


def chain(finished, divergences=0):
    return SimpleNamespace(finished_draws=finished, divergences=divergences)


def posterior(chains=4, draws=300):
    rng = np.random.default_rng(2)
    steps = rng.standard_normal((chains, draws, 2))
    slow = np.zeros_like(steps)
    for draw in range(1, draws):
        slow[:, draw] = 0.9 * slow[:, draw - 1] + steps[:, draw]
    names = ("chain", "draw", "treatment")
    many = rng.standard_normal((chains, draws, 100))
    return xr.Dataset(
        {
            "trust_mu": (names, slow),
            "response_precision_mean": (("chain", "draw"), steps[..., 0]),
            "trust_own": (("chain", "draw", "subject"), many),
        }
    )


class Sampler:
    """One that runs in the background, as nutpie's does; it raises while it is not finished."""

    def __init__(self, draws, polls=5, failing=None):
        self.draws, self.polls, self.failing, self.cancelled = draws, polls, failing, False

    @property
    def is_finished(self):
        self.polls -= 1
        if self.polls > 0:
            raise TimeoutError("not yet")
        return True

    def inspect(self):
        return {"posterior": SimpleNamespace(to_dataset=lambda: self.draws)}

    def wait(self):
        if self.failing:
            raise self.failing
        return "the draws"

    def cancel(self):
        self.cancelled = True


def test_the_smallest_effective_size_is_that_of_the_slowest_parameter_of_the_population():
    draws = posterior()
    expected = float(az.ess(draws[["trust_mu"]], method="bulk")["trust_mu"].min())
    assert smallest_ess(draws) == pytest.approx(expected)


def test_draws_to_come_and_chains_far_behind_do_not_count():
    draws = posterior()
    behind = draws.copy(deep=True)
    behind["trust_mu"][3, 100:] = np.nan
    behind["trust_mu"][2, 200:] = np.nan
    expected = smallest_ess(draws.isel(chain=[0, 1, 2], draw=slice(200)))
    assert smallest_ess(behind) == pytest.approx(expected)


def test_there_is_nothing_to_say_of_a_few_draws():
    assert np.isnan(smallest_ess(posterior().isel(draw=slice(5))))
    assert np.isnan(smallest_ess(posterior().isel(draw=slice(0))))


def test_the_bar_shows_steps_divergences_and_effective_size(capsys):
    draws = posterior()
    watch = Watch(steps=3200, tune=500, show=True)
    watch.notice([chain(800, divergences=3)] * 4)
    assert watch.wait(Sampler(draws), dimension=10) == "the draws"
    shown = capsys.readouterr().err
    assert "3200/3200" in shown
    assert "divergences: 12" in shown
    assert f"ESS: {smallest_ess(draws):.0f}" in shown


def test_a_clock_that_jumps_changes_nothing_but_the_time_left(capsys, monkeypatch):
    times = iter([0, 5, -4e9, 7, 1e12, -1e12, *range(-5000, 5000)])

    def jumping():
        return float(next(times))

    for clock in ("perf_counter", "monotonic", "time"):
        monkeypatch.setattr(time, clock, jumping)
    draws = posterior()
    watch = Watch(steps=3200, tune=500, show=True)
    watch.notice([chain(800)] * 4)
    assert watch.wait(Sampler(draws, polls=12), dimension=10) == "the draws"
    assert "3200/3200" in capsys.readouterr().err


def test_large_models_are_not_copied_to_be_looked_at(capsys, monkeypatch):
    sampler = Sampler(posterior())
    monkeypatch.setattr(sampler, "inspect", lambda: pytest.fail("copied"))
    watch = Watch(steps=3200, tune=500, show=True)
    watch.notice([chain(800)] * 4)
    watch.wait(sampler, dimension=100_000)
    assert "not shown for so many subjects" in capsys.readouterr().err.replace("\n", " ")


def test_a_quiet_fit_shows_nothing_and_does_not_look(capsys, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("watched"))
    assert Watch(steps=10, tune=5, show=False).wait(Sampler(posterior()), 10) == "the draws"
    assert capsys.readouterr().err == ""


def test_an_interrupted_sampler_is_stopped_and_gives_nothing():
    sampler = Sampler(posterior(), failing=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        Watch(steps=10, tune=5, show=False).wait(sampler, 10)
    assert sampler.cancelled


def test_the_time_left_goes_by_what_pieces_take(monkeypatch):
    clock = iter([0.0, 240.0, 300.0])  # at the start, and at the end of the first two
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    left = TimeLeft([6.0, 1.5, 3.0])
    assert left.after(6.0) == "1 of 3, about 3 min left"
    assert left.after(1.5) == "2 of 3, about 2 min left"
    assert left.after(3.0) == "3 of 3"
