"""Fits that the command line names: FILE, or NAME=FILE."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trustbayes.errors import Fault, InputError

if TYPE_CHECKING:
    from trustbayes.inference.fit import Fit

__all__ = ["load_named"]


def load_named(words: Sequence[str]) -> dict[str, Fit]:
    """Read fits, by the names that results call them by.

    Parameters
    ----------
    words : sequence of str
        Each a file, whose fit is called after its model, or NAME=FILE.

    Returns
    -------
    dict of str to Fit

    Raises
    ------
    InputError
        If a file is no fit, or two have the same name.
    """
    from trustbayes.comparison.names import by_name
    from trustbayes.inference.fit import load_fit

    pairs = []
    for word in words:
        name, equals, path = word.partition("=")
        named = bool(equals) and not Path(word).exists()
        pairs.append((name if named else "", load_fit(path if named else word)))
    if not any(name for name, _ in pairs):
        return by_name([fit for _, fit in pairs])
    names = [name or fit.model.name for name, fit in pairs]
    faults = [
        Fault("comparison", name, "every name once: NAME=FILE gives a fit another")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if faults:
        raise InputError(faults)
    return by_name(dict(zip(names, (fit for _, fit in pairs), strict=True)))
