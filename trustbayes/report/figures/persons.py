"""Which theory for whom: the two best theories, person by person."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from trustbayes.analysis.analyse import Analysis, title
from trustbayes.comparison import single_theories, theory_of
from trustbayes.games.base import Role
from trustbayes.report.page.style import brief, legend_below, look
from trustbayes.report.page.wording import counted, listed, number, percent

__all__ = ["person_by_person", "person_by_person_says", "theory_chances"]

_NAMED = 64  # people that still fit by name on the axis


def _pair(analysis: Analysis, role: Role) -> list[str]:
    """Titles of the two theories that predict new people best."""
    best = single_theories(analysis.comparisons[role])[:2]
    return [title(analysis, name, role) for name in best]


def person_by_person(analysis: Analysis, role: Role) -> Figure:
    """All subjects, sorted by how much better the best theory predicts them than the second.

    Under it, where the mixture was fitted, the probability that each is of each theory.
    """
    people = analysis.people[role]
    chances = theory_chances(analysis, role)
    heights = [2.9] if chances is None else [2.9, 1.1]
    figure = Figure(figsize=(9.0, sum(heights) + 0.5))
    panels = list(
        figure.subplots(
            len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
        ).ravel()
    )
    handles: list[Line2D | Patch] = [*_leads(panels[0], analysis, role, people)]
    if chances is not None:
        handles += _strip(panels[1], analysis, role, chances.loc[people["subject"]])
    last, size = panels[-1], len(people)
    if size <= _NAMED:
        names = [brief(name, 10) for name in people["subject"]]
        last.set_xticks(range(size), names, rotation=90, fontsize=8 if size <= 32 else 6.5)
    else:
        last.set_xticks([0, size - 1], ["1", str(size)])
    last.set_xlim(-0.7, size - 0.3)
    last.set_xlabel(f"{role}s, sorted by the difference")
    legend_below(figure, handles, 3)
    return figure


def _leads(panel: Axes, analysis: Analysis, role: Role, people: pd.DataFrame) -> list[Line2D]:
    """The differences as stems, in the colour of the theory that predicts each best."""
    handles = []
    for model in analysis.comparisons[role].models:
        shape, predicted_best = look(model), people["favourite"] == model
        if not predicted_best.any():
            continue
        for hollow in (False, True):
            here = people[predicted_best & (people["corner"] == hollow)]
            panel.vlines(here.index, 0, here["difference"], color=shape.colour, lw=1.1)
            panel.plot(
                here.index,
                here["difference"],
                shape.marker,
                color=shape.colour,
                mfc="white" if hollow else shape.colour,
                ms=5 if len(people) <= _NAMED else 3.5,
                lw=0,
            )
        label = f"predicted best by {title(analysis, model, role)}"
        handles.append(Line2D([], [], color=shape.colour, marker=shape.marker, lw=1.1, label=label))
    if people["corner"].any():
        label = "at a corner: both coincide (hollow)"
        handles.append(Line2D([], [], color="black", marker="o", mfc="white", lw=0, label=label))
    best, second = _pair(analysis, role)
    panel.axhline(0, color="black", lw=0.8, zorder=0)
    panel.set_ylabel(f"LOSO score of {best}\nless that of {second}\n(nats)")
    return handles


def _strip(panel: Axes, analysis: Analysis, role: Role, chances: pd.DataFrame) -> list[Patch]:
    """Probabilities of the theories as stacked bars, in the order of the people above."""
    below, handles = np.zeros(len(chances)), []
    for theory in chances:
        colour = look(str(theory)).colour
        part = chances[theory].to_numpy()
        panel.bar(np.arange(len(chances)), part, bottom=below, width=0.9, color=colour, lw=0)
        below += part
        name = title(analysis, str(theory), role) if (theory, role) in analysis.fits else theory
        handles.append(Patch(color=colour, label=f"probability of {name}"))
    panel.set_ylim(0, 1)
    panel.set_yticks([0, 0.5, 1])
    panel.set_ylabel("probability\nof each theory")
    return handles


def theory_chances(analysis: Analysis, role: Role) -> pd.DataFrame | None:
    """Probability that each subject is of each theory, by the mixture if it was fitted.

    Parameters
    ----------
    analysis : Analysis
    role : "sender" or "receiver"

    Returns
    -------
    DataFrame or None
        Indexed by subject, a column for each theory; rows have the sum 1.
    """
    mixture = next(
        (
            fit.model
            for (_, fitted), fit in analysis.fits.items()
            if fitted == role and fit.model.spec.theory_of_type is not None
        ),
        None,
    )
    if mixture is None:
        return None
    table = analysis.types
    rows = table[(table["model"] == mixture.name) & (table["role"] == role)]
    whose = rows["type"].map(theory_of(mixture)).rename("theory")
    chances = rows.groupby(["subject", whose])["probability"].sum().unstack()  # noqa: PD010
    return chances[list(mixture.spec.combines)]


def person_by_person_says(analysis: Analysis, role: Role) -> str:
    """For how many the best theory is the better one, and for how many that says nothing."""
    people = analysis.people[role]
    best, second = _pair(analysis, role)
    lead, corner = people["difference"].to_numpy(), int(people["corner"].sum())
    ahead, size = int((lead > 0).sum()), len(people)
    top = np.sort(np.abs(lead))[::-1]
    few = max(1, round(0.1 * size))
    text = (
        f"When they are new to the models, {best} predicts {ahead} of {counted(size, role)} "
        f"({percent(ahead / size)}) better than {second}; the differences range from "
        f"{number(float(lead.min()))} to {number(float(lead.max()))} nats"
    )
    if top.sum() > 0:
        share = percent(float(top[:few].sum() / top.sum()))
        text += f"; {share} of all that sets the two apart lies with {counted(few, role)}"
    if not corner:
        return f"{text}. None stands at a corner."
    names = listed(map(str, people.loc[people["corner"], "subject"]), 8)
    return (
        f"{text}. At a corner, where the two say nearly the same of the choices made, "
        f"{'stand' if corner > 1 else 'stands'} {corner} ({names}): a difference there tells how "
        "common such people are, not which theory is right about them."
    )
