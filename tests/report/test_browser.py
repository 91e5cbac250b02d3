"""The report in a real browser: no console error, no request beyond its own file."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from trustbayes.report import write_report

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--v=0",
    "--dump-dom",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="needs chromium"),
]


def open_page(path: Path, folder: Path) -> tuple[str, list[str], list[str]]:
    """The page's document, its console messages and the addresses it asks for."""
    log = folder / "net.json"
    done = subprocess.run(
        [
            str(BROWSER),
            *OPTIONS,
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={log}",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    events = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    # The browser asks for things on its own account; what the page asks for carries its origin.
    asked = [e["url"] for e in events if "file:" in e.get("network_isolation_key", "")]
    return done.stdout, console, asked


def test_a_page_that_asks_and_complains_is_caught(tmp_path):
    path = tmp_path / "bad.html"
    path.write_text(
        '<!DOCTYPE html><img src="http://nowhere.invalid/x.png">'
        "<script>console.error('complaint')</script>"
    )
    _, console, asked = open_page(path, tmp_path)
    assert len(console) == 1
    assert "complaint" in console[0]
    assert set(asked) == {"http://nowhere.invalid/x.png"}


def test_the_report_asks_for_nothing_and_does_not_complain(make_analysis, tmp_path):
    made = make_analysis(names=["trust-embedded", "level-k"])
    path = write_report(made, tmp_path / "report.html").html
    document, console, asked = open_page(path, tmp_path)
    assert "How it was made" in document
    assert console == []
    assert asked == []
