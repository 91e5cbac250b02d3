"""The first page: the question, the answer, pictures, and what to know before relying on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from trustbayes.report.page.picture import Rendered

__all__ = ["Card", "Caution", "Front"]


@dataclass(frozen=True)
class Card:
    """One answer.

    Parameters
    ----------
    heading : str
        Of whom or of what.
    answers : list of (str, str)
        Plain sentences, the answer itself, each with the name of the question that it answers.
    more : list of (str, str, str)
        What stands below it: the question's name, a label, sentences.
    missing : str
        Where there is no verdict: what to do about it; else empty.
    """

    heading: str
    answers: list[tuple[str, str]]
    more: list[tuple[str, str, str]] = field(default_factory=list)
    missing: str = ""


@dataclass(frozen=True)
class Caution:
    """Something to know before relying on the answer.

    Parameters
    ----------
    label, text : str
    anchor : str
        Name of the section that says more.
    good : bool
        Whether it speaks for relying on it.
    """

    label: str
    text: str
    anchor: str
    good: bool


@dataclass(frozen=True)
class Front:
    """The first page.

    Parameters
    ----------
    question : str
    cards : list of Card
    pictures : list of Rendered
    cautions : list of Caution
    """

    question: str
    cards: list[Card]
    pictures: list[Rendered] = field(default_factory=list)
    cautions: list[Caution] = field(default_factory=list)

    @property
    def words(self) -> str:
        """All that is said, without the pictures."""
        texts = [self.question]
        for card in self.cards:
            texts += [text for _, text in card.answers] + [text for _, _, text in card.more]
        return " ".join([*texts, *(caution.text for caution in self.cautions)])

    @property
    def summary(self) -> str:
        """The answers alone, a line for each card."""
        lines = []
        for card in self.cards:
            words = [text for _, text in card.answers] + ([card.missing] if card.missing else [])
            lines.append(f"{card.heading}: {' '.join(words)}")
        return "\n".join(lines)
