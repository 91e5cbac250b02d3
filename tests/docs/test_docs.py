"""The page on the models is the one that the models make."""

import runpy
from pathlib import Path

import pytest

from trustbayes.models import SPECS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "models.md"


@pytest.fixture(scope="module")
def made():
    return runpy.run_path(str(ROOT / "docs" / "models.py"))["page"]()


def test_the_page_on_the_models_is_up_to_date(made):
    # A change to a model changes the page: `make docs` writes it anew.
    assert PAGE.read_text(encoding="utf-8") == made


def test_every_model_has_its_part(made):
    for spec in SPECS:
        assert f"## {spec.title}, {spec.role}s, {spec.kind} game\n" in made
    assert "both roles" in made
