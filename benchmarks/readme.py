"""Put what the benchmarks say of their results into benchmarks/README.md.

    python benchmarks/readme.py

What stands between the lines ``<!-- results: NAME -->`` and ``<!-- end -->`` is replaced by
``results/NAME.md``.
"""

from __future__ import annotations

import re

from common import HERE, RESULTS

from trustbayes.files import write_whole

_SECTION = re.compile(r"(<!-- results: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    path = HERE / "README.md"
    write_whole({path: _SECTION.sub(_filled, path.read_text("utf-8"))})


def _filled(section: re.Match[str]) -> str:
    """A section with its results, if there are any."""
    begin, name, end = section.groups()
    file = RESULTS / f"{name}.md"
    return f"{begin}\n{file.read_text('utf-8')}\n{end}" if file.exists() else section.group()


if __name__ == "__main__":
    main()
