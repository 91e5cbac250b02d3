"""Spikes and noise after recommendations: densities, draws and information."""

import math
from dataclasses import replace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from advice import LINE, advised, units_of
from scipy import integrate, stats

from trustbayes.games import RecommendationGame
from trustbayes.models import Values
from trustbayes.theories.responses.noises import NormalNoise, StudentNoise
from trustbayes.theories.responses.spiked import ChoosingNoise, SpikedNoise

POSITIVE = RecommendationGame(lowest=1, highest=100, unit=10, step=1)
OPEN = RecommendationGame(unit=10, step=0.5)
TWO = RecommendationGame(lowest=0, highest=100, unit=10, step=1, advisers=2)
EXACT = {"normal": stats.norm(), "student-t": stats.t(4)}
NOISE = {"normal": NormalNoise(), "student-t": StudentNoise()}


def values_of(units, sigma, **shares):
    """The same values in all trials; they broadcast against the draws."""
    arrays = {"response_noise": np.asarray(sigma), **{k: np.asarray(v) for k, v in shares.items()}}
    return Values(arrays, dict.fromkeys(arrays, ()), units)


def noisy(game, decision, centre, sigma, exact, log):
    """Density of noise round a centre, written from its definition."""
    at, low, high = decision, game.lowest, game.highest
    inner = (low + game.step / 2, high - game.step / 2)
    if log:
        inner = tuple(map(math.log, inner))
        centre, at = math.log(centre), math.log(at)
    if decision <= low + game.step / 2:
        return exact.cdf((inner[0] - centre) / sigma) / game.step
    if decision >= high - game.step / 2:
        return exact.sf((inner[1] - centre) / sigma) / game.step
    return exact.pdf((at - centre) / sigma) / sigma / (decision if log else 1.0)


def by_hand(game, estimate, messages, decision, keep, follow, density):
    """Density of a decision, spike by spike."""
    total = (1 - keep) * (1 - follow) * density
    if abs(decision - estimate) <= game.step / 2:
        total += keep / game.step
    for message in messages:
        if abs(decision - message) <= game.step / 2:
            total += (1 - keep) * follow / len(messages) / game.step
    return math.log(total)


@pytest.mark.parametrize("game", [LINE, OPEN, TWO, POSITIVE], ids=["line", "open", "two", "log"])
def test_density_is_the_one_by_hand(game):
    # 2,000 random settings over the four games and two noises: beliefs, noise and shares.
    rng = np.random.default_rng(11)
    log = game is POSITIVE
    finite = game if math.isfinite(game.lowest) else replace_ends(game)
    units = units_of(advised(3, people=10, rounds=10, game=finite))
    for kind, exact in EXACT.items():
        rule = SpikedNoise(NOISE[kind], game, log)
        for _ in range(25):
            belief = rng.uniform(2, 98, units.n_trials)
            sigma, keep, follow = rng.uniform(0.3, 3), rng.uniform(), rng.uniform()
            values = values_of(units, sigma, keeping=keep, following=follow)
            answer = np.log(belief) if log else belief
            logs = rule.cell_logs(units, answer, values, typed=False)
            at = rng.integers(units.n_trials, size=10)
            size = sigma if log else sigma * game.unit
            expected = [
                by_hand(
                    game,
                    units.trial_estimate[i],
                    units.trial_messages[i],
                    units.trial_choice[i],
                    keep,
                    follow,
                    noisy(game, units.trial_choice[i], belief[i], size, exact, log),
                )
                for i in at
            ]
            np.testing.assert_allclose(logs[at], expected, rtol=1e-8, atol=1e-8)
            by_unit = np.bincount(units.trial_unit, weights=logs)
            np.testing.assert_allclose(rule.unit_logs(units, answer, values), by_unit)


def replace_ends(game):
    """The same game with ends, for random trials."""
    return RecommendationGame(lowest=0, highest=100, unit=game.unit, step=game.step)


def test_choosing_density_is_the_one_by_hand():
    rng = np.random.default_rng(12)
    units = units_of(advised(4))
    rule = ChoosingNoise(NOISE["normal"], LINE, False)
    for _ in range(50):
        chance = rng.uniform(0.01, 0.99, units.n_trials)
        sigma, exact = rng.uniform(0.5, 3), rng.uniform()
        values = values_of(units, sigma, exactness=exact)
        logs = rule.cell_logs(units, chance, values, typed=False)
        for i, c in enumerate(chance):
            e, [m], a = units.trial_estimate[i], units.trial_messages[i], units.trial_choice[i]
            total = (1 - exact) * sum(
                share * noisy(LINE, a, at, sigma * 10, EXACT["normal"], False)
                for share, at in ((1 - c, e), (c, m))
            )
            total += exact * ((1 - c) * (abs(a - e) <= 0.5) + c * (abs(a - m) <= 0.5))
            assert logs[i] == pytest.approx(math.log(total), rel=1e-8)


def test_density_and_probabilities_add_up_to_one():
    units = units_of(advised(5, people=2, rounds=1))
    rule = SpikedNoise(NOISE["student-t"], LINE, False)
    values = values_of(units, 1.3, keeping=0.2, following=0.1)

    def density(a, i=0):
        moved = replace(units, trial_choice=np.full(units.n_trials, a))
        belief = np.full(units.n_trials, 40.0)
        return math.exp(rule.cell_logs(moved, belief, values, typed=False)[i])

    e, m = units.trial_estimate[0], units.trial_seen[0]
    breaks = sorted({e - 0.5, e + 0.5, m - 0.5, m + 0.5})
    inside = integrate.quad(density, 0.5 + 1e-8, 99.5 - 1e-8, points=breaks, limit=200)[0]
    # The ends stand for half a step and all beyond: their density is a probability over a step.
    assert inside + density(0.0) + density(100.0) == pytest.approx(1, abs=1e-6)


def test_symbolic_density_equals_the_numeric_one_and_has_finite_slopes():
    units = units_of(advised(6))
    rule = SpikedNoise(NOISE["normal"], LINE, False)
    names = ("response_noise", "keeping", "following")
    given = dict(zip(names, map(pt.scalar, names), strict=True))
    belief = pt.vector("belief")
    logs, subject = rule.log_likelihood(
        units, belief, Values(given, dict.fromkeys(names, ()), units), typed=False
    )
    slopes = pytensor.grad(logs.sum(), [belief, *given.values()])
    compiled = pytensor.function(
        [belief, *given.values()], [logs.sum(), *slopes], mode="FAST_COMPILE"
    )
    at = np.linspace(5, 95, units.n_trials)
    total, *found = compiled(at, 0.01, 0.3, 0.1)  # so little noise that densities underflow
    values = values_of(units, 0.01, keeping=0.3, following=0.1)
    assert total == pytest.approx(rule.cell_logs(units, at, values, typed=False).sum())
    assert all(np.isfinite(slope).all() for slope in found)
    assert subject.size == units.n_trials


@pytest.mark.parametrize("rule", [SpikedNoise, ChoosingNoise])
def test_draws_have_the_density(rule):
    # 40,000 draws: four standard errors of a share are at most .01.
    units = units_of(advised(7, people=2, rounds=1))
    made = rule(NOISE["normal"], LINE, False)
    size = 40_000
    shares = {"keeping": 0.25, "following": 0.2} if rule is SpikedNoise else {"exactness": 0.4}
    arrays = {"response_noise": np.full(size, 0.8)} | {
        k: np.full(size, v) for k, v in shares.items()
    }
    values = Values(arrays, dict.fromkeys(arrays, ()), units)
    answer = np.full((size, units.n_trials), 60.0 if rule is SpikedNoise else 0.3)
    drawn = made.draw(units, answer, values, None, np.random.default_rng(8))[:, 0]
    one = values_of(units, 0.8, **shares)

    def density(a):
        moved = replace(units, trial_choice=np.full(units.n_trials, a))
        return math.exp(made.cell_logs(moved, answer[0], one, typed=False)[0])

    e, m = units.trial_estimate[0], units.trial_seen[0]
    for low, high in ((20, 50), (50, 60), (60, 80), (e - 0.5, e + 0.5), (m - 0.5, m + 0.5)):
        inside = [p for p in (e - 0.5, e + 0.5, m - 0.5, m + 0.5) if low < p < high]
        expected = integrate.quad(density, low, high, points=inside or None, limit=200)[0]
        assert ((drawn > low) & (drawn < high)).mean() == pytest.approx(expected, abs=0.01)


def test_information_is_the_mean_square_of_the_slope():
    # 20,000 decisions; information by draws has a standard error of about a hundredth.
    units = units_of(advised(9, people=2, rounds=1))
    rule = SpikedNoise(NOISE["normal"], OPEN, False)
    size, step = 20_000, 1e-4

    def at(keep, count=1):
        arrays = {
            "response_noise": np.full(count, 0.5),
            "keeping": np.full(count, keep),
            "following": np.full(count, 0.1),
        }
        return Values(arrays, dict.fromkeys(arrays, ()), units)

    centre = np.full((1, units.n_trials), 55.0)
    many = np.repeat(centre, size, axis=0)
    drawn = rule.draw(units, many, at(0.3, size), None, np.random.default_rng(2))
    slopes = []
    for row in drawn[:2000]:
        moved = replace(units, trial_choice=row)
        up, down = (rule.cell_logs(moved, centre, at(0.3 + s), False) for s in (step, -step))
        slopes.append((up - down) / (2 * step))
    simulated = np.mean(np.square(slopes), axis=0)[0]
    answer = centre[0]
    high, low = ((answer, at(0.3 + s)) for s in (step, -step))
    high, low = (
        (a, Values({k: x[0] for k, x in v.arrays.items()}, v.dims, units)) for a, v in (high, low)
    )
    found = rule.information(units, high, low, step, typed=False)
    per_trial = found / units.trials_per_unit
    np.testing.assert_allclose(simulated[np.argsort(units.trial_unit)], per_trial, rtol=0.15)
