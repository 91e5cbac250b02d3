"""A study: several experiments that are to give one answer, checked together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.games import Game, Role
from trustbayes.models import Model, model, model_names
from trustbayes.models.formula import Formula
from trustbayes.pooling.common_scales import EFFECT_OF, OF_ALL, common_scales
from trustbayes.trials.table import Trials

__all__ = ["Study", "StudyExperiment"]

_ROLES: tuple[Role, ...] = ("sender", "receiver")


@dataclass(frozen=True, eq=False)
class StudyExperiment:
    """One experiment of a study: its trials, and what is known of it besides.

    Parameters
    ----------
    name : str
        What tables and figures call it.
    trials : Trials
    year : int, optional
    citation : str
        What to cite.
    covariates : mapping of str to float or str
        What formulas of the study may name: stakes, whether people were students, and so on.

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> StudyExperiment("Pilot", trials, covariates={"stakes": 12.0}).roles
    ('sender', 'receiver')
    """

    name: str
    trials: Trials
    year: int | None = None
    citation: str = ""
    covariates: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def game(self) -> Game:
        """What it pays."""
        return self.trials.game

    @property
    def roles(self) -> tuple[Role, ...]:
        """Whose choices it has."""
        return self.trials.roles


@dataclass(frozen=True, init=False, eq=False)
class Study:
    """Experiments of different games, kinds and sizes, of one role or both, taken together.

    Parameters
    ----------
    experiments : sequence of StudyExperiment
        One or more, in the order of tables.
    title : str
        What reports call it.
    roles : sequence of "sender" and "receiver", optional
        Whose choices to pool; default: those that any experiment has.
    models : sequence of str, optional
        The theories to fit wherever an experiment's game and roles know them; default: those that
        `trustbayes.models.ModelSpec` marks so for the kind of game.
    parameters : sequence of str, optional
        The parameters that have a population of experiments; default: all that two experiments or
        more have on a common scale. The others keep each experiment's own prior.
    formulas : mapping of str to str
        By parameter, how its location depends on the experiments' covariates: ``"1 + stakes"``.

    Raises
    ------
    InputError
        With everything that is wrong: no experiment, two of the same name, the same data under
        two names, a role nobody has, an unknown theory, a parameter that no two experiments share,
        or a formula that names what not all of those have.

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> Study([StudyExperiment("a", trials), StudyExperiment("b", trials)])
    Traceback (most recent call last):
        ...
    trustbayes.errors.InputError: experiment b: found 'the data of a', expected each experiment once
    """

    experiments: tuple[StudyExperiment, ...]
    title: str
    roles: tuple[Role, ...]
    models: tuple[str, ...]
    parameters: tuple[str, ...]
    formulas: Mapping[str, Formula]
    models_named: bool

    def __init__(
        self,
        experiments: Sequence[StudyExperiment],
        *,
        title: str = "Several experiments",
        roles: Sequence[Role] | None = None,
        models: Sequence[str] | None = None,
        parameters: Sequence[str] | None = None,
        formulas: Mapping[str, str] | None = None,
    ) -> None:
        held = tuple(experiments)
        faults = _of_experiments(held)
        faults += _of_roles(held, roles or ())
        faults += _of_models(held, models or ())
        if faults:
            raise InputError(faults)
        given = {n: Formula(text, f"formula of {n}") for n, text in (formulas or {}).items()}
        settled: dict[str, object] = {
            "experiments": held,
            "title": title,
            "roles": tuple(r for r in _ROLES if r in (roles or _roles(held))),
            "models": tuple(models or _default_models(held)),
            "parameters": (),
            "models_named": models is not None,
            "formulas": MappingProxyType(given),
        }
        for name, value in settled.items():
            object.__setattr__(self, name, value)
        shared = self._shared()
        faults = [
            Fault("parameters", name, _expected_shared(name, shared))
            for name in parameters or ()
            if name not in shared
        ]
        for name, formula in given.items():
            if name not in (parameters or shared):
                faults.append(Fault(formula.place, name, _expected_shared(name, shared)))
            else:
                faults += _of_formula(formula, [held[at] for at in shared[name]])
        if not faults and not shared and len(held) > 1:
            expected = "theories of which two experiments or more have a parameter in common"
            faults.append(Fault("study, parameters", "none that two share", expected))
        if faults:
            raise InputError(faults)
        object.__setattr__(self, "parameters", tuple(parameters or shared))

    @property
    def names(self) -> tuple[str, ...]:
        """What the experiments are called."""
        return tuple(experiment.name for experiment in self.experiments)

    def model_of(self, experiment: StudyExperiment, name: str, role: Role) -> Model | None:
        """A theory as an experiment has it; None where its game or trials do without."""
        if role not in experiment.roles:
            return None
        kind, by_default = experiment.game.kind, not self.models_named
        known = model_names(kind, role=role, by_default=by_default)
        return model(name, role, experiment.game) if name in known else None

    def _shared(self) -> dict[str, list[int]]:
        """By parameter, the positions of the experiments that have it, if they are several."""
        single = len(self.experiments) == 1
        where: dict[tuple[str, str, str, str], list[int]] = {}
        for name in self.models:
            for role in self.roles:
                for position, experiment in enumerate(self.experiments):
                    settings = self.model_of(experiment, name, role)
                    for scale in () if settings is None else common_scales(settings):
                        key = (name, role, scale.parameter, scale.label)
                        where.setdefault(key, []).append(position)
        shared: dict[str, set[int]] = {}
        for (_, _, parameter, _), places in where.items():
            if len(places) > 1 or single:
                shared.setdefault(parameter, set()).update(places)
        return {name: sorted(places) for name, places in shared.items()}


def _roles(experiments: Sequence[StudyExperiment]) -> tuple[Role, ...]:
    return tuple(r for r in _ROLES if any(r in experiment.roles for experiment in experiments))


def _default_models(experiments: Sequence[StudyExperiment]) -> list[str]:
    kinds = dict.fromkeys(experiment.game.kind for experiment in experiments)
    named = [n for kind in kinds for n in model_names(kind, by_default=True)]
    return list(dict.fromkeys(named))


def _of_experiments(experiments: Sequence[StudyExperiment]) -> list[Fault]:
    if not experiments:
        return [Fault("study", "", "at least one experiment")]
    faults, names, contents = [], dict[str, int](), dict[str, str]()
    for number, experiment in enumerate(experiments, start=1):
        place = f"experiment {experiment.name}"
        if not experiment.name.strip():
            faults.append(Fault(f"experiment {number}, name", experiment.name, "a name"))
        elif experiment.name in names:
            expected = f"a name of its own: experiment {names[experiment.name]} has it, too"
            faults.append(Fault(f"experiment {number}, name", experiment.name, expected))
        elif experiment.name in OF_ALL or experiment.name.startswith(EFFECT_OF):
            expected = "another name: tables call what is pooled so"
            faults.append(Fault(f"experiment {number}, name", experiment.name, expected))
        names.setdefault(experiment.name, number)
        if experiment.trials.checksum in contents:
            faults.append(
                Fault(
                    place,
                    f"the data of {contents[experiment.trials.checksum]}",
                    "each experiment once",
                )
            )
        contents.setdefault(experiment.trials.checksum, experiment.name)
    return faults


def _of_roles(experiments: Sequence[StudyExperiment], roles: Sequence[str]) -> list[Fault]:
    faults = []
    for role in roles:
        if role not in _ROLES:
            faults.append(Fault("roles", str(role), suggestion(str(role), _ROLES)))
        elif not any(role in experiment.roles for experiment in experiments):
            held = " and ".join(f"{r}s" for r in _roles(experiments))
            faults.append(Fault("roles", role, f"a role that somebody has: there are {held}"))
    return faults


def _of_models(experiments: Sequence[StudyExperiment], models: Sequence[str]) -> list[Fault]:
    known: list[str] = []
    for experiment in experiments:
        for role in experiment.roles:
            known += [n for n in model_names(experiment.game.kind, role=role) if n not in known]
    faults = [Fault("models", str(n), suggestion(str(n), known)) for n in models if n not in known]
    twice = [name for name in dict.fromkeys(models) if list(models).count(name) > 1]
    return faults + [Fault("models", name, "every theory once") for name in twice]


def _expected_shared(name: str, shared: Mapping[str, object]) -> str:
    known = listing(shared) if shared else "none"
    return f"a parameter that two experiments or more share: {known}"


def _of_formula(formula: Formula, experiments: Sequence[StudyExperiment]) -> list[Fault]:
    """What keeps a formula from being used for these experiments."""
    if formula.grouped or formula.by_treatment:
        expected = "covariates of experiments alone: no treatment, and no (1 | group)"
        return [Fault(formula.place, formula.text, expected)]
    faults = []
    for name in formula.covariates:
        known = dict.fromkeys(n for experiment in experiments for n in experiment.covariates)
        lacking = [
            experiment.name for experiment in experiments if name not in experiment.covariates
        ]
        if name not in known:
            expected = suggestion(name, list(known)) if known else "a covariate of experiments"
            faults.append(Fault(formula.place, name, expected))
        elif lacking:
            expected = f"a covariate of every experiment with the parameter, also {lacking[0]}"
            faults.append(Fault(formula.place, name, expected))
        elif len({experiment.covariates[name] for experiment in experiments}) == 1:
            faults.append(
                Fault(formula.place, name, "a covariate that differs between experiments")
            )
    return faults
