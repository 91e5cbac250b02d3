"""The report on what policies would do."""

from __future__ import annotations

from dataclasses import replace

from trustbayes.inference.sampling import versions
from trustbayes.models import SPECS
from trustbayes.report.page.front import Card, Caution, Front
from trustbayes.report.page.section import Section
from trustbayes.report.page.table import table
from trustbayes.report.page.wording import counted
from trustbayes.report.policies import UNCHECKED, policies_section
from trustbayes.report.studies.shared import StudyPage
from trustbayes.simulation.policies import Counterfactual

__all__ = ["policy_page"]


def policy_page(effects: Counterfactual, command: str) -> StudyPage:
    """What policies would do, as a page."""
    titles = {spec.name: spec.title for spec in SPECS}
    rows = [
        (
            "people",
            "of the experiment" if effects.people == "these" else "new, of their population",
        ),
        ("expected trust", effects.expectations),
        ("posterior draws", str(effects.draws)),
        ("seed", str(effects.seed)),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions().items())),
        *([("command", command)] if command else []),
    ]
    making = Section(
        "making", "How it was made", tables=[table("How it was made.", "what|value", rows, (0, 1))]
    )
    count = counted(len(effects.policies), "policy")
    subtitle = f"{count} in {counted(len(effects.treatments), 'treatment')}, {effects.game}."
    section = policies_section(effects, titles)
    checked = effects.unseen
    front = Front(
        "What would build trust, and what may it cost?",
        [Card("The answer", [("policies", sentence) for sentence in effects.sentences])],
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
    return StudyPage(
        "What would build trust?",
        subtitle,
        front,
        [section, making],
        effects.to_dict(),
    )
