"""Make what the site has from the package: its API, gallery, pictures and pages from elsewhere.

Run as ``python docs/site/make.py BUILD``: everything is put together in the folder BUILD/source.
"""

from __future__ import annotations

import ast
import base64
import importlib
import inspect
import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

from explorer import explorer
from pictures import draw_all

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
REPORT = ROOT / "reports" / "sample.html"


def public_names() -> dict[str, list[str]]:
    """The public names by the room that they live in, as the package declares them."""
    tree = ast.parse((ROOT / "trustbayes" / "__init__.pyi").read_text("utf-8"))
    found: dict[str, list[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            room = str(node.module).split(".")[0]
            found.setdefault(room, []).extend(alias.asname or alias.name for alias in node.names)
    return found


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
        self.found: list[dict[str, str]] = []
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "figure":
            self.found.append(
                {"name": given["id"], "drawn": given.get("data-drawn", ""), "title": "", "says": ""}
            )
        elif tag == "img" and self.found:
            self.found[-1] |= {"image": given["src"], "alt": given["alt"]}
        self._in = {"figcaption": "says"}.get(tag, "title" if given.get("class") == "title" else "")

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in and self.found:
            self.found[-1][self._in] += data


def source_of(path: str) -> str:
    """The code of a function that is named with its module."""
    module, _, name = path.partition(":")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return inspect.getsource(found)


def gallery_page(text: str, folder: Path) -> str:
    """Every figure of a report with what it says and the code that draws it."""
    lines = [
        "# Gallery",
        "",
        "Every figure of the sample report, with what it says and the function that draws it. The "
        "files come from `trustbayes report --assets FOLDER`, as SVG and PDF; in Python:",
        "",
        "```python",
        'tb.write_report(analysis, "report.html", assets="figures")',
        "```",
        "",
    ]
    for one in Figures(text).found:
        if "image" not in one:
            continue
        file = f"figure-{one['name']}.png"
        (folder / file).write_bytes(base64.b64decode(one["image"].partition("base64,")[2]))
        alt = one["alt"].replace("[", "(").replace("]", ")")
        lines += [f"## {one['title']}", "", f"![{alt}]({file})", "", one["says"], ""]
        if one["drawn"]:
            code = inspect.cleandoc(source_of(one["drawn"]))
            lines += [f"`{one['drawn'].replace(':', '.')}`:", "", "````python", code, "````", ""]
    return "\n".join(lines)


def from_root(name: str, title: str = "") -> str:
    """A page of the repository, its links to files named rather than followed."""
    text = (ROOT / name).read_text("utf-8")
    text = re.sub(r"!\[([^\]]*)\]\((?!https?:)[^)]*\)", r"*\1*", text)
    text = re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)([^)]*)\)", r"\1 (`\2`)", text)
    text = text.replace("```mermaid", "```text")
    return re.sub(r"\A# .*", f"# {title}", text) if title else text


def main(build: Path) -> None:
    """Put the sources of the site together."""
    source = build / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(
        HERE,
        source,
        ignore=shutil.ignore_patterns("__pycache__", "make.py", "check.py", "explorer.*"),
    )
    notebooks = build.parent / "notebooks"
    where = notebooks if notebooks.exists() else ROOT / "notebooks"
    for path in sorted(where.glob("*.ipynb")):
        shutil.copy(path, source / path.name)
    (source / "api.md").write_text(api_page(), "utf-8")
    (source / "gallery.md").write_text(gallery_page(REPORT.read_text("utf-8"), source), "utf-8")
    for name, target, title in (
        ("CHANGELOG.md", "changelog.md", "Changelog"),
        ("benchmarks/README.md", "benchmarks.md", "Benchmarks"),
        ("docs/models.md", "models.md", "Every model"),
        ("docs/ARCHITECTURE.md", "architecture.md", "The house"),
        ("CONTRIBUTING.md", "contributing.md", "Working on trustbayes"),
    ):
        (source / target).write_text(from_root(name, title), "utf-8")
    draw_all(source)
    (source / "explorer.html").write_text(explorer(), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
