"""Write docs/ARCHITECTURE.md: the rooms of the package and what they import, from its modules.

python docs/architecture.py           # writes the page
python docs/architecture.py --check   # writes nothing, and fails if the page is stale
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import grimp

from trustbayes.files import write_whole

PAGE = Path(__file__).with_name("ARCHITECTURE.md")
ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "trustbayes"

ABOUT = """\
# The house

Made by `make docs` from the modules and their imports; `make lint` fails when it is stale. How to
add to it: [CONTRIBUTING.md](../CONTRIBUTING.md).

An experiment enters at the bottom and leaves as a report at the top. `games` say what an experiment
pays, `trials` hold what people did in it, `theories` say what a person with given parameters would
do, and `models` put people into a population with priors. `inference` turns a model and trials into
a fit, which is a file. `estimates`, `comparison` and `simulation` ask fits for what was learnt,
which theory predicts better, and whether any of it can be relied on. `analysis` does all of this
for one table of trials, `pooling` for several experiments together, `report` writes it up, and
`cli` is how it is asked for.

A room imports from rooms below it only; import-linter holds that (`make lint`).
"""


def main(tokens: list[str]) -> int:
    """Write the page, or say whether it is stale: the exit code."""
    made = page()
    if "--check" not in tokens:
        write_whole({PAGE: made})
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == made:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is stale: run `make docs`", file=sys.stderr)
    return 1


def page() -> str:
    """The text of the page."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    modules = sorted(name for name in graph.modules if "." in name and "._data" not in name)
    rooms = sorted({room_of(name) for name in modules})
    imports = Counter(
        (room_of(name), room_of(other))
        for name in modules
        for other in graph.find_modules_directly_imported_by(name)
        if other != PACKAGE and room_of(other) != room_of(name)
    )
    floors = floors_of(rooms, imports)
    order = sorted(rooms, key=lambda room: (-floors[room], room))
    count = (
        f"{len(rooms)} rooms on {max(floors.values()) + 1} floors, {len(modules)} modules, "
        f"{imports.total()} imports of a module from another room, between {len(imports)} pairs of "
        "rooms."
    )
    parts = [ABOUT, count, drawing(order, floors, imports), table(order, imports)]
    return "\n".join([*parts, *(listing(room, modules) for room in order)])


def room_of(module: str) -> str:
    """The room that a module stands in: the first part of its name below the package's."""
    return module.split(".")[1]


def floors_of(rooms: Iterable[str], imports: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """How many rooms stand below each, one upon the other.

    Raises
    ------
    SystemExit
        If rooms import each other in a circle.
    """
    below = {room: {other for (importer, other) in imports if importer == room} for room in rooms}
    floors: dict[str, int] = {}
    while len(floors) < len(below):
        ready = [room for room in below if room not in floors and below[room] <= floors.keys()]
        if not ready:
            raise SystemExit(f"a circle of imports: {', '.join(sorted(set(below) - set(floors)))}")
        for room in ready:
            floors[room] = max((floors[other] + 1 for other in below[room]), default=0)
    return floors


def drawing(
    order: Iterable[str], floors: Mapping[str, int], imports: Mapping[tuple[str, str], int]
) -> str:
    """The rooms as a picture, with imports that no way round through other rooms implies."""
    lines = ["\n```mermaid", "flowchart TB"]
    lines += [f"    {room}" for room in order]
    ways = sorted(imports, key=lambda pair: (-floors[pair[0]], -floors[pair[1]], pair))
    reach: dict[str, set[str]] = {}
    for room in sorted(floors, key=floors.__getitem__):
        straight = {other for importer, other in imports if importer == room}
        reach[room] = straight.union(*(reach[other] for other in straight))
    for upper, lower in ways:
        between = (other for importer, other in imports if importer == upper and other != lower)
        if not any(lower in reach[other] for other in between):
            lines.append(f"    {upper} -->|{imports[upper, lower]}| {lower}")
    return "\n".join([*lines, "```\n"])


def table(order: list[str], imports: Mapping[tuple[str, str], int]) -> str:
    """How many modules of the room of a row import how many of the room of a column."""
    used = [room for room in order if any(other == room for _, other in imports)]
    lines = [
        "The picture leaves out what follows from it; these are all imports, of the room at the",
        "head of a column by the room at the head of a row:\n",
        f"| room | {' | '.join(used)} |",
        f"|---|{'---:|' * len(used)}",
    ]
    for room in order:
        cells = (str(imports.get((room, other), "")) for other in used)
        lines.append(f"| **{room}** | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def listing(room: str, modules: Iterable[str]) -> str:
    """A room and its modules, each in the words of its docstring's first line."""
    lines = [f"## {room}", "", says(f"{PACKAGE}.{room}"), ""]
    inside = [name for name in modules if room_of(name) == room and name != f"{PACKAGE}.{room}"]
    packages = {name.rpartition(".")[0] for name in inside}
    for name in inside:
        depth = name.count(".") - 2
        kind = "/" if name in packages else ""
        lines.append(f"{'  ' * depth}- `{name.rpartition('.')[2]}{kind}` {says(name)}")
    return "\n".join([*lines, ""] if inside else lines)


def says(module: str) -> str:
    """The first line of a module's docstring."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
