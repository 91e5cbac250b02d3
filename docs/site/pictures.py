"""The two theories in pictures, drawn from the functions that the models use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import trustbayes as tb
from trustbayes.theories.level_k import forecast as level_k
from trustbayes.theories.trust_embedded import forecast as trust_embedded

SHADES = ("#0D3B66", "#0072B2", "#56B4E9", "#E69F00")


def senders(treatment: str = "CHUL") -> Figure:
    """What senders of forecast sharing report: by lying aversion, and by level."""
    game = tb.ForecastGame()
    seen = np.linspace(*game.seen_range("sender"), 301)
    terms = game.terms([treatment])
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    for aversion, colour in zip((0.05, 0.2, 0.5, 2.0), SHADES, strict=True):
        reports = trust_embedded.report(
            seen, aversion * game.lying_unit, 0.7, terms, "truncated", "quadratic", wavering=True
        )
        left.plot(seen, reports, color=colour, label=f"lying aversion β = {aversion:g}")
    left.set_title("Trust-embedded: lies that cost")
    reports = np.asarray(level_k.reports(seen, 3, terms))
    for level, (line, colour) in enumerate(zip(_by_level(reports), SHADES, strict=True)):
        right.plot(seen, line, color=colour, label=f"level {level}")
    right.set_title("Level-k: lies in steps")
    for panel in (left, right):
        panel.plot(seen, seen, color="#8C8C8C", lw=0.8, ls=":")
        panel.set_xlabel("forecast (units of demand)")
        panel.legend(frameon=False, fontsize=8)
    left.set_ylabel("report (units of demand)")
    return figure


def receivers(treatment: str = "CHUL") -> Figure:
    """What receivers of forecast sharing build: by trust, and by level."""
    game = tb.ForecastGame()
    seen = np.linspace(*game.seen_range("receiver"), 301)
    terms = game.terms([treatment])
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    for trust, colour in zip((0.0, 0.33, 0.67, 1.0), SHADES, strict=True):
        line = trust_embedded.capacity(seen, trust, terms, "truncated")
        left.plot(seen, line, color=colour, label=f"trust α = {trust:g}")
    left.set_title("Trust-embedded: discounts that grow")
    lines = np.asarray(level_k.capacities(seen, 3, terms, "monotone"))
    for level, (line, colour) in enumerate(zip(_by_level(lines), SHADES, strict=True)):
        right.plot(seen, line, color=colour, label=f"level {level}")
    right.set_title("Level-k: discounts in steps")
    for panel in (left, right):
        panel.set_xlabel("report (units of demand)")
        panel.legend(frameon=False, fontsize=8)
    left.set_ylabel("capacity (units of demand)")
    return figure


def _by_level(choices: np.ndarray) -> list[np.ndarray]:
    """One line for each level, from an array with an axis of levels."""
    return list(choices.reshape(-1, choices.shape[-1]))


def draw_all(folder: Path) -> None:
    """Write the pictures as SVG."""
    for draw in (senders, receivers):
        draw().savefig(folder / f"theory-{draw.__name__}.svg", metadata={"Date": None})
