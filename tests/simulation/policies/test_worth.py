"""What trust is worth, against people who meet one by one."""

import numpy as np
import pandas as pd
import pytest
from meetings import GAME, Meetings, fit_of, pair, play, random_pair, trials_of
from scipy.stats import norm
from synthetic import small_trials, synthetic_fit

from trustbayes import trust_worth
from trustbayes.errors import InputError
from trustbayes.games import ForecastGame, Market
from trustbayes.games.forecast_demand import expected_sales
from trustbayes.models import Values, model
from trustbayes.trials.forecast import Points

NAMES = ("trust-embedded", "level-k", "hybrid", "mixture", "babbling", "full-trust")
COLUMNS = ["treatment", "party", "profit", "lower", "upper", "babbling", "full_trust"]
COLUMNS += ["share", "share_lower", "share_upper"]
TINY = 1e-9


def profits_of(table: pd.DataFrame, column: str = "profit") -> np.ndarray:
    """Sender's and receiver's, of one treatment."""
    return table.set_index("party")[column][["sender", "receiver"]].to_numpy()


def test_truth_that_is_believed_is_worth_all_there_is():
    noise = {"response_noise": TINY}
    table = trust_worth(*pair(play(), ("full-trust", noise), ("full-trust", noise)), seed=1)
    assert list(table.columns) == COLUMNS
    assert list(table["treatment"]) == list(np.repeat(list(GAME.treatments), 3))
    assert list(table["party"]) == ["sender", "receiver", "both"] * 4
    np.testing.assert_allclose(table[["share", "share_lower", "share_upper"]], 1, atol=1e-5)
    expected = [6225, 14700, 20925, 6175, 14100, 20275, 5850, 3450, 9300, 5050, 2850, 7900]
    for column in ("profit", "lower", "upper", "full_trust"):
        np.testing.assert_allclose(table[column], expected, atol=1e-3)


def test_reports_that_say_nothing_are_worth_nothing():
    noise = {"response_noise": TINY}
    fits = pair(play(), ("babbling", noise | {"habit": 0.3}), ("babbling", noise))
    table = trust_worth(*fits, seed=1)
    np.testing.assert_allclose(table[["share", "share_lower", "share_upper"]], 0, atol=1e-4)
    expected = [6091, 13174, 6026, 12967, 3841, 1924, 3755, 1717]
    own = table[table["party"] != "both"]
    np.testing.assert_allclose(own["profit"], expected, atol=0.7)
    np.testing.assert_allclose(own["babbling"], expected, atol=0.7)


def test_midpoints_of_forecasts_err_by_less_than_the_docstring_says():
    noise = {"response_noise": TINY}
    trials = play(senders=60)
    fits = pair(trials, ("babbling", noise | {"habit": 0.0}), ("babbling", noise))
    assert trust_worth(*fits, seed=1)["share"].abs().max() < 0.003


def test_level_1_senders_among_credulous_receivers():
    trials = play(treatments=("CHUL", "CHUH"))
    values = {"response_noise": 0.1, "level": np.tile([1e-200, 1.0], (100, 1))}
    sender = fit_of(model("level-k", "sender", GAME, max_level=1), trials, values)
    credulous = {"response_noise": np.full((100, 1), 0.15)}
    receiver = fit_of(model("full-trust", "receiver", GAME), trials, credulous)
    table = trust_worth(sender, receiver, seed=2)
    rng = np.random.default_rng(3)
    for treatment, step in (("CHUL", 40.0), ("CHUH", 120.0)):
        market = GAME.treatments[treatment]
        forecast = rng.uniform(-150, 150, 400_000)
        report = np.minimum(forecast + step, 150) + 15 * rng.normal(size=forecast.size)
        trusted = 250 + np.clip(report, -150, 150) + market.uncertainty * (2 * 0.2 - 1)
        capacity = np.maximum(trusted + 22.5 * rng.normal(size=forecast.size), 0)
        shock = rng.uniform(-market.uncertainty, market.uncertainty, forecast.size)
        sales = np.minimum(250 + forecast + shock, capacity)
        earned = np.array([25 * sales, 75 * sales - market.capacity_cost * capacity])
        here = table[table["treatment"] == treatment]
        # The package's own forecasts are even, so that most of the error is this loop's.
        error = earned.std(axis=1) / np.sqrt(forecast.size)
        assert (np.abs(profits_of(here) - earned.mean(axis=1)) < 5 * error).all()
        assert profits_of(here, "share")[0] > 1
        together = here[here["party"] == "both"].iloc[0]
        assert together["profit"] == pytest.approx(profits_of(here).sum())
        assert together["babbling"] == pytest.approx(profits_of(here, "babbling").sum())
        low, high = together["babbling"], together["full_trust"]
        assert together["share"] == pytest.approx((together["profit"] - low) / (high - low))


@pytest.mark.parametrize("varied", ["sender", "receiver"])
@pytest.mark.parametrize("treatment", ["CLUH", "CHUL"])
def test_trust_embedded_people_who_meet_one_by_one(varied: str, treatment: str):
    """Three draws, which differ in one role: mean and interval are those of the draws' means."""
    aversions = np.array([[0.05, 0.3], [0.3, 0.5], [0.7, 1.2]])
    trusts = np.array([[0.1, 0.3, 0.2], [0.5, 0.3, 0.8], [0.9, 1.0, 0.7]])
    expected = np.array([0.3, 0.5, 0.8])
    if varied == "sender":
        trusts = trusts[[1, 1, 1]]
    else:
        aversions, expected = aversions[[1, 1, 1]], expected[[1, 1, 1]]
    fits = pair(
        play(senders=2, receivers=3, treatments=(treatment,)),
        (
            "trust-embedded",
            {
                "response_noise": 0.08,
                "lying_aversion": aversions,
                "expected_trust": expected[:, None],
            },
        ),
        ("trust-embedded", {"response_noise": 0.12, "trust": trusts[..., None]}),
    )
    table = trust_worth(*fits, seed=4, ci_prob=0.5)
    meetings, means = Meetings(treatment), []
    for draw in range(3):
        reports = [meetings.report(aversion, expected[draw]) for aversion in aversions[draw]]
        capacities = [lambda x, t=trust: meetings.capacity(x, t) for trust in trusts[draw]]
        means.append(meetings.mean(reports, capacities, (0.08, 0.12)))
    mean, error = np.swapaxes(means, 0, 1)
    worst = 4 * error.max(axis=0) + 3.0  # reports are the best of a grid
    assert (np.abs(profits_of(table) - mean.mean(axis=0)) < worst).all()
    for column, level in (("lower", 0.25), ("upper", 0.75)):
        edge = np.quantile(mean, level, axis=0)
        assert (np.abs(profits_of(table, column) - edge) < 1.5 * worst).all()


@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_a_person_has_one_type_throughout_a_draw(role: str):
    """Trials halfway between two levels: in half of the draws she is of one, else the other."""
    rows = [("s1", "r1", 1, "CHUH", 0.0, 60.0, 205.0), ("s2", "r2", 1, "CLUL", 0.0, 0.0, 250.0)]
    trials = trials_of(rows)
    typed = {"response_noise": 0.1, "level": np.full((400, 2), 0.5)}
    level_0_or_1 = fit_of(model("level-k", role, GAME, max_level=1), trials, typed)
    other = {"sender": "receiver", "receiver": "sender"}[role]
    full_trust = fit_of(
        model("full-trust", other, GAME), trials, {"response_noise": np.full((400, 1), 0.1)}
    )
    fits = (level_0_or_1, full_trust) if role == "sender" else (full_trust, level_0_or_1)
    table = trust_worth(*fits, seed=5, ci_prob=0.5, draws=400)
    table = table[table["treatment"] == "CHUH"]
    meetings = Meetings("CHUH")

    def means(level: int) -> tuple[np.ndarray, np.ndarray]:
        sent = np.minimum(meetings.forecast + 120 * level * (role == "sender"), 150)

        def build(report: np.ndarray) -> np.ndarray:
            # Capped reports pool the forecasts from 30 to 150: U[-60, 60] + U[-75, 75] at 0.2.
            pooled = 250 + 90 - 60 - 75 + np.sqrt(2 * 0.2 * 120 * 150)
            if level == 0 or role == "sender":
                return 250 + report + meetings.g
            below = 250 + np.maximum(report - 120, -150) + meetings.g
            return np.where(report == 150, pooled, below)

        return tuple(meetings.mean([sent], [build], (0.1, 0.1), times=400))

    (mean_0, error_0), (mean_1, error_1) = means(0), means(1)
    worst = 5 * np.maximum(error_0, error_1) + 3.0
    both = np.sort([mean_0, mean_1], axis=0)
    assert (np.abs(profits_of(table, "lower") - both[0]) < worst).all()
    assert (np.abs(profits_of(table, "upper") - both[1]) < worst).all()
    spread = (both[1] - both[0]) / 2
    assert (np.abs(profits_of(table) - both.mean(axis=0)) < 4 * spread / 20 + worst).all()


def test_types_come_from_what_a_person_did():
    """Three receivers, each with her own probabilities of levels, truthful senders."""
    game = ForecastGame(treatments={"CHUL": Market(60.0, 25.0)})
    reports, actions, sigma = (-20.0, 30.0, 100.0), (205.0, 235.0, 250.0), 30.0
    rows = [
        ("s1", f"r{i}", i, "CHUL", report, report, action)
        for i, (report, action) in enumerate(zip(reports, actions, strict=True), 1)
    ]
    trials = trials_of(rows, game)
    shares = np.array([0.5, 0.2, 0.3])
    fits = (
        fit_of(
            model("full-trust", "sender", game), trials, {"response_noise": np.full((600, 1), TINY)}
        ),
        fit_of(
            model("level-k", "receiver", game, max_level=2),
            trials,
            {"response_noise": sigma / 150, "level": np.tile(shares, (600, 1))},
        ),
    )
    table = trust_worth(*fits, seed=6, draws=600)
    meetings = Meetings("CHUL")
    levels = range(3)
    means = []
    for level in levels:
        # Truthful reports are never capped, but for the very highest.
        def build(report: np.ndarray, level: int = level) -> np.ndarray:
            return 250 + np.maximum(report - 40 * level, -150) + meetings.g

        means.append(meetings.mean([meetings.forecast], [build], (0.0, sigma / 150), times=300))
    mean, error = np.swapaxes(means, 0, 1)
    expected, variance = np.zeros(2), np.zeros(2)
    for report, action in zip(reports, actions, strict=True):
        chances = np.array(
            [
                share * norm.pdf(action, 250 + report - 40 * level - 15, sigma)
                for level, share in zip(levels, shares, strict=True)
            ]
        )
        chances /= chances.sum()
        assert chances.max() < 0.95
        expected += chances @ mean / 3
        variance += (chances @ mean**2 - (chances @ mean) ** 2) / 9
    worst = 4 * np.sqrt(variance / 600) + 5 * error.max(axis=0)
    assert (np.abs(profits_of(table) - expected) < worst).all()
    # One type each: the draws' means have this variance, and no other.
    half = (profits_of(table, "upper") - profits_of(table, "lower")) / 2
    assert (half > 1.2 * np.sqrt(variance)).all()
    assert (half < 2.2 * np.sqrt(variance)).all()


def test_simulation_adds_nothing_to_the_interval():
    """All draws are the same, so that without simulation all would earn the same."""
    noise, rng = {"response_noise": 0.15}, np.random.default_rng(7)
    sender = {"lying_aversion": rng.uniform(0, 0.8, 6), "expected_trust": 0.5}
    trust = np.tile(rng.uniform(0, 1, (6, 4)), (60, 1, 1))
    fits = pair(
        play(senders=6, receivers=6),
        ("trust-embedded", noise | {k: np.tile(v, (60, 1)) for k, v in sender.items()}),
        ("trust-embedded", noise | {"trust": trust}),
    )
    table = trust_worth(*fits, seed=8)
    assert (table["upper"] - table["lower"]).max() < 25  # about 60 for the rounds as they are


@pytest.mark.parametrize("name", NAMES)
def test_every_receiver_takes_reports_that_differ_by_draw(name: str):
    """Reports of shape (draws, trials) are answered as each draw's own."""
    rng = np.random.default_rng(9)
    fit = synthetic_fit(model(name, "receiver", GAME), play(), chains=1, draws=5)
    report = np.clip(rng.uniform(-150, 180, (5, fit.units.n_trials)), -150, 150)

    def answer(rows: slice, seen: np.ndarray) -> np.ndarray:
        units = Points(**(vars(fit.units) | {"trial_seen": seen}))
        data = fit.draws().data
        names = [p.name for p in fit.model.parameters if p.support != "simplex"]
        arrays = {n: data[n].to_numpy()[rows] for n in names}
        dims = {n: tuple(map(str, data[n].dims[1:])) for n in names}
        return fit.model.answer(GAME, Values(arrays, dims, units))

    together = answer(slice(None), report)
    for draw in range(5):
        alone = answer(slice(draw, draw + 1), report[draw])
        shape = (1, *alone.shape[alone.ndim - 1 - bool(fit.model.types) :])
        own = together if name == "babbling" else together[draw]
        np.testing.assert_allclose(np.broadcast_to(alone, shape)[0], own)


@pytest.mark.parametrize("name", NAMES)
def test_every_pair_of_models_earns_something_between_nothing_and_demand(name: str):
    trials = play(message=20.0)
    fits = [
        synthetic_fit(model(name, role, GAME), trials, draws=4) for role in ("sender", "receiver")
    ]
    table = trust_worth(*fits, seed=1)
    assert not table.isna().any(axis=None)
    assert (table["lower"] <= table["profit"]).all()
    assert (table["profit"] <= table["upper"]).all()
    senders = table[table["party"] == "sender"]
    assert senders["profit"].between(0, 25 * 250).all()


def test_the_same_seed_gives_the_same_table():
    fits = random_pair()
    first = trust_worth(*fits, seed=3)
    pd.testing.assert_frame_equal(first, trust_worth(*fits, seed=3))
    other = trust_worth(*fits, seed=4)
    assert (first["profit"] != other["profit"]).all()
    np.testing.assert_allclose(first["profit"], other["profit"], rtol=0.1)


def test_only_as_many_draws_as_there_are_or_as_asked_for():
    sender, receiver = random_pair()
    three = {"response_noise": 0.1, "trust": np.full((3, 4, 4), 0.5)}
    receiver = fit_of(receiver.model, play(), three)
    assert len(trust_worth(sender, receiver, seed=1)) == 12
    one = trust_worth(sender, receiver, seed=1, draws=1)
    assert (one["lower"] == one["upper"]).all()
    assert (one["lower"] == one["profit"]).all()


def test_people_meet_in_the_treatments_that_they_played():
    """Treatments in the game's order; who did not play one has no part in it."""
    game = ForecastGame(
        treatments={"z": Market(60.0, 25.0), "b": Market(60.0, 75.0), "a": Market(15.0, 25.0)}
    )
    rows = []
    for number, (who, name) in enumerate((("1", "a"), ("2", "z"), ("3", "z"), ("4", "a"))):
        rows.append((f"s{who}", f"r{who}", number + 1, name, 0.0, 0.0, 250.0))
    trials = trials_of(rows, game)
    trust = np.full((2, 4, 2), 1.0)
    z = trials.fold("receiver").treatments.index("z")
    trust[:, [0, 3], z] = trust[:, [1, 2], 1 - z] = 0.0
    noise = {"response_noise": TINY}
    receiver = fit_of(model("trust-embedded", "receiver", game), trials, noise | {"trust": trust})
    sender = fit_of(model("full-trust", "sender", game), trials, noise)
    table = trust_worth(sender, receiver, seed=1)
    assert list(table["treatment"]) == ["z"] * 3 + ["a"] * 3
    np.testing.assert_allclose(table["share"], 1, atol=1e-5)
    # A treatment that only the senders played is left out.
    of_z = trials_of(rows[1:3], game)
    receiver = fit_of(model("full-trust", "receiver", game), of_z, noise)
    assert list(trust_worth(sender, receiver, seed=1)["treatment"]) == ["z"] * 3
    of_a = trials_of([rows[0], rows[3]], game)
    sender = fit_of(model("full-trust", "sender", game), of_a, noise)
    with pytest.raises(InputError, match=r"receiver: found 'z', expected at least one of .* a$"):
        trust_worth(sender, receiver, seed=1)


def test_fits_that_do_not_go_together_are_refused():
    sender, receiver = random_pair()
    with pytest.raises(InputError) as caught:
        trust_worth(receiver, sender, seed=1)
    assert str(caught.value).splitlines() == [
        "worth of trust, sender: found 'a fit of receivers', expected a fit of senders",
        "worth of trust, receiver: found 'a fit of senders', expected a fit of receivers",
    ]
    finite = synthetic_fit(model("full-trust", "sender"), small_trials())
    with pytest.raises(InputError, match="expected a fit of the senders' game, finite game"):
        trust_worth(finite, receiver, seed=1)
    richer = ForecastGame(retail_price=120.0, name="richer")
    other = fit_of(model("full-trust", "receiver", richer), play(richer), {"response_noise": 0.1})
    with pytest.raises(InputError, match="found 'a fit of another game, richer', expected a fit"):
        trust_worth(sender, other, seed=1)


def test_numbers_out_of_range_are_refused():
    with pytest.raises(InputError) as caught:
        trust_worth(*random_pair(), seed=-1, ci_prob=1.0, draws=0)
    assert [fault.place for fault in caught.value.faults] == [
        "worth of trust, seed",
        "worth of trust, draws",
        "worth of trust, ci_prob",
    ]


def test_the_loops_agree_with_themselves():
    """Sales in the loops are those of the game."""
    meetings = Meetings("CHUH")
    capacity = meetings.forecast + 230
    exact = expected_sales(capacity, meetings.forecast, GAME.terms(["CHUH"]))
    np.testing.assert_allclose(meetings.sales(capacity, meetings.forecast), exact, atol=0.05)
