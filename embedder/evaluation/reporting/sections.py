"""The figures of an evaluation as sections of a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from embedder.catalogs.split_report import WHY_NOT_COMPARED
from embedder.evaluation.abstention import AbstentionCurve
from embedder.evaluation.analysis import Analysis
from embedder.evaluation.attributes import AttributeFigures
from embedder.evaluation.confusion import CategoryFigures, ConfusionTable
from embedder.evaluation.meanings import MEANINGS
from embedder.evaluation.measurement import Measured
from embedder.evaluation.reliability import Reliability
from embedder.evaluation.reporting.product_pictures import ProductPictures
from embedder.evaluation.views import ViewFigures, mean_recall
from embedder.evaluation.witnesses import WITNESSES, Agreement
from embedder.evaluation.worst import HEADINGS, WorstQuery
from embedder.inputs.street_views import KINDS
from embedder.report.page import Cell, Picture, PictureRow, Section, Table
from embedder.report.plots import Bar, Curve, draw_bars, draw_curves

MOST_CATEGORIES = 20
"""Categories in a table; `metrics.json` has all."""

MOST_IN_MATRIX = 12
"""Categories of the matrix: those that are confused most."""

MOST_CONFUSIONS = 15

_ASKED = {"picture": "its picture", "photo": "a photo of it", "title": "its title"}


def figures_section(measured: Measured, analysis: Analysis) -> Section:
    """All figures but the views', with their meanings and intervals."""
    rows = []
    for name, value in measured.figures.items():
        known = analysis.intervals.get(name)
        between = "" if known is None else f"{known.low:.3f} to {known.high:.3f}"
        queries = "" if known is None else f"{known.queries:,}"
        rows.append((MEANINGS[name].text, f"{value:.3f}", between, queries, name))
    note = "An interval that is made like this holds the figure of all such products in 95 of 100 cases."
    table = Table("All figures", ("figure", "value", "95 % interval", "queries", "name"), tuple(rows), note)
    return Section("Figures", tables=(table,))


def categories_section(confusion: ConfusionTable) -> Section:
    """The least recognised categories, what they are taken for, and the matrix of the most confused."""
    worst = confusion.worst()[:MOST_CATEGORIES]
    rest = len(confusion.worst()) - len(worst)
    note = "Training products: how many the model could learn from." + (
        f" The {rest:,} better recognised ones are in metrics.json." if rest else ""
    )
    headings = ("category", "test products", "recall", "precision", "F1", "training products")
    tables = [Table("Categories, the least recognised first", headings, tuple(map(_category_row, worst)), note)]
    if confusion.confusions:
        tables += [_confusions_table(confusion), _matrix(confusion)]
    return Section("Categories", tables=tuple(tables))


def _category_row(item: CategoryFigures) -> tuple[str | Cell, ...]:
    return (
        item.category,
        f"{item.support:,}",
        Cell(_share(item.recall), 1 - (item.recall or 0.0)),
        _share(item.precision),
        f"{item.f1:.2f}",
        f"{item.trained:,}",
    )


def _confusions_table(confusion: ConfusionTable) -> Table:
    rows = tuple(
        (item.truth, item.predicted, f"{item.count:,}", f"{item.share:.0%}", ", ".join(item.examples))
        for item in confusion.confusions[:MOST_CONFUSIONS]
    )
    headings = ("in the catalog", "taken for", "products", "of the category", "such as")
    return Table("The most frequent confusions", headings, rows)


def _matrix(confusion: ConfusionTable) -> Table:
    """The categories that are confused most, each with each."""
    names: dict[str, None] = {}
    for item in confusion.confusions:
        names |= dict.fromkeys((item.truth, item.predicted))
        if len(names) >= MOST_IN_MATRIX:
            break
    shown = sorted(list(names)[:MOST_IN_MATRIX])
    support = {item.category: item.support for item in confusion.categories}
    rows: list[tuple[str | Cell, ...]] = []
    for truth in shown:
        counts = [confusion.cells.get((truth, predicted), 0) for predicted in shown]
        rest = support[truth] - sum(counts)
        cells = [
            Cell(str(count) if count else "", 0.0 if truth == predicted else count / max(1, support[truth]))
            for predicted, count in zip(shown, counts, strict=True)
        ]
        rows.append((truth, *cells, str(rest) if rest else ""))
    note = "A row is a category of the catalog, a column what its products are taken for; darker: a larger share."
    return Table("The most confused categories", ("catalog \\ model", *shown, "others"), tuple(rows), note)


def reliability_section(reliability: Reliability) -> Section:
    """Probability against share right."""
    bins = reliability.bins
    table = Table(
        "Products by probability, in groups of equal size",
        ("mean probability", "right", "95 % interval", "products"),
        tuple(
            (f"{item.confidence:.3f}", f"{item.accuracy:.3f}", f"{item.low:.3f} to {item.high:.3f}", f"{item.count:,}")
            for item in bins
        ),
    )
    curves = [
        Curve(
            "test products, 95 % intervals",
            [item.confidence for item in bins],
            [item.accuracy for item in bins],
            [item.low for item in bins],
            [item.high for item in bins],
            "points",
        ),
        Curve("as it should be", [0, 1], [0, 1], style="dashed"),
    ]
    alt = (
        f"Reliability diagram: predictions that are called {reliability.confidence:.0%} sure on the average are right "
        f"in {reliability.accuracy:.0%} of the cases."
    )
    plot = draw_curves("Reliability diagram", alt, ("probability", "share right"), curves, table)
    said = (
        f"Expected calibration error {reliability.expected_error:.3f} (15 bins). A perfectly calibrated model would "
        f"show {reliability.by_chance:.3f} with as many products, and up to {reliability.by_chance_at_most:.3f} in 95 "
        f"of 100 cases. Debiased (root mean square) {reliability.debiased_error:.3f}; Brier score "
        f"{reliability.brier:.3f}."
    )
    return Section("Whether probabilities are right", (said,), (plot,))


def abstention_section(curve: AbstentionCurve) -> Section:
    """Error against the share that is answered."""
    table = Table(
        "Answering only what is sure",
        ("answered", "wrong"),
        tuple((f"{coverage:.0%}", f"{error:.1%}") for coverage, error in curve.error_at.items()),
    )
    drawn = Curve(
        "expected, if the probabilities are right" if curve.is_expected else "test products",
        [point.coverage for point in curve.points],
        [point.error for point in curve.points],
    )
    alt = (
        f"Error against the share of answered products: {curve.error_at[1.0]:.1%} wrong where all are answered, "
        f"{curve.error_at[0.5]:.1%} where the surest half is."
    )
    plot = draw_curves("Abstention", alt, ("share answered", "share of answers that is wrong"), [drawn], table)
    said = (
        f"Area under the curve {curve.area:.3f}; it would be {curve.best_area:.3f} if every wrong prediction were less "
        "probable than every right one."
    )
    if curve.is_expected:
        said = "There are no categories to compare with: these are the errors that the probabilities promise. " + said
    return Section("What not answering gains", (said,), (plot,))


def agreement_section(agreement: Agreement) -> Section:
    """How far several ways of telling the category agree."""
    rows = tuple(
        (f"{WITNESSES[pair.first]} – {WITNESSES[pair.second]}", f"{pair.share:.0%}", f"{pair.products:,}")
        for pair in agreement.pairs
    )
    table = Table("Two ways of telling a category", ("which", "agree", "products"), rows)
    said = f"All that have a say agree on {agreement.unanimous:.0%} of {agreement.products:,} test products."
    if agreement.right_if_unanimous is not None:
        said += f" Where they agree, the prediction is the catalog's category in {agreement.right_if_unanimous:.0%}"
        split = agreement.right_if_split
        said += "." if split is None else f" of the cases, elsewhere in {split:.0%}."
    return Section("Agreement", (said,), tables=(table,))


def attributes_section(attributes: Sequence[AttributeFigures]) -> Section:
    """How right the model is about colour, pattern and whatever else the catalog's columns hold."""
    rows = tuple(
        (
            item.name,
            _ASKED[item.asked],
            Cell(f"{item.accuracy:.0%}", 1 - item.accuracy),
            f"{item.macro_f1:.2f}",
            f"{item.sure:.0%}",
            _share(item.sure_accuracy),
            f"{item.calibration_error:.3f}",
            f"{item.products:,}",
        )
        for item in attributes
    )
    headings = (
        "attribute",
        "asked by",
        "right",
        "macro F1",
        "sure",
        "right when sure",
        "calibration error",
        "products",
    )
    note = "A value that training products never have counts as wrong."
    said = "What is not sure is a guess: filters and facets for customers are better made of what is."
    return Section("Attributes", (said,), tables=(Table("Attributes of test products", headings, rows, note),))


def views_section(views: ViewFigures) -> Section:
    """How often photos find the very product."""
    rows, bars = [], []
    for used, group in ((True, "used in training"), (False, "never used in training")):
        of_group = views.of_training(used)
        for name, recall in of_group.items():
            rows.append((KINDS[name].label, group, f"{recall.at_1:.0%}", f"{recall.at_10:.0%}"))
            bars.append(Bar(KINDS[name].label, recall.at_10, marked=not used))
        if of_group:
            mean = mean_recall(of_group.values())
            rows.append((f"mean of {len(of_group)}", group, f"{mean.at_1:.0%}", f"{mean.at_10:.0%}"))
    others = (("unchanged", views.unchanged), ("further pictures", views.other_picture))
    rows += [(name, "", f"{item.at_1:.0%}", f"{item.at_10:.0%}") for name, item in others if item is not None]
    table = Table("Photos by kind", ("kind", "group", "first hit", "among ten"), tuple(rows))
    worst = min(views.kinds, key=lambda name: views.kinds[name].at_10)
    alt = f"Bars by kind of photo; the lowest is {KINDS[worst].label} with {views.kinds[worst].at_10:.0%}."
    plot = draw_bars("Photos that find their product among ten", alt, "share of photos", bars, table)
    said = (
        f"The pictures of {views.unchanged.queries:,} test products, shown as photos, search {views.products:,} "
        "products for the very one. Orange bars are kinds that training never shows."
    )
    return Section("Photos", (said,), (plot,))


def duplicates_section(measured: Measured) -> Section | None:
    """What is nearly the same in the catalog; None where nothing is."""
    splits = measured.splits
    said = (
        f"Groups of products with identical pictures: {splits.identical:,}, with nearly the same ones: "
        f"{splits.near_duplicates:,}; groups of variants: {splits.variant_groups:,}. Each is on one side of the split, "
        f"but for {splits.test_leaks:,} test products."
    )
    if splits.not_compared:
        said += f" The pictures were not compared: {WHY_NOT_COMPARED[splits.not_compared]}."
    tables = []
    if measured.title_clashes:
        rows = tuple(
            (clash.title, ", ".join(clash.categories), f"{clash.products:,}", ", ".join(clash.examples))
            for clash in measured.title_clashes[:MOST_CATEGORIES]
        )
        tables.append(
            Table("Nearly the same title in several categories", ("title", "categories", "products", "such as"), rows)
        )
    if measured.like_pairs:
        pairs = tuple(
            (pair.product_id, pair.other_id, f"{pair.cosine:.4f}") for pair in measured.like_pairs[:MOST_CATEGORIES]
        )
        tables.append(Table("Pictures that the model cannot tell apart", ("product", "other", "cosine"), pairs))
    if not tables and not splits.identical + splits.near_duplicates + splits.variant_groups + splits.test_leaks:
        return None
    return Section("Duplicates", (said,), tables=tuple(tables))


def worst_section(worst: Sequence[WorstQuery], pictures: ProductPictures) -> Section | None:
    """The worst queries with what they found, as a contact sheet; None where nothing went wrong."""
    if not worst:
        return None
    by_kind: dict[str, list[WorstQuery]] = defaultdict(list)
    for query in worst:
        by_kind[HEADINGS[query.kind]].append(query)
    rows = []
    for heading, queries in by_kind.items():
        for query in queries:
            shown = (
                Picture("", query.query, ("title",), True) if query.kind == "title" else pictures.of(query.query, True)
            )
            found = tuple(pictures.of(product_id) for product_id in query.nearest)
            rows.append(PictureRow(f"{heading}: {query.reason}", (shown, *found)))
    return Section(
        "The worst queries",
        ("The query is framed; beside it is what it found, nearest first.",),
        picture_rows=tuple(rows),
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
