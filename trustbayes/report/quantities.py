"""Shares and chances for readers who know no statistics: six in ten, half, hardly any."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trustbayes.report.page.wording import fixed, listed, percent

__all__ = ["against_half", "chance", "joined", "of_them", "of_whom", "ratio"]

_TENTHS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def of_them(share: float) -> str:
    """A share of people without their name.

    Parameters
    ----------
    share : float
        Between 0 and 1.

    Examples
    --------
    >>> [of_them(share) for share in (0, 0.02, 0.1, 0.61, 0.5)]
    ['none', 'hardly any', 'about one in ten', 'about six in ten', 'about half']
    >>> [of_them(share) for share in (0.97, 1)]
    ['nearly all', 'all']
    """
    if share == 0:
        return "none"
    if share == 1:
        return "all"
    if share < 0.05:
        return "hardly any"
    if share >= 0.95:
        return "nearly all"
    if 0.45 <= share < 0.55:
        return "about half"
    tenth = min(9, max(1, math.floor(10 * share + 0.5)))
    return f"about {_TENTHS[tenth]} in ten"


def of_whom(share: float, whom: str) -> str:
    """A share of people.

    Parameters
    ----------
    share : float
        Between 0 and 1.
    whom : str
        In the plural.

    Examples
    --------
    >>> [of_whom(share, "senders") for share in (0, 0.61, 0.5)]
    ['no senders', 'about six in ten senders', 'about half the senders']
    """
    words = of_them(share)
    if words == "none":
        return f"no {whom}"
    return f"{words} the {whom}" if words == "about half" else f"{words} {whom}"


def chance(probability: float) -> str:
    r"""How likely something is.

    Examples
    --------
    >>> chance(1e-9), chance(0.02), chance(0.21)
    ('below 1 in 1,000', 'about 1 in 50', 'about 21\xa0%')
    """
    if probability < 0.001:
        return "below 1 in 1,000"
    if probability < 0.095:
        return f"about 1 in {float(f'{1 / probability:.2g}'):,.0f}"
    return f"about {percent(probability)}"


def against_half(lower: float, upper: float, whom: str) -> str:
    r"""Whether a share is a majority, by its whole interval.

    Examples
    --------
    >>> against_half(0.49, 0.72, "senders")
    'whether they are the majority is open (49\xa0% to 72\xa0% of senders)'
    >>> against_half(0.6, 0.72, "senders")
    'they are the majority (60\xa0% to 72\xa0% of senders)'
    >>> against_half(0.2, 0.4, "senders")
    'they are a minority (20\xa0% to 40\xa0% of senders)'
    """
    where = f"({percent(lower)} to {percent(upper)} of {whom})"
    if lower > 0.5:
        return f"they are the majority {where}"
    if upper < 0.5:
        return f"they are a minority {where}"
    return f"whether they are the majority is open {where}"


def ratio(lead: float, error: float) -> str:
    """How many standard errors a lead has.

    Examples
    --------
    >>> ratio(249.2, 35.0), ratio(3.0, 3.0), ratio(1.0, 0.0)
    ('7.1 standard errors', '1.0 standard errors', 'the same for everybody')
    """
    return f"{fixed(lead / error, 1)} standard errors" if error > 0 else "the same for everybody"


def joined(parts: Sequence[str]) -> str:
    """Parts of a sentence, which begins with a capital and ends with a full stop.

    Examples
    --------
    >>> joined(["six in ten do this", "four in ten that"])
    'Six in ten do this and four in ten that.'
    """
    text = listed(parts, len(parts) or 1)
    return f"{text[:1].upper()}{text[1:]}."
