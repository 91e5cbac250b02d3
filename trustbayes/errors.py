"""The one error that a user's input can cause, carrying every fault; and names of before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from typing import Any, get_args
from warnings import warn

__all__ = [
    "Fault",
    "InputError",
    "WorkFailed",
    "check_word",
    "listing",
    "renamed_argument",
    "suggestion",
]


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the input: where it stands, what it is, what was expected.

    Parameters
    ----------
    place : str
        Where: a file, ``"trials.csv, row 7, column message"``, a key of a game file.
    value : str
        What stands there, as the user wrote it; empty when something is missing.
    expected : str
        What was expected instead.
    """

    place: str
    value: str
    expected: str

    def __str__(self) -> str:
        actual = f"found {self.value!r}, " if self.value else ""
        return f"{self.place}: {actual}expected {self.expected}"


class InputError(ValueError):
    """Bad input: one message that lists every fault.

    Parameters
    ----------
    faults : Fault or iterable of Fault
        At least one.

    Examples
    --------
    >>> print(InputError(Fault("game.toml, key stats", "stats", "one of: states")))
    game.toml, key stats: found 'stats', expected one of: states
    """

    shown = 40

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        if not self.faults:
            raise ValueError("an InputError needs at least one fault")
        lines = [str(fault) for fault in self.faults[: self.shown]]
        if len(self.faults) > self.shown:
            lines.append(f"... and {len(self.faults) - self.shown} more faults")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Fault, ...]]]:
        """Come back from a worker process with the faults, which the message is made of."""
        return type(self), (self.faults,)


class WorkFailed(RuntimeError):
    """Some of much work could not be done; its message says what, why, and where the rest is."""


def listing(items: Iterable[str | float]) -> str:
    """Write out what would have been understood, long lists cut in the middle.

    Parameters
    ----------
    items : iterable of str or float

    Returns
    -------
    str

    Examples
    --------
    >>> listing([0.25, 1.0, "x"])
    '0.25, 1, x'
    >>> listing(range(101))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, ..., 100'
    """
    words = [item if isinstance(item, str) else f"{item:.12g}" for item in items]
    return ", ".join(words if len(words) <= 12 else [*words[:9], "...", words[-1]])


def suggestion(word: str, known: Sequence[str]) -> str:
    """Say what was expected instead of an unknown word, the nearest first.

    Parameters
    ----------
    word : str
        What the user wrote.
    known : sequence of str
        The words that would have been understood.

    Returns
    -------
    str

    Examples
    --------
    >>> suggestion("exponnent", ["constant", "scale", "exponent"])
    "'exponent' (did you mean it?); known are: constant, exponent, scale"
    """
    known = sorted(map(str, known))
    near = get_close_matches(str(word), known, n=1, cutoff=0.6)
    listing = "known are: " + ", ".join(known)
    return f"{near[0]!r} (did you mean it?); {listing}" if near else listing


def check_word(name: str, word: str, kind: object) -> None:
    """Refuse a word that is not one of a Literal's.

    Parameters
    ----------
    name : str
        Of the argument.
    word : str
    kind : Literal

    Raises
    ------
    ValueError

    Examples
    --------
    >>> from typing import Literal
    >>> check_word("ties", "largest", Literal["smallest lie", "even"])
    Traceback (most recent call last):
    ValueError: ties: found 'largest', expected one of smallest lie, even
    """
    if word not in get_args(kind):
        raise ValueError(f"{name}: found {word!r}, expected one of {', '.join(get_args(kind))}")


def renamed_argument[**Given, Result](
    **names: str,
) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Let a function take arguments by their names of version 0.1, too, with a warning.

    Parameters
    ----------
    **names : str
        Old name to new.

    Returns
    -------
    callable
        What decorates the function.

    Examples
    --------
    >>> @renamed_argument(kind="source")
    ... def check(source):
    ...     return source
    >>> check("prior")
    'prior'
    """

    def decorated(function: Callable[Given, Result]) -> Callable[Given, Result]:
        @wraps(function)
        def called(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            by_name: dict[str, Any] = {}
            for name, value in kwargs.items():
                if name in names:
                    what = f"{function.__name__}({name}=) is now {function.__name__}"
                    warn(f"{what}({names[name]}=)", FutureWarning, stacklevel=2)
                by_name[names.get(name, name)] = value
            return function(*args, **by_name)

        return called

    return decorated
