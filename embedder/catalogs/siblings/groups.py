"""Groups of products that are one thing to a model: it knows a product as soon as it has seen one of its siblings."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from embedder.catalogs.product import Product
from embedder.catalogs.siblings.disjoint_sets import DisjointSets
from embedder.catalogs.siblings.near_duplicates import MOST_DIFFERENCE, find_near_duplicates
from embedder.catalogs.siblings.perceptual_hash import PictureHash
from embedder.inputs.picture import Picture, PictureFile, RemotePicture

MOST_ALIKE = 50
"""More products than this, and more than a hundredth of the catalog, are not joined by pictures that are alike."""

_TIGHTER = (MOST_DIFFERENCE, MOST_DIFFERENCE / 2, MOST_DIFFERENCE / 4)


@dataclass(frozen=True, slots=True)
class SiblingGroups:
    """Which products belong together.

    Attributes:
        keys: for each product the key of its group, 32 bytes: the smallest SHA-256 over the variant group, or where
            it has none the id, of any of its products.
        variant_groups: how many variant groups have two products or more.
        identical: how many groups came of identical pictures; larger variant groups may be part of them.
        near_duplicates: how many groups came of near-duplicates.
        left_apart: how many products have pictures like those of too many others, and were not joined for these.
    """

    keys: tuple[bytes, ...]
    variant_groups: int
    identical: int
    near_duplicates: int
    left_apart: int


def group_siblings(
    products: Sequence[Product], hashes: Sequence[Sequence[PictureHash | None]], deadline: float | None = None
) -> SiblingGroups | None:
    """Group products by variant group, identical pictures and near-duplicates.

    A product is also in the variant group that bears its own id, where it names none (a parent and its variants).
    Titles join nothing. A picture that more than `MOST_ALIKE` products show, and more than a hundredth of the catalog
    (each variant group counted once), says nothing about them: it stands for "no image available", or is a size chart.
    It joins none; nor does a chain of near-duplicates of that length, unless a tighter limit breaks it up.

    Args:
        products: in any order; the groups do not depend on it.
        hashes: for each product those of its pictures, None for an unreadable one.
        deadline: in `time.monotonic`'s seconds; None: as long as it takes.

    Returns:
        The groups; None where the deadline passed while pictures were compared.
    """
    grouping = _Grouping(products)
    contents = [
        [
            _path(picture.source) if hashed is None else hashed.content
            for picture, hashed in zip(product.pictures, of_one, strict=True)
        ]
        for product, of_one in zip(products, hashes, strict=True)
    ]
    shown = grouping.join_identical(contents)
    pictures = list({hashed.content: hashed for of_one in hashes for hashed in of_one if hashed}.values())
    pictures = [hashed for hashed in pictures if hashed.content in shown]
    found = find_near_duplicates(pictures, deadline)
    if found is None:
        return None
    owners = [shown[hashed.content][0] for hashed in pictures]
    grouping.join_near([(owners[left], owners[right]) for left, right in found[0].tolist()], found[1].tolist())
    return grouping.groups()


def group_by_names(products: Sequence[Product]) -> SiblingGroups:
    """Group products as `group_siblings` does, without opening a picture: files of the same path are identical."""
    grouping = _Grouping(products)
    grouping.join_identical([[_path(picture.source) for picture in product.pictures] for product in products])
    return grouping.groups()


def _path(picture: Picture) -> Hashable | None:
    if isinstance(picture, RemotePicture):
        return picture.url
    return picture.path if isinstance(picture, PictureFile) else None


class _Grouping:
    """Joins products step by step, surest things first."""

    def __init__(self, products: Sequence[Product]) -> None:
        """Begin with the variant groups."""
        self._products = products
        self._sets = DisjointSets(len(products))
        self._most = max(MOST_ALIKE, len(products) // 100)
        self._identical = 0
        self._near_duplicates = 0
        self._left_apart: set[int] = set()
        first: dict[str, int] = {}
        for position, product in enumerate(products):
            if product.variant_group is not None:
                self._sets.join(first.setdefault(product.variant_group, position), position)
        for position, product in enumerate(products):
            if product.variant_group is None and product.id in first:
                self._sets.join(first[product.id], position)
        self._variant_groups = sum(len(members) > 1 for members in self._sets.groups())

    def join_identical(self, contents: Sequence[Sequence[Hashable | None]]) -> Mapping[Hashable, Sequence[int]]:
        """Join the products that show a picture of the same content.

        Args:
            contents: of each product's pictures; None where nothing is known of one.

        Returns:
            By content, the products that show it, but for what too many show.
        """
        shown: dict[Hashable, list[int]] = defaultdict(list)
        # By id, so that no result depends on the order of the products.
        for position in sorted(range(len(contents)), key=lambda position: self._products[position].id):
            for content in contents[position]:
                if content is not None:
                    shown[content].append(position)
        for content, owners in list(shown.items()):
            if len({self._sets.find(owner) for owner in owners}) > self._most:
                self._left_apart.update(owners)
                del shown[content]
        before = self._sets.copy()
        self._left_apart |= self._join([(owners[0], owner) for owners in shown.values() for owner in owners[1:]])
        self._identical = _newly_joined(before, self._sets)
        return shown

    def join_near(self, pairs: Sequence[tuple[int, int]], differences: Sequence[float]) -> None:
        """Join the products of near-duplicate pictures, those of long chains by tighter limits only."""
        before = self._sets.copy()
        apart: set[int] = set()
        for limit in _TIGHTER:
            links = [pair for pair, difference in zip(pairs, differences, strict=True) if difference <= limit]
            if limit < _TIGHTER[0]:
                links = [link for link in links if link[0] in apart]
            apart = self._join(links)
        self._left_apart |= apart
        self._near_duplicates = _newly_joined(before, self._sets)

    def _join(self, links: Sequence[tuple[int, int]]) -> set[int]:
        """Join along links, but for what would be more than `_most` of the present groups; return what was not."""
        trial = self._sets.copy()
        for one, other in links:
            trial.join(one, other)
        parts: dict[int, set[int]] = defaultdict(set)
        for one, other in links:
            parts[trial.find(one)] |= {self._sets.find(one), self._sets.find(other)}
        apart: set[int] = set()
        for one, other in links:
            if len(parts[trial.find(one)]) > self._most:
                apart |= {one, other}
        for one, other in links:
            if one not in apart:
                self._sets.join(one, other)
        return apart

    def groups(self) -> SiblingGroups:
        """What came of it."""
        smallest: dict[int, bytes] = {}
        for position, product in enumerate(self._products):
            root, key = self._sets.find(position), _own_key(product)
            smallest[root] = min(smallest.get(root, key), key)
        return SiblingGroups(
            keys=tuple(smallest[self._sets.find(position)] for position in range(len(self._products))),
            variant_groups=self._variant_groups,
            identical=self._identical,
            near_duplicates=self._near_duplicates,
            left_apart=len(self._left_apart),
        )


def _newly_joined(before: DisjointSets, after: DisjointSets) -> int:
    """How many groups have several of the groups before."""
    return sum(len({before.find(member) for member in members}) > 1 for members in after.groups())


def _own_key(product: Product) -> bytes:
    # A product without a variant group keeps the key that it had when products were split by their ids alone.
    named = product.id if product.variant_group is None else f"variant group\0{product.variant_group}"
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest()
