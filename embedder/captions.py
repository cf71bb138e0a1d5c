"""The words that a customer might use for a product, made from its record."""

from __future__ import annotations

from embedder.product import Product


def category_words(category: str) -> str:
    """A category path as words: "shoes/ankle_boots" is "ankle boots"."""
    return category.rsplit("/", 1)[-1].replace("_", " ").replace("-", " ").strip()


def title_of(product: Product) -> str:
    """What to show and to search by: the title, or the category's words where there is none; may be empty."""
    return product.title.strip() or (category_words(product.category) if product.category else "")


def captions_of(product: Product) -> tuple[str, ...]:
    """Captions to train with, the title first; empty where the record has no words.

    Different wordings for one product keep the text side from learning the catalog's phrases by heart.
    """
    title = title_of(product)
    if not title:
        return ()
    found = [title, f"a photo of {title}"]
    if product.category:
        kind = category_words(product.category)
        found += [kind, f"{kind}, product picture"]
        words = [value for value in product.attributes.values() if isinstance(value, str) and len(value) <= 24]
        if words:
            found.append(f"{' '.join(words[:3])} {kind}")
    return tuple(dict.fromkeys(found))
