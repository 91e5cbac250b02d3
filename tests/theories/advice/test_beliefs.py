"""Beliefs after recommendations, against loops from their definitions."""

import math

import numpy as np
import pandas as pd
import pytest
from advice import LINE, advised, units_of

from trustbayes.errors import InputError
from trustbayes.games import RecommendationGame
from trustbayes.models import Values, model
from trustbayes.trials.table import trials_from_frame

TWO = RecommendationGame(lowest=1, highest=100, unit=10, step=1, advisers=2)


def answer(name, units, game, arrays=None, **conventions):
    own = model(name, "receiver", game, **conventions)
    dims = {key: ("adviser",) if key == "adviser_pull" else () for key in arrays or {}}
    return own.answer(game, Values(arrays or {}, dims, units))


def test_beliefs_are_weighted_averages():
    # 2,000 random settings of trust, distance, and weights of two advisers.
    rng = np.random.default_rng(21)
    units = units_of(advised(22, people=10, rounds=10, game=TWO))
    for _ in range(20):
        trust, effect, first, second = rng.uniform(), rng.normal(), rng.normal(), rng.normal()
        arrays = {
            "trust": np.asarray(trust),
            "distance_effect": np.asarray(effect),
            "adviser_pull": np.array([first, second]),
        }
        for log in (False, True):
            found = answer(
                "trust-embedded",
                units,
                TWO,
                arrays,
                distance=True,
                advisers="weighted",
                scale="log" if log else "linear",
            )
            weight = math.exp(first) / (math.exp(first) + math.exp(second))
            for i, belief in enumerate(found):
                e, (m, n) = units.trial_estimate[i], units.trial_messages[i]
                apart = abs((m + n) / 2 - e) / 10
                odds = trust / (1 - trust) * math.exp(effect * (apart - 1))
                share = odds / (1 + odds)
                own, one, other = (math.log(x) if log else x for x in (e, m, n))
                expected = (1 - share) * own + share * weight * one + share * (1 - weight) * other
                assert belief == pytest.approx(expected, abs=1e-8)


def test_benchmarks_are_what_they_say():
    units = units_of(advised(23, game=TWO))
    e, m = units.trial_estimate, units.trial_messages
    np.testing.assert_allclose(answer("keep", units, TWO), e)
    np.testing.assert_allclose(answer("follow", units, TWO), m.mean(axis=1))
    np.testing.assert_allclose(answer("average", units, TWO), (e + m.sum(axis=1)) / 3)


def test_precision_weights_are_those_of_normal_updating():
    trials = advised(24, estimate_width=6, message_width=3)
    units = units_of(trials)
    found = answer("precision-weighted", units, LINE)
    precision = 1 / 6**2, 1 / 3**2
    both = precision[0] * units.trial_estimate + precision[1] * units.trial_seen
    np.testing.assert_allclose(found, both / sum(precision))
    trusting = {"trust": np.asarray(0.5), "confidence_effect": np.asarray(2.0)}
    np.testing.assert_allclose(
        answer("trust-embedded", units, LINE, trusting, confidence=True), found
    )


def test_theories_that_need_widths_say_so():
    units = units_of(advised(25))
    with pytest.raises(InputError, match="40 of 40 trials without widths"):
        answer("precision-weighted", units, LINE)


def test_logarithms_need_positive_decisions():
    with pytest.raises(InputError, match="lowest is above 0"):
        answer("keep", units_of(advised(26)), LINE, scale="log")


def test_advice_that_equals_the_estimate_says_nothing_of_trust():
    rows = [
        {"receiver": p, "round": r, "estimate": 50, "message": 50, "action": 50 + r}
        for p in "ab"
        for r in range(3)
    ]
    units = units_of(trials_from_frame(pd.DataFrame(rows), LINE))
    own = model("trust-embedded", "receiver", LINE)
    shares = {"response_noise": 1.0, "keeping": 0.2, "following": 0.1}
    logs = []
    for trust in (0.1, 0.9):
        arrays = {k: np.asarray(v) for k, v in {**shares, "trust": trust}.items()}
        values = Values(arrays, dict.fromkeys(arrays, ()), units)
        logs.append(own.response(LINE).cell_logs(units, own.answer(LINE, values), values, False))
    np.testing.assert_allclose(logs[0], logs[1])
