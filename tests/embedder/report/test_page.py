"""What a page may hold is checked where it is made, before anything is rendered."""

from __future__ import annotations

import pytest

from embedder.report.page import Cell, Finding, Picture, Plot, Report, Table


def test_a_table_has_as_many_cells_in_each_row_as_headings() -> None:
    with pytest.raises(ValueError, match="2 headings, and a row of 1 cells"):
        Table("a table", ("one", "two"), (("a", "b"), ("c",)))
    with pytest.raises(ValueError, match="0 headings"):
        Table("a table", (), ())
    table = Table("a table", ("one", "two"), (("a", Cell("b", 0.5)),))
    assert table.cells() == [[Cell("a"), Cell("b", 0.5)]]


@pytest.mark.parametrize("shade", [-0.1, 1.1, float("nan")])
def test_a_shade_is_a_share(shade: float) -> None:
    with pytest.raises(ValueError, match="permitted: 0 to 1"):
        Cell("a", shade)


@pytest.mark.parametrize(
    "image", ["https://elsewhere.example/a.png", "javascript:alert(1)", "data:text/html,x", "a.png"]
)
def test_a_page_holds_its_pictures_and_loads_none(image: str) -> None:
    with pytest.raises(ValueError, match="a data URI of a picture"):
        Picture(image, "a picture")
    with pytest.raises(ValueError, match="a data URI of a picture"):
        Plot("a plot", "alt", image, Table("numbers", ("x",), ()))


def test_a_picture_has_words_for_those_who_do_not_see_it() -> None:
    with pytest.raises(ValueError, match="without an alternative text"):
        Picture("data:image/png;base64,AAAA", "")


def test_findings_are_given_by_kind_in_their_order() -> None:
    findings = (Finding("bad", "first"), Finding("good", "other"), Finding("bad", "second"))
    report = Report("title", "summary", findings=findings)
    assert [finding.text for finding in report.findings_of("bad")] == ["first", "second"]
    assert report.findings_of("todo") == ()
