"""Fitting a model to trials: look first, sample once or twice, and say how it was done."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from trustbayes.errors import Fault, InputError
from trustbayes.games import Game
from trustbayes.inference.engines.approximate import approximate
from trustbayes.inference.engines.compiled import Sampled
from trustbayes.inference.engines.nuts import Adaptation, sample
from trustbayes.inference.first_run import find_type_densities, likely_chains, refined
from trustbayes.inference.fit import FORMAT, Fit
from trustbayes.inference.sampling import METHODS, Method, Sampling, versions
from trustbayes.models import Model
from trustbayes.models.additions import added
from trustbayes.models.draws import Draws
from trustbayes.models.graph import build_units
from trustbayes.models.joint import Joint
from trustbayes.models.parametrisation.information import Information
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.models.parametrisation.type_coordinates import can_be_placed
from trustbayes.trials.table import Trials
from trustbayes.trials.units import Units

__all__ = ["check_method", "described", "fit", "fit_key", "recorded"]

_FIRST = 200  # draws of the run that others start from, see `trustbayes.inference.first_run`


def fit(
    model: Model,
    trials: Trials,
    sampling: Sampling | None = None,
    *,
    progress: bool = True,
    cores: int | None = None,
    alike: bool = False,
    built: pm.Model | None = None,
    method: Method | None = None,
) -> Fit:
    """Sample a model's posterior with nutpie's NUTS, or draw from an approximation to it.

    A model that combines theories is sampled twice: a first short run shows where the posterior has
    its mass and how to carry parameters that a subject's type ignores, and the chains of the main
    run start there. See `trustbayes.inference.first_run`.

    Parameters
    ----------
    model : Model
    trials : Trials
        With the model's role.
    sampling : Sampling, optional
        Default: 4 chains of 1,000 draws after 500 steps of warm-up.
    progress : bool
        Whether to show a progress bar.
    cores : int, optional
        Chains at a time; default: as many as the machine has cores.
    alike : bool
        Whether other trials of the same design (who plays which treatment in which trial) are
        fitted in this process, too: all then share one compiled model. In a finite game they do
        anyway; in forecast sharing such a model takes longer to compile and to evaluate.
    built : pymc.Model, optional
        What ``model.build(trials)`` made, with variables, potentials or observations of a user's
        own added. They are sampled with the rest, stand in the posterior and the file, and are
        named in the manifest under "added"; the graph itself cannot be stored.
    method : {"nuts", "laplace", "advi"}, optional
        In place of that of ``sampling``. With thousands of subjects Laplace's approximation takes
        a small part of the time that NUTS does, see
        `trustbayes.inference.engines.approximate.approximate`; the fit says what it is, and no
        verdict rests on it.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If the trials lack the model's role, or are of another kind of game; if what was built is
        of another model or other trials, lacks something, or is of a model that combines theories,
        whose two runs need graphs of their own; if such a model, or one whose posterior has no
        mode, is to be approximated.

    Examples
    --------
    >>> import pymc as pm
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> model = tb.TrustEmbedded("receiver")
    >>> with model.build(trials) as built:
    ...     spread = pm.Deterministic("trust_range", built["trust"].max() - built["trust"].min())
    >>> fit(model, trials, built=built).posterior["trust_range"]  # doctest: +SKIP
    """
    sampling = sampling or Sampling()
    sampling = replace(sampling, method=method or sampling.method)
    model.check_kind(trials.game)
    check_method(model, sampling)
    if model.role not in trials.roles:
        raise InputError(Fault(trials.source, "", f"trials of the {model.role}"))
    folded = trials.fold(model.role)
    model, in_order = model.fixed_to(folded), model.with_named_covariates(folded)
    additions = {} if built is None else added(built, model, trials)
    units = in_order.by_design()
    chains = _Chains(
        model=model,
        units=units,
        game=trials.game,
        information=_look(model, units, trials.game, built),
        sampling=sampling,
        built=built,
        alike=alike,
        progress=progress,
        cores=cores,
    )
    information, sampled = chains.run()
    manifest = {
        # With additions the same inputs cannot be told from others: no key, and no reuse by one.
        **({"key": fit_key(model, trials, sampling)} if built is None else {"added": additions}),
        **described(model, information, trials.game),
        **recorded(trials, sampling, sampled),
    }
    return Fit(
        model=model,
        game=trials.game,
        units=in_order,
        posterior=_in_order(sampled.posterior, in_order.subjects),
        sample_stats=sampled.sample_stats,
        manifest=manifest,
    )


def _look(model: Model, units: Units, game: Game, built: pm.Model | None) -> Information:
    """Look at the trials first, and say how parameters are carried.

    Raises
    ------
    InputError
        If a built model would have to be sampled twice.
    """
    information = pilot(model, units, game)
    if built is not None and (information.stand_ins or can_be_placed(model)):
        expected = "none: models that combine theories are sampled in two runs, each with its graph"
        raise InputError(Fault(f"{model.name}, {model.role}", "a built model", expected))
    return (
        find_type_densities(model, units, game, information)
        if can_be_placed(model)
        else information
    )


@dataclass(frozen=True, eq=False)
class _Chains:
    """A model, what it is fitted to, and how: what all runs of a fit have in common.

    Parameters
    ----------
    model : Model
        With what its formulas take from the trials.
    units : Units
        In the order of the design.
    game : Game
    information : Information
        From the pilot; with the sites, if the model's parameters can be placed.
    sampling : Sampling
        Of the main run.
    built, alike, progress, cores
        See `fit`.
    """

    model: Model
    units: Units
    game: Game
    information: Information
    sampling: Sampling
    built: pm.Model | None
    alike: bool
    progress: bool
    cores: int | None

    @cached_property
    def pattern(self) -> str:
        """That of the compiled model; empty if it is not to be used again."""
        # Code may draw on anything, names of subjects included: what it makes is not used again.
        if self.model.code_priors or self.built is not None:
            return ""
        return _pattern(self.model, self.units, self.game, self.information, self.alike)

    def run(self) -> tuple[Information, Sampled]:
        """Sample, twice if the model combines theories; by what information, and the draws."""
        if not (self.information.stand_ins or self.information.type_densities):
            return self.information, self._sampled(self.information, self.sampling)
        first = self._sampled(self.information, replace(self.sampling, draws=_FIRST), points=True)
        information, starts = self._learnt(first)
        sampled = self._sampled(information, self.sampling, starts)
        seconds = {"first run": sum(first.seconds.values()), **sampled.seconds}
        return information, replace(sampled, seconds=seconds)

    def _learnt(self, first: Sampled) -> tuple[Information, np.ndarray]:
        """What the first run says: better densities or sites, and points to start from."""
        some = first.posterior.isel(draw=slice(None, None, _FIRST // 10))
        likely = likely_chains(self._draws(some), self.sampling.chains)
        draws = self._draws(first.posterior.isel(chain=np.flatnonzero(likely)))
        if self.information.type_densities:
            information = find_type_densities(
                self.model, self.units, self.game, self.information, draws.data
            )
        else:
            information = refined(self.information, draws)
        assert first.points is not None
        return information, np.concatenate(first.points[likely])

    def _draws(self, posterior: xr.Dataset) -> Draws:
        return Draws.of(self.model, self.game, self.units, posterior)

    def _sampled(
        self,
        information: Information,
        sampling: Sampling,
        starts: np.ndarray | None = None,
        points: bool = False,
    ) -> Sampled:
        """One run, of a graph of its own unless the user has built it."""
        graph = self.built or build_units(
            self.model, self.units, self.game, information, replaceable=self.alike
        )
        if sampling.approximates:
            return approximate(graph, sampling, progress=self.progress, pattern=self.pattern)
        return sample(
            graph,
            sampling,
            progress=self.progress,
            cores=self.cores,
            pattern=self.pattern,
            adaptation=_adaptation(self.units, information),
            starts=starts,
            near=information.starts,
            points=points,
        )


def check_method(model: Model, sampling: Sampling) -> None:
    """Refuse to approximate models that combine theories.

    Parameters
    ----------
    model : Model
    sampling : Sampling

    Raises
    ------
    InputError
    """
    if sampling.approximates and (can_be_placed(model) or any(model.ignored.values())):
        expected = "nuts: a subject has a mode for each of the theories that are combined"
        raise InputError(Fault(f"{model.name}, {model.role}, method", sampling.method, expected))


def _in_order(posterior: xr.Dataset, subjects: tuple[str, ...]) -> xr.Dataset:
    return posterior.sel(subject=list(subjects)) if "subject" in posterior.dims else posterior


def _adaptation(units: Units, information: Information) -> Adaptation:
    if information.type_densities:
        return "draw_diag"
    return "low_rank" if units.continuous else "diag"


def described(model: Model, information: Information, game: Game) -> dict[str, Any]:
    """What the manifest says of a model.

    Parameters
    ----------
    model : Model
    information : Information
        By which its last graph was built.
    game : Game

    Returns
    -------
    dict
        JSON-safe.
    """
    form = dict(information.form)
    form |= dict.fromkeys(
        information.type_densities.placed if information.type_densities else (), "placed"
    )
    return {
        "model": model.to_dict(),
        "conventions": dict(model.resolve_conventions(game)),
        "parametrisation": {
            p.name: model.parametrisation.get(p.name, form[p.name])
            for p in model.parameters
            if p.support != "simplex" and p.name not in model.code_priors
        },
    }


def recorded(trials: Trials, sampling: Sampling, sampled: Sampled) -> dict[str, Any]:
    """What the manifest says of data, sampler and time.

    Parameters
    ----------
    trials : Trials
    sampling : Sampling
    sampled : Sampled

    Returns
    -------
    dict
        JSON-safe.
    """
    return {
        "format": FORMAT,
        "game": trials.game.to_dict(),
        "game_checksum": trials.game.checksum,
        "data": {
            "source": trials.source,
            "checksum": trials.checksum,
            "exclusions": [[e.column, e.value, e.rows] for e in trials.exclusions],
        },
        "sampler": {"name": METHODS[sampling.method], **vars(sampling)},
        **({"approximation": asdict(sampled.check)} if sampled.check else {}),
        "versions": versions(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": dict(sampled.seconds),
    }


def fit_key(model: Model | Joint, trials: Trials, sampling: Sampling) -> str:
    """Identify a fit by its content: the same inputs have the same key.

    What formulas take from people is a part of the model, so the trials without them are enough.

    Parameters
    ----------
    model : Model or Joint
    trials : Trials
    sampling : Sampling

    Returns
    -------
    str
        SHA-256 in hexadecimal digits.
    """
    if isinstance(model, Model) and model.formulas:
        model = model.fixed_to(trials.fold(model.role))
    content = {
        "format": FORMAT,
        "model": model.to_dict(),
        "game": trials.game.checksum,
        "data": trials.checksum,
        "layout": trials.game.layout.to_list(),
        "sampling": vars(sampling),
        "versions": versions(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _pattern(model: Model, units: Units, game: Game, information: Information, alike: bool) -> str:
    """Identify what is compiled: all but the numbers in the PyMC model's data variables."""
    formulas = {
        n: (f.text, len(f.columns), len(f.to_dict()["known"]["groups"]))
        for n, f in model.formulas.items()
    }
    placed = information.type_densities.placed if information.type_densities else ()
    form = {n: f for n, f in information.form.items() if n not in placed}
    parts = {
        "model": {**model.to_dict(), "formulas": formulas},
        "game": game.checksum,
        "sizes": [len(units.subjects), len(units.treatments)],
        "alike": alike,
        "form": {n: model.parametrisation.get(n, f) for n, f in form.items()},
        "stand_ins": list(information.stand_ins),
        "placed": placed,
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for array in units.constants(alike):
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
