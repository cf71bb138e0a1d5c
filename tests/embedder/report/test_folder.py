"""A report replaces an earlier report, and no other file."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedder.errors import SettingsError
from embedder.report.folder import ReportFolder
from embedder.report.page import Report
from embedder.report.rendering import GENERATOR, render


def page(title: str) -> str:
    return render(Report(title, "summary"))


def test_a_folder_is_made_and_written(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "today"
    files = {"index.html": page("first"), "first/metrics.json": f'{{"format": "{GENERATOR}: metrics"}}'}
    ReportFolder(folder).write(files)
    written = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert written == files
    assert (folder / "index.html").stat().st_mode & 0o044 == 0o044, "others may read a report"


def test_an_earlier_report_is_replaced_and_everything_else_stays(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text("{}")
    ReportFolder(tmp_path).write({"index.html": page("first")})
    ReportFolder(tmp_path).write({"index.html": page("second")})
    assert "<h1>second</h1>" in (tmp_path / "index.html").read_text()
    assert (tmp_path / "training.json").read_text() == "{}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "training.json"]


def test_a_file_that_no_report_wrote_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>the shop's home page</h1>")
    for act in (
        lambda: ReportFolder(tmp_path).check(["index.html"]),
        lambda: ReportFolder(tmp_path).write({"index.html": page("x")}),
    ):
        with pytest.raises(SettingsError, match=r"index\.html was not written by a report.*next step: another folder"):
            act()
    assert (tmp_path / "index.html").read_text() == "<h1>the shop's home page</h1>"


def test_nothing_is_written_where_one_of_the_files_may_not_be(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(SettingsError, match=r"metrics\.json"):
        ReportFolder(tmp_path).write({"index.html": page("x"), "metrics.json": "{}"})
    assert not (tmp_path / "index.html").exists()


def test_a_folder_that_cannot_be_one_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="permitted: a folder that can be written, or that can be made"):
        ReportFolder(tmp_path / "file").check(["index.html"])
    with pytest.raises(SettingsError, match="permitted: a folder"):
        ReportFolder(tmp_path / "file" / "below").check(["index.html"])


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").mkdir()
    with pytest.raises(SettingsError, match="was not written by a report"):
        ReportFolder(tmp_path).check(["index.html"])
