"""Commands that are killed while they run, and what they leave."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import xarray as xr

ROOT = Path(__file__).parents[2]
_MAIN = "import sys; from trustbayes.cli.main import main; sys.exit(main(sys.argv[1:]))"
_CHANGING = ("seconds", "created", "command", "report", "results", "fit")


def started(tokens: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", _MAIN, *tokens],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finished(tokens: list[str], folder: Path) -> float:
    """Run a command to its end; gives the seconds that it took."""
    begin = time.perf_counter()
    process = started(tokens, folder)
    _, errors = process.communicate()
    assert process.returncode in (0, 3), errors.decode()
    return time.perf_counter() - begin


def killed(tokens: list[str], folder: Path, after: float) -> float | None:
    """Kill a command and its workers after some seconds; gives those it took if it ended before."""
    begin = time.perf_counter()
    process = started(tokens, folder)
    try:
        errors = process.communicate(timeout=after)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None
    assert process.returncode in (0, 3), errors.decode()
    return time.perf_counter() - begin


def workers_killed(tokens: list[str], folder: Path, after: float) -> tuple[int, int, str]:
    """Kill the workers of a command, not itself: how many, its exit code, what it said."""
    process = started(tokens, folder)
    time.sleep(after)
    # A server forks them (Linux), so that they are its children.
    workers = [pid for server in _children(process.pid) for pid in _children(server)]
    for pid in workers:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    try:
        errors = process.communicate(timeout=600)[1].decode()
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return len(workers), process.returncode, errors


def _children(pid: int) -> list[int]:
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(w) for task in tasks for w in (task / "children").read_text().split()]
    except OSError:
        return []


def outcome(folder: Path) -> dict[str, Any]:
    """What is in the files of a folder under their final names, without times and paths.

    Raises an error if one of them is not whole.
    """
    contents: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or not path.is_file():
            continue
        match path.suffix:
            case ".nc":
                with xr.open_datatree(path, engine="h5netcdf") as tree:
                    posterior = tree["posterior"].to_dataset().load()
                digest = hashlib.sha256()
                for name in sorted(map(str, posterior.data_vars)):
                    digest.update(name.encode() + posterior[name].to_numpy().tobytes())
                contents[path.name] = digest.hexdigest()
            case ".json":
                contents[path.name] = _steady(json.loads(path.read_text("utf-8")))
            case ".html":
                assert path.read_text("utf-8").rstrip().endswith("</html>"), path
    return contents


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _steady(v) for k, v in value.items() if k not in _CHANGING}
    return [_steady(v) for v in value] if isinstance(value, list) else value
