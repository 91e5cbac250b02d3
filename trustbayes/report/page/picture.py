"""A figure with its message, and what stands in its place if it cannot be drawn."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from trustbayes.report.page.style import Encoded, encode

__all__ = ["Picture", "Rendered", "render"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Picture:
    """A figure to be drawn.

    Parameters
    ----------
    name : str
        Its anchor in the page.
    title : str
    draw : callable
        Gives the figure.
    says : callable
        Gives the sentence under it, which is also its alternative text.
    """

    name: str
    title: str
    draw: Callable[[], Figure]
    says: Callable[[], str]


@dataclass(frozen=True)
class Rendered:
    """A figure as it stands in the page.

    Parameters
    ----------
    name, title, message : str
    image : Encoded or None
        None if the figure could not be drawn.
    error : str
        Why not; empty if it could.
    draw : callable
        Gives the figure again, for other formats.
    """

    name: str
    title: str
    message: str
    image: Encoded | None
    error: str
    draw: Callable[[], Figure]

    @property
    def drawn(self) -> str:
        """The function that draws it, as MODULE:NAME."""
        function = getattr(self.draw, "func", self.draw)
        return f"{function.__module__}:{function.__qualname__}"


def render(picture: Picture) -> Rendered:
    """Draw a picture; a failure is logged and shown in its place, so the report still comes.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    Rendered
    """
    try:
        message, image = picture.says(), encode(picture.draw)
    except Exception as error:  # any fault of a figure must not cost the rest of the report
        _log.exception("the figure %s could not be drawn", picture.name)
        reason = f"{type(error).__name__}: {error}"
        return Rendered(picture.name, picture.title, "", None, reason, picture.draw)
    return Rendered(picture.name, picture.title, message, image, "", picture.draw)
