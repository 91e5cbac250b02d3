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
from trustbayes.games import ContinuousGame, Role
from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.effects import Effect
from trustbayes.inference.marginal.population import Population
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import FitTask, iter_fits
from trustbayes.models import Model
from trustbayes.models.draws import Draws
from trustbayes.simulation.kinds import kind_of
from trustbayes.simulation.policies.crowd import check_new, new_values
from trustbayes.simulation.summaries import summary
from trustbayes.trials.table import Trials

__all__ = [
    "Unseen",
    "check_trials",
    "foreseen",
    "predicted_treatment",
    "unseen_treatments",
]

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
        If there is only one treatment, or the trials are of another game.

    Examples
    --------
    >>> import trustbayes as tb
    >>> fits = [tb.load_fit(f"{role}.nc") for role in ("sender", "receiver")]  # doctest: +SKIP
    >>> trials = tb.read_trials("trials.csv", "game.toml")  # doctest: +SKIP
    >>> tb.unseen_treatments(*fits, trials, seed=1).text  # doctest: +SKIP
    """
    check_trials(sender_fit, receiver_fit, trials)
    parts = [
        foreseen(
            fit.model, trials, sampling or fit.sampling, seed=seed + at * 2**32, ci_prob=ci_prob,
            folder=folder, executor=executor, progress=progress,
        )
        for at, fit in enumerate((sender_fit, receiver_fit))
    ]  # fmt: skip
    return Unseen(pd.concat(parts, ignore_index=True), ci_prob)


def foreseen(
    model: Model,
    trials: Trials,
    sampling: Sampling,
    *,
    seed: int,
    ci_prob: float = 0.9,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Leave each treatment out in turn, fit one model to the others, and predict it.

    Parameters
    ----------
    model : Model
        Of either role; parameters are taken to be the same in all treatments.
    trials : Trials
        Of the experiment.
    sampling : Sampling
    seed, ci_prob, folder, executor, progress
        See `unseen_treatments`.

    Returns
    -------
    DataFrame
        The rows of `Unseen.table` of the model.
    """
    theirs, model = trials.of_role(model.role), _everywhere_alike(model)
    model = model.fixed_to(model.fold(theirs))
    left_out = []
    for name in theirs.treatments:
        held = (theirs.table["treatment"] == name).to_numpy(bool)
        if held.any() and not held.all():
            left_out.append((name, theirs.subset(~held, f"all but treatment {name}")))
    tasks = [FitTask(model, learn, sampling) for _, learn in left_out]
    rows: dict[int, dict[str, Any]] = {}
    for at, fit in iter_fits(tasks, folder, executor, progress):
        rng = np.random.default_rng([seed, at])
        rows[at] = predicted_treatment(fit, theirs, left_out[at][0], ci_prob, rng)
    return pd.DataFrame([rows[at] for at in sorted(rows)])


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


def predicted_treatment(
    fit: Fit, theirs: Trials, name: str, ci_prob: float, rng: np.random.Generator
) -> dict[str, Any]:
    """The row of a treatment that a fit has not seen.

    Parameters
    ----------
    fit : Fit
        Of a model whose parameters are the same in all treatments.
    theirs : Trials
        Those that were learnt from, and those of the treatment.
    name : str
        Of the treatment.
    ci_prob : float
    rng : numpy.random.Generator

    Returns
    -------
    dict
        A row of `Unseen.table`.
    """
    role = fit.model.role
    units: Any = fit.model.fold(theirs)
    known = np.isin(units.subjects, fit.units.subjects)
    held = units.unit_treatment == units.treatments.index(name)
    here = held[units.trial_unit]
    draws = _of_all(fit, units, known, rng)
    toward = _directions(fit.game, role, units)[units.trial_unit]
    kind = kind_of(fit.game)

    def mean_shift(choices: np.ndarray, which: np.ndarray) -> np.ndarray:
        shifts = kind.trial_shifts(fit.game, units, choices) * toward
        return np.asarray(shifts[..., which].mean(axis=-1))

    chosen = kind.observed_choices(units)
    observed = float(mean_shift(chosen, here))
    copied = mean_shift(_replicated(draws, ~held[units.cell_unit], rng), here)
    predicted = summary(observed, copied, ci_prob)
    lower, upper = float(predicted["lower"]), float(predicted["upper"])
    people = np.unique(units.unit_subject[held])
    return {
        "role": role,
        "model": fit.model.name,
        "treatment": name,
        "people": people.size,
        "known": int(known[people].sum()),
        "trials": int(here.sum()),
        "observed": observed,
        "predicted": float(predicted["mean"]),
        "lower": lower,
        "upper": upper,
        "covered": lower <= observed <= upper,
        "others": float(mean_shift(chosen, ~here)),
        "converged": fit.gate.passed,
    }


def _replicated(draws: Draws, learnt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Replicate every trial, one step ahead if people learn; types as what was learnt has them.

    Parameters
    ----------
    draws : Draws
    learnt : array of bool, shape (cells,)
        Which cells say anything of types.
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (draws, trials)
    """
    response, choices = draws.model.response(draws.game), []
    for rows, answer, values in draws.answers():
        types = None
        if draws.shares is not None:
            logs = response.cell_logs(draws.units, answer, values, typed=True)
            logs = np.where(learnt[:, None], logs, 0.0)
            joint = draws.type_logs(rows, logs)
            types = (joint + rng.gumbel(size=joint.shape)).argmax(axis=-1)
            if (steps := draws.steps(rows)) is not None:
                types = steps.walk(logs, types, len(draws.model.types), rng)
        choices.append(response.choose(draws.units, answer, values, types, rng))
    return np.concatenate(choices)


def _of_all(fit: Fit, units: Any, known: np.ndarray, rng: np.random.Generator) -> Draws:
    """A fit's draws for everybody: people it knows as learnt, others drawn from the population."""
    draws = fit.draws(_DRAWS)
    if known.all() and units.subjects == fit.units.subjects:
        return replace(draws, units=units)
    place = pd.Index(fit.units.subjects).get_indexer(pd.Index(units.subjects))
    population = Population.of(draws.model, fit.game, units, draws.data)
    effects = {effect.parameter.name: effect for effect in population.effects}
    data = draws.data.isel(subject=np.maximum(place, 0)) if "subject" in draws.data.dims else None
    if data is None:
        return replace(draws, units=units)
    data = data.assign_coords(subject=list(units.subjects)).copy(deep=True)
    for label, array in data.data_vars.items():
        if "subject" not in array.dims:
            continue
        values, name = array.transpose("sample", "subject", ...).to_numpy().copy(), str(label)
        if name in effects:
            values[:, ~known] = _new_values(effects[name], rng, values.shape)[:, ~known]
        else:  # what only those have of whom something was learnt
            values[:, ~known] = 0.0
        others = [str(dim) for dim in array.dims if dim not in ("sample", "subject")]
        data[name] = (("sample", "subject", *others), values)
    return replace(draws, units=units, data=data)


def _new_values(effect: Effect, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A value of each person for each draw, from the population; of the shape asked for."""
    arguments = {name: values[..., 0] for name, values in effect.shape.items()}
    by_treatment = len(shape) == 3 and not effect.parameter.option  # by a formula
    # Locations have the shape (draws, 1 or people, treatments or 1, options or 1).
    location = effect.location[..., 0] if by_treatment else effect.location[:, :, 0]
    size = (shape[0], shape[1], effect.width)
    natural = new_values(effect, location, arguments, size, rng)
    return natural if by_treatment or effect.parameter.option else natural[..., 0]


def _directions(game: Any, role: Role, units: Any) -> np.ndarray:
    """What makes inflation of choices less what was seen, or discount; of each unit."""
    sign = 1.0 if role == "sender" else -1.0
    names = np.array(units.treatments)[units.unit_treatment]
    if isinstance(game, ContinuousGame):
        way = game.directions(names)
        return np.where(way == 0, sign, sign * way)
    if units.continuous:
        return np.full(units.unit_subject.size, sign)
    if role == "receiver" and game.labelled:
        return np.ones(units.unit_subject.size)
    biases = units.biases[units.unit_bias]
    return sign * np.array(
        [
            game.in_treatment(name).direction_of(bias) or 1.0
            for name, bias in zip(names, biases, strict=True)
        ]
    )
