"""Where the truth is known: what a subject's own trials can tell of it, and the types found."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.errors import Fault, InputError
from trustbayes.games import Game
from trustbayes.inference.fit import Fit
from trustbayes.models import SPECS
from trustbayes.models.draws import Draws, type_probabilities
from trustbayes.theories.values import Values

__all__ = ["estimable", "identified", "planted_against_estimated", "planted_draw", "type_recovery"]

_STEP = 1e-4
_KNOWN = 1.0  # information at which own trials alone give a standard error of 1 on the link scale


_TOLD_APART = math.log(20)  # expected log likelihood ratio


_GRID = np.linspace(-5.0, 5.0, 41)


def estimable(fit: Fit, planted: xr.Dataset) -> dict[str, bool]:
    """What was planted that the fit can estimate, and whether it is of subjects.

    Not what a subject's type may ignore: her own trials then say nothing of it.

    Parameters
    ----------
    fit : Fit
    planted : Dataset
        See `planted_draw`.

    Returns
    -------
    dict of str to bool
        By variable.
    """
    ignored = {name for names in fit.model.ignored.values() for name in names}
    of_subjects = {str(name): "subject" in v.dims for name, v in planted.data_vars.items()}
    return {name: each for name, each in of_subjects.items() if not (each and name in ignored)}


def identified(fit: Fit, planted: pd.DataFrame) -> pd.DataFrame:
    """Whether a subject's own trials say anything about each of her planted parameters.

    They do if the Fisher information of her trials at the planted values, on the scale of the
    link (logarithm or logit), is at least 1. It is none at a corner: where a sender is truthful
    at any greater lying aversion, or for a parameter of a theory that the subject does not follow.

    Parameters
    ----------
    fit : Fit
    planted : DataFrame
        As `trustbayes.simulation.simulate.simulate` gives it; rows of other models are left out.

    Returns
    -------
    DataFrame
        Columns role, model, subject, parameter, treatment ("" if common), identified (bool).
    """
    truth = _Truth(fit, planted)
    units, response = fit.units, fit.model.response(fit.game)
    rows = []
    for parameter in fit.model.parameters:
        name = parameter.name
        if name not in truth.values or "subject" not in truth.dims[name]:
            continue
        link = parameter.prior.family.link
        at = link.forward(truth.values[name])
        up, down = (truth.answer({name: link.inverse(at + s)}) for s in (_STEP, -_STEP))
        information = response.information(units, up, down, _STEP, typed=False)
        if "treatment" in truth.dims[name]:
            subjects, treatments = units.unit_subject, units.unit_treatment
            labels = np.array(units.treatments)[treatments]
        else:
            information = np.bincount(units.unit_subject, weights=information)
            subjects = np.arange(len(units.subjects))
            labels = np.full(subjects.size, "")
        rows.append(
            pd.DataFrame(
                {
                    "role": fit.model.role,
                    "model": fit.model.name,
                    "subject": np.array(units.subjects)[subjects],
                    "parameter": name,
                    "treatment": labels,
                    "identified": information,
                }
            )
        )
    if not rows:
        columns = ["role", "model", "subject", "parameter", "treatment"]
        return pd.DataFrame(columns=columns).assign(identified=np.empty(0, dtype=bool))
    table = pd.concat(rows, ignore_index=True)
    by = ["role", "model", "subject", "parameter", "treatment"]  # several biases add up
    total = table.groupby(by, sort=False)["identified"].sum().reset_index()
    return total.assign(identified=total["identified"] >= _KNOWN)


def type_recovery(fit: Fit, planted: pd.DataFrame) -> pd.DataFrame:
    """Planted types against the ones found.

    A subject stands at a corner if another type, whatever its parameter, would have made nearly
    the same choices: if the expected log likelihood ratio of her trials between the two is below
    log 20, so that even with all else known she could not be told apart.

    Parameters
    ----------
    fit : Fit
        Of a model with types.
    planted : DataFrame
        As `trustbayes.simulation.simulate.simulate` gives it, of the same model.

    Returns
    -------
    DataFrame
        Columns role, subject, planted, found (the most probable type), probability (of the
        planted type), corner (bool), rival (the type closest to the planted one). Empty if no
        types were planted for this model.
    """
    columns = ["role", "subject", "planted", "found", "probability", "corner", "rival"]
    truth = _Truth(fit, planted)
    if truth.kinds is None:
        return pd.DataFrame(columns=columns)
    chances = type_probabilities(fit.draws(1000)).mean(axis=0)
    people, names = np.arange(len(truth.kinds)), np.array(fit.model.types)
    distance = truth.distances()
    rival = distance.argmin(axis=1)
    return pd.DataFrame(
        {
            "role": fit.model.role,
            "subject": fit.units.subjects,
            "planted": names[truth.kinds],
            "found": names[chances.argmax(axis=1)],
            "probability": chances[people, truth.kinds],
            "corner": distance[people, rival] < _TOLD_APART,
            "rival": names[rival],
        }
    )


class _Truth:
    """The planted values of a fit's model, as arrays."""

    def __init__(self, fit: Fit, planted: pd.DataFrame) -> None:
        self.fit, self.kinds = fit, None
        model, units = fit.model, fit.units
        of_model = planted[(planted["role"] == model.role) & (planted["model"] == model.name)]
        of_model = of_model.assign(
            subject=of_model["subject"].fillna("").astype(str),
            treatment=of_model["treatment"].fillna("").astype(str),
        )
        coords = {"subject": list(units.subjects), "treatment": list(units.treatments)}
        self.values: dict[str, np.ndarray] = {}
        self.dims: dict[str, tuple[str, ...]] = {}
        for parameter in model.parameters:
            rows = of_model[of_model["parameter"] == parameter.name]
            if parameter.support == "simplex" or parameter.option or rows.empty:
                continue
            dims = [dim for dim in coords if (rows[dim] != "").all()]
            if not dims:
                self.values[parameter.name] = rows["value"].to_numpy(float)[0]
            else:
                series = rows.set_index(dims)["value"].astype(float)
                array = xr.DataArray.from_series(series).reindex({d: coords[d] for d in dims})
                # Where a subject was not, any value will do.
                self.values[parameter.name] = array.fillna(array.mean()).to_numpy()
            self.dims[parameter.name] = tuple(dims)
        kinds = of_model[
            of_model["parameter"].str.startswith("type[") | (of_model["parameter"] == "level")
        ]
        kinds = kinds[kinds["subject"] != ""].set_index("subject")
        if model.types and not kinds.empty:
            labels = kinds["parameter"].str.extract(r"\[(.*)\]", expand=False)
            labels = labels.fillna(kinds["value"].map("{:g}".format))
            self.kinds = labels.loc[coords["subject"]].map(model.types.index).to_numpy()

    def typed_answer(self, changed: dict[str, np.ndarray]) -> tuple[np.ndarray, Values]:
        """What the theory says of all types, with some values changed."""
        fit = self.fit
        values = Values(self.values | changed, self.dims, fit.units)
        return fit.model.answer(fit.game, values), values

    def answer(self, changed: dict[str, np.ndarray]) -> tuple[np.ndarray, Values]:
        """What the theory says of each subject's own type."""
        answer, values = self.typed_answer(changed)
        return (answer if self.kinds is None else self.of(answer, self.kinds)), values

    def of(self, answer: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """The answer of some type for each subject."""
        response = self.fit.model.response(self.fit.game)
        return response.pick(self.fit.units, answer[None], kinds[None])[0]

    def distances(self) -> np.ndarray:
        """Divergence of each subject's play from that of every other type at its closest.

        Returns
        -------
        array, shape (subjects, types)
            Infinite for the subject's own type.
        """
        assert self.kinds is not None
        fit, size = self.fit, len(self.kinds)
        response = fit.model.response(fit.game)
        true_answer, values = self.answer({})
        distances = np.full((size, len(fit.model.types)), np.inf)
        free = [
            p
            for p in fit.model.parameters
            if p.name in self.values
            and "subject" in self.dims[p.name]
            and not p.name.startswith("response_")
        ]
        trials: list[dict[str, np.ndarray]] = [{}]
        for parameter in free:
            natural = parameter.prior.family.link.inverse(_GRID)
            shape = np.shape(self.values[parameter.name])
            trials += [{parameter.name: np.full(shape, value)} for value in natural]
        for changed in trials:
            answer, _ = self.typed_answer(changed)
            for kind in range(len(fit.model.types)):
                other = self.of(answer, np.full(size, kind))
                gap = response.divergence(fit.units, true_answer, other, values)
                total = np.bincount(fit.units.unit_subject, weights=gap, minlength=size)
                distances[:, kind] = np.minimum(distances[:, kind], total)
        distances[np.arange(size), self.kinds] = np.inf
        return distances


_KEY = ["role", "subject", "model", "parameter", "treatment"]


def planted_against_estimated(
    subjects: pd.DataFrame, planted: pd.DataFrame, game: Game
) -> pd.DataFrame:
    """Hold estimates of subject parameters against the values that generated the data.

    Parameters
    ----------
    subjects : DataFrame
        From `trustbayes.estimates.subjects.subject_estimates`.
    planted : DataFrame
        As `trustbayes.simulation.simulate.simulate` gives it: role, subject, model, parameter,
        treatment, value (natural standardised scale).
    game : Game

    Returns
    -------
    DataFrame
        The rows of ``subjects`` whose truth is known, with columns planted (in the unit of the
        row) and covered (whether the interval holds it).

    Raises
    ------
    InputError
        If a column is missing.
    """
    missing = [name for name in (*_KEY, "value") if name not in planted]
    if missing:
        raise InputError(Fault("planted parameters", "", f"the columns {', '.join(missing)}"))
    truth = planted[[*_KEY, "value"]].copy()
    for name in ("subject", "treatment"):
        truth[name] = truth[name].fillna("").astype(str)
    factors = {
        (spec.name, spec.role, parameter.name): parameter.factor(game)
        for spec in SPECS
        if spec.kind == game.kind
        for parameter in spec.parameters
    }
    known = zip(truth["model"], truth["role"], truth["parameter"], strict=True)
    factor = [factors.get(key, 1.0) for key in known]
    truth["planted"] = truth["value"].astype(float) * factor
    joined = subjects.merge(truth.drop(columns="value"), on=_KEY)
    joined["covered"] = joined["planted"].between(joined["lower"], joined["upper"])
    return joined


def planted_draw(fit: Fit, parameters: pd.DataFrame) -> Draws:
    """The values that generated the trials, as one draw of the fitted model's parameters.

    Parameters
    ----------
    fit : Fit
        To the simulated trials.
    parameters : DataFrame
        See `trustbayes.simulation.simulate.Simulation`.

    Returns
    -------
    Draws
        With one sample; what was not planted is left out, and so are locations of parameters that
        all subjects share, which say the same twice. What no subject met is NaN.
    """
    model = fit.model
    here = parameters[(parameters["role"] == model.role)]
    keys = zip(here["parameter"], here["subject"], here["treatment"], strict=True)
    known = dict(zip(keys, here["value"].astype(float), strict=True))
    names = {key[0].split("[")[0] for key in known} - _twice(fit)
    data = {}
    for name, draws in fit.posterior.data_vars.items():
        if name not in names:
            continue
        dims = [str(dim) for dim in draws.dims if dim not in ("chain", "draw")]
        values = np.full([draws.sizes[dim] for dim in dims], np.nan)
        labels = {dim: draws[dim].to_numpy().astype(str) for dim in dims}
        for at in np.ndindex(*values.shape):
            where = {dim: str(labels[dim][i]) for dim, i in zip(dims, at, strict=True)}
            options = (label for dim, label in where.items() if dim not in ("subject", "treatment"))
            option = "".join(f"[{label}]" for label in options)
            key = (f"{name}{option}", where.get("subject", ""), where.get("treatment", ""))
            values[at] = known.get(key, np.nan)
        data[name] = (("sample", *dims), values[None])
    coords = {name: fit.posterior[name] for name in fit.posterior.coords if name not in _DRAWS}
    return Draws(model, fit.game, fit.units, xr.Dataset(data, coords=coords))


def _twice(fit: Fit) -> set[str]:
    """Locations of what all subjects share: the value itself on another scale."""
    shared = (p for p in fit.model.parameters if "subject" not in fit.model.varies[p.name])
    return {
        f"{p.name}_{prior.family.location}"
        for p in shared
        if p.name not in fit.model.code_priors and (prior := fit.model.priors[p.name]).hierarchical
    }


_DRAWS = ("chain", "draw")
