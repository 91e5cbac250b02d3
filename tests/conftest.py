"""Fixtures that several rooms use."""

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import trustbayes as tb
from trustbayes.errors import InputError

ROOT = Path(__file__).resolve().parents[1]

# A public name is kept when it is first asked for: not while a test has another in its place.
FIT = tb.fit


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data that is not part of the project; tests that need it skip without it."""
    folder = Path(os.environ.get("TRUSTBAYES_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("needs the shared data folder (set TRUSTBAYES_SHARED to its path)")
    return folder


@pytest.fixture(scope="session")
def data() -> Path:
    """The repository's own data folder."""
    return ROOT / "data"


@pytest.fixture(scope="session")
def of_site():
    """Import a module of the documents' site by name; tests that need a browser skip without."""

    def module(name: str, needs_browser: bool = False) -> ModuleType:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(ROOT / "docs" / "site")
            if needs_browser and import_module("browser").BROWSER is None:
                pytest.skip("needs chromium")
            return import_module(name)

    return module


@pytest.fixture
def faults(read):
    """What the module's own fixture ``read`` finds wrong, as texts."""

    def faults_of(*args, **kwargs):
        with pytest.raises(InputError) as caught:
            read(*args, **kwargs)
        return [str(fault) for fault in caught.value.faults]

    return faults_of
