"""Held-out data: who is predicted from what, and the scores, against sums written out."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from loops import TRIALS as TRIALS_OF, log_mean, row_logs, type_weights
from scipy import stats
from synthetic import small_trials, synthetic_fit

import trustbayes.inference.tasks as manyfits
from trustbayes.comparison import HeldOut, heldout, hold_out, kfold, refit_without
from trustbayes.comparison.basis import Basis
from trustbayes.comparison.psis import good_k
from trustbayes.games import ForecastGame
from trustbayes.inference.gate import Check, Gate
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import FitsFailed
from trustbayes.models import Babbling, FullTrust, LevelK, model
from trustbayes.trials.table import trials_from_frame

FEW = Sampling(draws=6, tune=1, chains=2, seed=1)
SMALL = small_trials(pairs=6)
QUIET = {"progress": False}


@pytest.fixture
def fitted(monkeypatch):
    """Replace sampling by random draws, other ones for each part, and remember the fits."""
    fits = []

    def fake(model, trials, sampling, *, progress, cores=None):
        seed = int(trials.checksum[:8], 16) + len(model.name)
        made = synthetic_fit(model, trials, seed, sampling.chains, sampling.draws)
        fits.append((trials, made))
        return made

    monkeypatch.setattr(manyfits, "fit", fake)
    return fits


def groups_of_three(between=False):
    """Twelve senders in four groups, in both treatments or each in one."""
    rng = np.random.default_rng(3)
    rows = [
        {
            "sender": f"s{i}",
            "group": f"g{i // 3}",
            "round": n,
            "treatment": ("CLUL", "CHUH")[i % 2 if between else n % 2],
            "state": round(rng.uniform(-150, 150)),
            "message": round(rng.uniform(-150, 150)),
        }
        for n in range(1, 5)
        for i in range(12)
    ]
    return trials_from_frame(pd.DataFrame(rows), ForecastGame(), "groups")


def score_of(table, name, unit):
    [row] = table[(table["model"] == name) & (table["unit"] == unit)].to_dict("records")
    return row


# Who is predicted from what


@pytest.mark.parametrize("unit", ["subject", "group"])
def test_folds_part_the_units_alike_for_all_models(fitted, unit):
    trials = groups_of_three()
    names = ["full-trust", "babbling"]
    models = [model(name, "sender", trials.game) for name in names]
    found = kfold(models, trials, unit, 3, FEW, seed=5, **QUIET)
    assert (found.role, found.unit, found.basis.checksum) == ("sender", unit, trials.checksum)
    assert found.split == f"3-fold by {unit}: new {unit}s, predicted from all others"
    assert len(fitted) == 6
    column = "sender" if unit == "subject" else "group"
    folds = []
    for name in names:
        rows = found.table[found.table["model"] == name]
        assert sorted(rows["unit"]) == sorted(trials.table[column].unique())
        assert not rows["known"].any()
        counts = trials.table.groupby(column).size()
        assert rows.set_index("unit")["trials"].to_dict() == counts.to_dict()
        folds.append(rows.set_index("unit")["fold"].to_dict())
    assert folds[0] == folds[1]
    sizes = np.bincount(list(folds[0].values()))[1:]
    assert sizes.size == 3
    assert np.ptp(sizes) <= 1
    # What each fit learnt from is all but its fold.
    for (learnt, made), fold in zip(fitted, [1, 2, 3] * 2, strict=True):
        held = {name for name, number in folds[0].items() if number == fold}
        assert set(learnt.table[column]) == set(trials.table[column]) - held
        assert len(learnt.table) == (~trials.table[column].isin(held)).sum()
        assert made.units.treatments == trials.treatments


def folds_by(trials, seed, folds=3):
    models = [FullTrust("sender", trials.game)]
    table = kfold(models, trials, folds=folds, sampling=FEW, seed=seed, **QUIET).table
    return dict(zip(table["unit"], table["fold"], strict=True))


def test_folds_are_dealt_by_the_seed_and_evenly_in_each_treatment(fitted):
    trials = groups_of_three(between=True)
    of = trials.table.drop_duplicates("sender").set_index("sender")["treatment"]
    seen = []
    for seed in (1, 2):
        found = folds_by(trials, seed)
        for treatment in trials.treatments:
            numbers = [found[name] for name in of.index[of == treatment]]
            assert np.bincount(numbers)[1:].tolist() == [2, 2, 2]
        seen.append(found)
    assert seen[0] != seen[1]
    assert folds_by(trials, 2) == seen[1]


def test_refits_leave_out_one_at_a_time(fitted):
    found = refit_without(FullTrust("receiver"), SMALL, ["r4", "r1"], sampling=FEW, **QUIET)
    assert found.split == "one subject at a time: a new subject, predicted from all others"
    assert found.table[["fold", "unit", "trials"]].to_numpy().tolist() == [
        [1, "r4", 12],
        [2, "r1", 12],
    ]
    for (learnt, _), left_out in zip(fitted, ["r4", "r1"], strict=True):
        assert set(SMALL.subjects("receiver")) - set(learnt.subjects("receiver")) == {left_out}
        assert learnt.source == f"small (without subject {left_out})"
    grouped = groups_of_three()
    by_group = refit_without(
        Babbling("sender", grouped.game), grouped, ["g2"], "group", FEW, **QUIET
    )
    assert by_group.table["trials"].tolist() == [12]
    assert fitted[-1][0].subjects("sender") == tuple(f"s{i}" for i in (*range(6), 9, 10, 11))


def test_scores_are_those_of_the_same_fits_on_an_executor_and_from_files(fitted, tmp_path):
    def scores(**how):
        models = [LevelK("receiver"), FullTrust("receiver")]
        return kfold(models, SMALL, folds=2, sampling=FEW, seed=1, **how, **QUIET).table

    first = scores(folder=tmp_path)
    assert len(fitted) == 4
    pd.testing.assert_frame_equal(scores(folder=tmp_path), first)
    assert len(fitted) == 4
    with ThreadPoolExecutor(2) as executor:
        pd.testing.assert_frame_equal(scores(executor=executor), first)


def test_a_failing_fit_keeps_the_others(monkeypatch, tmp_path):
    def fake(model, trials, sampling, *, progress, cores=None):
        if "fold 2" in trials.source:
            raise ValueError("no start found")
        return synthetic_fit(model, trials, draws=6)

    monkeypatch.setattr(manyfits, "fit", fake)
    with pytest.raises(FitsFailed, match=r"small \(without fold 2 of 3 .*no start found"):
        kfold([FullTrust("sender")], SMALL, folds=3, sampling=FEW, seed=1, folder=tmp_path, **QUIET)
    assert len(list(tmp_path.iterdir())) == 2


# Scores of known subjects: every draw, type and trial in a plain loop


def draws_of(fit):
    """The posterior, draw by draw, in the order of chains."""
    data = fit.posterior
    for chain in range(data.sizes["chain"]):
        for draw in range(data.sizes["draw"]):
            yield data.isel(chain=chain, draw=draw)


def by_loops(fit, trials, learnt, subject):
    """Log mean over draws of p(held-out trials | learnt ones, draw), from the rows of a table."""
    chosen, table = fit.model, trials.table
    rows = table[table[chosen.role] == subject]
    before = rows.index.isin(learnt.table.index)
    logs = []
    for draw in draws_of(fit):
        point = {name: draw[name].to_numpy() for name in draw.data_vars if name.endswith("_share")}
        by_type = []
        for row in rows.to_dict("records"):
            values = {}
            for parameter in chosen.parameters:
                if parameter.support == "simplex":
                    continue
                one = draw[parameter.name]
                where = {"subject": subject, "treatment": row["treatment"]}
                one = one.sel({d: label for d, label in where.items() if d in one.dims})
                values[parameter.name] = one.to_numpy()[()]
            by_type.append(row_logs(chosen, trials.game, row, values))
        by_type, weights = np.array(by_type), type_weights(chosen, point)
        logs.append(
            log_mean(weights, by_type.sum(axis=0)) - log_mean(weights, by_type[before].sum(axis=0))
        )
    return log_mean([1 / len(logs)] * len(logs), logs)


NAMES = ["trust-embedded", "level-k", "mixture"]


@pytest.mark.parametrize("role", ["sender", "receiver"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["power", "forecast"])
def test_later_rounds_are_scored_as_in_loops(fitted, kind, name, role):
    trials = TRIALS_OF[kind]
    found = hold_out(
        [model(name, role, trials.game)], trials, after_round=22, sampling=FEW, **QUIET
    )
    [(learnt, made)] = fitted
    assert learnt.table["round"].max() == 22
    known = found.table[found.table["known"]]
    assert len(known) >= 3
    later = trials.table[trials.table["round"] > 22]
    assert found.table["trials"].sum() == len(later)
    for row in known.itertuples():
        assert row.trials == (later[role] == row.unit).sum()
        expected = by_loops(made, trials, learnt, row.unit)
        assert row.elpd == pytest.approx(expected, rel=1e-9), row.unit


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["power", "forecast"])
def test_a_treatment_is_scored_as_in_loops(fitted, kind, name):
    trials = TRIALS_OF[kind]
    chosen = [model(name, "receiver", trials.game)]
    found = hold_out(chosen, trials, treatment="down", sampling=FEW, **QUIET)
    assert found.split == ("treatment down, predicted from all but treatment down: known subjects")
    [(learnt, made)] = fitted
    assert made.units.treatments == trials.treatments
    assert set(learnt.table["treatment"]) == {"none", "both"}
    assert found.table["known"].all()
    for row in found.table.itertuples():
        expected = by_loops(made, trials, learnt, row.unit)
        assert row.elpd == pytest.approx(expected, rel=1e-9), row.unit


def test_a_type_that_learnt_trials_all_but_exclude_is_not_lost(monkeypatch):
    """Its probability is below the smallest number, but no other type explains what follows."""
    game = ForecastGame()
    rows = [(name, n, "CHUH", 0.0, 0.0 if n <= 2 else 120.0) for n in range(1, 7) for name in "ab"]
    columns = ["sender", "round", "treatment", "state", "message"]
    trials = trials_from_frame(pd.DataFrame(rows, columns=columns), game)
    fits = []

    def fake(model, trials, sampling, *, progress, cores=None):
        fits.append(synthetic_fit(model, trials, draws=6))
        noise = fits[-1].posterior["response_noise"]
        fits[-1].posterior["response_noise"] = 0.02 + 1e-4 * noise
        return fits[-1]

    monkeypatch.setattr(manyfits, "fit", fake)
    chosen = LevelK("sender", game, max_level=1)
    found = hold_out([chosen], trials, after_round=2, sampling=FEW, **QUIET)
    learnt = trials.subset((trials.table["round"] <= 2).to_numpy(), "rounds up to 2")
    for row in found.table.itertuples():
        # A level that is off by 120 with a noise of 3 costs 800 nats a trial: 2 trials at level
        # 1, or 4 at level 0.
        assert row.elpd == pytest.approx(-1600, abs=100)
        expected = by_loops(fits[0], trials, learnt, row.unit)
        assert row.elpd == pytest.approx(expected, rel=1e-9)


# Scores of new subjects


def test_without_own_parameters_a_new_subject_is_a_product(fitted):
    """Full trust with one precision for all: a closed form."""
    chosen = FullTrust("sender", varies={"response_precision": ()})
    found = kfold([chosen], SMALL, folds=3, sampling=FEW, seed=4, **QUIET)
    game = SMALL.game
    for row in found.table.itertuples():
        precision = fitted[row.fold - 1][1].posterior["response_precision"].to_numpy().ravel()
        logs = np.zeros(precision.size)
        for trial in SMALL.table[SMALL.table["sender"] == row.unit].itertuples():
            scaled = precision[:, None] * game.receiver_table[int(trial.state) - 1] / game.scale
            logs += scaled[:, int(trial.message) - 1] - np.log(np.exp(scaled).sum(axis=1))
        assert row.elpd == pytest.approx(np.log(np.exp(logs).mean()), abs=1e-9)


def noise_by_grid(fit, trials, subjects):
    """Log p(all trials of each subject | draw), shape (draws, subjects).

    Noise is log-normal in the population, and all that subjects differ in but their types.
    """
    chosen = fit.model
    grid = np.linspace(-9, 8, 801)
    found = []
    for subject in subjects:
        rows = trials.table[trials.table[chosen.role] == subject].to_dict("records")
        values = {"response_noise": np.exp(grid)}
        by_type = sum(np.array(row_logs_on_grid(chosen, trials.game, row, values)) for row in rows)
        logs = []
        for draw in draws_of(fit):
            centre, spread = (float(draw[f"response_noise_{k}"]) for k in ("mu", "sigma"))
            prior = stats.norm.pdf(grid, centre, spread) * (grid[1] - grid[0])
            weights = [1.0]
            if chosen.types:
                weights = draw["level_share"].to_numpy()
            total = sum(
                w * (np.exp(t) * prior).sum() for w, t in zip(weights, by_type, strict=True)
            )
            logs.append(math.log(total))
        found.append(logs)
    return np.array(found).T


def row_logs_on_grid(chosen, game, row, values):
    columns = [
        row_logs(chosen, game, row, {"response_noise": value})
        for value in values["response_noise"].tolist()
    ]
    return np.array(columns).T


@pytest.mark.parametrize("unit", ["subject", "group"])
def test_a_new_subject_or_group_is_scored_as_on_a_grid(fitted, unit):
    trials = groups_of_three()
    models = [LevelK("sender", trials.game, max_level=1), FullTrust("sender", trials.game)]
    units = {"subject": ["s3", "s10"], "group": ["g1"]}[unit]
    for chosen in models:
        fitted.clear()
        found = refit_without(chosen, trials, units, unit, FEW, **QUIET)
        for (_, made), name in zip(fitted, units, strict=True):
            members = [name] if unit == "subject" else ["s3", "s4", "s5"]
            logs = noise_by_grid(made, trials, members).sum(axis=1)
            row = score_of(found.table, chosen.name, name)
            assert row["elpd"] == pytest.approx(np.log(np.exp(logs).mean()), abs=0.02)
            assert row["error"] > 0


def test_between_subjects_a_treatment_is_predicted_for_new_ones(fitted):
    trials = groups_of_three(between=True)
    chosen = FullTrust("sender", trials.game)
    found = hold_out([chosen], trials, treatment="CHUH", sampling=FEW, **QUIET)
    assert found.split.endswith("predicted from all but treatment CHUH: new subjects")
    assert not found.table["known"].any()
    assert found.table["unit"].tolist() == [f"s{i}" for i in range(1, 12, 2)]
    [(_, made)] = fitted
    logs = noise_by_grid(made, trials, ["s1"])
    [first, *_] = found.table["elpd"]
    assert first == pytest.approx(np.log(np.exp(logs).mean()), abs=0.02)


def test_who_has_no_earlier_trial_is_scored_as_new(fitted):
    trials = groups_of_three()
    late = trials.subset(
        ~((trials.table["sender"] == "s7") & (trials.table["round"] <= 2)).to_numpy(), "late s7"
    )
    chosen = FullTrust("sender", trials.game)
    found = hold_out([chosen], late, after_round=2, sampling=FEW, **QUIET)
    assert found.split == (
        "rounds after 2, predicted from rounds up to 2: known subjects, but new ones: s7"
    )
    assert found.table.set_index("unit")["known"].to_dict() == {f"s{i}": i != 7 for i in range(12)}
    [(_, made)] = fitted
    logs = noise_by_grid(made, late, ["s7"])
    row = score_of(found.table, "full-trust", "s7")
    assert row["elpd"] == pytest.approx(np.log(np.exp(logs).mean()), abs=0.02)


def test_the_error_is_that_of_repeated_draws(fitted):
    """Synthetic draws are independent, so the spread over seeds is what the error should be."""
    trials, scores, errors = groups_of_three(), [], []
    chosen = FullTrust("sender", trials.game)
    for part in range(30):
        # Another checksum, hence other draws.
        other = trials_from_frame(trials.table.assign(part=part), trials.game)
        many = Sampling(draws=200, tune=1, chains=2)
        found = hold_out([chosen], other, after_round=3, sampling=many, **QUIET).table
        scores.append(found["elpd"].to_numpy())
        errors.append(found["error"].to_numpy())
    spread, said = np.std(scores, axis=0), np.mean(errors, axis=0)
    # Of 30 repetitions a standard deviation is known to an eighth.
    assert np.exp(np.log(said / spread).mean()) == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("seed", range(10))
def test_scores_too_low_beyond_their_error_are_named(seed):
    """Normal draws of a mean, and what is predicted from it: the score has a closed form."""
    mean = np.random.default_rng(seed).normal(size=4 * 500)
    outcome, spread = np.array([0.5, 2.0, 9.0]), np.array([1.0, 1.0, 0.1])
    logs = stats.norm.logpdf(outcome, mean[:, None], spread)
    elpd, error, tails = heldout._log_mean(logs, np.zeros_like(logs), 4)
    exact = stats.norm.logpdf(outcome, 0, np.sqrt(1 + spread**2))
    reliable = tails <= good_k(mean.size)
    assert reliable.tolist() == [True, True, False]
    assert (np.abs(elpd - exact) < 5 * error)[reliable].all()
    assert elpd[2] < exact[2] - 100  # by far more than its error
    assert error[2] < 2


def test_unreliable_scores_are_said():
    row = {"model": "a", "fold": 2, "unit": "s1", "pareto_k": 1.234, "reliable": False}
    table = pd.DataFrame([row, row | {"unit": "s2", "pareto_k": 0.2, "reliable": True}])
    held = HeldOut(Basis("sender", "trials", "0", (), "1"), "split", "subject", table, {})
    assert held.unreliable == ("a, fold 2: s1 (Pareto k 1.23)",)


# Totals and gates


def test_totals_are_sums_over_units():
    scores = {"a": [-10.0, -12.0, -14.0], "b": [-9.0, -13.0, -11.0]}
    rows = [
        {"model": name, "fold": 1, "unit": f"s{i}", "known": False, "trials": 1, "elpd": v}
        for name, values in scores.items()
        for i, v in enumerate(values)
    ]  # fmt: skip
    good = Gate((Check("R-hat", 1.0, 1.01, True),))
    bad = Gate(
        (Check("R-hat", 1.25, 1.01, True, "trust_mu[High]"), Check("E-BFMI", 0.9, 0.3, False))
    )
    gates = {("a", 1): good, ("b", 1): bad}
    basis = Basis("sender", "trials", "0", (), "1")
    found = HeldOut(basis, "split", "subject", pd.DataFrame(rows), gates)
    totals = found.totals()
    assert totals.index.tolist() == ["b", "a"]
    assert totals["elpd"].tolist() == [-33, -36]
    assert totals["elpd_diff"].tolist() == [0, -3]
    gaps = np.array([-1, 1, -3])
    assert totals["dse"].tolist() == pytest.approx([0, math.sqrt(3 * gaps.var())])
    assert totals["se"]["a"] == pytest.approx(math.sqrt(3 * np.var(scores["a"])))
    assert found.failed == ("b, fold 1: R-hat 1.25 (trust_mu[High])",)


def test_fits_that_did_not_pass_the_gate_are_named(fitted):
    found = kfold([FullTrust("sender")], SMALL, folds=2, sampling=FEW, seed=1, **QUIET)
    assert list(found.gates) == [("full-trust", 1), ("full-trust", 2)]
    assert len(found.failed) == 2
    assert all("bulk ESS" in text for text in found.failed)
