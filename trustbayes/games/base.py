"""What every kind of game shares: roles, and how the columns of a trial table are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Layout", "Role"]

Role = Literal["sender", "receiver"]


@dataclass(frozen=True)
class Layout:
    """How a file of trials names its columns and which of its rows do not count.

    Parameters
    ----------
    columns : mapping of str to str
        Standard name to the file's name. Columns not named have the standard names
        (sender, receiver, round, treatment, bias, state, message, action, group).
    exclude : mapping of str to tuple
        Column of the file to the values whose rows are left out (and counted).
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    exclude: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
