"""Which products train, validate and test.

The split of a product follows from the key of its group of siblings, so training and evaluation agree without keeping
lists. Siblings (variants, identical pictures, near-duplicates) are on one side: a model that has seen one of them knows
the others, and a test on these would measure memory.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedder.catalogs.product import Product, Split
from embedder.catalogs.siblings.groups import SiblingGroups, group_by_names, group_siblings
from embedder.catalogs.siblings.hashing import hash_pictures
from embedder.catalogs.siblings.perceptual_hash import PictureHash
from embedder.catalogs.split_report import MOST_COMPARED, NotCompared, SplitReport
from embedder.inputs.picture import PictureLimits
from embedder.progress import ProgressReport

_log = logging.getLogger(__name__)

VALIDATION_PERCENT = 10
TEST_PERCENT = 10


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """A catalog's products, each in one split.

    Attributes:
        report: how many there are in each, and how many leak.
    """

    report: SplitReport
    _by_split: Mapping[Split, list[Product]]

    def products(self, split: Split) -> list[Product]:
        """Those of one split, in the catalog's order."""
        return list(self._by_split[split])


def split_catalog(
    products: Sequence[Product],
    cache_dir: Path,
    *,
    limits: PictureLimits | None = None,
    decode_threads: int = 2,
    budget_s: float | None = None,
    not_compared: NotCompared = "",
) -> Splits:
    """Group siblings, split the catalog, count the leaks and log all that as one line.

    Pictures are compared (decoded once, then remembered in the cache), unless each of the products has a split of its
    own and there are more than `MOST_COMPARED` pictures, or the budget is not enough. Then variant groups and files of
    the same path are what is known; the report says so.

    Args:
        products: the whole catalog, in any order: each part of it that is missing may move others.
        cache_dir: where perceptual hashes are kept.
        limits: what a picture may weigh; None: the default limits.
        decode_threads: how many pictures are decoded at once, 1 or more.
        budget_s: most seconds for comparing pictures; None: as long as it takes.
        not_compared: not to compare pictures, and why. An evaluation says this where the model's training did not
            compare them, so that both split alike.
    """
    pictures = sum(len(product.pictures) for product in products)
    deadline = None if budget_s is None else time.monotonic() + budget_s
    siblings: SiblingGroups | None = None
    if not not_compared and pictures > MOST_COMPARED and all(product.split is not None for product in products):
        not_compared = "explicit"
    if not not_compared:
        hashes = _hash_all(products, cache_dir, limits, decode_threads, deadline)
        siblings = None if hashes is None else group_siblings(products, hashes, deadline)
        if siblings is None:
            not_compared = "budget"
    splits = _split(products, siblings or group_by_names(products), not_compared)
    _log.info("%s", splits.report)
    return splits


def _hash_all(
    products: Sequence[Product], cache_dir: Path, limits: PictureLimits | None, threads: int, deadline: float | None
) -> list[list[PictureHash | None]] | None:
    """For each product the hashes of its pictures; None where the deadline has passed."""
    pictures = [picture.source for product in products for picture in product.pictures]
    with ProgressReport(_log) as progress:
        step = progress.step("comparing pictures", len(pictures))
        hashes = hash_pictures(
            pictures,
            cache_dir,
            limits=limits,
            decode_threads=threads,
            deadline=deadline,
            on_progress=step.advance,
        )
    if hashes is None:
        return None
    remaining = iter(hashes)
    return [[next(remaining) for _ in product.pictures] for product in products]


def _split(products: Sequence[Product], siblings: SiblingGroups, not_compared: NotCompared) -> Splits:
    assigned = assign_splits(products, siblings.keys)
    by_split: dict[Split, list[Product]] = {"train": [], "validation": [], "test": []}
    for product, split in zip(products, assigned, strict=True):
        by_split[split].append(product)
    trained = {key for key, split in zip(siblings.keys, assigned, strict=True) if split == "train"}
    leaks = {
        split: sum(found == split and key in trained for key, found in zip(siblings.keys, assigned, strict=True))
        for split in ("validation", "test")
    }
    report = SplitReport(
        train=len(by_split["train"]),
        validation=len(by_split["validation"]),
        test=len(by_split["test"]),
        variant_groups=siblings.variant_groups,
        identical=siblings.identical,
        near_duplicates=siblings.near_duplicates,
        left_apart=siblings.left_apart,
        validation_leaks=leaks["validation"],
        test_leaks=leaks["test"],
        not_compared=not_compared,
    )
    return Splits(report, by_split)


def assign_splits(products: Sequence[Product], keys: Sequence[bytes]) -> list[Split]:
    """The split of each product, from the keys of their groups.

    A group without splits of its own is on one side as a whole: 80 % of the groups train, 10 % validate, 10 % test, by
    the key. A group of more than a tenth of the products trains, for a test of little else measures little.

    The splits that a catalog names are respected, also where they set siblings apart (these are leaks, and counted).
    Of the products that it gives to training, 10 % of the groups validate. A product without a split joins its siblings
    in test, else in validation, else in training: what it shows must not be trained on where it is tested.

    A catalog may be so small, or its groups so large, that nothing trains or nothing tests. Where nothing trains, the
    largest group moves there. Where nothing tests, the smallest group does, of those without splits of their own and
    as long as something else trains. So of three products that are not siblings one trains at least, and one tests;
    three siblings train.

    A product keeps its side when the catalog grows, unless it gains siblings that change the key of its group, its
    group was or becomes more than a tenth of the catalog, or it had to move for the catalog was so small.
    """
    groups: dict[bytes, list[int]] = defaultdict(list)
    for position, key in enumerate(keys):
        groups[key].append(position)
    assigned: dict[int, Split] = {}
    free: list[bytes] = []
    set_aside: list[int] = []
    for key, members in groups.items():
        given = {products[member].split for member in members} - {None}
        hashed = _side(key)
        if not given:
            free.append(key)
            is_large = len(members) > 1 and 100 * len(members) > TEST_PERCENT * len(products)
            assigned |= dict.fromkeys(members, "train" if is_large else hashed)
            continue
        trained: Split = "validation" if hashed == "validation" else "train"
        joined: Split = "test" if "test" in given else "validation" if "validation" in given else trained
        for member in members:
            own = products[member].split
            assigned[member] = joined if own is None else trained if own == "train" else own
            if own in (None, "train") and not given & {"validation", "test"}:
                set_aside.append(member)
    _fill_empty([groups[key] for key in sorted(free)], set_aside, assigned)
    return [assigned[position] for position in range(len(products))]


def _side(key: bytes) -> Split:
    bucket = int.from_bytes(key[:8], "big") % 100
    if bucket < VALIDATION_PERCENT:
        return "validation"
    return "test" if bucket < VALIDATION_PERCENT + TEST_PERCENT else "train"


def _fill_empty(free: Sequence[list[int]], set_aside: Sequence[int], assigned: dict[int, Split]) -> None:
    """Move a group to training where nothing trains, and one to the test where nothing tests.

    Args:
        free: the groups without splits of their own, in the order of their keys.
        set_aside: products that the catalog gives to training, and their siblings: all of them validate by chance.
        assigned: changed.
    """
    by_size = sorted(free, key=len)
    if "train" not in assigned.values():
        assigned |= dict.fromkeys(by_size[-1] if by_size else set_aside, "train")
    if "test" in assigned.values():
        return
    trained = sum(split == "train" for split in assigned.values())
    for members in by_size:
        if trained > sum(assigned[member] == "train" for member in members):
            assigned |= dict.fromkeys(members, "test")
            return


def shuffled(products: Iterable[Product], seed: int) -> list[Product]:
    """In an order that depends on the seed and on each product's id only: a prefix of it is a uniform sample."""
    salt = str(seed).encode()
    return sorted(
        products, key=lambda product: hashlib.sha256(salt + product.id.encode("utf-8", "surrogatepass")).digest()
    )
