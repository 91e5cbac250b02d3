"""Reports as tests read them."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """What of a page the tests look at: tags, sections, headings, tables as text, and answers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self.parts: list[str] = []
        self.sections: list[str] = []
        self.rows: list[list[str]] = []
        self.answers: dict[str, list[str]] = {}
        self._open = ""
        self._kicker = False
        self._answer: tuple[str, str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        self._open = tag
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
        elif tag == "h2":
            self.headings.append("")
        elif tag == "h3":
            self.parts.append("")
        elif given.get("class") == "kicker":
            self._kicker = True
            self.sections.append("")
        if "data-answer" in given:
            self._answer = (tag, str(given["data-answer"]))
            self.answers.setdefault(self._answer[1], []).append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""
        self._kicker = False
        if self._answer is not None and tag == self._answer[0]:
            self._answer = None

    def handle_data(self, data: str) -> None:
        if self._open in ("th", "td"):
            self.rows[-1][-1] += data
        elif self._open == "h2":
            self.headings[-1] += data
        elif self._open == "h3":
            self.parts[-1] += data
        if self._kicker:
            self.sections[-1] += data
        if self._answer is not None:
            self.answers[self._answer[1]][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]
