"""One table of a TOML file, read strictly: what cannot be understood is noted, not raised."""

from __future__ import annotations

import math
import sys
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeGuard

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.files import read_bytes

__all__ = ["Section", "is_number", "read_section", "shown"]


class Section:
    """One table of the file; every look-up that fails is noted as a fault and gives None.

    Parameters
    ----------
    raw : mapping
        The table as TOML gives it.
    file : str
        What to call the file in messages.
    name : str
        The table's full name, empty for the whole file.
    faults : list of Fault
        Where faults are noted; the tables of one file share it.
    """

    def __init__(self, raw: Mapping[str, Any], file: str, name: str, faults: list[Fault]) -> None:
        self.raw, self.file, self.name, self.faults = raw, file, name, faults

    def full_name(self, key: str) -> str:
        """The name of a key from the top of the file."""
        return f"{self.name}.{key}" if self.name else key

    def place(self, key: str) -> str:
        """Where a key stands, as messages say it."""
        return f"{self.file}, key {self.full_name(key)}"

    def note(self, key: str, expected: str) -> None:
        """Note a fault at a key."""
        value = shown(self.raw[key]) if key in self.raw else ""
        self.faults.append(Fault(self.place(key), value, expected))

    def allow(self, *keys: str) -> None:
        """Note every key that is not among these."""
        for key in self.raw:
            if key not in keys:
                self.faults.append(Fault(self.place(key), key, suggestion(key, keys)))

    def text(self, key: str, choices: tuple[str, ...] = ()) -> str | None:
        """A text, one of the choices if there are any."""
        value = self.raw.get(key)
        if not isinstance(value, str) or not value.strip():
            named = " or ".join(f'"{choice}"' for choice in choices)
            self.note(key, named or "a text")
            return None
        if choices and value not in choices:
            self.note(key, suggestion(value, choices))
            return None
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """A list of texts, at least one; empty where a fault is noted."""
        value = self.raw.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            self.note(key, "a list of names")
            return ()
        return tuple(value)

    def number(self, key: str, least: float = -math.inf, above: float = -math.inf) -> float | None:
        """A finite number, at least ``least`` and above ``above``."""
        value = self.raw.get(key)
        if not is_number(value) or value < least or value <= above:
            bound = f" above {above:g}" if above > -math.inf else ""
            bound += f" of at least {least:g}" if least > -math.inf else ""
            self.note(key, f"a number{bound}")
            return None
        return float(value)

    def increasing(self, key: str) -> list[float] | None:
        """A list of distinct numbers in increasing order."""
        value = self.raw.get(key)
        if (
            not isinstance(value, list)
            or not value
            or not all(map(is_number, value))
            or any(b <= a for a, b in pairwise(value))
        ):
            self.note(key, "a list of distinct numbers in increasing order")
            return None
        return [float(item) for item in value]

    def section(self, key: str, *keys: str) -> Section | None:
        """A table inside this one; ``keys`` are what a message says about its content."""
        value = self.raw.get(key)
        if not isinstance(value, Mapping):
            content = ", ".join(f"{name} = ..." for name in keys)
            self.note(key, f"a table {{{content}}}" if keys else f"a table [{key}]")
            return None
        return Section(value, self.file, self.full_name(key), self.faults)


def read_section(path: Path, what: str) -> Section:
    """The whole of a file as its outermost table.

    Parameters
    ----------
    path : Path
    what : str
        What was expected there, for messages.

    Raises
    ------
    InputError
        If it is no TOML file in UTF-8.
    """
    content = read_bytes(path, what)
    try:
        raw = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(Fault(path.name, "", "a TOML file in UTF-8")) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(Fault(path.name, "", f"a TOML file ({error})")) from None
    return Section(raw, path.name, "", [])


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value of a TOML file is a finite number (true and false are none)."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max  # whole numbers of TOML may be too large for a float


def shown(value: Any) -> str:
    """A value of a TOML file as a message quotes it, cut after 60 characters."""
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
