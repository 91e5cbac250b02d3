"""Places that libraries write to beside the user's files, where a machine does not offer them."""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from importlib.util import find_spec
from pathlib import Path

__all__ = ["prepare_surroundings"]

_log = logging.getLogger("trustbayes")


def prepare_surroundings() -> None:
    """Give libraries a temporary place for their caches where the user's cannot be written.

    PyTensor, Numba, Matplotlib and pooch keep caches below the home folder; some of them cannot
    even be imported where there is none, or where it is read-only. And Matplotlib cannot where a
    notebook's kernel has named a back end that is not installed. What is set in the environment
    stays, is handed to worker processes, and is said in one warning.
    """
    home = Path(os.path.expanduser("~"))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    lacking = [
        name
        for name, given, usual in (
            ("PYTENSOR_FLAGS", "compiledir" in flags, home / ".pytensor"),
            ("NUMBA_CACHE_DIR", "NUMBA_CACHE_DIR" in os.environ, cache / "numba"),
            ("MPLCONFIGDIR", "MPLCONFIGDIR" in os.environ, config / "matplotlib"),
            ("XDG_CACHE_HOME", False, cache),
        )
        if not given and not _can_be_written(usual)
    ]
    if lacking:
        place = _temporary()
        for name in lacking:
            value = str(place / name.split("_")[0].lower())
            if name == "PYTENSOR_FLAGS":
                value = ",".join(filter(None, [flags, f"base_compiledir={value}"]))
            else:
                Path(value).mkdir(exist_ok=True)
            os.environ[name] = value
        _log.warning("no home folder that can be written to: caches go to %s", place)
    backend = os.environ.get("MPLBACKEND", "")
    if backend.startswith("module://") and not _is_there(backend.removeprefix("module://")):
        os.environ["MPLBACKEND"] = "agg"
        _log.warning("MPLBACKEND names %s, which is not installed: plots use agg", backend)


def _can_be_written(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder can; asking is not enough for root."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), None)
    try:
        with tempfile.TemporaryDirectory(dir=there, prefix=".trustbayes-"):
            return there is not None
    except OSError:
        return False


def _temporary() -> Path:
    """A folder of this user's alone, the same in every run if nobody else has taken its name."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    place = Path(tempfile.gettempdir(), f"trustbayes-{user}")
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        status = place.lstat()
        private = stat.S_ISDIR(status.st_mode) and status.st_mode & 0o077 == 0
        if private and status.st_uid == user and _can_be_written(place):
            return place
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="trustbayes-"))


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False
