"""Planted types against the probabilities that a model of types gives them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.report.page.style import GREY, brief, grid, legend_below
from trustbayes.report.page.wording import counted, listed, percent, type_label

__all__ = ["chances", "chances_says", "type_coverage"]

_RIGHT, _WRONG = ("o", "#000000"), ("s", "#D55E00")


def type_coverage(type_recovery: pd.DataFrame) -> pd.DataFrame:
    """How many subjects' most probable type is the planted one, by role.

    Parameters
    ----------
    type_recovery : DataFrame
        See `trustbayes.analysis.analyse.Analysis`, ``type_recovery``.

    Returns
    -------
    DataFrame
        Columns role; subjects, right, share (of all); free, free_right, free_share (of those away
        from the corners, who can be told apart).
    """
    rows = []
    for role, here in type_recovery.groupby("role", sort=False):
        right = here["planted"] == here["found"]
        free = ~here["corner"].astype(bool)
        counts = (len(here), int(right.sum()), right.mean())
        rows.append((role, *counts, int(free.sum()), int(right[free].sum()), right[free].mean()))
    columns = ["subjects", "right", "share", "free", "free_right", "free_share"]
    return pd.DataFrame(rows, columns=["role", *columns])


def chances(type_recovery: pd.DataFrame) -> Figure:
    """Probability of each subject's planted type, a row for each type, a panel for each role."""
    roles = list(dict.fromkeys(type_recovery["role"]))
    kinds = {
        role: sorted(set(type_recovery.loc[type_recovery["role"] == role, "planted"]))
        for role in roles
    }
    most = max(len(planted) for planted in kinds.values())
    figure, axes = grid(len(roles), 2, width=4.8, height=1.4 + 0.55 * most, sharex=True)
    for panel, role in zip(axes, roles, strict=True):
        for y, planted in enumerate(kinds[role]):
            here = type_recovery[
                (type_recovery["role"] == role) & (type_recovery["planted"] == planted)
            ]
            here = here.sort_values("probability", ascending=False)
            places = y + np.linspace(-0.32, 0.32, len(here) + 2)[1:-1]
            right, corner = here["found"] == here["planted"], here["corner"].astype(bool)
            for look, rows in ((_RIGHT, right), (_WRONG, ~right)):
                for hollow in (False, True):
                    shown = (rows & (corner == hollow)).to_numpy()
                    panel.plot(
                        here["probability"].to_numpy()[shown],
                        places[shown],
                        look[0],
                        color=look[1],
                        mfc="white" if hollow else look[1],
                        ms=4,
                        lw=0,
                    )
            if y:
                panel.axhline(y - 0.5, color="#EEEEEE", lw=0.8, zorder=0)
        labels = [brief(type_label(planted), 18) for planted in kinds[role]]
        panel.set_yticks(range(len(labels)), labels)
        panel.set_ylim(len(labels) - 0.5, -0.5)
        panel.set_xlim(-0.03, 1.03)
        panel.axvline(0.5, color=GREY, lw=0.8, ls=":", zorder=0)
        panel.set_title(f"{role.capitalize()}s")
        panel.set_xlabel("probability of the planted type")
        panel.set_ylabel("planted type")
    handles = [
        Line2D([], [], color=_RIGHT[1], marker=_RIGHT[0], lw=0, label="most probable: planted"),
        Line2D([], [], color=_WRONG[1], marker=_WRONG[0], lw=0, label="most probable: another"),
        Line2D([], [], color="black", marker="o", mfc="white", lw=0, label="at a corner (hollow)"),
    ]
    legend_below(figure, handles)
    return figure


def chances_says(type_recovery: pd.DataFrame) -> str:
    """How many are right, and who stands at a corner."""
    parts = []
    for _, row in type_coverage(type_recovery).iterrows():
        role = row["role"]
        text = (
            f"For {row['right']} of {counted(row['subjects'], role)} ({percent(row['share'])}) the "
            "most probable type is the planted one"
        )
        if row["free"] == row["subjects"]:
            parts.append(f"{text}; none stands at a corner.")
            continue
        here = type_recovery[(type_recovery["role"] == role) & type_recovery["corner"].astype(bool)]
        names = listed(map(str, here["subject"]), 8)
        away = f"away from the corners for {row['free_right']} of {row['free']}"
        parts.append(
            f"{text}, {away} ({percent(row['free_share'])}). Not identified, since another type "
            f"makes nearly the same choices: {names}."
        )
    return " ".join(parts)
