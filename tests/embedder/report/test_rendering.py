"""The page is one file that shows what it was given, and nothing that a catalog wrote becomes part of the page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from embedder.report.page import Cell, Finding, Picture, PictureRow, Plot, Report, Section, Table
from embedder.report.rendering import GENERATOR, render

IMAGE = "data:image/png;base64,AAAA"
VOID = {"meta", "img", "br", "link"}

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style></table><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; & <!--",
    "javascript:alert(1)",
)


class Parsed(HTMLParser):
    """A page's elements and texts; fails on elements that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def report_of(text: str) -> Report:
    """A report with this text in every place that takes one."""
    table = Table(text, (text, text), ((text, Cell(text, 0.5)), (text, text)), text)
    picture = Picture(IMAGE, text, (text, text))
    return Report(
        title=text,
        summary=text,
        facts=((text, text),),
        findings=(Finding("good", text), Finding("bad", text), Finding("todo", text)),
        sections=(
            Section(text, (text,), (Plot(text, text, IMAGE, table), Plot(text, text, "", table)), (table,)),
            Section(text, picture_rows=(PictureRow(text, (picture, Picture("", text, (text,), framed=True))),)),
        ),
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_shown_as_they_are_and_change_nothing_of_the_page(text: str) -> None:
    harmless, hostile = Parsed(render(report_of("word"))), Parsed(render(report_of(text)))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in harmless.elements]
    assert [sorted(attributes) for _, attributes in hostile.elements] == [
        sorted(attributes) for _, attributes in harmless.elements
    ]
    assert sum(text in shown for shown in hostile.texts) == sum(shown == "word" for shown in harmless.texts) > 20
    assert {attributes["alt"] for attributes in hostile.of("img")} == {text}


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = render(report_of("word"))
    parsed = Parsed(page)
    assert not parsed.of("script")
    assert not parsed.of("link")
    assert not parsed.of("iframe")
    assert {attributes["src"] for attributes in parsed.of("img")} == {IMAGE}
    assert all(str(attributes["href"]).startswith("#section-") for attributes in parsed.of("a"))
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page
    (policy,) = [item for item in parsed.of("meta") if item.get("http-equiv") == "Content-Security-Policy"]
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_the_page_can_be_read_on_a_phone_and_by_a_screen_reader() -> None:
    parsed = Parsed(render(report_of("word")))
    assert ("html", {"lang": "en"}) in parsed.elements
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in parsed.of("meta")
    assert all(attributes["alt"] for attributes in parsed.of("img"))
    assert len(parsed.of("caption")) == len(parsed.of("table")) == 3
    assert [attributes["scope"] for attributes in parsed.of("th")] == ["col", "col", "row", "row"] * 3
    targets = {attributes["href"] for attributes in parsed.of("a")}
    assert targets == {f"#{attributes['id']}" for attributes in parsed.of("section") if "id" in attributes}


def test_findings_are_grouped_and_a_group_without_any_is_not_there() -> None:
    found = (Finding("todo", "do this"), Finding("good", "fine"), Finding("todo", "and that"))
    texts = Parsed(render(Report("title", "summary", findings=found))).texts
    start = texts.index("What is good")
    assert texts[start:] == ["What is good", "fine", "What to do", "do this", "and that"]
    assert "What is bad" not in texts


def test_a_plot_that_could_not_be_drawn_is_its_table() -> None:
    table = Table("numbers", ("x", "y"), (("1", "2"),))
    drawn = Parsed(render(Report("t", "s", sections=(Section("h", plots=(Plot("p", "alt", IMAGE, table),)),))))
    bare = Parsed(render(Report("t", "s", sections=(Section("h", plots=(Plot("p", "alt", "", table),)),))))
    assert (len(drawn.of("img")), len(drawn.of("details"))) == (1, 1)
    assert (len(bare.of("img")), len(bare.of("details"))) == (0, 0)
    assert len(bare.of("table")) == len(drawn.of("table")) == 1


def test_a_picture_that_cannot_be_read_is_its_words() -> None:
    row = PictureRow("what it found", (Picture("", "red ball (p-1)"), Picture(IMAGE, "blue box (p-2)")))
    parsed = Parsed(render(Report("t", "s", sections=(Section("h", picture_rows=(row,)),))))
    assert "red ball (p-1)" in parsed.texts
    assert [attributes["alt"] for attributes in parsed.of("img")] == ["blue box (p-2)"]


def test_texts_that_utf_8_cannot_hold_do_not_stop_it() -> None:
    page = render(report_of("broken \udcff name, 靴, حذاء"))
    assert "broken ? name, 靴, حذاء" in page
    page.encode("utf-8")


def test_the_page_names_who_made_it_near_its_start() -> None:
    """By this a later report knows that it may replace the file."""
    assert re.search(rf'<meta name="generator" content="{GENERATOR}">', render(report_of("x" * 5000))[:2048])
