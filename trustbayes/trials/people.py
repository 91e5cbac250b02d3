"""A file of people: what is known of the subjects of an experiment besides their trials."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from trustbayes.errors import Fault, InputError, listing
from trustbayes.files import natural_order, numbers, parse_csv, read_bytes
from trustbayes.games import Role

__all__ = ["people_columns"]


def people_columns(path: str | Path, table: pd.DataFrame, roles: Sequence[Role]) -> pd.DataFrame:
    """Columns that a file of people adds to a table of trials.

    Parameters
    ----------
    path : str or Path
        A CSV file with a row for each subject: the column ``subject``, if wanted ``role``
        ("sender" or "receiver"), and covariates. Subjects who are not in the trials are passed
        over; of a role in the trials either every subject has a row or none.
    table : DataFrame
        The trials, with the standard columns of the roles.
    roles : sequence of "sender" and "receiver"

    Returns
    -------
    DataFrame
        With the index of the table: each covariate for each role, ``crt`` as ``sender_crt`` and
        ``receiver_crt``.

    Raises
    ------
    InputError
        If the file cannot be read, lacks the column, repeats a subject, names a role that there
        is not, has none or only some of the subjects, or a column that the trials have already.
    """
    file = parse_csv(read_bytes(path, "a CSV file of people"), Path(path).name)
    frame, source = file.frame, file.source
    covariates = [name for name in frame if name not in ("subject", "role")]
    if "subject" not in frame or not covariates:
        expected = f"the column subject and covariates; there are: {listing(frame.columns)}"
        raise InputError(Fault(f"{source}, row 1", "", expected))
    faults = list(file.faults)
    if "role" in frame:
        bad = frame.index[~frame["role"].isin(["sender", "receiver"])]
        faults += [file.fault(row, "role", "sender or receiver") for row in bad]
    twice = frame.index[frame["subject"].duplicated()]
    faults += [file.fault(row, "subject", "every subject once") for row in twice]
    taken = [f"{r}_{n}" for r in roles for n in covariates if f"{r}_{n}" in table]
    faults += [
        Fault(f"{source}, row 1", name, "covariates that the trials have not") for name in taken
    ]
    typed = {}
    for name in covariates:
        values = numbers(frame[name])
        typed[name] = values if values.notna().all() else frame[name]
    people = pd.DataFrame(typed).set_axis(frame["subject"], axis=0)
    parts = []
    for role in roles:
        own = people if "role" not in frame else people[(frame["role"] == role).to_numpy()]
        subjects = natural_order(list(table[role].unique()))
        lost = [name for name in subjects if name not in own.index]
        if lost and len(lost) < len(subjects):
            faults.append(Fault(source, "", f"a row for every {role}; none for {listing(lost)}"))
        elif not lost and not faults:
            rows = own.loc[table[role]].set_axis(table.index, axis=0)
            parts.append(rows.add_prefix(f"{role}_"))
    if not parts and not faults:
        faults.append(Fault(source, "", "rows for the subjects of the trials, but there are none"))
    if faults:
        raise InputError(faults)
    return pd.concat(parts, axis=1)
