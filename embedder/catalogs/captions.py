"""The words that a customer might use for a product, made from its record."""

from __future__ import annotations

from functools import cache

from embedder.catalogs.product import Product


def category_words(category: str) -> str:
    """A category path as words: "shoes/ankle_boots" is "ankle boots"."""
    return category.rsplit("/", 1)[-1].replace("_", " ").replace("-", " ").strip()


def title_of(product: Product) -> str:
    """What to show and to search by: the title, or the category's words where there is none; may be empty."""
    return product.title.strip() or (category_words(product.category) if product.category else "")


def searched_words(title: str, category: str | None, description: str) -> str:
    """The text whose words find a product: title, or its category's words where it has none, and description."""
    named = title.strip() or (category_words(category) if category else "")
    return f"{named} {description}".strip()


def captions_of(product: Product) -> tuple[str, ...]:
    """Captions to train with, the title first; empty where the record has no words.

    Different wordings for one product keep the text side from memorizing the catalog's phrases. Singular and plural are
    among them, since text towers may place them far apart: to MiniLM "sandal" and "sandals" are hardly related.
    """
    title = title_of(product)
    if not title:
        return ()
    found = [title, f"a photo of {title}", other_number(title)]
    if product.category:
        kind = category_words(product.category)
        found += [kind, f"{kind}, product picture", other_number(kind)]
        words = [value for value in product.attributes.values() if isinstance(value, str) and len(value) <= 24]
        if words:
            found.append(f"{' '.join(words[:3])} {kind}")
    return tuple(dict.fromkeys(found))


@cache
def other_number(words: str) -> str:
    """The plural of an English singular, the singular of a plural: "ankle boot" is "ankle boots", and back.

    Words of other languages come back with an ending that they do not have, or as they are.
    """
    # Only training needs it, and this module is imported where products are indexed.
    import inflect

    if not words.isascii() or not words[-1:].isalpha():
        return words
    engine = inflect.engine()
    return str(engine.singular_noun(words) or engine.plural_noun(words))
