"""Which conventions are tried, and which are used."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes.analysis import conventions as theoryfits
from trustbayes.analysis.conventions import fit_theories, settled_models
from trustbayes.games import Feedback, IntervalGame
from trustbayes.inference import tasks as manyfits
from trustbayes.inference.fit import Fit
from trustbayes.inference.gate import Check, Gate
from trustbayes.inference.sampling import Sampling
from trustbayes.models import LevelK, TrustEmbedded, model_names
from trustbayes.priors.prior import Prior
from trustbayes.trials.table import trials_from_frame

TRIALS = small_trials(pairs=6, rounds=20)
FULL = Sampling(draws=500, tune=400, chains=4, seed=4)


def test_each_open_convention_is_tried_once():
    def tried(model, *names):
        return [
            tuple(rival.resolve_conventions(TRIALS.game)[name] for name in names)
            for rival in theoryfits._rivals(model, TRIALS)
        ]

    assert tried(LevelK("sender"), "ties", "unsent") == [
        ("uniform", "monotone"),
        ("smallest-lie", "prior"),
    ]
    # A sender who expects the mean action does the same under mixture and truncated beliefs.
    assert tried(TrustEmbedded("sender"), "expected_action", "belief", "lying_cost") == [
        ("mean", "prior", "proportional"),
        ("mean", "truncated", "lump-sum"),
    ]
    assert tried(TrustEmbedded("receiver"), "belief") == [("prior",), ("mixture",)]


def test_learning_is_tried_where_it_is_known_what_people_were_shown():
    shown, hidden = (small_trials(feedback=Feedback(word)) for word in ("state", "none"))
    for model, rule in ((TrustEmbedded("receiver"), "shift"), (LevelK("sender"), "depth")):
        rules = [
            [rival.conventions["learning"] for rival in theoryfits._rivals(model, trials)]
            for trials in (shown, hidden, TRIALS)
        ]
        assert rules == [["none", "none", rule], ["none", "none"], ["none", "none"]]


def test_heaping_is_tried_where_the_game_has_a_round_number():
    rng, tried = np.random.default_rng(1), {}
    answers = rng.integers(0, 101, (12, 3))
    rows = [(f"s{i % 3}", f"r{i % 3}", i, *map(float, answer)) for i, answer in enumerate(answers)]
    names = ["sender", "receiver", "round", "state", "message", "action"]
    for number in (None, 5.0):
        game = IntervalGame(0, 100, {"Small": 5.0}, step=1.0, round_to=number)
        trials = trials_from_frame(pd.DataFrame(rows, columns=names), game)
        for model in settled_models(trials, model_names("interval", role="receiver")):
            rivals = theoryfits._rivals(model, trials)
            tried[model.name, model.role, number] = [r.conventions["heaping"] for r in rivals]
    for (name, role, number), heaping in tried.items():
        assert heaping.count(True) == (number is not None), (name, role)
    words = LevelK("sender", game).effective_conventions
    assert words(game)["heaping"] is False
    assert "heaping" not in words(IntervalGame(0, 100, {"Small": 5.0}))
    # What a user has chosen is not changed.
    chosen = LevelK("sender", game, heaping=True)
    assert all(rival.conventions["heaping"] for rival in theoryfits._rivals(chosen, trials))


def test_no_rival_does_without_what_the_user_said():
    mine = {"lying_aversion": Prior("LogNormal", mu=0.0, sigma=1.0)}
    for model in (
        TrustEmbedded("sender", priors=mine),
        TrustEmbedded("sender", formulas={"lying_aversion": "age"}),
    ):
        rivals = theoryfits._rivals(model, TRIALS)
        assert [rival.conventions["lying_cost"] for rival in rivals] == ["proportional"]


@pytest.mark.parametrize(
    ("lead", "rhat", "used"),
    [
        (10.0, {"uniform": 1.0, "smallest-lie": 1.0}, "uniform"),
        (0.1, {"uniform": 1.0, "smallest-lie": 1.0}, "smallest-lie"),
        (10.0, {"uniform": 1.1, "smallest-lie": 1.0}, "smallest-lie"),
        (10.0, {"uniform": 1.1, "smallest-lie": 1.1}, "uniform"),
    ],
    ids=["better", "hardly better", "better but not converged", "none converged"],
)
def test_a_rival_is_used_only_if_it_is_surely_better(monkeypatch, lead, rhat, used):
    noise = np.random.default_rng(1).normal(size=len(TRIALS.table))
    asked = []

    def scored(fit):
        better = fit.model.conventions["ties"] == "uniform"
        loo = np.full(len(TRIALS.table), -1.0) + better * (lead / noise.size + 0.01 * noise)
        return dataclasses.make_dataclass("Scored", ["loo", "subject"])(
            loo, fit.units.trial_subject
        )

    def fake(model, trials, sampling, *, progress):
        asked.append((model.role, model.conventions["ties"], model.conventions["unsent"], sampling))
        return synthetic_fit(model, trials, draws=sampling.draws)

    def gate(fit):
        return Gate((Check("R-hat", rhat[fit.model.conventions["ties"]], 1.01, True),))

    weighed = []

    def new_people(fit, draws):
        weighed.append((fit.model.role, fit.sampling.draws, draws))

    monkeypatch.setattr(theoryfits, "pointwise", scored)
    monkeypatch.setattr(theoryfits, "leave_one_subject_out", new_people)
    monkeypatch.setattr(manyfits, "fit", fake)
    monkeypatch.setattr(Fit, "gate", property(gate))
    fits, variants, _ = fit_theories(
        TRIALS, settled_models(TRIALS, ["level-k"]), FULL, progress=False
    )
    assert list(fits) == [("level-k", role) for role in TRIALS.roles]
    for (_, role), one in fits.items():
        assert one.model.conventions["ties"] == used
        [row] = variants[(variants["role"] == role) & variants["used"]].itertuples()
        assert f"ties: {used}" in row.conventions
        whole = [(t, u) for r, t, u, s in asked if r == role and s == FULL]
        expected = [("smallest-lie", "monotone")]
        expected += [("uniform", "monotone")] if lead > 1 else []
        assert whole == expected
        brief = [(t, u) for r, t, u, s in asked if r == role and s != FULL]
        assert brief == [("uniform", "monotone"), ("smallest-lie", "prior")]
    assert {(s.draws, s.tune, s.chains) for *_, s in asked if s != FULL} == {(200, 300, 2)}
    best = variants.groupby("role")["elpd_diff"].max()
    assert (best == 0).all()
    # New people are predicted by full fits only, since these alone are compared.
    full = 1 + (lead > 1)
    assert sorted(weighed) == [(r, 500, 1000) for r in ("receiver", "sender") for _ in range(full)]


def test_models_without_alternatives_have_no_variants(monkeypatch):
    monkeypatch.setattr(
        manyfits, "fit", lambda model, trials, sampling, progress: synthetic_fit(model, trials)
    )
    fits, variants, _ = fit_theories(
        TRIALS, settled_models(TRIALS, ["full-trust"]), FULL, progress=False
    )
    assert set(fits) == {("full-trust", "sender"), ("full-trust", "receiver")}
    assert variants.empty
