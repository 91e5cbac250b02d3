"""A file of people: what is known of the subjects of an experiment besides their trials."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError, listing
from trustbayes.files import identifiers, natural_order, parse_table, read_bytes, typed
from trustbayes.games import Role
from trustbayes.trials.check import nearly_named

__all__ = ["people_columns"]


def people_columns(
    path: str | Path, table: pd.DataFrame, roles: Sequence[Role]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Columns that a file of people adds to a table of trials.

    Parameters
    ----------
    path : str or Path
        A file as for trials, with a row for each subject: the column ``subject``, if wanted
        ``role`` ("sender" or "receiver"), and covariates. Subjects who are not in the trials are
        passed over; of a role in the trials either every subject has a row or none.
    table : DataFrame
        The trials, with the standard columns of the roles.
    roles : sequence of "sender" and "receiver"

    Returns
    -------
    columns : DataFrame
        With the index of the table: each covariate for each role, ``crt`` as ``sender_crt`` and
        ``receiver_crt``. It is numbers, NaN where they are missing, if those of the role's
        subjects are.
    notes : tuple of str
        What was recognised in the file, missing values, and what is a factor because of some
        texts.

    Raises
    ------
    InputError
        If the file cannot be read, lacks the column, repeats a subject, names a role that there
        is not, has none or only some of the subjects, or a column that the trials have already;
        if a number among others cannot be understood.
    """
    file = parse_table(read_bytes(path, "a file of people"), Path(path).name)
    frame, source = file.frame, file.source
    covariates = [str(name) for name in frame if name not in ("subject", "role")]
    if "subject" not in frame or not covariates:
        expected = f"the column subject and covariates; there are: {listing(frame.columns)}"
        raise InputError(Fault(f"{source}, row 1", "", expected))
    faults = list(file.faults)
    if "role" in frame:
        bad = frame.index[~frame["role"].isin(["sender", "receiver"])]
        faults += [file.fault(row, "role", "sender or receiver") for row in bad]
    else:
        faults += [
            Fault(f"{source}, row 1, column {name}", name, "'role', or a name that is less like it")
            for name in nearly_named(["role"], covariates).values()
        ]
    subject = identifiers(frame["subject"])
    twice = frame.index[subject.duplicated()]
    faults += [file.fault(row, "subject", "every subject once") for row in twice]
    taken = [f"{r}_{n}" for r in roles for n in covariates if f"{r}_{n}" in table]
    faults += [
        Fault(f"{source}, row 1", name, "covariates that the trials have not") for name in taken
    ]
    parts, notes, absent = [], list(file.notes), []
    for role in roles:
        of_role = frame if "role" not in frame else frame[frame["role"] == role]
        names = subject[of_role.index]
        subjects = natural_order([name for name in table[role].unique() if name != ""])
        lost = [name for name in subjects if name not in set(names)]
        if lost and len(lost) < len(subjects):
            others = natural_order(list(set(names) - {n for r in roles for n in table[r]}))
            instead = f", but for {listing(others)}, not in the trials" if others else ""
            expected = f"a row for every {role}; none for {listing(lost)}{instead}"
            faults.append(Fault(source, "", expected))
        if lost:
            absent.append(f"{role}s {listing(lost)}")
        if lost or faults:
            continue
        used = of_role[names.isin(subjects)]
        position = pd.Index(subject[used.index]).get_indexer(pd.Index(table[role]))
        for name in covariates:
            values, note, doubtful = typed(used[name], f"{source}, column {name} of {role}s")
            notes += [note] * bool(note)
            expected = "a number that can be understood, as others in the column are"
            faults += [file.fault(row, name, expected) for row in doubtful]
            cells = values.iloc[position].set_axis(table.index, axis=0)
            if (position < 0).any():  # a trial of one player alone has no other
                cells = cells.where(position >= 0, "" if cells.dtype.kind not in "fiub" else np.nan)
            parts.append(cells.rename(f"{role}_{name}"))
    if not parts and not faults:
        has = listing(natural_order(list(subject)))
        expected = f"rows for the subjects of the trials, but has none for {' or '.join(absent)}"
        faults.append(Fault(f"{source}, column subject", has, expected))
    if faults:
        raise InputError(list(dict.fromkeys(faults)))
    return pd.concat(parts, axis=1), tuple(notes)
