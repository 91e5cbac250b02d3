"""A model declared as data: what it is, what it estimates, what it assumes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trustbayes.games.base import Role
from trustbayes.numerics.hidden_chains import HiddenSteps
from trustbayes.priors.prior import Prior
from trustbayes.theories.response import Response
from trustbayes.theories.values import Values

__all__ = ["Convention", "Guide", "Line", "Look", "ModelSpec", "Parameter"]


@dataclass(frozen=True)
class Parameter:
    """Something that a model estimates.

    Parameters
    ----------
    name : str
        In code and in files.
    symbol : str
        As in the literature.
    meaning : str
        One phrase.
    unit : str
        Of the natural standardised values.
    support : {"positive", "unit", "real", "simplex"}
    varies : tuple of "subject" and "treatment"
        Over what it varies by default: each subject has a value, the population's location
        differs by treatment.
    prior : Prior
        The default, on the natural standardised scale.
    only_with : str, optional
        Name of a convention: the parameter exists for some of its choices only.
    only_for : tuple
        These choices; by default that it is true.
    option : str, optional
        Name of the extra axis of a parameter that has one value for each option.
    report_unit : str, optional
        If given, values are reported in this unit too: times the game's attribute
        ``report_factor``.
    report_factor : str
        Such as "lying_unit".
    ordered : bool
        For shares: whether they are those of levels from 0 to the convention ``max_level``.
    typical : str
        What a typical person with such values does, for readers who know no model: a predicate in
        which ``{value}`` stands for the number. Empty if it says little about people.
    """

    name: str
    symbol: str
    meaning: str
    unit: str
    support: str
    varies: tuple[str, ...]
    prior: Prior
    only_with: str | None = None
    only_for: tuple[Any, ...] = (True,)
    option: str | None = None
    report_unit: str | None = None
    report_factor: str = "lying_unit"
    ordered: bool = False
    typical: str = ""

    def factor(self, game: Any) -> float:
        """From the natural standardised scale to the unit of reports."""
        return float(getattr(game, self.report_factor)) if self.report_unit else 1.0


@dataclass(frozen=True)
class Convention:
    """A choice that the theory leaves open.

    Parameters
    ----------
    name : str
    choices : tuple
        The values allowed; empty for any whole number from 0.
    default : object
        None where the default depends on the game.
    meaning : str
        A sentence or two.
    rivals : tuple
        The choices that a fair comparison of theories tries; the others are variations that
        come close to one of these, or cost more than they explain.
    only_with : str, optional
        Name of another convention: this one has an effect with some of its choices only.
    only_for : tuple
        These choices.
    needs : str, optional
        Key of the game file, and attribute of the game, without which there is no choice but the
        default.
    """

    name: str
    choices: tuple[Any, ...]
    default: Any
    meaning: str
    rivals: tuple[Any, ...] = ()
    only_with: str | None = None
    only_for: tuple[Any, ...] = ()
    needs: str | None = None

    def is_open(self, game: Any) -> bool:
        """Whether a game has what choices other than the default need."""
        return self.needs is None or getattr(game, self.needs, None) is not None


@dataclass(frozen=True)
class Look:
    """How a theory is drawn, in every figure the same.

    Parameters
    ----------
    colour : str
        As Matplotlib knows it.
    marker, line : str
        Matplotlib's marker and line style.
    hatch : str
        Of bars that stand for it beside those of levels, which have colours alone.
    """

    colour: str
    marker: str
    line: str
    hatch: str = r"\\"


@dataclass(frozen=True, eq=False)
class Line:
    """Choices over what was seen, in the game's own units.

    Parameters
    ----------
    seen, choice : array, shape (points,)
    last : tuple of float, or None
        A point at which the line ends in a jump.
    """

    seen: np.ndarray
    choice: np.ndarray
    last: tuple[float, float] | None = None


@dataclass(frozen=True)
class Guide:
    """A line behind people's choices: what a theory prescribes whoever the person is.

    Parameters
    ----------
    label : str
        In the legend.
    line : callable
        ``line(game, treatment, seen, mean_report)`` is the `Line` over what was seen, an
        increasing array; a theory that leaves open which report is made draws the mean one.
    """

    label: str
    line: Callable[[Any, str, np.ndarray, float], Line]


@dataclass(frozen=True, eq=False)
class ModelSpec:
    """Everything the package knows about one model in one role.

    Only ``name`` to ``response`` are needed; `trustbayes.register` makes a spec known by its name.

    Parameters
    ----------
    name : str
        Such as "trust-embedded".
    role : "sender" or "receiver"
    kind : str
        The kind of game it is for.
    title, description, citation : str
        For tables and reports; the description is one or two sentences.
    parameters : tuple of Parameter
    conventions : tuple of Convention
    answer : callable
        ``answer(game, values, conventions)`` is the theory. For a finite game it gives the
        utility of every option after everything seen, divided by the game's scale: shape (...,
        units, seen, options), with types (..., units, types, seen, options). For a game of
        continuous choices it gives the best choice: shape (..., trials), with types (..., types,
        trials).
    answer_of_type : callable, optional
        ``answer_of_type(game, values, conventions, type_index)`` is the answer of the type at that
        position, without an axis of types; default: taken from that of all.
    response : callable
        ``response(game, conventions)`` makes choices of the answer.
    types : callable, optional
        ``types(conventions)`` labels the discrete types, which are summed out.
    shares : callable, optional
        ``shares(conventions)`` gives, for each parameter that is a share of subjects, the labels
        of what is shared; default: the types, for the only such parameter.
    type_shares : callable, optional
        From the shares of each such parameter, arrays of shape (..., labels), to the shares of
        the types; default: the only one as it is.
    ignores : callable, optional
        ``ignores(conventions)`` gives, for each type, the subject parameters that its answer does
        without.
    resolve : callable, optional
        ``resolve(game, conventions)`` fills in conventions whose default depends on the game.
    placed : bool
        Whether the subjects' parameters are sampled in coordinates of their own for each type, see
        `trustbayes.models.parametrisation.type_coordinates`: for types that tell the same play by
        different values.
    steps : callable, optional
        ``steps(values, conventions)`` says how types move between trials, as
        `trustbayes.numerics.hidden_chains.HiddenSteps`; None if a subject is of one throughout.
        Shares and types of subjects are then those at the beginning.
    weighs_fines : bool
        Whether its answer weighs what a game fines senders for lies: with
        `trustbayes.games.payoffs.Fined` payoffs, or the ``fine`` of a game on a line.
    by_default : bool
        Whether a report has it unless models are named.
    benchmark : bool
        Whether it is a yardstick that theories are held against, and no theory itself.
    combines : tuple of str
        Names of the theories that it contains as special cases. It coincides with each of them for
        whomever that describes, so that it is not set against them person by person.
    theory_of_type : callable, optional
        ``theory_of_type(conventions)`` says which of the theories it combines each type follows,
        if every subject follows one of them.
    remark : str
        What a reader of a comparison should know of it: sentences.
    manner : str
        How the people of this theory act, for readers who know no model, after "people act":
        "as if lying had a cost". Default: "as ..." with the title.
    look : Look, optional
        Default: the next one that nothing else has, see
        `trustbayes.theories.registry.Registry.look`.
    guide : Guide, optional
        Drawn behind raw choices of games with continuous ones.
    coupling : mapping of str to str
        Parameter to the parameter it trades off with: the sampler then works with the product
        of the one and a power of the other, from 0 to 1, that each subject's trials suggest, and
        chains start near what a grid of both finds, see `trustbayes.models.parametrisation.pairs`.
        The posterior is the same.
    drift : mapping of str to callable
        ``drift[name](values, conventions)`` is how far each subject's parameter is on average from
        where it begins, on the scale of the link, shape (subjects,), given what all subjects share:
        the sampler then works with where it is. 0 where it stays, or where that is not known.
    """

    name: str
    role: Role
    kind: str
    title: str
    description: str
    citation: str
    parameters: tuple[Parameter, ...]
    conventions: tuple[Convention, ...]
    answer: Callable[[Any, Values, Mapping[str, Any]], Any]
    response: Callable[[Any, Mapping[str, Any]], Response]
    answer_of_type: Callable[[Any, Values, Mapping[str, Any], int], Any] | None = None
    types: Callable[[Mapping[str, Any]], tuple[str, ...]] | None = None
    shares: Callable[[Mapping[str, Any]], Mapping[str, tuple[str, ...]]] | None = None
    type_shares: Callable[[Mapping[str, Any]], Any] | None = None
    ignores: Callable[[Mapping[str, Any]], Mapping[str, tuple[str, ...]]] | None = None
    resolve: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] | None = None
    placed: bool = False
    steps: Callable[[Values, Mapping[str, Any]], HiddenSteps | None] | None = None
    weighs_fines: bool = False
    by_default: bool = True
    benchmark: bool = False
    combines: tuple[str, ...] = ()
    theory_of_type: Callable[[Mapping[str, Any]], tuple[str, ...]] | None = None
    remark: str = ""
    manner: str = ""
    look: Look | None = None
    guide: Guide | None = None
    coupling: Mapping[str, str] = field(default_factory=dict)
    drift: Mapping[str, Callable[[Values, Mapping[str, Any]], Any]] = field(default_factory=dict)

    def in_effect(self, conventions: Mapping[str, Any]) -> tuple[Convention, ...]:
        """The conventions that have an effect, the others being as they are.

        Examples
        --------
        >>> from trustbayes.theories.registry import REGISTRY
        >>> spec = REGISTRY.spec("level-k", "sender", "finite")
        >>> static = {c.name: c.default for c in spec.conventions}
        >>> len(spec.conventions) - len(spec.in_effect(static))  # news and experience
        2
        """
        return tuple(
            c
            for c in self.conventions
            if c.only_with is None or conventions[c.only_with] in c.only_for
        )
