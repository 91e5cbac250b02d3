"""The check: each treatment left out of the fit, predicted from the others, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.effects import Effect
from trustbayes.inference.marginal.population import Population
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import FitTask, iter_fits
from trustbayes.models import Model
from trustbayes.models.replications import draw_types
from trustbayes.simulation.policies.crowd import check_new, new_types, new_values
from trustbayes.simulation.summaries import summary
from trustbayes.theories.values import Values
from trustbayes.trials.table import Trials

__all__ = ["Unseen", "check_trials", "unseen_treatments"]

_DRAWS = 400
_SHORT = 0.2  # of the intervals' probability: what is less than that many held counts as too few


@dataclass(frozen=True, eq=False)
class Unseen:
    """How well treatments were foreseen that were left out of the fit.

    Parameters
    ----------
    table : DataFrame
        A row for each role and treatment: role, model, treatment, people, known (of them, from
        other treatments), trials, observed (mean inflation of messages, mean discount of actions;
        units of the state, see `Counterfactual.effects`), predicted, lower, upper (of replications
        of these trials, noise included), covered (bool), others (what was observed in the other
        treatments: a forecast without any theory), converged (bool).
    ci_prob : float
    """

    table: pd.DataFrame
    ci_prob: float

    @property
    def foreseen(self) -> bool:
        """Whether intervals hold nearly as many observed means as they claim to."""
        return bool(self.table["covered"].mean() >= self.ci_prob - _SHORT)

    @property
    def text(self) -> str:
        """What it says of how far policies may be trusted."""
        rows = self.table
        errors = (rows["predicted"] - rows["observed"]).abs()
        naive = (rows["others"] - rows["observed"]).abs()
        closer = int((errors < naive).sum())
        words = (
            f"Each treatment was left out of the fits in turn and predicted from the others: "
            f"{int(rows['covered'].sum())} of {len(rows)} observed means lie in their "
            f"{100 * self.ci_prob:g}\N{NO-BREAK SPACE}% intervals; {closer} of {len(rows)} "
            "predictions come closer than the mean of the other treatments. "
        )
        if not self.foreseen:
            words += (
                "The models do not foresee a treatment that they have not seen as well as they "
                "claim to, and policies that change the game are to be trusted as little."
            )
        else:
            words += "A policy that changes the game is to be trusted as far as that, and no more."
        return words


def unseen_treatments(
    sender_fit: Fit,
    receiver_fit: Fit,
    trials: Trials,
    *,
    seed: int,
    ci_prob: float = 0.9,
    sampling: Sampling | None = None,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = False,
) -> Unseen:
    """Leave each treatment out in turn, fit the models to the others, and predict it.

    What the models estimate for each treatment by itself cannot be known of one that was left out:
    parameters are the same in all treatments here, but for formulas. Who was met in another
    treatment has what was learnt of her there; others are drawn from the population.

    Parameters
    ----------
    sender_fit, receiver_fit : Fit
        Whose models are fitted again.
    trials : Trials
        Of the experiment, with at least two treatments.
    seed : int
    ci_prob : float
    sampling : Sampling, optional
        Default: as the fits were sampled.
    folder, executor, progress
        See `trustbayes.inference.tasks.run_fits`.

    Returns
    -------
    Unseen

    Raises
    ------
    InputError
        If there is only one treatment, the trials are of another game, or people learn.

    Examples
    --------
    >>> import trustbayes as tb
    >>> fits = [tb.load_fit(f"{role}.nc") for role in ("sender", "receiver")]  # doctest: +SKIP
    >>> trials = tb.read_trials("trials.csv", "game.toml")  # doctest: +SKIP
    >>> tb.unseen_treatments(*fits, trials, seed=1).text  # doctest: +SKIP
    """
    fits: Mapping[Role, Fit] = {"sender": sender_fit, "receiver": receiver_fit}
    check_trials(sender_fit, receiver_fit, trials)
    names = list(dict.fromkeys(t for f in fits.values() for t in f.units.treatments))
    jobs = []
    for role, fit in fits.items():
        theirs = trials.of_role(role)
        model = _everywhere_alike(fit.model)
        settings = sampling or fit.sampling
        for name in names:
            held = (theirs.table["treatment"] == name).to_numpy(bool)
            if not held.any() or held.all():
                continue
            learn = theirs.subset(~held, f"all but treatment {name}")
            predict = theirs.subset(held, f"treatment {name}")
            task = FitTask(model.fixed_to(theirs.fold(role)), learn, settings)
            jobs.append((name, learn, predict, task))
    rows: dict[int, dict[str, Any]] = {}
    for at, fit in iter_fits([job[-1] for job in jobs], folder, executor, progress):
        name, learn, predict, _ = jobs[at]
        rng = np.random.default_rng([seed, at])
        rows[at] = {"treatment": name} | _predicted(fit, learn, predict, ci_prob, rng)
    order = ["role", "model", "treatment", "people", "known", "trials", "observed", "predicted"]
    order += ["lower", "upper", "covered", "others", "converged"]
    return Unseen(pd.DataFrame([rows[at] for at in sorted(rows)])[order], ci_prob)


def check_trials(sender_fit: Fit, receiver_fit: Fit, trials: Trials) -> None:
    """Refuse what `unseen_treatments` cannot check, before anything is fitted.

    Raises
    ------
    InputError
    """
    fits: Mapping[Role, Fit] = {"sender": sender_fit, "receiver": receiver_fit}
    faults = [
        Fault(
            f"check, trials of {role}s",
            f"trials of {trials.game.name}",
            f"of {fit.game.name}, as the fit",
        )
        for role, fit in fits.items()
        if fit.game.checksum != trials.game.checksum
    ]
    faults += [Fault("check, trials", "", f"{role}s") for role in fits if role not in trials.roles]
    faults += [
        Fault(
            "check", f"a fit of {role}s who learn", "none, but `trustbayes holdout` of a treatment"
        )
        for role, fit in fits.items()
        if fit.model.learns
    ]
    if trials.table["treatment"].nunique() < 2:
        faults.append(Fault("check, trials", "one treatment", "two or more, to leave one out"))
    if faults:
        raise InputError(faults)
    for fit in fits.values():
        check_new(fit)


def _everywhere_alike(model: Model) -> Model:
    """The model with parameters that are the same in all treatments, but for formulas."""
    varies = {
        name: tuple(over for over in dims if over != "treatment")
        for name, dims in model.varies.items()
        if name not in model.formulas
    }
    return model.replace(varies=varies)


def _predicted(
    fit: Fit, learn: Trials, predict: Trials, ci_prob: float, rng: np.random.Generator
) -> dict[str, Any]:
    """The row of a role and treatment but for its name."""
    role, game = fit.model.role, fit.game
    units: Any = predict.fold(role)
    draws = fit.draws(_DRAWS)
    known = pd.Index(fit.units.subjects).get_indexer(pd.Index(units.subjects))
    values, types = _values(fit, draws, units, known, rng)
    model = draws.model
    response = model.response(game)
    answer = model.answer(game, values)
    if types is not None:
        answer = response.pick(units, answer, types)
    copies = response.draw(units, answer, values, None, rng)
    copied = _shift(game, role, units, copies)
    copied = np.broadcast_to(copied, (draws.size,)) if np.ndim(copied) == 0 else copied
    shown = units.trial_choice if units.continuous else units.counts
    observed = float(_shift(game, role, units, shown[None])[0])
    foreseen = summary(observed, copied, ci_prob)
    lower, upper = float(foreseen["lower"]), float(foreseen["upper"])
    before: Any = learn.fold(role)
    seen = before.trial_choice if before.continuous else before.counts
    return {
        "role": role,
        "model": model.name,
        "people": len(units.subjects),
        "known": int((known >= 0).sum()),
        "trials": units.n_trials,
        "observed": observed,
        "predicted": float(foreseen["mean"]),
        "lower": lower,
        "upper": upper,
        "covered": lower <= observed <= upper,
        "others": float(_shift(game, role, before, seen[None])[0]),
        "converged": fit.gate.passed,
    }


def _values(
    fit: Fit, draws: Any, units: Any, known: np.ndarray, rng: np.random.Generator
) -> tuple[Values, np.ndarray | None]:
    """Parameters and types of those to be predicted: as learnt, or of new people."""
    model, size, people = draws.model, draws.size, known.size
    new = np.flatnonzero(known < 0)
    arrays: dict[str, Any] = {}
    dims: dict[str, tuple[str, ...]] = {}
    population = Population.of(model, fit.game, units, draws.data) if new.size else None
    effects = {} if population is None else {e.parameter.name: e for e in population.effects}
    for parameter in model.parameters:
        if parameter.support == "simplex":
            continue
        name, data = parameter.name, draws.data[parameter.name]
        drawn = data.to_numpy()
        if "subject" in data.dims:
            drawn = drawn[:, np.maximum(known, 0)]
            if name in effects:
                drawn[:, new] = _new_values(effects[name], size, people, rng, drawn.shape)[:, new]
        arrays[name], dims[name] = drawn, tuple(map(str, data.dims[1:]))
    if draws.shares is None:
        return Values(arrays, dims, units), None
    learnt = draw_types(draws, rng)
    assert learnt is not None
    types = learnt[:, np.maximum(known, 0)]
    if new.size:
        shares = replace(draws, units=units, data=draws.data.drop_dims("subject")).shares
        assert shares is not None
        types[:, new] = new_types(shares, people, rng)[:, new]
    return Values(arrays, dims, units), types


def _new_values(
    effect: Effect, size: int, people: int, rng: np.random.Generator, shape: tuple[int, ...]
) -> np.ndarray:
    """A value of each person for each draw, from the population; of the shape asked for."""
    arguments = {name: values[..., 0] for name, values in effect.shape.items()}
    by_treatment = len(shape) == 3 and not effect.parameter.option  # by a formula
    # Locations have the shape (draws, 1 or people, treatments or 1, options or 1).
    location = effect.location[..., 0] if by_treatment else effect.location[:, :, 0]
    natural = new_values(effect, location, arguments, (size, people, effect.width), rng)
    return natural if by_treatment or effect.parameter.option else natural[..., 0]


def _shift(game: Any, role: Role, units: Any, chosen: np.ndarray) -> np.ndarray:
    """Mean inflation, or discount, of choices of shape (draws, ...), shape (draws,)."""
    names = np.array(units.treatments)[units.unit_treatment]
    if units.continuous:
        plain = game.face_value(role, units.trial_seen, names[units.trial_unit])
        gap = (chosen - plain).mean(axis=-1)
        return np.asarray(gap if role == "sender" else -gap)
    gaps = chosen * game.shifts(role)
    by_unit = gaps.sum(axis=(-1, -2))
    labelled = role == "receiver" and game.labelled
    signs = [
        game.in_treatment(name).direction_of(bias) or 1.0
        for name, bias in zip(names, units.biases[units.unit_bias], strict=True)
    ]
    sign = np.ones(len(signs)) if labelled else np.array(signs) * (1 if role == "sender" else -1)
    return np.asarray((by_unit * sign).sum(axis=-1) / chosen.sum(axis=(-1, -2, -3)))
