"""Check a built site: links lead somewhere, nothing comes from elsewhere, search finds the API.

Where there is Chromium, each public name is typed into the site's own search. Run as
``python docs/site/check.py BUILD``; it prints every fault and ends with code 1 if any.
"""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

from browser import BROWSER, said
from make import public_names

_SEARCH = """const finds = (name) => Search._performSearch(...Search._parseQuery(name)).some(
  ([page, , anchor]) => page === "api" && anchor === "#trustbayes." + name);
return NAMES.filter((name) => !finds(name));"""


class Links(HTMLParser):
    """The anchors of a page, what it links to and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "preload", "icon"):
            self.loads.append(given.get("href", ""))
        elif "src" in given:
            self.loads.append(given["src"])


def faults(site: Path) -> list[str]:
    """What is wrong with a built site."""
    pages = {path: Links(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    lines = [] if pages else [f"{site} has no page"]
    for path, page in pages.items():
        short = path.relative_to(site)
        if re.search(r"<th\b[^>]*>\s*</th>", path.read_text("utf-8")):
            lines.append(f"{short} has a table header without a word")
        lines += [
            f"{short} loads {address}"
            for address in page.loads
            if re.match(r"(https?:)?//", address)
        ]
        for link in page.links:
            if re.match(r"\w+:|//", link):
                continue
            address, anchor = urldefrag(link)
            target = (path.parent / unquote(address)).resolve() if address else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                lines.append(f"{short} links to {link}, which is not there")
            elif anchor and target in pages and unquote(anchor) not in pages[target].anchors:
                lines.append(f"{short} links to {link}, which has no such place")
    names = [name for group in public_names().values() for name in group]
    index = (site / "searchindex.js").read_text("utf-8").lower()
    lost = [name for name in names if name.lower() not in index]
    if BROWSER and not lost:
        lost = unsearchable(site, names)
    return [*lines, *(f"search does not find {name}" for name in lost)]


def unsearchable(site: Path, names: list[str]) -> list[str]:
    """The names that the site's search does not lead to their places for."""
    lost, _, _ = said(site / "search.html", _SEARCH.replace("NAMES", json.dumps(names)))
    return list(lost)


if __name__ == "__main__":
    wrong = faults(Path(sys.argv[1]) / "html")
    print("\n".join(wrong) or "the site holds together")
    sys.exit(bool(wrong))
