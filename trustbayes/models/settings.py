"""What a user has chosen of a model, as data: a theory, its priors, formulas and conventions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.games import Game, Role
from trustbayes.models.formula import Formula
from trustbayes.models.regression import (
    check_lengths,
    coefficient_priors,
    coefficients,
    varies_by_formula,
)
from trustbayes.numerics.arrays import of_type
from trustbayes.numerics.hidden_chains import HiddenSteps
from trustbayes.priors.code import CustomPrior, priors_by_parameter
from trustbayes.priors.families import FAMILIES
from trustbayes.priors.prior import Prior
from trustbayes.theories.digest import spec_digest
from trustbayes.theories.response import Response
from trustbayes.theories.spec import Convention, ModelSpec, Parameter
from trustbayes.theories.values import Values
from trustbayes.trials.table import Trials
from trustbayes.trials.units import Units

__all__ = ["ModelSettings"]

_FORMS = ("centred", "non-centred")


@dataclass(frozen=True, init=False, eq=False)
class ModelSettings:
    """A theory with its priors and conventions, as plain values that have all been checked.

    Nothing here knows PyMC: `trustbayes.models.graph` makes a PyMC model of it, and
    `trustbayes.models.Model`, whose parameters these are, is it with all that users do with one.

    Raises
    ------
    ValueError
        If a name is unknown (with a suggestion), a prior's support does not fit its parameter, or
        a convention's value is not among its choices.
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
        given_priors = priors_by_parameter(priors or {})
        _known(formulas or {}, all_varies, f"{spec.name}: formula of")
        all_formulas = {
            name: given if isinstance(given, Formula) else Formula(given, f"formula of {name}")
            for name, given in (formulas or {}).items()
        }
        of_formulas: dict[str, Prior] = {}
        for name, formula in all_formulas.items():
            of_formulas |= coefficient_priors(name, formula, given_priors)
        of_parameters = {n: prior for n, prior in given_priors.items() if n not in of_formulas}
        _known(of_parameters, all_priors, f"{spec.name}: prior of")
        _known(varies or {}, all_varies, f"{spec.name}: varies")
        _known(parametrisation or {}, all_priors, f"{spec.name}: parametrisation of")
        for parameter in parameters:
            if parameter.name in of_parameters:
                _check_support(parameter, of_parameters[parameter.name])
        for parameter in parameters:
            _check_varies(parameter, (varies or {}).get(parameter.name, parameter.varies))
        for name, form in (parametrisation or {}).items():
            if form not in _FORMS:
                raise ValueError(f"parametrisation of {name}: found {form!r}, expected {_FORMS}")
            if isinstance(of_parameters.get(name), CustomPrior):
                raise ValueError(
                    f"parametrisation of {name}: found {form!r}, expected none: "
                    f"{of_parameters[name]}, has its own"
                )
        for name, value in {
            "spec": spec,
            "priors": all_priors | of_parameters | of_formulas,
            "varies": all_varies | {k: tuple(v) for k, v in (varies or {}).items()},
            "parametrisation": dict(parametrisation or {}),
            "formulas": all_formulas,
            "conventions": chosen,
        }.items():
            object.__setattr__(self, name, value)
        for parameter in parameters:
            if parameter.name in all_formulas:
                self._resolve_formula(parameter, parameter.name in (varies or {}))
            if parameter.support == "simplex":
                _check_length(parameter, self.priors[parameter.name], self.shares[parameter.name])

    def _resolve_formula(self, parameter: Parameter, varies_given: bool) -> None:
        """Refuse a formula that does not suit its parameter, which then varies as it says."""
        name = parameter.name
        able = [p.name for p in self.parameters if "subject" in p.varies and not p.option]
        over = varies_by_formula(
            parameter, self.formulas[name], self.priors[name], self.varies[name], able
        )
        if varies_given and self.varies[name] != over:
            expected = f"{over!r}, as its formula {self.formulas[name]} says"
            raise InputError(Fault(f"varies of {name}", str(self.varies[name]), expected))
        object.__setattr__(self, "varies", {**self.varies, name: over})

    def replace(self, **changes: Any) -> Self:
        """The same model with some of its settings changed, each as `Model` takes it.

        Of parameters that the changed conventions do without nothing is kept.

        Examples
        --------
        >>> from trustbayes.models import LevelK
        >>> LevelK("sender").replace(max_level=1).types
        ('0', '1')
        """
        chosen = {name: changes.get(name, value) for name, value in self.conventions.items()}
        gone = {p.name for p in self.parameters} - {p.name for p in _active(self.spec, chosen)}
        kept = {n: formula for n, formula in self.formulas.items() if n not in gone}
        formulas = changes.get("formulas", kept)
        regressed = {*self.formulas, *formulas}  # vary as their formula says
        lost = {n for name in self.formulas if name not in formulas for n in coefficients(name)}
        regressed |= gone
        settings = {
            "priors": {n: prior for n, prior in self.priors.items() if n not in lost | gone},
            "varies": {n: over for n, over in self.varies.items() if n not in regressed},
            "parametrisation": {n: p for n, p in self.parametrisation.items() if n not in gone},
            "formulas": kept,
            **self.conventions,
        }
        return type(self)(self.spec, **{**settings, **changes})

    def fixed_to(self, units: Units) -> Self:
        """Fix what formulas take from the people of some trials, unless it is fixed.

        Parameters
        ----------
        units : Units
            Trials of the model's role.

        Returns
        -------
        Model
            The same if there is nothing to be fixed.

        Raises
        ------
        InputError
            See `trustbayes.models.formula.Formula.fixed_to`.
        """
        if all(formula.known is not None for formula in self.formulas.values()):
            return self
        formulas = {name: formula.fixed_to(units) for name, formula in self.formulas.items()}
        for name, formula in formulas.items():
            if f"{name}_slope" in self.priors:
                check_lengths(name, formula, self.priors[f"{name}_slope"])
        return self.replace(formulas=formulas)

    def with_named_covariates(self, units: Units) -> Units:
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
    def code_priors(self) -> Mapping[str, CustomPrior]:
        """The priors that are Python code, by parameter."""
        return {n: prior for n, prior in self.priors.items() if isinstance(prior, CustomPrior)}

    @property
    def inseparable_priors(self) -> Mapping[str, Prior]:
        """Priors of subjects from which a new subject cannot be drawn alone, by parameter.

        Python code makes all subjects at once, and zero-sum effects tie each to all others. New
        subjects cannot be predicted by a model that has such priors.
        """
        return {
            p.name: self.priors[p.name]
            for p in self.parameters
            if "subject" in self.varies[p.name] and _is_inseparable(p, self.priors[p.name])
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
        """Refuse a game of another kind than the model's, or without what its conventions need.

        Raises
        ------
        InputError
        """
        if game.kind != self.spec.kind:
            place = f"model {self.name}, kind of game"
            expected = f"{game.kind}, as the trials are: name the game when choosing the model"
            raise InputError(Fault(place, self.spec.kind, expected))
        for convention in self.spec.conventions:
            chosen = self.conventions[convention.name]
            if chosen != convention.default and not convention.is_open(game):
                asked = f"{convention.name}={chosen} of {self.name}, {self.role}"
                expected = f"a value in the game file: {asked}, needs it"
                raise InputError(Fault(f"game {game.name}, key {convention.needs}", "", expected))

    def resolve_conventions(self, game: Game) -> Mapping[str, Any]:
        """The conventions, with those that depend on the game filled in.

        Examples
        --------
        >>> import trustbayes as tb
        >>> game = tb.read_game(tb.bundled("simulated-finite").game)
        >>> tb.TrustEmbedded("sender").resolve_conventions(game)["expected_action"]
        'mean'
        """
        return self.spec.resolve(game, self.conventions) if self.spec.resolve else self.conventions

    def effective_conventions(self, game: Game) -> dict[str, Any]:
        """As `resolve_conventions`, without those that have no effect: what a list should name.

        Examples
        --------
        >>> import trustbayes as tb
        >>> game = tb.read_game(tb.bundled("simulated-finite").game)
        >>> tb.TrustEmbedded("receiver").effective_conventions(game)
        {'belief': 'truncated', 'lapse': False, 'learning': 'none'}
        """
        settled = self.resolve_conventions(game)
        named = (c for c in self.spec.in_effect(settled) if c.is_open(game))
        return {c.name: settled[c.name] for c in named}

    @property
    def learns(self) -> bool:
        """Whether people learn from what they are shown, so that the order of trials matters."""
        return self.conventions.get("learning", "none") != "none"

    def fold(self, trials: Trials) -> Units:
        """The trials of the model's role in the form that it takes.

        Raises
        ------
        ValueError
            If the role's columns are not complete.
        InputError
            If people learn and the game or the file says nothing of what they were shown.
        """
        return trials.sequences(self.role) if self.learns else trials.fold(self.role)

    def steps(self, game: Game, values: Values) -> HiddenSteps | None:
        """How types move between trials; None if a subject is of one throughout."""
        if self.spec.steps is None:
            return None
        return self.spec.steps(values, self.resolve_conventions(game))

    def answer(self, game: Game, values: Values) -> Any:
        """What the theory says, see `ModelSpec.answer`."""
        return self.spec.answer(game, values, self.resolve_conventions(game))

    def answer_of_type(self, game: Game, values: Values, type_index: int) -> Any:
        """What the type at a position of `types` answers, without an axis of types."""
        if self.spec.answer_of_type:
            conventions = self.resolve_conventions(game)
            return self.spec.answer_of_type(game, values, conventions, type_index)
        return of_type(self.answer(game, values), type_index, self.response(game).type_axis)

    def response(self, game: Game) -> Response:
        """The response rule."""
        return self.spec.response(game, self.resolve_conventions(game))

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

    def width(self, parameter: Parameter, game: Game) -> int:
        """How many values a parameter has for each subject and treatment."""
        return game.options(self.role).size if parameter.option else 1


def _active(spec: ModelSpec, conventions: Mapping[str, Any]) -> tuple[Parameter, ...]:
    idle = {c.name for c in spec.conventions} - {c.name for c in spec.in_effect(conventions)}
    return tuple(
        p
        for p in spec.parameters
        if p.only_with is None
        or (conventions[p.only_with] in p.only_for and p.only_with not in idle)
    )


def _is_inseparable(parameter: Parameter, prior: Prior) -> bool:
    if isinstance(prior, CustomPrior):
        return True
    return prior.family.zero_sum and parameter.option is None


def _known(given: Mapping[str, Any], known: Mapping[str, Any], what: str) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"{what} {name!r}: expected {suggestion(name, list(known))}")


def _check_choice(spec: ModelSpec, convention: Convention, value: Any) -> None:
    choices = convention.choices
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    open_ = value is None and convention.default is None  # resolved by the game
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
