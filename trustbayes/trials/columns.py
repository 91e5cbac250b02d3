"""The standard columns of a trial table, and when two of its numbers are the same."""

from __future__ import annotations

from trustbayes.games.base import Role

__all__ = ["SAME", "SEEN_AND_CHOSEN", "STANDARD"]

SEEN_AND_CHOSEN: dict[Role, tuple[str, str]] = {
    "sender": ("state", "message"),
    "receiver": ("message", "action"),
}
"""The column of what each role sees before choosing, and that of what it chooses."""

STANDARD = (
    *("sender", "receiver", "round", "treatment", "bias", "group"),
    *("state", "message", "action"),
)
"""The names of all columns that mean something to the package; others are covariates."""

SAME = 1e-9
"""A number of a file this near to one of the game is taken to be that one."""
