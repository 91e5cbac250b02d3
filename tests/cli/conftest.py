"""Running a command."""

import pytest
from commands import GAME, TRIALS

from trustbayes.cli.main import main


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run a command in a folder with game.toml and trials.csv: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "game.toml").write_text(GAME)
    (tmp_path / "trials.csv").write_text(TRIALS)

    def run(*tokens: str) -> tuple[int, str, str]:
        code = main(tokens)
        return code, *capsys.readouterr()

    return run
