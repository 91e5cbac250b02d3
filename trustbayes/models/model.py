"""A model that a user has chosen: a spec with its priors and conventions settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.games import Game, Role
from trustbayes.models.additions import mark
from trustbayes.models.describe import Description, describe
from trustbayes.models.formula import Formula
from trustbayes.models.hierarchy import declare
from trustbayes.models.parametrisation.information import Information
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.models.parametrisation.type_coordinates import place
from trustbayes.models.regression import (
    check_lengths,
    coefficient_priors,
    coefficients,
    declare_added,
    shares_of,
    suited,
)
from trustbayes.numerics.arrays import log_sum_exp, of_type
from trustbayes.numerics.graphs import data
from trustbayes.priors.code import CustomPrior, settled
from trustbayes.priors.families import FAMILIES
from trustbayes.priors.prior import Prior
from trustbayes.theories.digest import spec_digest
from trustbayes.theories.response import Response
from trustbayes.theories.spec import Convention, ModelSpec, Parameter
from trustbayes.theories.values import Values
from trustbayes.trials.table import Trials
from trustbayes.trials.units import Units

__all__ = ["Model"]

_FORMS = ("centred", "non-centred")


@dataclass(frozen=True, init=False, eq=False)
class Model:
    """A theory with its priors and conventions, ready to meet trials.

    Parameters
    ----------
    spec : ModelSpec
    priors : mapping of str to Prior, PreliZ distribution or callable, optional
        In place of the defaults, on the natural standardised scale. A callable is any PyMC code:
        called inside the model context with the parameter's dims, such as ("subject",), it
        returns a tensor of their shape. Under a tuple of names one callable serves several
        parameters jointly: it is called with a dict of their dims and returns a dict of tensors.
        Coordinates are in ``pymc.modelcontext(None).coords``.
    varies : mapping of str to tuple of str, optional
        Over what a parameter varies: any of "subject" and "treatment".
    parametrisation : mapping of str to "centred" or "non-centred", optional
        In place of the choice made from the data; it bears on the sampler's speed only.
    formulas : mapping of str to str, optional
        Regressions on people and treatments, see `trustbayes.models.formula.Formula`: by parameter
        that varies by subject, such as ``{"trust": "1 + treatment + crt + (1 | group)"}``, or of
        shares that have a Dirichlet prior, ``{"level": "1 + crt"}``, a multinomial logit. The
        formula takes the place of the population's location on the scale of the link, whose prior
        becomes that of the intercept, the location of average people; treatments differ only if
        the formula says so. Priors of coefficients are set by ``priors`` of ``trust_slope`` (of
        all slopes; lists as arguments hold one number for each column) and ``trust_group_sigma``.
    **conventions
        In place of the spec's defaults.

    Raises
    ------
    ValueError
        If a name is unknown (with a suggestion), a prior's support does not fit its parameter, or
        a convention's value is not among its choices.

    Examples
    --------
    >>> from trustbayes.models import TrustEmbedded
    >>> model = TrustEmbedded(role="receiver", belief="prior")
    >>> model.conventions["belief"]
    'prior'
    """

    spec: ModelSpec
    priors: Mapping[str, Prior]
    varies: Mapping[str, tuple[str, ...]]
    parametrisation: Mapping[str, str]
    formulas: Mapping[str, Formula]
    conventions: Mapping[str, Any]

    def __init__(
        self,
        spec: ModelSpec,
        *,
        priors: Mapping[Any, Any] | None = None,
        varies: Mapping[str, tuple[str, ...]] | None = None,
        parametrisation: Mapping[str, str] | None = None,
        formulas: Mapping[str, Any] | None = None,
        **conventions: Any,
    ) -> None:
        chosen = {convention.name: convention.default for convention in spec.conventions}
        _known(conventions, chosen, f"{spec.name}: convention")
        chosen |= conventions
        for convention in spec.conventions:
            _check_choice(spec, convention, chosen[convention.name])
        parameters = _active(spec, chosen)
        all_priors = {p.name: p.prior for p in parameters}
        all_varies = {p.name: p.varies for p in parameters}
        own_priors = settled(priors or {})
        _known(formulas or {}, all_varies, f"{spec.name}: formula of")
        own_formulas = {
            name: one if isinstance(one, Formula) else Formula(one, f"formula of {name}")
            for name, one in (formulas or {}).items()
        }
        of_formulas: dict[str, Prior] = {}
        for name, formula in own_formulas.items():
            of_formulas |= coefficient_priors(name, formula, own_priors)
        _known(own_priors, all_priors, f"{spec.name}: prior of")
        _known(varies or {}, all_varies, f"{spec.name}: varies")
        _known(parametrisation or {}, all_priors, f"{spec.name}: parametrisation of")
        for parameter in parameters:
            if parameter.name in own_priors:
                _check_support(parameter, own_priors[parameter.name])
        for parameter in parameters:
            _check_varies(parameter, (varies or {}).get(parameter.name, parameter.varies))
        for name, form in (parametrisation or {}).items():
            if form not in _FORMS:
                raise ValueError(f"parametrisation of {name}: found {form!r}, expected {_FORMS}")
            if isinstance(own_priors.get(name), CustomPrior):
                raise ValueError(
                    f"parametrisation of {name}: found {form!r}, expected none: "
                    f"{own_priors[name]}, has its own"
                )
        for name, value in {
            "spec": spec,
            "priors": all_priors | own_priors | of_formulas,
            "varies": all_varies | {k: tuple(v) for k, v in (varies or {}).items()},
            "parametrisation": dict(parametrisation or {}),
            "formulas": own_formulas,
            "conventions": chosen,
        }.items():
            object.__setattr__(self, name, value)
        for parameter in parameters:
            if parameter.name in own_formulas:
                self._settle_formula(parameter, parameter.name in (varies or {}))
            if parameter.support == "simplex":
                _check_length(parameter, self.priors[parameter.name], self.shares[parameter.name])

    def _settle_formula(self, parameter: Parameter, told: bool) -> None:
        """Refuse a formula that does not suit its parameter, which then varies as it says."""
        name = parameter.name
        able = [p.name for p in self.parameters if "subject" in p.varies and not p.option]
        own = suited(parameter, self.formulas[name], self.priors[name], self.varies[name], able)
        if told and self.varies[name] != own:
            expected = f"{own!r}, as its formula {self.formulas[name]} says"
            raise InputError(Fault(f"varies of {name}", str(self.varies[name]), expected))
        object.__setattr__(self, "varies", {**self.varies, name: own})

    def but(self, **changes: Any) -> Model:
        """The same model with some of its settings changed, each as `Model` takes it."""
        formulas = changes.get("formulas", self.formulas)
        regressed = {*self.formulas, *formulas}  # vary as their formula says
        lost = [n for name in self.formulas if name not in formulas for n in coefficients(name)]
        settings = {
            "priors": {n: prior for n, prior in self.priors.items() if n not in lost},
            "varies": {n: over for n, over in self.varies.items() if n not in regressed},
            "parametrisation": self.parametrisation,
            "formulas": self.formulas,
            **self.conventions,
        }
        return Model(self.spec, **{**settings, **changes})

    def learnt(self, units: Units) -> Model:
        """Fix what formulas take from the people of some trials, unless it is fixed.

        Parameters
        ----------
        units : Units
            Trials of the model's role.

        Returns
        -------
        Model
            The same if there is nothing to be learnt.

        Raises
        ------
        InputError
            See `trustbayes.models.formula.Formula.learnt`.
        """
        if all(formula.known is not None for formula in self.formulas.values()):
            return self
        formulas = {name: formula.learnt(units) for name, formula in self.formulas.items()}
        for name, formula in formulas.items():
            if f"{name}_slope" in self.priors:
                check_lengths(name, formula, self.priors[f"{name}_slope"])
        return self.but(formulas=formulas)

    def own_people(self, units: Units) -> Units:
        """The trials with the covariates that formulas name, and no others."""
        needed = {n for formula in self.formulas.values() for n in formula.covariates}
        people = {n: values for n, values in units.people.items() if n in needed}
        return replace(units, people=people, varying=())

    @property
    def name(self) -> str:
        """Name of the theory."""
        return self.spec.name

    @property
    def role(self) -> Role:
        """Whose choices are modelled."""
        return self.spec.role

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that exist under the conventions."""
        return _active(self.spec, self.conventions)

    @property
    def coded(self) -> Mapping[str, CustomPrior]:
        """The priors that are Python code, by parameter."""
        return {n: prior for n, prior in self.priors.items() if isinstance(prior, CustomPrior)}

    @property
    def bound(self) -> Mapping[str, Prior]:
        """Priors of subjects from which a new subject cannot be drawn alone, by parameter.

        Python code makes all subjects at once, and zero-sum effects tie each to all others. New
        subjects cannot be predicted by a model that has such priors.
        """
        return {
            p.name: self.priors[p.name]
            for p in self.parameters
            if "subject" in self.varies[p.name] and _is_bound(p, self.priors[p.name])
        }

    @property
    def types(self) -> tuple[str, ...]:
        """Labels of the discrete types that are summed out; empty if there are none."""
        return self.spec.types(self.conventions) if self.spec.types else ()

    @property
    def ignored(self) -> Mapping[str, tuple[str, ...]]:
        """For each type, the subject parameters that its answer does without."""
        known = self.spec.ignores(self.conventions) if self.spec.ignores else {}
        return {label: known.get(label, ()) for label in self.types}

    @property
    def shares(self) -> Mapping[str, tuple[str, ...]]:
        """For each parameter that is a share of subjects, the labels of what is shared."""
        if self.spec.shares:
            return self.spec.shares(self.conventions)
        return {p.name: self.types for p in self.parameters if p.support == "simplex"}

    def type_shares(self, shares: Mapping[str, Any]) -> Any:
        """The shares of the types, shape (..., types), from those of each parameter.

        With formulas they are of shape (..., subjects, types).
        """
        if self.spec.type_shares:
            return self.spec.type_shares(shares)
        [only] = shares.values()
        return only

    def check_kind(self, game: Game) -> None:
        """Refuse a game of another kind than the model's.

        Raises
        ------
        InputError
        """
        if game.kind != self.spec.kind:
            place = f"model {self.name}, kind of game"
            expected = f"{game.kind}, as the trials are: name the game when choosing the model"
            raise InputError(Fault(place, self.spec.kind, expected))

    def settle(self, game: Game) -> Mapping[str, Any]:
        """The conventions, with those that depend on the game filled in."""
        return self.spec.resolve(game, self.conventions) if self.spec.resolve else self.conventions

    def answer(self, game: Game, values: Values) -> Any:
        """What the theory says, see `ModelSpec.answer`."""
        return self.spec.answer(game, values, self.settle(game))

    def answer_of_type(self, game: Game, values: Values, kind: int) -> Any:
        """What the type at a position of `types` answers, without an axis of types."""
        if self.spec.answer_of_type:
            return self.spec.answer_of_type(game, values, self.settle(game), kind)
        return of_type(self.answer(game, values), kind, self.response(game).type_axis)

    def response(self, game: Game) -> Response:
        """The response rule."""
        return self.spec.response(game, self.settle(game))

    def describe(self, game: Game | None = None) -> Description:
        """Parameters, priors and conventions in tables, and in plain text what depends on what.

        Parameters
        ----------
        game : Game, optional
            Settles the conventions that depend on the game.

        Returns
        -------
        Description
            Printed as text; in a notebook it shows as HTML.

        Raises
        ------
        InputError
            If the game is of another kind than the model's.

        Examples
        --------
        >>> from trustbayes.models import TrustEmbedded
        >>> table = TrustEmbedded("receiver").describe().parameters.set_index("parameter")
        >>> table.loc["trust", "prior"]
        'LogitNormal(mu=Normal(mu=0, sigma=1.5), sigma=HalfNormal(sigma=1))'
        """
        if game is not None:
            self.check_kind(game)
        return describe(self, game)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe form that `trustbayes.models.model_from_dict` reads back."""
        return {
            "name": self.name,
            "role": self.role,
            "kind": self.spec.kind,
            "spec": spec_digest(self.spec),
            "priors": {name: prior.to_dict() for name, prior in self.priors.items()},
            "varies": {name: list(over) for name, over in self.varies.items()},
            "parametrisation": dict(self.parametrisation),
            "conventions": dict(self.conventions),
            **(
                {"formulas": {n: f.to_dict() for n, f in self.formulas.items()}}
                if self.formulas
                else {}
            ),
        }

    def build(self, trials: Trials) -> pm.Model:
        """The PyMC model of the trials.

        Parameters
        ----------
        trials : Trials

        Returns
        -------
        pymc.Model
            Its coordinates are subject, treatment and, where there are any, level or message.
            Parameters are on the natural standardised scale under their names; the likelihood is
            the potential ``log_likelihood``. Variables may be added to it, and the whole given to
            `trustbayes.fit` as ``built``.

        Raises
        ------
        ValueError
            If the trials lack the model's role, or are of another kind of game.
        """
        return mark(self.build_units(trials.fold(self.role), trials.game), self, trials)

    def build_units(
        self,
        units: Units,
        game: Game,
        information: Information | None = None,
        replaceable: bool = False,
    ) -> pm.Model:
        """As `build`, from the trials of the model's role."""
        with pm.Model() as model:
            self.add(units, game, information, replaceable=replaceable)
        return model

    def add(
        self,
        units: Units,
        game: Game,
        information: Information | None = None,
        *,
        prefix: str = "",
        given: Mapping[str, Any] | None = None,
        replaceable: bool = False,
    ) -> None:
        """Add parameters and likelihood to the PyMC model in context.

        Parameters
        ----------
        units : Units
        game : Game
        information : Information, optional
            Default: found here.
        prefix : str
            Of the names of all variables and, but for the treatments, dimensions.
        given : mapping of str to PyTensor variable, optional
            Values of parameters that come from elsewhere, of the shape that they vary over.
        replaceable : bool
            Whether trials of the same `trustbayes.trials.units.Units.pattern` may take the place of
            these in the compiled model. Counts always may; trials that are points take about half
            as long again to evaluate then, and two or three times as long to compile.

        Raises
        ------
        InputError
            If the game is of another kind than the model's, or a callable does not make what its
            parameters need.
        """
        self.check_kind(game)
        if self.learnt(units) is not self:
            self.learnt(units).add(units, game, information, prefix=prefix, given=given)
            return
        self._check_locations(units)
        information = pilot(self, units, game) if information is None else information
        pm.modelcontext(None).add_coords(self._coords(units, game, prefix))
        arrays: dict[str, Any] = dict(given or {})
        dims = {name: self.varies[name] for name in arrays}
        shares: dict[str, Any] = {}
        sites = information.sites
        for parameter in self.parameters:
            name, prior = parameter.name, self.priors[parameter.name]
            if name in arrays or (sites and name in sites.placed):
                continue
            if isinstance(prior, CustomPrior):
                own = [p for p in self.parameters if p.name in prior.parameters]
                over = {p.name: self._dims(p) for p in own}
                arrays |= prior.declare(over, {p.name: p.support for p in own})
                dims |= over
                continue
            if parameter.support == "simplex":
                shares[name] = prior.shares(f"{prefix}{name}", len(self.shares[name]))
                if name in self.formulas:
                    labels = self.shares[name][1:]
                    pm.modelcontext(None).add_coord(f"{name}_contrast", list(labels))
                    more = declare_added(name, self.formulas[name], self.priors, units, len(labels))
                    shares[name] = shares_of(shares[name], more)
                continue
            arrays[name], dims[name] = declare(
                parameter,
                prior,
                self.varies[name],
                centred=self._centred(name, information),
                weights=information.weights[name],
                shift=self._shift(name, arrays, dims, information, prefix),
                prefix=prefix,
                stand_in=information.stand_ins.get(name),
                added=self._added(name, units),
            )
        observed: dict[str, Any] = {
            field: data(f"{prefix}{label}", getattr(units, field))
            for field, label in units.replaceable(replaceable).items()
        }
        units = replace(units, **observed)
        if sites:
            over = {name: self._added(name, units) for name in sites.names}
            placed = place(self, sites, information.weights, over, prefix)
            dims |= placed.dims
            logs = pt.stack(
                [
                    self._logs(units, game, Values({**arrays, **own}, dims, units), kind)
                    for kind, own in enumerate(placed.values)
                ],
                axis=1,
            )
            logs = pt.log(self._each_share(shares)) + logs + placed.log_density
            placed.pick(logs, prefix)
            logs = log_sum_exp(logs)
        else:
            logs = self._logs(units, game, Values(arrays, dims, units))
            if self.types:
                logs = logs + self._unused(information, prefix)
                logs = log_sum_exp(pt.log(self._each_share(shares)) + logs)
        pm.Potential(f"{prefix}log_likelihood", logs.sum())

    def _check_locations(self, units: Units) -> None:
        """Refuse lists of locations that do not go with the treatments."""
        faults = []
        for parameter in self.parameters:
            prior = self.priors[parameter.name]
            given = prior.arguments.get(str(prior.family.location))
            if not isinstance(given, tuple) or parameter.option:
                continue
            names = units.treatments if "treatment" in self.varies[parameter.name] else ("all",)
            if len(given) != len(names):
                expected = f"{len(names)}, one for each treatment: {', '.join(names)}"
                if "treatment" not in self.varies[parameter.name]:
                    expected = "1: it does not vary by treatment"
                faults.append(
                    Fault(f"prior of {parameter.name}, numbers", str(len(given)), expected)
                )
        if faults:
            raise InputError(faults)

    def _added(self, name: str, units: Units) -> Any:
        """What a formula adds to a parameter's location; None without one."""
        if name not in self.formulas:
            return None
        return declare_added(name, self.formulas[name], self.priors, units)

    def _each_share(self, shares: Mapping[str, Any]) -> Any:
        """Shares of the types, shape (types,) or, with formulas, (subjects, types)."""
        sizes = [one.shape[0] for one in shares.values() if one.ndim == 2]
        if sizes:
            shares = {
                name: one if one.ndim == 2 else one[None, :] * pt.ones((sizes[0], 1))
                for name, one in shares.items()
            }
        return self.type_shares(shares)

    def _logs(self, units: Units, game: Game, values: Values, kind: int | None = None) -> Any:
        """Log likelihood by subject, of one type or with an axis of types if there are any."""
        if kind is None:
            answer, typed = self.answer(game, values), bool(self.types)
        else:
            answer, typed = self.answer_of_type(game, values, kind), False
        logs, subject = self.response(game).log_likelihood(units, answer, values, typed)
        shape = (len(units.subjects), len(self.types)) if typed else (len(units.subjects),)
        return pt.inc_subtensor(pt.zeros(shape)[subject], logs)

    def _dims(self, parameter: Parameter) -> tuple[str, ...]:
        """Of a parameter whose prior is code."""
        over = self.varies[parameter.name]
        found = tuple(dim for dim in ("subject", "treatment") if dim in over)
        return (*found, *((parameter.option,) if parameter.option else ()))

    def _coords(self, units: Units, game: Game, prefix: str) -> dict[str, Any]:
        own: dict[str, Any] = {"subject": units.subjects, **self.shares}
        for option in {p.option for p in self.parameters if p.option}:
            own[option] = [f"{value:g}" for value in game.options(self.role)]
        coords = {f"{prefix}{name}": labels for name, labels in own.items()}
        return coords | {"treatment": units.treatments}

    def width(self, parameter: Parameter, game: Game) -> int:
        """How many values a parameter has for each subject and treatment."""
        return game.options(self.role).size if parameter.option else 1

    def _centred(self, name: str, information: Information) -> bool:
        return self.parametrisation.get(name, information.form[name]) == "centred"

    def _unused(self, information: Information, prefix: str) -> Any:
        """What stand-ins add to the log likelihood of types, shape (subjects, types) or ()."""
        total: Any = 0.0
        for name in information.stand_ins:
            without = np.array([float(name in self.ignored[label]) for label in self.types])
            total = total + pm.modelcontext(None)[f"{prefix}{name}_unused"][:, None] * without
        return total

    def _shift(
        self,
        name: str,
        arrays: Mapping[str, Any],
        dims: Mapping[str, Any],
        information: Information,
        prefix: str,
    ) -> Any:
        partner = self.spec.coupling.get(name)
        if partner is None or dims.get(partner) != ("subject",):
            return 0.0
        power: Any = 0.5
        if name in information.couplings:
            power = data(f"{prefix}{name}_coupling", information.couplings[name])
        return power * pt.log(arrays[partner])


def _active(spec: ModelSpec, conventions: Mapping[str, Any]) -> tuple[Parameter, ...]:
    return tuple(p for p in spec.parameters if p.only_with is None or conventions[p.only_with])


def _is_bound(parameter: Parameter, prior: Prior) -> bool:
    if isinstance(prior, CustomPrior):
        return True
    return prior.distribution == "ZeroSumNormal" and parameter.option is None


def _known(given: Mapping[str, Any], known: Mapping[str, Any], what: str) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"{what} {name!r}: expected {suggestion(name, list(known))}")


def _check_choice(spec: ModelSpec, convention: Convention, value: Any) -> None:
    choices = convention.choices
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    open_ = value is None and convention.default is None  # settled by the game
    if open_ or value in choices or (not choices and whole):
        return
    expected = ", ".join(map(str, choices)) if choices else "a whole number from 0"
    raise ValueError(f"{spec.name}: {convention.name}: found {value!r}, expected {expected}")


def _check_varies(parameter: Parameter, over: tuple[str, ...]) -> None:
    if parameter.support == "simplex" and tuple(over) != parameter.varies:
        raise ValueError(
            f"varies of {parameter.name}: found {over!r}, expected {parameter.varies!r}: a "
            "subject is of one type throughout"
        )
    if not set(over) <= {"subject", "treatment"}:
        raise ValueError(
            f"varies of {parameter.name}: found {over!r}, expected a tuple of 'subject' and "
            "'treatment'"
        )


def _check_support(parameter: Parameter, prior: Prior) -> None:
    def fits(name: str) -> bool:
        family = FAMILIES[name]
        return family.support == parameter.support and (parameter.ordered or not family.ordered)

    if isinstance(prior, CustomPrior) and parameter.support != "simplex":
        return  # its draws are checked
    if isinstance(prior, CustomPrior) or not fits(prior.distribution):
        order = "" if parameter.ordered else " in no order"
        support = f"shares{order}" if parameter.support == "simplex" else parameter.support
        raise ValueError(
            f"prior of {parameter.name}: found {prior.distribution}, expected one whose support "
            f"is {support}: {', '.join(filter(fits, FAMILIES))}"
        )


def _check_length(parameter: Parameter, prior: Prior, labels: tuple[str, ...]) -> None:
    if prior.length in (None, len(labels)):
        return
    expected = "max_level + 1, one for each level" if parameter.ordered else "one for each"
    raise ValueError(
        f"prior of {parameter.name}: found {prior.length} numbers in {prior}, expected "
        f"{len(labels)} ({expected}: {', '.join(labels)})"
    )
