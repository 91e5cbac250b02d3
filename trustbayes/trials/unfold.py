"""oTree's wide export: one row per participant, its rounds side by side, to a row per round."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from trustbayes.errors import Fault, InputError, listing
from trustbayes.files import TextTable

__all__ = ["ROUND", "apps_side_by_side", "unfolded"]

ROUND = "subsession.round_number"
"""The column of rounds in oTree's export of one app, which an unfolded table has, too."""

_WIDE = re.compile(r"(?P<app>\w+)\.(?P<round>\d{1,6})\.(?P<rest>(?:player|group|subsession)\..+)")


def apps_side_by_side(header: Sequence[str]) -> dict[str, list[int]]:
    """The apps of a wide export and the rounds of each, increasing.

    Examples
    --------
    >>> apps_side_by_side(["participant.code", "talk.1.player.role", "talk.2.player.role"])
    {'talk': [1, 2]}
    """
    rounds: dict[str, set[int]] = {}
    for name in header:
        if match := _WIDE.fullmatch(name):
            rounds.setdefault(match["app"], set()).add(int(match["round"]))
    return {app: sorted(numbers) for app, numbers in rounds.items()}


def unfolded(file: TextTable, app: str | None, wanted: Sequence[str]) -> TextTable:
    """Give a row to each participant and round of an app.

    Parameters
    ----------
    file : TextTable
        With columns ``app.1.player.field``, one for each round.
    app : str or None
        The app; None if there is only one that has the wanted columns.
    wanted : sequence of str
        Columns that the trials need, as oTree's export of the app alone calls them:
        ``player.field``.

    Returns
    -------
    TextTable
        As oTree's export of the app alone: columns ``player.field``, ``group.field``,
        ``subsession.field`` and `ROUND`, and those of participant and session. By round, then in
        the order of the file.

    Raises
    ------
    InputError
        If there is no such app, or several would do.
    """
    apps = apps_side_by_side([str(name) for name in file.frame])
    place = f"{file.source}, row 1"
    if app is not None and app not in apps:
        raise InputError(Fault(place, "", f"rounds of the app {app!r}; apps: {listing(apps)}"))
    fields = {
        each: {m["rest"] for name in file.frame if (m := _fields(name)) and m["app"] == each}
        for each in apps
    }
    best = max(len(fields[each] & set(wanted)) for each in apps)
    able = [app] if app else [e for e in apps if len(fields[e] & set(wanted)) == best]
    if len(able) > 1:
        expected = f"[rows] app in the game file, since several would do: {listing(able)}"
        raise InputError(Fault(place, "", expected))
    app = able[0]
    common = [str(name) for name in file.frame if not _fields(name)]
    order = [m["rest"] for name in file.frame if (m := _fields(name)) and m["app"] == app]
    parts, places = [], []
    for number in apps[app]:
        part = file.frame[common].copy()
        where = pd.DataFrame(index=part.index)
        for rest in dict.fromkeys(order):
            name = f"{app}.{number}.{rest}"
            part[rest] = file.frame.get(name, "")
            where[rest] = [f"row {line}, column {name}" for line in part.index]
        for name in common:
            where[name] = [f"row {line}, column {name}" for line in part.index]
        if ROUND not in order:
            part[ROUND] = str(number)
            where[ROUND] = [f"row {line}, round {number}" for line in part.index]
        parts.append(part)
        places.append(where)
    frame = pd.concat(parts, ignore_index=True)
    at = pd.concat(places, ignore_index=True)
    note = (
        f"{file.source} has one row per participant and {len(apps[app])} rounds of {app} side by "
        f"side, read as {len(frame)} rows of one player in one round."
    )
    if others := [each for each in apps if each != app]:
        note += f" Other apps are passed over: {listing(others)}."
    return replace(
        file,
        frame=frame,
        notes=(*file.notes, note),
        written={},
        places={str(name): at[name] for name in at},
    )


def _fields(name: object) -> re.Match[str] | None:
    return _WIDE.fullmatch(str(name))
