"""What the best models of both roles say together: policies go to those that they suit."""

import numpy as np
import pandas as pd
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes import Policy, model
from trustbayes.analysis.best_models import check_policies, policies_of, worth_of
from trustbayes.errors import InputError
from trustbayes.inference.gate import Check, Gate
from trustbayes.trials.table import trials_from_frame

TRIALS = small_trials()
ROLES = ("sender", "receiver")
TRUST = Policy("a guarantee", shift={"trust": 0.5})
BIAS = Policy("less conflict", game={"bias": 0.1})


class Ranked:
    """A comparison, as far as is asked of it: the models, best first."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def rows(self) -> pd.DataFrame:
        return pd.DataFrame(index=list(self.names))


def fits(passed: bool = True):
    found = {}
    for role in ROLES:
        for name in ("level-k", "trust-embedded"):
            fit = synthetic_fit(model(name, role, TRIALS.game), TRIALS, draws=4)
            vars(fit)["gate"] = Gate((Check("R-hat", 1.0 if passed else 2.0, 1.01, True),))
            found[name, role] = fit
    return found


BEST_FIRST = {role: Ranked("level-k", "trust-embedded") for role in ROLES}


def test_policies_are_put_to_the_best_models_that_they_suit():
    found = fits()
    told = policies_of([BIAS], found, BEST_FIRST, 1, 0.9)
    assert told.models == {"sender": "level-k", "receiver": "level-k"}
    told = policies_of([BIAS, TRUST], found, BEST_FIRST, 1, 0.9)
    assert told.models == {"sender": "level-k", "receiver": "trust-embedded"}
    assert policies_of([], found, BEST_FIRST, 1, 0.9) is None
    assert policies_of([BIAS], fits(passed=False), BEST_FIRST, 1, 0.9) is None


def test_worth_is_of_the_best_models_of_finite_games_too():
    told = worth_of(fits(), BEST_FIRST, 1, 0.9)
    assert list(told["treatment"].unique()) == ["Low", "High"]
    assert np.isfinite(told["share"]).all()


def test_policies_that_suit_no_model_are_refused_before_any_fit():
    models = {role: [model("level-k", role, TRIALS.game)] for role in ROLES}
    check_policies([BIAS], models, TRIALS)
    check_policies([], {}, TRIALS)
    with pytest.raises(InputError, match="policy a guarantee, shift: found 'trust'"):
        check_policies([BIAS, TRUST], models, TRIALS)
    models["receiver"].append(model("trust-embedded", "receiver", TRIALS.game))
    check_policies([BIAS, TRUST], models, TRIALS)
    alone = trials_from_frame(TRIALS.table.drop(columns=["receiver", "action"]), TRIALS.game)
    with pytest.raises(InputError, match="receiver"):
        check_policies([BIAS], models, alone)
