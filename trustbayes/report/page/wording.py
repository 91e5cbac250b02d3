"""Numbers and lists in words, the same way everywhere in the report."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

__all__ = [
    "KINDS",
    "counted",
    "fixed",
    "interval",
    "listed",
    "number",
    "percent",
    "probability",
    "type_label",
]

KINDS = {
    ("subject", "loso"): "new person, LOSO",
    ("group", "loso"): "new group, LOGO",
    ("subject-sum", "loo"): "new trial, LOO, SE by subject",
    ("trial", "loo"): "new trial, LOO, SE by trial",
    ("subject-sum", "waic"): "new trial, WAIC, SE by subject",
    ("trial", "waic"): "new trial, WAIC, SE by trial",
}
"""What is predicted, and by which criterion, for each unit and criterion of a comparison."""

_PERCENT = "\N{NO-BREAK SPACE}%"
_MINUS = "\N{MINUS SIGN}"


def number(value: Any, digits: int = 3) -> str:
    """A number with some significant digits, or a dash where there is none.

    Examples
    --------
    >>> number(1234.5678), number(0.012345), number(-2.5), number(float("nan")), number(3)
    ('1235', '0.0123', '−2.50', '–', '3')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "\N{EN DASH}"
    if isinstance(value, int):
        return str(value).replace("-", _MINUS)
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    text = f"{value:.{digits - 1}e}" if places > 6 else f"{value:.{max(places, 0)}f}"
    return text.replace("-", _MINUS)


def fixed(value: float | None, places: int = 2) -> str:
    """A number with a fixed number of decimals, or a dash where there is none.

    Examples
    --------
    >>> fixed(-0.5), fixed(-0.001), fixed(None)
    ('−0.50', '0.00', '–')
    """
    if value is None or math.isnan(value):
        return "\N{EN DASH}"
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", _MINUS)


def percent(share: float) -> str:
    r"""A share in percent.

    Examples
    --------
    >>> percent(0.9), percent(0.375), percent(0.004), percent(-0.5)
    ('90\xa0%', '38\xa0%', '0.4\xa0%', '−50\xa0%')
    """
    if math.isnan(share):
        return "\N{EN DASH}"
    text = f"{100 * share:.1f}" if 0 < share < 0.0095 else f"{100 * share:.0f}"
    return ("0" if float(text) == 0 else text.replace("-", _MINUS)) + _PERCENT


def probability(share: float) -> str:
    r"""The probability of an interval in percent, without loss.

    Examples
    --------
    >>> probability(0.9), probability(0.995)
    ('90\xa0%', '99.5\xa0%')
    """
    return f"{100 * share:g}{_PERCENT}"


def interval(lower: Any, upper: Any) -> str:
    """An interval in words.

    Examples
    --------
    >>> interval(0.25, 1.5)
    '0.250 to 1.50'
    """
    return f"{number(lower)} to {number(upper)}"


def listed(items: Iterable[str], most: int = 6) -> str:
    """A list in words, its tail counted if it is long; semicolons part items that have commas.

    Examples
    --------
    >>> listed(["a", "b", "c"]), listed("abcd", most=2)
    ('a, b and c', 'a, b and 2 more')
    >>> listed(["red, 0.2", "red, 0.5", "blue, 0.2"])
    'red, 0.2; red, 0.5; and blue, 0.2'
    """
    words = list(items)
    if len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    comma, last = (
        ("; ", "; and ")
        if any(", " in re.sub(r"\([^)]*\)", "", word) for word in words)
        else (", ", " and ")
    )
    return last.join([comma.join(words[:-1]), words[-1]] if len(words) > 1 else words)


def counted(count: int, what: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "trial"), counted(7671, "trial"), counted(2, "policy"), counted(0, "person")
    ('1 trial', '7,671 trials', '2 policies', '0 people')
    """
    if count == 1:
        return f"1 {what}"
    if what == "person":
        return f"{count:,} people"
    return f"{count:,} {what[:-1]}ies" if what.endswith("y") else f"{count:,} {what}s"


def type_label(label: str) -> str:
    """A type of a model in words: a level by its number, a theory by its name.

    Examples
    --------
    >>> type_label("2"), type_label("level 2"), type_label("trust-embedded")
    ('level 2', 'level 2', 'trust-embedded')
    """
    return f"level {label}" if label.isdigit() else label
