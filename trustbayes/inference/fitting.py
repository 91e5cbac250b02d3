"""Fitting a model to trials: by the population engine, or by NUTS, which looks first."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np
import pymc as pm
import xarray as xr

from trustbayes.errors import Fault, InputError
from trustbayes.files import plain as plain_values
from trustbayes.games import Game
from trustbayes.inference.choice import settled, why_not
from trustbayes.inference.engines.compiled import Sampled, plain
from trustbayes.inference.engines.nuts import Adaptation, sample
from trustbayes.inference.engines.population.density import NoHighestPoint
from trustbayes.inference.engines.population.posterior import sample_population
from trustbayes.inference.first_run import find_type_densities, likely_chains, refined
from trustbayes.inference.fit import Fit
from trustbayes.inference.prolonged import mixed
from trustbayes.inference.records import described, fit_key, recorded
from trustbayes.inference.sampling import METHODS, Method, Sampling
from trustbayes.models import Model
from trustbayes.models.additions import added
from trustbayes.models.draws import Draws
from trustbayes.models.graph import build_units
from trustbayes.models.parametrisation.information import Information
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.models.parametrisation.type_coordinates import can_be_placed
from trustbayes.trials.sequences import Sequences, missing_rounds
from trustbayes.trials.table import Trials
from trustbayes.trials.units import Units

__all__ = ["fit"]

_log = logging.getLogger(__name__)

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
    """Draw from a model's posterior.

    The population engine integrates subjects out on tables, samples the population alone, and
    draws subjects given each of its draws. NUTS samples all of them together; a model that combines
    theories twice: a first short run shows where the posterior has its mass and how to carry
    parameters that a subject's type ignores, and the chains of the main run start there, see
    `trustbayes.inference.first_run`. Where chains of NUTS have not quite mixed, and two to five
    times as many draws should do, it samples once more, and the manifest says so under "prolonged",
    see `trustbayes.inference.prolonged`.

    Parameters
    ----------
    model : Model
    trials : Trials
        With the model's role.
    sampling : Sampling, optional
        Default: 4 chains of 1,000 draws after 500 steps of warm-up.
    progress : bool
        Whether NUTS shows a progress bar.
    cores : int, optional
        Chains at a time; default: as many as the machine has cores.
    alike : bool
        Whether other trials of the same design (who plays which treatment in which trial) are
        fitted in this process by NUTS, too: all then share one compiled model. In a finite game
        they do anyway; in forecast sharing such a model takes longer to compile and to evaluate.
    built : pymc.Model, optional
        What ``model.build(trials)`` made, with variables, potentials or observations of a user's
        own added. They are sampled with the rest by NUTS, stand in the posterior and the file, and
        are named in the manifest under "added"; the graph itself cannot be stored.
    method : {"auto", "population", "nuts"}, optional
        In place of that of ``sampling``. "auto" is the population engine for theories of at most
        two parameters a person, unless all people of a finite game share a further one and are
        of no types; without formulas, and not for recommendations. Else NUTS, and so where the
        engine meets a density without a highest point; the manifest and a line of the log then
        say why.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If the trials lack the model's role, or are of another kind of game; if what was built is
        of another model or other trials, lacks something, or is of a model that combines theories,
        whose two runs need graphs of their own; if the population engine is asked for and cannot
        fit the model, such as by a prior in code or where its density has no highest point.

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
    if model.role not in trials.roles:
        raise InputError(Fault(trials.source, "", f"trials of the {model.role}"))
    asked = sampling.method
    sampling, reason = settled(model, trials, sampling, built=built is not None)
    if sampling.method == "population":
        try:
            return _of_population(model, trials, sampling, cores)
        except NoHighestPoint as error:
            if asked == "population":
                raise
            sampling, reason = replace(sampling, method="nuts"), why_not(error)
    if reason:
        _log.info("sampling %s, %s, by NUTS: %s", model.name, model.role, reason)
    folded = model.fold(trials)
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
    information, sampled, prolonged = mixed(
        lambda how: replace(chains, sampling=how).run(), sampling, f"{model.name}, {model.role},"
    )
    missing = missing_rounds(trials.of_role(model.role).table, model.role) if model.learns else {}
    if missing:
        _log.info("rounds that are missing move nobody's trust: %s", missing)
    manifest = {
        # With additions the same inputs cannot be told from others: no key, and no reuse by one.
        **({"key": fit_key(model, trials, sampling)} if built is None else {"added": additions}),
        **described(model, information, trials.game),
        **recorded(trials, sampling, sampled.seconds),
        **prolonged,
        **({"why_nuts": reason} if reason else {}),
        **({"missing_rounds": missing} if missing else {}),
    }
    return Fit(
        model=model,
        game=trials.game,
        units=in_order,
        posterior=_in_order(sampled.posterior, in_order.subjects),
        sample_stats=sampled.sample_stats,
        manifest=manifest,
    )


def _of_population(model: Model, trials: Trials, sampling: Sampling, cores: int | None) -> Fit:
    """Fit by the population engine."""
    units = model.fold(trials)
    model = model.fixed_to(units)
    sampled = sample_population(model, trials.game, units, sampling, cores)
    drawn_by = METHODS["nuts"] if sampled.pareto_k is None else "independent proposals"
    shape = sampled.posterior.sizes["chain"], sampled.posterior.sizes["draw"], -1
    manifest = {
        "key": fit_key(model, trials, sampling),
        **described(model, None, trials.game),
        **recorded(trials, sampling, sampled.seconds, f"{METHODS['population']}, {drawn_by}"),
        "engine": plain_values(
            {
                "integration": asdict(sampled.integration),
                "pareto_k": sampled.pareto_k,
                "acceptance": sampled.acceptance,
                "gradients": sampled.gradients,
                "coinciding": [list(labels) for labels in sampled.coinciding],
                "left_out": {
                    unit: {label: asdict(prediction) for label, prediction in made.items()}
                    for unit, made in sampled.left_out.items()
                },
            }
        ),
    }
    dims = ("chain", "draw", "subject")
    logs = sampled.log_likelihood.reshape(shape).astype(np.float32)  # to 1e-5 nats
    return Fit(
        model=model,
        game=trials.game,
        units=model.with_named_covariates(units),
        posterior=_in_order(plain(sampled.posterior), units.subjects),
        sample_stats=plain(sampled.sample_stats),
        manifest=manifest,
        log_likelihood=xr.Dataset({"trials": (dims, logs)}, {"subject": list(units.subjects)}),
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


def _in_order(posterior: xr.Dataset, subjects: tuple[str, ...]) -> xr.Dataset:
    return posterior.sel(subject=list(subjects)) if "subject" in posterior.dims else posterior


def _adaptation(units: Units, information: Information) -> Adaptation:
    if information.type_densities:
        return "draw_diag"
    # Where people learn, gains trade off with everybody's trust at the beginning.
    return "low_rank" if units.continuous or isinstance(units, Sequences) else "diag"


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
