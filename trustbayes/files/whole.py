"""Files written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from trustbayes.errors import Fault, InputError
from trustbayes.files.targets import expanded

__all__ = ["write_whole"]


def write_whole(contents: Mapping[Path, str | Callable[[Path], object]]) -> None:
    """Write files under temporary names, then give them their own.

    Parameters
    ----------
    contents : mapping of Path to str or callable
        Text, written in UTF-8, or a function that writes to the path it is given. Missing
        folders are made.

    Raises
    ------
    InputError
        If a file cannot be written; then none of them changes.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_whole({Path(folder, "note.txt"): "whole"})
    ...     Path(folder, "note.txt").read_text("utf-8")
    'whole'
    """
    contents = {expanded(path): content for path, content in contents.items()}
    parts = {path: _part(path) for path in contents}
    path = next(iter(contents))
    try:
        for path, part in parts.items():
            content = contents[path]
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                part.write_text(content, encoding="utf-8", newline="")
            else:
                content(part)
            _to_disk(part)
        for path, part in parts.items():
            os.replace(part, path)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(Fault(str(path), reason, "a file that can be written")) from error
    finally:
        for part in parts.values():
            with suppress(OSError, ValueError):
                part.unlink(missing_ok=True)


def _part(path: Path) -> Path:
    """A name beside a file's own that no other process, thread or machine writes to."""
    name = f".{path.name}"[:180]  # a name may have 255 bytes, and a letter up to four of them
    while len(os.fsencode(name)) > 200:
        name = name[:-1]
    return path.with_name(f"{name}.{uuid4().hex[:12]}.part")


def _to_disk(part: Path) -> None:
    """Have the file's content on the disk before its name says that it is whole."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
