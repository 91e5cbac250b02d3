"""Bayesian models of trust and strategic thinking in cheap-talk experiments.

>>> import trustbayes as tb
>>> tb.model("level-k", role="sender").types
('0', '1', '2', '3')

The public names stand in ``__init__.pyi``, once, for type checkers and for this module alike; each
is loaded when it is first used, so that importing the package is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any
from warnings import warn

import lazy_loader

from trustbayes.files.caches import prepare_surroundings

prepare_surroundings()  # before any library that keeps a cache is imported
_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

_RENAMED: dict[str, str] = {
    "Recovery": "RecoveryStudy",
    "recover": "recovery_study",
    "recovery": "planted_against_estimated",
}
"""Public names of version 0.1 that have another name now: old to new."""

_SHOWN = ("Analysis", "analyse")
"""What a notebook shows by a page of the report, which is therefore loaded with them."""


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for (PEP 562)."""
    if name == "__version__":
        return import_module("importlib.metadata").version("trustbayes")
    if name in _RENAMED:
        new = _RENAMED[name]
        warn(f"tb.{name} is now tb.{new}", FutureWarning, stacklevel=2)
        return _load(new)
    if name in _SHOWN:
        _load("write_report")
    return _load(name)
