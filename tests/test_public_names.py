"""The public names: loaded late, all there, and known to type checkers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import trustbayes as tb


def test_every_public_name_loads():
    for name in tb.__all__:
        assert getattr(tb, name) is not None
        assert name in dir(tb)


def test_type_checkers_see_the_same_names():
    stub = Path(tb.__file__).with_suffix(".pyi")
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    seen = {a.asname for node in tree.body[1:] for a in node.names}
    assert seen == set(tb.__all__)


def test_names_lead_to_their_rooms():
    from trustbayes.models import LevelK
    from trustbayes.report import write_report

    assert tb.LevelK is LevelK
    assert tb.write_report is write_report


@pytest.mark.parametrize(("old", "new"), tb._RENAMED.items())
def test_a_name_of_before_gives_what_it_is_called_now_and_says_so(old, new):
    assert new in tb.__all__
    assert old not in tb.__all__
    with pytest.warns(FutureWarning, match=f"tb.{old} is now tb.{new}"):
        assert getattr(tb, old) is getattr(tb, new)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="red_trials"):
        tb.red_trials  # noqa: B018


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert tb.__version__ == version("trustbayes")


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, trustbayes; print(sorted({'pymc', 'pandas', 'arviz'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.slow
def test_an_analysis_shows_itself_in_a_notebook_that_asks_for_nothing_else():
    code = "import trustbayes as tb; tb.analyse; print(tb.Analysis.shown_by.__name__)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "first_page"
