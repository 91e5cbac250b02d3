"""What a result was computed from: results of different trials do not compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trustbayes.comparison.names import by_name
from trustbayes.errors import Fault, InputError
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.trials.table import Trials

__all__ = ["Basis", "check_fits"]


@dataclass(frozen=True)
class Basis:
    """The trials of one role that a result was computed from.

    Parameters
    ----------
    role : "sender" or "receiver"
    source : str
        Name of the trials' file.
    checksum : str
        Of the trials.
    exclusions : tuple of (str, str, int)
        Column, value and number of rows left out.
    game : str
        Checksum of the game.
    """

    role: Role
    source: str
    checksum: str
    exclusions: tuple[tuple[str, str, int], ...]
    game: str

    @classmethod
    def of_fit(cls, fit: Fit) -> Basis:
        """What a fit was made from."""
        data = fit.manifest["data"]
        return cls(
            role=fit.model.role,
            source=str(data["source"]),
            checksum=str(data["checksum"]),
            exclusions=tuple((str(c), str(v), int(n)) for c, v, n in data["exclusions"]),
            game=str(fit.manifest["game_checksum"]),
        )

    @classmethod
    def of_trials(cls, trials: Trials, role: Role) -> Basis:
        """What a fit to these trials would be made from."""
        return cls(
            role=role,
            source=trials.source,
            checksum=trials.checksum,
            exclusions=tuple((e.column, str(e.value), e.rows) for e in trials.exclusions),
            game=trials.game.checksum,
        )

    def faults(self, place: str, other: Basis, whose: str) -> list[Fault]:
        """What keeps this from being compared with another.

        Parameters
        ----------
        place : str
            What this is the basis of, for the messages.
        other : Basis
        whose : str
            What the other is the basis of.

        Returns
        -------
        list of Fault
            Empty if nothing differs.

        Examples
        --------
        >>> from dataclasses import replace
        >>> one = Basis("sender", "a.csv", "12ab", (), "34cd")
        >>> print(replace(one, role="receiver").faults("k-fold", one, "the comparison")[0])
        k-fold, role: found 'receiver', expected that of the comparison: sender
        """
        return [
            Fault(f"{place}, {what}", mine, f"that of {whose}: {theirs}")
            for what, mine, theirs in zip(_NAMES, self._words(), other._words(), strict=True)
            if mine != theirs
        ]

    def _words(self) -> tuple[str, str, str, str]:
        """What must agree, in words: the name of a file may change."""
        rules = [f"{rows} rows with {column} = {value}" for column, value, rows in self.exclusions]
        return (
            self.role,
            f"checksum {self.checksum[:16]}",
            ", ".join(rules) or "nothing",
            f"checksum {self.game[:16]}",
        )


_NAMES = ("role", "trials", "exclusions", "game")


def check_fits(fits: Sequence[Fit] | Mapping[str, Fit]) -> Basis:
    """Refuse fits that do not compare.

    Parameters
    ----------
    fits : sequence of Fit, or mapping of str to Fit

    Returns
    -------
    Basis
        What all of them were made from.

    Raises
    ------
    InputError
        If there are none, a model occurs twice, or they differ in role, trials, exclusions or
        game, with the values that differ.
    """
    if not fits:
        raise InputError(Fault("comparison", "", "at least one fit"))
    named = by_name(fits)
    first_name, first_fit = next(iter(named.items()))
    first = Basis.of_fit(first_fit)
    faults = []
    for name, fit in named.items():
        basis = Basis.of_fit(fit)
        place = f"fit of {name} to {basis.source}"
        faults += basis.faults(place, first, f"{first_name}, fitted to {first.source}")
    if faults:
        raise InputError(faults)
    return first
