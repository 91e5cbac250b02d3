"""Check a built site: links lead somewhere, nothing comes from elsewhere, search finds the API.

Run as ``python docs/site/check.py BUILD``; it prints every fault and ends with code 1 if any.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

from make import public_names


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
    found = []
    for path, page in pages.items():
        short = path.relative_to(site)
        found += [f"{short} loads {one}" for one in page.loads if re.match(r"(https?:)?//", one)]
        for link in page.links:
            if re.match(r"\w+:|//", link):
                continue
            address, anchor = urldefrag(link)
            target = (path.parent / unquote(address)).resolve() if address else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                found.append(f"{short} links to {link}, which is not there")
            elif anchor and target in pages and unquote(anchor) not in pages[target].anchors:
                found.append(f"{short} links to {link}, which has no such place")
    index = (site / "searchindex.js").read_text("utf-8").lower()
    names = [name for group in public_names().values() for name in group]
    found += [f"search does not find {name}" for name in names if name.lower() not in index]
    return found


if __name__ == "__main__":
    wrong = faults(Path(sys.argv[1]) / "html")
    print("\n".join(wrong) or "the site holds together")
    sys.exit(bool(wrong))
