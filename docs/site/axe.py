"""Pages under axe-core in headless Chromium: violations, complaints and requests, in every look.

Run as ``python docs/site/axe.py AXE PAGE...``, where AXE is the file ``axe.min.js`` of the npm
package axe-core, and PAGE an HTML file or a folder of such; ``make axe`` does it. It prints every
fault and ends with code 1 if there is any.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from browser import DARK, said

__all__ = ["LOOKS", "faults", "pages_of"]

LOOKS = {
    f"{width} wide, {look}": ((width, 900), options)
    for width in (1280, 390)
    for look, options in (("light", ()), ("dark", (DARK,)))
}
OPEN = "everything"
"""Where a report is opened with all that is folded; other pages have no such place."""
_THEME_SAYS = "[PST]:"  # the site's theme, of what it does: no complaint
_ASK = """; const result = await axe.run(document, {preload: false});
return {passes: result.passes.length, violations: result.violations.map(
  (v) => [v.id, v.help, v.nodes.map((n) => n.target.join(" "))])};"""


def faults(axe: str, page: Path, look: str) -> list[str]:
    """What axe-core has against a page, what the page complains of, and what it asks for.

    Parameters
    ----------
    axe : str
        The code of axe-core.
    page : Path
        An HTML file with an end of its body.
    look : str
        One of `LOOKS`.

    Returns
    -------
    list of str
        A line for each.

    Raises
    ------
    RuntimeError
        If axe-core did not come to an end, or checked nothing.
    """
    size, options = LOOKS[look]
    result, console, asked = said(page, axe + _ASK, *options, place=OPEN, size=size)
    if not result["passes"]:
        raise RuntimeError(f"{page}: axe-core checked nothing")
    lines = [
        f"{name}: {what}: {', '.join(where[:3])}" for name, what, where in result["violations"]
    ]
    lines += [f"console: {line}" for line in console if _THEME_SAYS not in line]
    lines += [f"asks for {one}" for one in asked]
    return [f"{page} ({look}): {line}" for line in lines]


def pages_of(names: list[str]) -> list[Path]:
    """The pages that are named, and all in folders that are named, but Sphinx's own with a "_".

    Raises
    ------
    FileNotFoundError
        If there is none at a name.
    """
    pages = []
    for name in names:
        path = Path(name)
        found = sorted(path.glob("**/*.html")) if path.is_dir() else [path][: path.is_file()]
        if not found:
            raise FileNotFoundError(f"{name}: no page")
        pages += [page for page in found if not any(part[0] == "_" for part in page.parts)]
    return pages


if __name__ == "__main__":
    code = Path(sys.argv[1]).read_text("utf-8")
    tasks = [(page, look) for page in pages_of(sys.argv[2:]) for look in LOOKS]
    lines = []
    with ThreadPoolExecutor(2) as pool:
        for done, some in enumerate(pool.map(lambda task: faults(code, *task), tasks), 1):
            lines += some
            if done % (10 * len(LOOKS)) == 0:
                print(f"{done // len(LOOKS)} of {len(tasks) // len(LOOKS)} pages", file=sys.stderr)
    print(
        "\n".join(lines)
        or f"nothing wrong with {len(tasks) // len(LOOKS)} pages in {len(LOOKS)} looks"
    )
    sys.exit(bool(lines))
