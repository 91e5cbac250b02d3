"""The site's sources are true: code runs, commands exist, and every public name has a place."""

import importlib.util
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from synthetic import synthetic_fit

import trustbayes
from trustbayes.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "docs" / "site"
PAGES = sorted([*SITE.glob("*.md"), *SITE.glob("howto/*.md"), ROOT / "README.md"])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), flags=re.S)


def tool(name: str):
    """A module of the site's, which is no package."""
    spec = importlib.util.spec_from_file_location(name, SITE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make():
    for name in ("browser", "explorers", "pictures", "specimens"):
        tool(name)
    return tool("make")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_runs(page, tmp_path, monkeypatch):
    def fake(model, trials, sampling=None, **_):
        return synthetic_fit(model, trials, chains=4, draws=100)

    monkeypatch.setattr("trustbayes.inference.fitting.fit", fake)
    monkeypatch.setattr(trustbayes, "fit", fake, raising=False)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for place, code in enumerate(blocks(page, "python")):
        file = tmp_path / f"{place}.py"  # priors as code are read again from where they stand
        file.write_text(code, "utf-8")
        exec(compile(code, str(file), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_exist_with_their_options(page):
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            tokens = shlex.split(line, comments=True)
            if tokens and tokens[0].split("/")[-1] == "trustbayes":
                app.parse_args(tokens[1:], exit_on_error=False, print_error=False)


def test_there_are_pages_with_code_and_commands():
    # The tests above hold for a page without any, and would for no pages.
    assert {"README", "start", "honest", "data", "pool"} <= {page.stem for page in PAGES}
    assert {page.parent.name for page in PAGES} >= {"site", "howto"}
    assert sum(bool(blocks(page, "python")) for page in PAGES) >= 10
    lines = [line for page in PAGES for code in blocks(page, "sh") for line in code.splitlines()]
    assert sum("trustbayes " in line for line in lines) >= 15


def test_the_site_has_its_pages_and_not_what_makes_them(make, tmp_path):
    shutil.copytree(SITE, tmp_path / "source", ignore=make._no_part)
    copied = {str(p.relative_to(tmp_path / "source")) for p in (tmp_path / "source").rglob("*.*")}
    pages = {str(page.relative_to(SITE)) for page in PAGES if SITE in page.parents}
    assert pages | {"conf.py", "mathml.py", "templates/search-button-field.html"} == copied


def test_every_public_name_has_its_entry(make):
    page = make.api_page()
    import trustbayes as tb

    entries = set(re.findall(r"\.\. auto(?:class|function):: trustbayes\.(\w+)", page))
    assert len(entries) > 100
    assert entries == set(tb.__all__)


def test_every_page_is_in_the_contents():
    text = (SITE / "index.md").read_text("utf-8")
    assert len(PAGES) > 15
    listed = set(re.findall(r"^([\w/-]+)$", text, flags=re.M))
    pages = {str(p.relative_to(SITE).with_suffix("")) for p in PAGES if SITE in p.parents}
    assert pages - {"index"} <= listed
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} <= listed


def test_a_broken_site_is_caught(make, tmp_path):
    check = tool("check")
    (tmp_path / "searchindex.js").write_text(" ".join(trustbayes.__all__).replace("analyse", ""))
    (tmp_path / "a.html").write_text(
        '<a href="b.html">x</a><a href="#c">y</a><img src="https://x.invalid/i.png"><p id="d">'
        '<a href="a.html#d">z</a><table><tr><th class="x"> </th></tr></table>'
    )
    found = check.faults(tmp_path)
    assert not any("no page" in line for line in found)
    assert "a.html links to b.html, which is not there" in found
    assert "a.html links to #c, which has no such place" in found
    assert "a.html has a table header without a word" in found
    assert "a.html loads https://x.invalid/i.png" in found
    assert "search does not find analyse" in found


def test_a_site_without_pages_is_caught(make, tmp_path):
    (tmp_path / "searchindex.js").write_text(" ".join(trustbayes.__all__))
    with pytest.MonkeyPatch.context() as patch:
        check = tool("check")
        patch.setattr(check, "BROWSER", None)
        assert check.faults(tmp_path) == [f"{tmp_path} has no page"]


def test_the_gallery_has_the_code_of_each_figure(make, tmp_path):
    figure = (
        '<figure id="f" data-drawn="trustbayes.report.figures.gap:expected_and_given">'
        '<div class="title">T</div><img alt="a [b]" src="data:image/png;base64,aGk=">'
        "<figcaption>Says.</figcaption></figure>"
    )
    other = figure.replace('id="f"', 'id="g"').replace("gap:expected_and_given", "raw:shift_means")
    page = make.gallery_page(figure, tmp_path, [("Other", other)])
    assert page.count("def expected_and_given(") == page.count("def shift_means(") == 1
    assert "## Other: T" in page
    drawing = make.drawing()
    assert len(drawing) > 30
    for name in drawing:
        assert f"`{name.replace(':', '.')}`:" in page
    for code in re.findall(r"````python\n(.*?)````", page, flags=re.S):
        compile(code, "gallery", "exec")
    assert "![a (b)](figure-f.png)" in page
    assert "Says." in page
    assert (tmp_path / "figure-f.png").read_bytes() == b"hi"
