"""The manifest of an index version."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from embedder.precision import LEAST_COSINE, Precision, Tower, TowerPrecision
from embedder.recognition.category_model import QueryModel
from embedder.recognition.match_model import MatchModel
from embedder.recognition.neighbor_vote import NeighborVote
from embedder.recognition.word_share import WordWeights
from indexer.errors import ModelMismatch, VersionIncomplete
from indexer.filters.schema import Schema
from indexer.versions.graph_effort import GraphEffort
from indexer.versions.layout import VectorLayout
from indexer.words.text_index import TextIndex

State = Literal["building", "ready"]

FORMAT_VERSION = 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One index version.

    Attributes:
        version: its name, unique in the store; sorts by the time it was started.
        catalog: name of the catalog that it serves.
        source: where the products were read from, for people.
        model_fingerprint, model_base, dim: the model that made the embeddings.
        state: "building" until every product is in and durable.
        created_at: when it was started, ISO 8601, UTC.
        multivector: whether a product may have a vector for each of several pictures, or has exactly one.
        products, rejected: rows indexed and not.
        pictures, pictures_rejected: of the indexed products.
        catalog_hash: of the indexed payloads, in any order (see `indexer.versions.holdings`); over them in order in
            indexes of earlier releases.
        schema: the attributes that filters may name.
        categories: category path to its number of products.
        precisions: by tower ("image", "text") what the embeddings were computed in; empty: fp32.
        head_digest: SHA-256 of the category head that the following were fitted with; "" where the model has none. The
            fingerprint does not cover it.
        category_models: how queries' categories are judged, per kind of query ("image", "text"); empty in indexes
            without categories, and of earlier releases.
        match_models: how likely hits are to be right, per kind of query; empty in indexes of earlier releases.
        texts: what is held of the products' titles; None: nothing, as in indexes of earlier releases.
        words: what words weigh in the catalog; None where it has no titles, and in indexes of earlier releases.
        calibration: digest of these fits and of all that they follow from (see `indexer.building.calibration.origin`);
            "" in indexes of earlier releases.
        effort: how many candidates of the graph a search looks at, by vector ("image", "title"); a vector that is
            missing was not measured: there is no graph, or an earlier release made it.
        votes: how neighbours' categories become a probability, per kind of query; of earlier releases.
        settings: of the build.
    """

    version: str
    catalog: str
    source: str
    model_fingerprint: str
    model_base: str
    dim: int
    state: State = "building"
    created_at: str = ""
    multivector: bool = False
    products: int = 0
    rejected: int = 0
    pictures: int = 0
    pictures_rejected: int = 0
    catalog_hash: str = ""
    schema: Schema = field(default_factory=lambda: Schema({}))
    categories: Mapping[str, int] = field(default_factory=dict)
    precisions: Mapping[str, str] = field(default_factory=dict)
    head_digest: str = ""
    category_models: Mapping[str, QueryModel] = field(default_factory=dict)
    match_models: Mapping[str, MatchModel] = field(default_factory=dict)
    texts: TextIndex | None = None
    words: WordWeights | None = None
    calibration: str = ""
    effort: Mapping[str, GraphEffort] = field(default_factory=dict)
    votes: Mapping[str, NeighborVote] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def layout(self) -> VectorLayout:
        """Which vectors each product has."""
        texts = self.texts or TextIndex()
        return VectorLayout(self.dim, self.multivector, texts.title_dim, texts.bm25 is not None)

    def to_json(self) -> str:
        """As text, with the format version."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["schema"] = self.schema.to_dict()
        data["category_models"] = {name: model.to_dict() for name, model in self.category_models.items()}
        data["match_models"] = {name: model.to_dict() for name, model in self.match_models.items()}
        data["texts"] = None if self.texts is None else self.texts.to_dict()
        data["words"] = None if self.words is None else self.words.to_dict()
        data["effort"] = {name: effort.to_dict() for name, effort in self.effort.items()}
        data["votes"] = {name: asdict(vote) for name, vote in self.votes.items()}
        return json.dumps({"format_version": FORMAT_VERSION, **data}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> Manifest:
        """Inverse of `to_json`.

        Raises:
            VersionIncomplete: not a manifest of this format version; `where` says which, for people.
        """
        try:
            data = json.loads(text)
            if data.pop("format_version") != FORMAT_VERSION:
                raise VersionIncomplete(
                    f"index version at {where} has another format; permitted: {FORMAT_VERSION}; next step: build again"
                )
            data["schema"] = Schema.from_dict(data["schema"])
            data["category_models"] = {
                name: QueryModel.from_dict(model) for name, model in data.get("category_models", {}).items()
            }
            data["match_models"] = {
                name: MatchModel.from_dict(model) for name, model in data.get("match_models", {}).items()
            }
            data["texts"] = None if data.get("texts") is None else TextIndex.from_dict(data["texts"])
            data["words"] = None if data.get("words") is None else WordWeights.from_dict(data["words"])
            data["effort"] = {name: GraphEffort.from_dict(effort) for name, effort in data.get("effort", {}).items()}
            data["votes"] = {name: NeighborVote(**vote) for name, vote in data["votes"].items()}
            return cls(**data)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise VersionIncomplete(
                f"index version at {where} has no readable manifest ({error!r}); next step: build again"
            ) from error


def holds_the_same(one: Manifest, other: Manifest) -> bool:
    """Whether two versions hold the same products, by the same model, with the same fits and settings.

    Then they give the same answers, as far as their graphs let them. False where it is not known.
    """
    told = replace(
        other,
        version=one.version,
        catalog=one.catalog,
        source=one.source,
        created_at=one.created_at,
        state=one.state,
        rejected=one.rejected,
        pictures_rejected=one.pictures_rejected,
        effort=one.effort,
    )
    return bool(one.calibration) and one == told


def fitted_with(manifest: Manifest, head_digest: str) -> Manifest:
    """The manifest, without what was fitted with another category head of the same towers."""
    if manifest.head_digest == head_digest or not manifest.category_models:
        return manifest
    _log.warning(
        "index version %s was built with another category head of this model: its categories and matches are not "
        "calibrated for this one, and are left uncalibrated; next step: run python -m indexer build with this model",
        manifest.version,
    )
    return replace(manifest, category_models={}, match_models={}, words=None)


def moment(text: str) -> datetime | None:
    """An ISO 8601 time, UTC where it names no zone; None where it is none."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def new_version_name() -> str:
    """A unique name that sorts by time."""
    return f"v{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"


def check_servable(manifest: Manifest, model_fingerprint: str) -> None:
    """Refuse a version that is not whole, or not this model's.

    Raises:
        VersionIncomplete: its state is not "ready".
        ModelMismatch: its embeddings come from another model.
    """
    if manifest.state != "ready":
        raise VersionIncomplete(
            f"index version {manifest.version} is {manifest.state!r}, not 'ready': its build did not finish; "
            "next step: run python -m indexer build again"
        )
    if manifest.model_fingerprint != model_fingerprint:
        raise ModelMismatch(
            f"index version {manifest.version} was made by the model {manifest.model_fingerprint[:16]}… "
            f"({manifest.model_base}), not by {model_fingerprint[:16]}…: their embeddings cannot be compared; next "
            "step: give that model with --model, or run python -m indexer build with this one"
        )


def check_precision(
    manifest: Manifest, towers: Mapping[Tower, TowerPrecision], precisions: Mapping[Tower, Precision]
) -> None:
    """Refuse a version whose pictures were embedded in another precision, unless both were measured to be near enough.

    Args:
        manifest: of the version.
        towers: what the model's bundle says of its graphs.
        precisions: what queries are computed in.

    Raises:
        ModelMismatch: the least cosine between both is below `LEAST_COSINE`, or was never measured.
    """
    indexed, asked = manifest.precisions.get("image", "fp32"), precisions.get("image", "fp32")
    if indexed == asked:
        return
    least = towers.get("image", TowerPrecision()).least_cosine(indexed, asked)
    if least < LEAST_COSINE:
        raise ModelMismatch(
            f"index version {manifest.version} was embedded in {indexed}, queries are in {asked}; least cosine between "
            f"both {least:.3f}{' (never measured)' if least < 0 else ''}, permitted: {LEAST_COSINE} or more; next "
            f"step: set precision = {indexed!r}, or run python -m indexer build with precision = {asked!r}"
        )
