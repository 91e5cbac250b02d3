"""Where results go: that they can be written is known before the work, and none is lost after."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from trustbayes.errors import Fault, InputError

__all__ = ["check_file", "check_folder", "expanded", "write_or_keep"]

_TRIED = 2**20  # bytes: a disk without a megabyte has no room for a fit


def expanded(path: str | Path) -> Path:
    """A path whose ``~`` is the user's home.

    Raises
    ------
    InputError
        If there is no home.

    Examples
    --------
    >>> expanded("fits").name, expanded("~").is_absolute()
    ('fits', True)
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        expected = "a path without ~, for the user's home is not known"
        raise InputError(Fault("path", str(path), expected)) from None


def check_file(path: Path, place: str) -> None:
    """Find out before the work whether a file can be written; leaves nothing there.

    Parameters
    ----------
    path : Path
    place : str
        What asks for it, for the message: ``"--out"``.

    Raises
    ------
    InputError
        If it is a folder, or its folder cannot be made or written to, or the disk is full.
    """
    path = expanded(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        _try(path.absolute().parent, path.name)
    except (OSError, ValueError) as error:
        expected = f"a file that can be written ({_reason(error)})"
        raise InputError(Fault(place, str(path), expected)) from None


def check_folder(path: Path, place: str) -> None:
    """Find out before the work whether files can be written to a folder; leaves nothing there.

    Parameters
    ----------
    path : Path
        It need not exist.
    place : str
        What asks for it, for the message: ``"--fits"``.

    Raises
    ------
    InputError
        If it is a file, cannot be made or written to, or the disk is full.
    """
    path = expanded(path)
    try:
        _try(path.absolute(), "fit.nc")
    except (OSError, ValueError) as error:
        expected = f"a folder that can be written to ({_reason(error)})"
        raise InputError(Fault(place, str(path), expected)) from None


def _try(folder: Path, name: str) -> None:
    """Write to the folder, or to the nearest one there is above it, and take it away again."""
    if len(os.fsencode(name)) > 255:
        raise OSError(0, "the name is too long")
    if "\0" in str(folder / name):
        raise OSError(0, "there is a null character in it")
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir():
        raise NotADirectoryError(0, f"{there} is no folder")
    with tempfile.NamedTemporaryFile(dir=there, prefix=".trustbayes-") as file:
        file.write(b"\0" * _TRIED)
        file.flush()
        os.fsync(file.fileno())


def write_or_keep[Result](write: Callable[[Path], Result], path: Path) -> Result:
    """Write what took long to make; if that fails, keep it elsewhere and say where.

    Parameters
    ----------
    write : callable
        Writes to a path.
    path : Path

    Returns
    -------
    what ``write`` gives

    Raises
    ------
    InputError
        If it could not be written to the path, naming where it is now.
    """
    try:
        return write(expanded(path))
    except InputError as error:
        try:
            kept = Path(tempfile.mkdtemp(prefix="trustbayes-"), path.name)
            write(kept)
        except (InputError, OSError):
            raise error from None
        where = Fault(str(kept), "", "to be moved from there: it holds what was finished")
        raise InputError([*error.faults, where]) from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
