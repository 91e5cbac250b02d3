"""Pages under axe-core: what is wrong is caught, and reports of every kind have nothing wrong."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = "return {width: innerWidth, dark: matchMedia('(prefers-color-scheme: dark)').matches}"


@pytest.fixture(scope="module")
def site(of_site):
    return of_site("axe", needs_browser=True), of_site("browser")


def test_no_page_is_not_a_page_without_faults(site, tmp_path):
    axe, _ = site
    (tmp_path / "_modules").mkdir()
    (tmp_path / "_modules" / "x.html").write_text("<p>source</p>")
    (tmp_path / "a.html").write_text("<p>a page</p>")
    assert axe.pages_of([str(tmp_path)]) == [tmp_path / "a.html"]
    with pytest.raises(FileNotFoundError, match=r"b\.html: no page"):
        axe.pages_of([str(tmp_path / "b.html")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty: no page"):
        axe.pages_of([str(tmp_path / "empty")])


@pytest.mark.slow
def test_a_look_is_what_it_is_called(site, tmp_path):
    axe, browser = site
    page = tmp_path / "a.html"
    page.write_text('<!DOCTYPE html><html lang="en"><body><p>x</p></body></html>')
    for name, (size, options) in axe.LOOKS.items():
        said, console, asked = browser.said(page, SIZES, *options, size=size)
        assert name == f"{said['width']} wide, {'dark' if said['dark'] else 'light'}"
        assert console == asked == []


@pytest.mark.slow
@pytest.mark.skipif(not AXE.exists(), reason="needs `make axe`")
def test_a_bad_page_is_caught_and_a_good_one_is_not(site, tmp_path):
    axe, _ = site
    page, code = tmp_path / "a.html", AXE.read_text("utf-8")
    body = (
        '<!DOCTYPE html><html lang="en"><head><title>A page</title></head><body><main><h1>A</h1>'
        "{0}</main></body></html>"
    )
    look = next(iter(axe.LOOKS))
    page.write_text(body.format("<p>Fine.</p>"))
    assert axe.faults(code, page, look) == []
    bad = '<img src="data:,x"><script>console.error("complaint")</script>'
    page.write_text(body.format(bad + '<img alt="a" src="http://nowhere.invalid/x.png">'))
    said = "\n".join(axe.faults(code, page, look))
    assert "image-alt" in said
    assert "complaint" in said
    assert "asks for http://nowhere.invalid/x.png" in said
