"""Models of recommendations: the graph says what the theory says, however it is built."""

import numpy as np
import pandas as pd
import pytest
from advice import LINE, advised

from trustbayes.games import RecommendationGame
from trustbayes.models import Values, model
from trustbayes.models.graph import build_units
from trustbayes.models.parametrisation.information import Information
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.trials.table import trials_from_frame

TWO = RecommendationGame(lowest=1, highest=100, unit=10, step=1, advisers=2)
CASES = {
    "trust-embedded": (LINE, {}),
    "choose": (LINE, {}),
    "average": (TWO, {"scale": "log"}),
    "weighted": (TWO, {"advisers": "weighted", "distance": True, "noise": "normal"}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("replaceable", [False, True])
def test_the_graph_has_the_likelihood_of_the_values(case, replaceable):
    game, conventions = CASES[case]
    name = "trust-embedded" if case == "weighted" else case
    own = model(name, "receiver", game, **conventions)
    units = advised(41, people=3, rounds=4, game=game).fold("receiver")
    information = Information.without_pilot(own, units)
    built = build_units(own, units, game, information, replaceable=replaceable)
    outputs = [*built.potentials, *(built[p.name] for p in own.parameters)]
    total, *natural = built.compile_fn(
        built.replace_rvs_by_values(outputs),
        inputs=built.value_vars,
        mode="FAST_COMPILE",
        on_unused_input="ignore",
    )(built.initial_point())
    arrays = {p.name: array for p, array in zip(own.parameters, natural, strict=True)}
    dims = {
        p.name: (*own.varies[p.name], *([p.option] if p.option else [])) for p in own.parameters
    }
    values = Values(arrays, dims, units)
    logs = own.response(game).cell_logs(units, own.answer(game, values), values, typed=False)
    assert float(total) == pytest.approx(logs.sum(), rel=1e-10)


def test_a_pilot_weighs_each_persons_treatments():
    own = model("trust-embedded", "receiver", LINE)
    found = pilot(own, advised(42, people=6, rounds=12).fold("receiver"), LINE)
    assert set(found.form) == {p.name for p in own.parameters}
    weights = found.weights["trust"]
    np.testing.assert_allclose(weights.sum(axis=1), 1)


def test_one_decision_a_person_and_one_adviser_are_enough_to_speak_of_the_population():
    rows = pd.DataFrame(
        {
            "receiver": list("abcd"),
            "round": 1,
            "adviser": "bot",
            "estimate": [10, 20, 30, 40],
            "message": [20, 10, 60, 80],
            "action": [12, 20, 50, 80],
        }
    )
    trials = trials_from_frame(rows, LINE)
    assert trials.treatments == ("bot",)
    assert "exactly one trial" in " ".join(trials.warnings)
    own = model("trust-embedded", "receiver", LINE)
    found = pilot(own, trials.fold("receiver"), LINE)
    np.testing.assert_array_equal(found.weights["trust"], 1)
