"""Pages under axe-core in headless Chromium: violations, wide and light, and narrow, dark and open.

Run as ``python docs/axe.py AXE PAGE...``, where AXE is the file ``axe.min.js`` of the npm package
axe-core (``npm install axe-core``). It prints every violation and ends with code 1 if there is any.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or ""
LOOKS = {
    "1280 wide, light": ["--window-size=1280,900"],
    "390 wide, dark, all open": [
        "--window-size=390,900",
        "--blink-settings=preferredColorScheme=0",
    ],
}
ASK = """<script>addEventListener("load", () => setTimeout(async () => {
  const result = await axe.run(document);
  const pre = document.createElement("pre");
  pre.id = "axe-says";
  pre.textContent = JSON.stringify({
    passes: result.passes.length,
    violations: result.violations.map(
      (v) => [v.id, v.help, v.nodes.map((n) => n.target.join(" "))]),
  });
  document.body.append(pre);
}, 1000));</script>"""


def violations(axe: str, page: Path, look: str) -> list[str]:
    """What axe-core has against a page.

    Parameters
    ----------
    axe : str
        Its code.
    page : Path
        An HTML file with an end of its body.
    look : str
        One of `LOOKS`.

    Returns
    -------
    list of str
        A line for each violation.

    Raises
    ------
    RuntimeError
        If it did not come to an end, or checked nothing.
    """
    text = page.read_text("utf-8")
    before, end, after = text.rpartition("</body>")
    # The copy stands beside the page, so that what the page loads is where it was.
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".html", dir=page.parent) as copy,
    ):
        copy.write(f"{before}<script>{axe}</script>{ASK}{end}{after}")
        copy.flush()
        address = Path(copy.name).as_uri() + ("#everything" if "open" in look else "")
        done = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
             "--virtual-time-budget=60000", f"--user-data-dir={folder}", *LOOKS[look], address],
            capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
    said = re.search(r'<pre id="axe-says"[^>]*>(.*?)</pre>', done.stdout, flags=re.S)
    if said is None:
        raise RuntimeError(f"{page}: axe-core did not come to an end")
    result = json.loads(html.unescape(said[1]))
    if not result["passes"]:
        raise RuntimeError(f"{page}: axe-core checked nothing")
    return [
        f"{page} ({look}): {name}: {what}: {', '.join(where[:3])}"
        for name, what, where in result["violations"]
    ]


if __name__ == "__main__":
    code = Path(sys.argv[1]).read_text("utf-8")
    pages = [Path(name).resolve() for name in sys.argv[2:]]
    lines = [line for page in pages for look in LOOKS for line in violations(code, page, look)]
    print("\n".join(lines) or f"no violation in {len(pages)} pages, each in {len(LOOKS)} looks")
    sys.exit(bool(lines))
