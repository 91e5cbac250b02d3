"""Make what the site has from the package: its API, gallery, pictures and pages from elsewhere.

Run as ``python docs/site/make.py BUILD``: everything is put together in the folder BUILD/source.
"""

from __future__ import annotations

import ast
import base64
import fnmatch
import importlib
import inspect
import json
import pkgutil
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from explorers import explorers
from pictures import draw_all
from specimens import specimens

from trustbayes import report

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PARTS = ("*.md", "howto", "templates", "conf.py", "mathml.py")
REPORT = ROOT / "reports" / "sample.html"


def public_names() -> dict[str, list[str]]:
    """The public names by the room that they live in, as the package declares them."""
    tree = ast.parse((ROOT / "trustbayes" / "__init__.pyi").read_text("utf-8"))
    rooms: dict[str, list[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            room = str(node.module).split(".")[0]
            rooms.setdefault(room, []).extend(alias.asname or alias.name for alias in node.names)
    return rooms


def api_page() -> str:
    """Every public name with its docstring, by room."""
    lines = [
        "# API",
        "",
        "Every public name of `trustbayes`, by the room of the house that it lives in. "
        "`import trustbayes as tb`, then `tb.NAME`.",
        "",
    ]
    package = importlib.import_module("trustbayes")
    for room, names in sorted(public_names().items()):
        lines += [f"## {room}", ""]
        for name in sorted(names, key=str.lower):
            kind = "class" if inspect.isclass(getattr(package, name)) else "function"
            lines += [
                f"### {name}", "", "```{eval-rst}", f".. auto{kind}:: trustbayes.{name}", "```", "",
            ]  # fmt: skip
    return "\n".join(lines)


class Figures(HTMLParser):
    """The figures of a report."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.figures: list[dict[str, str]] = []
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "figure":
            self.figures.append(
                {"name": given["id"], "drawn": given.get("data-drawn", ""), "title": "", "says": ""}
            )
        elif tag == "img" and self.figures:
            self.figures[-1] |= {"image": given["src"], "alt": given["alt"]}
        self._in = {"figcaption": "says"}.get(tag, "title" if given.get("class") == "title" else "")

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in and self.figures:
            self.figures[-1][self._in] += data


def function_at(path: str) -> Any:
    """A function that is named with its module, as MODULE:NAME."""
    module, _, name = path.partition(":")
    target = importlib.import_module(module)
    for part in name.split("."):
        target = getattr(target, part)
    return target


def gallery_page(text: str, folder: Path, others: Iterable[tuple[str, str]] = ()) -> str:
    """Every figure of reports with what it says and the code that draws it.

    Parameters
    ----------
    text : str
        The sample report.
    folder : Path
        Where the pictures go.
    others : iterable of tuple of str and str
        Further reports by title; what they do not draw is left out.

    Returns
    -------
    str
        Markdown.
    """
    lines = [
        "# Gallery",
        "",
        "Every figure of the reports, with what it says and the function that draws it: those of "
        "the sample report, then those of other reports, whose numbers are made up here to show "
        "the form, then functions alone. The files come from `trustbayes report --assets FOLDER`, "
        "as SVG and PDF; in Python:",
        "",
        "```python",
        'tb.write_report(analysis, "report.html", assets="figures")',
        "```",
        "",
        *_figures(text, folder, "figure"),
    ]
    for title, other in others:
        made_up = _figures(other, folder, _short(title), f"{title}: ")
        lines += [f"*{title}, made-up numbers.*", "", *made_up] if made_up else []
    shown = set(re.findall(r"^`([\w.]+)`:$", "\n".join(lines), flags=re.M))
    for name in sorted(name for name in drawing() if name.replace(":", ".") not in shown):
        says = str(inspect.getdoc(function_at(name))).partition("\n")[0]
        lines += [f"## {says.removesuffix('.')}", "", *_code(name)]
    return "\n".join(lines)


def drawing() -> set[str]:
    """Every public function of the reports that draws a figure, as MODULE:NAME."""
    names = set()
    for module in pkgutil.walk_packages(report.__path__, f"{report.__name__}."):
        for name, function in vars(importlib.import_module(module.name)).items():
            here = inspect.isfunction(function) and function.__module__ == module.name
            if here and function.__annotations__.get("return") == "Figure" and name[0] != "_":
                names.add(f"{module.name}:{name}")
    return names


def _figures(text: str, folder: Path, prefix: str, before: str = "") -> list[str]:
    lines = []
    for figure in Figures(text).figures:
        data = figure.get("image", "").partition("base64,")[2]
        if not data:
            continue
        file = f"{prefix}-{figure['name']}.png"
        (folder / file).write_bytes(base64.b64decode(data))
        alt = figure["alt"].replace("[", "(").replace("]", ")")
        lines += [f"## {before}{figure['title']}", "", f"![{alt}]({file})", "", figure["says"], ""]
        lines += _code(figure["drawn"]) if figure["drawn"] else []
    return lines


def _code(name: str) -> list[str]:
    code = textwrap.dedent(inspect.getsource(function_at(name))).rstrip()
    return [f"`{name.replace(':', '.')}`:", "", "````python", code, "````", ""]


def _short(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower())


def _no_part(folder: str, names: list[str]) -> set[str]:
    """What lies here that is no part of the site: what makes and checks it."""
    parts = names
    if Path(folder) == HERE:
        parts = [name for pattern in PARTS for name in fnmatch.filter(names, pattern)]
    return {*names} - {*parts} | {"__pycache__"}


def from_root(name: str, title: str = "") -> str:
    """A page of the repository, its links to files named rather than followed."""
    text = (ROOT / name).read_text("utf-8")
    text = re.sub(r"!\[([^\]]*)\]\((?!https?:)[^)]*\)", r"*\1*", text)
    text = re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)([^)]*)\)", r"\1 (`\2`)", text)
    text = text.replace("```mermaid", "```text")
    return re.sub(r"\A# .*", f"# {title}", text) if title else text


def with_plain_corners(notebook: str) -> str:
    """A notebook whose tables have no empty headers, as pandas writes over an index.

    Examples
    --------
    >>> with_plain_corners('{"cells": [{"outputs": [{"data": {"text/html": "<th></th>"}}]}]}')
    '{"cells": [{"outputs": [{"data": {"text/html": "<td></td>"}}]}]}'
    """
    form = json.loads(notebook)
    for cell in form["cells"]:
        for output in cell.get("outputs", ()):
            page = output.get("data", {}).get("text/html")
            if page is not None:
                page = "".join(page)
                output["data"]["text/html"] = re.sub(r"<th([^>]*)>\s*</th>", r"<td\1></td>", page)
    return json.dumps(form, ensure_ascii=False)


def main(build: Path) -> None:
    """Put the sources of the site together, and beside them the reports of the gallery."""
    source = build / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(HERE, source, ignore=_no_part)
    notebooks = build.parent / "notebooks"
    where = notebooks if notebooks.exists() else ROOT / "notebooks"
    for path in sorted(where.glob("*.ipynb")):
        (source / path.name).write_text(with_plain_corners(path.read_text("utf-8")), "utf-8")
    (source / "api.md").write_text(api_page(), "utf-8")
    sample = REPORT.read_text("utf-8")
    others = dict(specimens({figure["drawn"] for figure in Figures(sample).figures}))
    kept = build / "specimens"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    for title, page in others.items():
        (kept / f"{_short(title)}.html").write_text(page, "utf-8")
    (source / "gallery.md").write_text(gallery_page(sample, source, others.items()), "utf-8")
    for name, target, title in (
        ("CHANGELOG.md", "changelog.md", "Changelog"),
        ("benchmarks/README.md", "benchmarks.md", "Benchmarks"),
        ("docs/models.md", "models.md", "Every model"),
        ("docs/ARCHITECTURE.md", "architecture.md", "The house"),
        ("CONTRIBUTING.md", "contributing.md", "Working on trustbayes"),
    ):
        (source / target).write_text(from_root(name, title), "utf-8")
    draw_all(source)
    for name, page in explorers().items():
        (source / name).write_text(page, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
