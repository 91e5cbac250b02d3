"""Private names stay in their rooms; import-linter holds the rest, see pyproject.toml."""

import ast
from collections.abc import Iterator
from pathlib import Path

import trustbayes

PACKAGE = Path(trustbayes.__file__).parent
TESTS = Path(__file__).parent


def private_imports(path: Path) -> Iterator[tuple[str, str, str]]:
    """The room, the name and the line of all that a file imports under a private name."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trustbayes."):
            module = str(node.module).split(".")
            for name in (*module, *(alias.name for alias in node.names)):
                if name.startswith("_"):
                    line = lines[node.lineno - 1] + lines[node.end_lineno - 1]
                    yield module[1], name, line


def files_by_room(root: Path) -> list[tuple[str, Path]]:
    paths = [path for path in sorted(root.rglob("*.py")) if path.name != "__init__.py"]
    return [(path.relative_to(root).parts[0], path) for path in paths]


def test_private_imports_are_seen(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("from trustbayes.trials.units import Units, _units  # why\n", encoding="utf-8")
    [(room, name, line)] = private_imports(path)
    assert (room, name) == ("trials", "_units")
    assert "# why" in line


def test_no_private_name_leaves_its_room():
    crossing = [
        f"{path.relative_to(PACKAGE)}: {name}"
        for room, path in files_by_room(PACKAGE)
        for other, name, _ in private_imports(path)
        if other != room
    ]
    assert crossing == []


def test_tests_of_other_rooms_say_why_they_use_a_private_name():
    silent = [
        f"{path.relative_to(TESTS)}: {name}"
        for room, path in files_by_room(TESTS)
        for other, name, line in private_imports(path)
        if other != room and "# private:" not in line
    ]
    assert silent == []
