"""All theories that the package knows: its own, and those that users register."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any, overload

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.theories.advice import declaration as advice
from trustbayes.theories.benchmarks import declaration as benchmarks
from trustbayes.theories.digest import spec_digest
from trustbayes.theories.hybrid import declaration as hybrid
from trustbayes.theories.level_k import declaration as level_k
from trustbayes.theories.mixture import declaration as mixture
from trustbayes.theories.spec import Look, ModelSpec
from trustbayes.theories.trust_embedded import (
    declaration as trust_embedded,
    recommendation_declaration as trusting_advice,
)

__all__ = ["ENTRY_POINTS", "REGISTRY", "UNKNOWN", "Registry", "register"]

ENTRY_POINTS = "trustbayes.theories"
"""The group of entry points by which an installed package declares theories."""

_THEORIES = (trust_embedded, trusting_advice, level_k, hybrid, mixture, benchmarks, advice)
_KINDS = ("finite", "forecast-sharing", "interval", "recommendation")
_OF_PACKAGE = tuple(
    spec for kind in _KINDS for theory in _THEORIES for spec in theory.SPECS if spec.kind == kind
)

# Of Tol's muted colours those that differ from Okabe and Ito's, which the package's theories have:
# told apart by readers of every kind of colour vision, with markers and lines of their own.
_SPARE = (
    Look("#882255", "p", "--", "xx"),
    Look("#332288", "h", "-.", "oo"),
    Look("#999933", "<", "-", "++"),
    Look("#AA4499", ">", ":", "**"),
    Look("#117733", "*", "--", "||"),
    Look("#661100", "d", "-.", "--"),
)
_LINES = ("-", "--", "-.", ":")
UNKNOWN = Look("#4D4D4D", "X", "-")
"""How a model is drawn that nobody has registered."""


class Registry(Sequence[ModelSpec]):
    """Specs in the order of reports, each alone with its name, role and kind of game.

    Those that installed packages declare are loaded when something is first asked of it.

    Parameters
    ----------
    specs : iterable of ModelSpec
    entries : callable
        Gives the entry points.
    """

    def __init__(
        self, specs: Iterable[ModelSpec], entries: Callable[[], Iterable[EntryPoint]]
    ) -> None:
        self._specs, self._entries, self._complete = tuple(specs), entries, False

    def _all(self) -> tuple[ModelSpec, ...]:
        if not self._complete:
            self._specs = _with_entries(self._specs, self._entries())
            self._complete = True
        return self._specs

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, index: int) -> ModelSpec: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ModelSpec, ...]: ...
    def __getitem__(self, index: int | slice) -> ModelSpec | tuple[ModelSpec, ...]:
        """By position."""
        return self._all()[index]

    def register(self, spec: ModelSpec) -> ModelSpec:
        """See `trustbayes.theories.registry.register`."""
        self._specs = _with(self._all(), spec)
        return spec

    def names(
        self, kind: str | None = None, *, role: str | None = None, by_default: bool = False
    ) -> tuple[str, ...]:
        """Names of the theories; see `trustbayes.models.model_names`."""
        chosen = (s for s in self if kind in (None, s.kind) and role in (None, s.role))
        return tuple(dict.fromkeys(s.name for s in chosen if s.by_default or not by_default))

    def spec(self, name: str, role: str, kind: str) -> ModelSpec:
        """The spec of that name, role and kind of game.

        Raises
        ------
        InputError
            If there is none, with a suggestion.
        """
        for spec in self:
            if (spec.name, spec.role, spec.kind) == (name, role, kind):
                return spec
        kinds = tuple(dict.fromkeys(spec.kind for spec in self))
        for what, value, known in (("game", kind, kinds), ("model", name, self.names(kind))):
            if value not in known:
                raise InputError(Fault(what, value, suggestion(value, known)))
        roles = [s.role for s in self if (s.name, s.kind) == (name, kind)]
        if role not in ("sender", "receiver"):
            raise InputError(Fault("role", role, "sender or receiver"))
        expected = f"{' or '.join(roles)}: the theory says nothing of {role}s"
        raise InputError(Fault(f"model {name}, role", role, expected))

    def holds(self, spec: ModelSpec) -> bool:
        """Whether another process with the same theories finds this very spec by its name."""
        return any(
            each is spec or spec_digest(each) == spec_digest(spec)
            for each in self
            if (each.name, each.role, each.kind) == (spec.name, spec.role, spec.kind)
        )

    def combining(self) -> frozenset[str]:
        """Names of the theories that contain others."""
        return frozenset(spec.name for spec in self if spec.combines)

    def look(self, name: str) -> Look:
        """How a theory is drawn: as it declares, or by its place among those that do not.

        Parameters
        ----------
        name : str

        Returns
        -------
        Look
            That of nobody else, for the first dozen theories without a look of their own.

        Examples
        --------
        >>> REGISTRY.look("trust-embedded").marker
        'o'
        """
        declared = {spec.name: spec.look for spec in self if spec.look is not None}
        if name in declared:
            return declared[name]
        others = [other for other in self.names() if other not in declared]
        if name not in others:
            return UNKNOWN
        turn, place = divmod(others.index(name), len(_SPARE))
        spare = _SPARE[place]
        return replace(spare, line=_LINES[(_LINES.index(spare.line) + turn) % len(_LINES)])


def _with(specs: tuple[ModelSpec, ...], spec: Any) -> tuple[ModelSpec, ...]:
    """The specs and one more; one that is there already stays where it is."""
    if not isinstance(spec, ModelSpec):
        expected = "a ModelSpec, see trustbayes.models.ModelSpec"
        raise InputError(Fault("theory", type(spec).__name__, expected))
    place = f"theory {spec.name}, {spec.role}, {spec.kind} game"
    kinds = tuple(dict.fromkeys(each.kind for each in specs))
    if spec.kind not in kinds:
        raise InputError(Fault(f"{place}, kind", spec.kind, suggestion(spec.kind, kinds)))
    if spec.role not in ("sender", "receiver"):
        raise InputError(Fault(f"{place}, role", spec.role, "sender or receiver"))
    for position, each in enumerate(specs):
        if (each.name, each.role, each.kind) == (spec.name, spec.role, spec.kind):
            if spec_digest(each) != spec_digest(spec):
                expected = (
                    f"a name that is free, such as my-{spec.name}: under this one stands "
                    f"{each.title!r}, which computes something else"
                )
                raise InputError(Fault(place, spec.name, expected))
            return (*specs[:position], spec, *specs[position + 1 :])
    spec_digest(spec)  # what cannot be told from others is refused now, not after a fit
    return (*specs, spec)


def _with_entries(
    specs: tuple[ModelSpec, ...], entries: Iterable[EntryPoint]
) -> tuple[ModelSpec, ...]:
    """The specs and those of installed packages."""
    faults = []
    for entry in entries:
        whose = entry.dist.name if entry.dist else "an unknown distribution"
        try:
            loaded = entry.load()
            added = specs
            for spec in (loaded,) if isinstance(loaded, ModelSpec) else tuple(loaded):
                added = _with(added, spec)
            specs = added
        except Exception as error:  # whatever a package of others does
            place = f"distribution {whose}, entry point {entry.name} = {entry.value}"
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            expected = f"a ModelSpec or several of them: mend {whose}, or uninstall it"
            faults.append(Fault(place, reason, expected))
    if faults:
        raise InputError(faults)
    return specs


REGISTRY = Registry(_OF_PACKAGE, lambda: entry_points(group=ENTRY_POINTS))
"""The theories that `trustbayes` knows."""


def register(spec: ModelSpec) -> ModelSpec:
    """Make a theory known by its name, to all functions and to reports.

    It holds for this process. A package that is installed declares its theories for good, for the
    command line and for worker processes too, by an entry point of the group
    ``trustbayes.theories`` whose value is a spec or several.

    Parameters
    ----------
    spec : ModelSpec
        One that is registered already, and computes the same, takes the other's place.

    Returns
    -------
    ModelSpec
        The same.

    Raises
    ------
    InputError
        If another theory has its name, role and kind of game, its role or kind of game is unknown,
        or its functions use something by which it cannot be told from others.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import trustbayes as tb
    >>> known = tb.model("full-trust", "receiver").spec
    >>> mine = replace(known, name="faithful", title="Faithful")
    >>> model = tb.model(tb.register(mine).name, "receiver")  # doctest: +SKIP
    """
    return REGISTRY.register(spec)
