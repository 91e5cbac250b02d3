"""Pages in headless Chromium: what a script says of them, what they complain of and ask for."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["BROWSER", "DARK", "opened", "said"]

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
DARK = "--blink-settings=preferredColorScheme=0"
_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--v=0",
)  # fmt: skip


def opened(page: Path, *options: str) -> tuple[str, list[str], list[str]]:
    """Open a page without a net.

    Parameters
    ----------
    page : Path
        An HTML file.
    *options : str
        Of Chromium.

    Returns
    -------
    document : str
        As it is after its scripts.
    console : list of str
        What was written to the console.
    asked : list of str
        Addresses that the page asked for, beyond files.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "net.json"
        done = subprocess.run(
            [str(BROWSER), *_QUIET, "--dump-dom", *options, f"--log-net-log={log}",
             f"--user-data-dir={folder}/profile", page.resolve().as_uri()],
            capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
        events = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    # The browser asks for things on its own account; what the page asks for carries its origin.
    asked = [e["url"] for e in events if "file:" in e.get("network_isolation_key", "")]
    return done.stdout, console, asked


def said(
    page: Path, script: str, *options: str, place: str = "", size: tuple[int, int] = (1280, 900)
) -> tuple[Any, list[str], list[str]]:
    """What a script says of a page.

    Parameters
    ----------
    page : Path
        An HTML file with an end of its body.
    script : str
        Statements of an asynchronous function that returns something for JSON; it runs when the
        page has loaded.
    *options : str
        Of Chromium.
    place : str
        An anchor to open it at.
    size : tuple of int
        Width and height of what is seen of the page, in pixels. It is a frame of that size, since
        no window is narrower than 500 pixels.

    Returns
    -------
    said : object
        What it returned.
    console, asked : list of str
        Of `opened`.

    Raises
    ------
    RuntimeError
        If it did not come to an end.
    """
    before, end, after = page.read_text("utf-8").rpartition("</body>")
    if not end:
        raise RuntimeError(f"{page} has no end of its body")
    run = (
        '<script>addEventListener("load", () => setTimeout(async () => {'
        "const said = await (async () => {" + script + "})();"
        'parent.postMessage(JSON.stringify(said), "*");}, 500));</script>'
    )
    # The copy stands beside the page, so that what the page loads is where it was.
    with _beside(page) as copy, _beside(page) as frame:
        copy.write(f"{before}{run}{end}{after}")
        copy.flush()
        frame.write(
            '<!DOCTYPE html><html lang="en"><title>Frame</title><link rel="icon" href="data:,">'
            '<pre id="said"></pre><script>addEventListener("message", (event) => '
            '{document.getElementById("said").textContent = event.data;});</script>'
            f'<iframe title="page" style="border: 0" width="{size[0]}" height="{size[1]}" '
            f'src="{Path(copy.name).name}{"#" if place else ""}{place}"></iframe>'
        )
        frame.flush()
        document, console, asked = opened(Path(frame.name), "--virtual-time-budget=60000", *options)
    answer = re.search(r'<pre id="said">(.+?)</pre>', document, flags=re.S)
    if answer is None:
        raise RuntimeError(f"{page}: the script did not come to an end: {console}")
    return json.loads(html.unescape(answer[1])), console, asked


def _beside(page: Path) -> Any:
    return tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".html", dir=page.parent)
