"""What reports on simulated experiments share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trustbayes.inference.sampling import Sampling, versions
from trustbayes.report.page.front import Caution, Front
from trustbayes.report.page.section import Section
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import counted, listed
from trustbayes.simulation.experiments import Experiment

__all__ = ["StudyPage", "complete", "made", "missing", "size_of"]


@dataclass(frozen=True)
class StudyPage:
    """What the report on a study says.

    Parameters
    ----------
    title, subtitle : str
    front : Front
    sections : list of Section
    numbers : mapping
        What is written beside the page, JSON-safe.
    """

    title: str
    subtitle: str
    front: Front
    sections: list[Section]
    numbers: Mapping[str, Any]


def size_of(experiment: Experiment) -> str:
    """Role and size in words."""
    people = counted(experiment.subjects, experiment.role)
    return f"{people}, {counted(experiment.rounds, 'round')}, {experiment.game.name}"


def complete(reasons: Iterable[str], failures: Sequence[str]) -> Caution:
    """Whether all simulations could be used, for the first page."""
    lacking = missing(reasons, failures)
    text = " ".join(lacking) or "all could be used."
    return Caution("The simulations", text, "making", not lacking)


def missing(reasons: Iterable[str], failures: Sequence[str]) -> list[str]:
    """What did not work, in sentences."""
    reasons = list(reasons)
    notes = []
    if reasons:
        notes.append(
            f"{counted(len(reasons), 'simulation')} left out, whose fit did not sample well: "
            f"{listed(reasons, 4)}."
        )
    if failures:
        notes.append(f"{counted(len(failures), 'simulation')} failed: {listed(failures, 3)}.")
    return notes


def made(sampling: Sampling, seconds: Mapping[str, float], command: str, **settings: str) -> Table:
    """How it was made."""
    draws = f"{sampling.chains} chains of {sampling.draws} draws after {sampling.tune} of warm-up"
    rows = [
        *((name.replace("_", " "), value) for name, value in settings.items()),
        ("sampling, each fit", f"{draws}; nutpie's NUTS"),
        *((f"{name}, all fits", f"{value:.0f} s") for name, value in seconds.items()),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions().items())),
        *([("command", command)] if command else []),
    ]
    return table("How it was made.", "what|value", rows, (0, 1))
