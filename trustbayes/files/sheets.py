"""Tables that are written: as text that no spreadsheet would run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustbayes.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv_text"]

_FORMULA = re.compile(r"[=@\t\r]|[+-](?!\.?\d)")


def csv_text(frame: pd.DataFrame, source: str) -> str:
    r"""A table as comma-separated text.

    Parameters
    ----------
    frame : DataFrame
    source : str
        What to call the table in messages.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If a label begins as a formula does, which a spreadsheet that opens the file would run.
        Labels are not changed to be harmless: trials must be read back as they were.

    Examples
    --------
    >>> import pandas as pd
    >>> csv_text(pd.DataFrame({"treatment": ["Low", "-1"]}), "trials.csv")
    'treatment\nLow\n-1\n'
    """
    faults = []
    for name in frame:
        labels = {str(name), *(v for v in frame[name].unique() if isinstance(v, str))}
        faults += [
            Fault(
                f"{source}, column {name}", label, "a label that does not begin as a formula does"
            )
            for label in sorted(labels)
            if _FORMULA.match(label)
        ]
    if faults:
        raise InputError(faults)
    return str(frame.to_csv(index=False, lineterminator="\n"))
