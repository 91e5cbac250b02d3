"""The report on what policies would do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from trustbayes.inference.sampling import versions
from trustbayes.models import SPECS
from trustbayes.report.page.front import Card, Caution, Front
from trustbayes.report.page.page import Written
from trustbayes.report.page.section import Section
from trustbayes.report.page.table import table
from trustbayes.report.page.wording import counted
from trustbayes.report.policies import UNCHECKED, policies_section
from trustbayes.report.studies.shared import write
from trustbayes.simulation.policies import Counterfactual

__all__ = ["policy_report"]


def policy_report(found: Counterfactual, path: str | Path, command: str = "") -> Written:
    """Write what policies would do as one self-contained HTML file, its numbers beside it as JSON.

    Parameters
    ----------
    found : Counterfactual
    path : str or Path
        Of the HTML file; the numbers have its name with the ending .json.
    command : str
        That made it, for the record.

    Returns
    -------
    Written

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    titles = {spec.name: spec.title for spec in SPECS}
    rows = [
        ("people", "of the experiment" if found.people == "these" else "new, of their population"),
        ("expected trust", found.expectations),
        ("posterior draws", str(found.draws)),
        ("seed", str(found.seed)),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions().items())),
        *([("command", command)] if command else []),
    ]
    making = Section(
        "making", "How it was made", tables=[table("How it was made.", "what|value", rows, (0, 1))]
    )
    count = counted(len(found.policies), "policy").replace("policys", "policies")
    subtitle = f"{count} in {counted(len(found.treatments), 'treatment')}, {found.game}."
    section = policies_section(found, titles)
    checked = found.unseen
    front = Front(
        "What would build trust, and what may it cost?",
        [Card("The answer", [("policies", sentence) for sentence in found.sentences])],
        section.pictures,
        [
            Caution(
                "Treatments that were not seen",
                UNCHECKED if checked is None else checked.text,
                "unseen",
                checked is not None and checked.foreseen,
            )
        ],
    )
    section = replace(section, items=[], pictures=[])  # they stand on the first page
    return write(
        Path(path),
        "What would build trust?",
        subtitle,
        front,
        [section, making],
        found.to_dict() | {"command": command},
    )
