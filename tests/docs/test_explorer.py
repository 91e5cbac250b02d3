"""The pictures to be moved about: their numbers by the theories' closed forms, and in a browser."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SITE = Path(__file__).resolve().parents[2] / "docs" / "site"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
ROUNDING = 0.051  # numbers have one digit


@pytest.fixture(scope="module")
def page():
    sys.path.insert(0, str(SITE))
    try:
        from explorer import explorer
    finally:
        sys.path.remove(str(SITE))
    return explorer()


@pytest.fixture(scope="module")
def grid(page):
    found = re.search(r'id="explore-grid">(.*?)</script>', page, flags=re.S)
    assert found is not None
    return json.loads(found[1])


@pytest.mark.parametrize(
    ("market", "step", "gain"),
    [("CLUL", 10, 15), ("CLUH", 30, 45), ("CHUL", 40, -15), ("CHUH", 120, -45)],
)
def test_the_numbers_are_the_theories_closed_forms(grid, market, step, gain):
    # The step h of a level and the gain g of full trust as in the table of the theory, section 1.
    found, seen = grid["markets"][market], np.array(grid["seen"])
    for level, line in enumerate(found["level_reports"]):
        assert np.allclose(line, np.minimum(seen + level * step, 150), atol=ROUNDING)
    inner = (seen >= -150 + step) & (seen < 150)
    assert np.allclose(
        np.array(found["level_capacities"][1])[inner],
        (250 + seen - step + gain)[inner],
        atol=ROUNDING,
    )
    believing = found["capacities"][-1]
    assert np.allclose(believing, 250 + seen + gain, atol=ROUNDING)
    assert np.allclose([line[0] for line in found["capacities"]], believing[0], atol=ROUNDING)
    reports = np.array(found["reports"])
    assert reports.shape == (len(grid["aversions"]), len(grid["trusts"]), seen.size)
    assert (reports >= seen - ROUNDING).all()  # nobody under-reports
    assert (np.diff(reports, axis=0) <= ROUNDING).all()  # whoever minds more lies less


def test_nothing_comes_from_elsewhere(page):
    assert not re.search(r"https?:|//\w+\.|url\(|import", page)
    for control in re.findall(r'<(?:input|select)[^>]* id="([\w-]+)"', page):
        assert f'<label for="{control}">' in page


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs chromium")
def test_the_controls_move_the_lines(page, grid, tmp_path):
    move = """<script>
    for (const [name, value] of [["market", "CHUH"], ["level", 2], ["trust", 10], ["seen", 10]]) {
      const control = document.getElementById("explore-" + name);
      control.value = value; control.dispatchEvent(new Event("input"));
    }</script>"""
    file = tmp_path / "page.html"
    file.write_text(f'<!DOCTYPE html><html lang="en"><body>{page}{move}', "utf-8")
    done = subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"--user-data-dir={tmp_path / 'profile'}", file.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    says = re.search(r'id="explore-says"[^>]*>(.*?)</p>', done.stdout, flags=re.S)
    assert says is not None
    assert grid["seen"][10] == -100
    assert "at level 2 she reports 140." in says[1]  # -100 + 2 * 120
    assert "builds 105 if he trusts by 1, " in says[1]  # 250 - 100 - 45
    assert done.stdout.count('<circle class="lk"') == 2
