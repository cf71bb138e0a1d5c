"""A report as one HTML file: no script, nothing from elsewhere, every text escaped."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from embedder.report.page import FindingKind, Report

GENERATOR = "merchlens report"
"""What the page's `generator` says: by this a later report knows an earlier one, which it may replace."""

_TEMPLATE = "page.html.jinja"

_GROUPS: tuple[tuple[FindingKind, str], ...] = (
    ("good", "What is good"),
    ("bad", "What is bad"),
    ("todo", "What to do"),
)


def render(report: Report) -> str:
    """The page, as text of a UTF-8 file. Lone surrogates, which UTF-8 cannot hold, become question marks."""
    environment = Environment(
        loader=PackageLoader("embedder.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    groups = [(kind, heading, report.findings_of(kind)) for kind, heading in _GROUPS]
    page = environment.get_template(_TEMPLATE).render(report=report, groups=groups, generator=GENERATOR)
    return page.encode("utf-8", "replace").decode("utf-8")
