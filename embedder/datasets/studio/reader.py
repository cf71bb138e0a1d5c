"""The studio as a catalog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from embedder.catalogs.outline import CatalogOutline
from embedder.catalogs.product import AttributeKind, Product, ProductPicture, Rejection, Split
from embedder.datasets.studio.items import StudioItem, load_item, split_of_number
from embedder.datasets.studio.options import StudioOptions
from embedder.datasets.studio.views import picture_of
from embedder.errors import CatalogError

ATTRIBUTES = ("color", "second_color", "third_color", "pattern", "material", "variant_group")
"""What every product has, as text."""


class StudioReader:
    """Reads products that are drawn from a seed; nothing is on disk, and a picture is drawn when it is decoded.

    Every product has a split: a family of shapes is in one of them with all of its kinds, whatever the seed.
    """

    def __init__(
        self,
        location: str = "",
        *,
        split: Split | None = None,
        columns: Mapping[str, str] | None = None,
        allow_outside_pictures: bool = False,
    ) -> None:
        """Take the options; nothing is drawn yet.

        Args:
            location: `StudioOptions`, as KEY=VALUE separated by commas; "" for the defaults.
            split: only the products of this split; None: what `location` says.
            columns: must be empty: there are none.
            allow_outside_pictures: makes no difference: there are no files.

        Raises:
            CatalogError: an option that is not known or outside its range, two different splits, or `columns` given.
        """
        if columns:
            raise CatalogError(f"columns {dict(columns)!r} for studio; permitted: none, it has no columns")
        self.options = StudioOptions.parse(location)
        if None not in (split, self.options.split) and split != self.options.split:
            raise CatalogError(
                f"studio: split {self.options.split!r} where {split!r} was asked for; permitted: the same"
            )
        self._split = split or self.options.split
        self._count: int | None = None if self._split else self.options.products

    @property
    def name(self) -> str:
        """The dataset's name."""
        return "studio"

    def count(self) -> int:
        """The exact number of products; for a single split, the first call looks at the kind of each product."""
        if self._count is None:
            self._count = sum(1 for _ in self._numbers())
        return self._count

    def outline(self) -> CatalogOutline:
        """The number of products, and their attributes; draws nothing."""
        return CatalogOutline(
            self.count(), len(self.options.views), {name: frozenset({AttributeKind.TEXT}) for name in ATTRIBUTES}
        )

    def read(self) -> Iterator[Product | Rejection]:
        """Yield the products; a product's `line` is its number, from 1."""
        for number in self._numbers():
            yield to_product(load_item(self.options.seed, number), self.options.views)

    def _numbers(self) -> Iterator[int]:
        for number in range(self.options.products):
            if self._split in (None, split_of_number(self.options.seed, number)):
                yield number


def to_product(item: StudioItem, views: tuple[str, ...]) -> Product:
    """A product with these of its views as its pictures."""
    first, second, third = item.colors
    values = (first, second, third, item.pattern, item.material, item.group)
    return Product(
        id=item.id,
        title=item.title,
        pictures=tuple(ProductPicture(picture_of(item.seed, item.number, view), f"{item.id}/{view}") for view in views),
        category=item.category,
        price=item.price,
        in_stock=item.in_stock,
        attributes=dict(zip(ATTRIBUTES, values, strict=True)),
        split=item.family.split,
        variant_group=item.group,
        line=item.number + 1,
    )
