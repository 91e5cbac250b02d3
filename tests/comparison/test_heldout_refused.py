"""Held-out data: what is refused, and a part that fits have seen nothing like."""

import numpy as np
import pytest
from synthetic import small_trials

import trustbayes.inference.tasks as manyfits
from trustbayes.comparison import hold_out, kfold, refit_without
from trustbayes.errors import InputError
from trustbayes.inference.fitting import fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import FullTrust, LevelK
from trustbayes.trials.table import trials_from_frame

SMALL = small_trials(pairs=6)


def test_what_does_not_go_together_is_refused_before_anything_is_fitted(monkeypatch):
    fitted = []
    monkeypatch.setattr(manyfits, "fit", lambda *given, **_: fitted.append(given))
    sender, receiver = FullTrust("sender"), LevelK("receiver")
    cases = [
        (lambda: kfold([], SMALL, seed=1), "models: expected at least one model"),
        (lambda: kfold([sender, receiver], SMALL, seed=1), "models, level-k: found 'receiver'"),
        (lambda: kfold([sender, sender], SMALL, seed=1), "'full-trust', expected every model once"),
        (lambda: kfold([sender], SMALL, folds=7, seed=1),
         "small, folds: found '7', expected a whole number from 2 to 6, the number of subjects"),
        (lambda: kfold([sender], SMALL, folds=1, seed=1), "from 2 to 6"),
        (lambda: kfold([sender], SMALL, "group", seed=1), "small: expected a column group"),
        (lambda: kfold([sender], SMALL, "person", seed=1), "expected subject or group"),
        (lambda: refit_without(sender, SMALL, ["s1", "x1"]), "subjects to leave out: found 'x1'"),
        (lambda: refit_without(sender, SMALL, ["s1", "s1"]), "'s1', expected every subject once"),
        (lambda: refit_without(sender, SMALL, []), "expected at least one subject"),
        (lambda: hold_out([sender], SMALL), "either a round or a treatment"),
        (lambda: hold_out([sender], SMALL, after_round=1, treatment="Low"),
         "found 'round 1 and treatment Low'"),
        (lambda: hold_out([sender], SMALL, after_round=12),
         "small, round: found '12', expected a round from 1 to 11, the last being 12"),
        (lambda: hold_out([sender], SMALL, after_round=0), "from 1 to 11"),
        (lambda: hold_out([sender], SMALL, treatment="Lo"), "found 'Lo', expected 'Low'"),
    ]  # fmt: skip
    for call, message in cases:
        with pytest.raises(InputError, match=message.replace("(", r"\(")):
            call()
    low = SMALL.subset((SMALL.table["treatment"] == "Low").to_numpy(), "Low only")
    with pytest.raises(InputError, match="trials of another treatment"):
        hold_out([sender], low, treatment="Low")
    frame = SMALL.table.drop(columns=["receiver", "action", "bias"])
    senders = trials_from_frame(frame, SMALL.game)
    for call in (
        lambda: kfold([receiver], senders, seed=1),
        lambda: hold_out([receiver], senders, after_round=3),
        lambda: refit_without(receiver, senders, ["r1"]),
    ):
        with pytest.raises(InputError, match="trials of the receiver"):
            call()
    assert not fitted


@pytest.mark.slow
def test_a_treatment_without_trials_has_its_prior():
    keep = (SMALL.table["treatment"] == "Low").to_numpy()
    chosen = FullTrust("receiver", varies={"response_precision": ("subject", "treatment")})
    sampling = Sampling(draws=300, tune=300, chains=2, seed=2)
    found = fit(chosen, SMALL.subset(keep, "Low"), sampling, progress=False)
    high = np.log(found.posterior["response_precision_mean"].sel(treatment="High")).to_numpy()
    hyper = chosen.priors["response_precision"].arguments["mean"].arguments
    # About 200 effective draws or more; four standard errors.
    assert high.mean() == pytest.approx(hyper["mu"], abs=4 * hyper["sigma"] / np.sqrt(200))
    assert high.std() == pytest.approx(hyper["sigma"], rel=4 / np.sqrt(2 * 200))
