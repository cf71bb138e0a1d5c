"""What can go wrong between a catalog and its embeddings.

EmbedderError
├── PictureError          a picture cannot be used; `reason` says why
│   ├── PictureMissing
│   ├── PictureOutside
│   ├── PictureUrlRefused
│   ├── PictureFetchFailed
│   ├── PictureFetchTimeout
│   ├── PictureEmpty
│   ├── PictureTooLarge
│   ├── PictureTooManyPixels
│   ├── PictureSideTooLong
│   └── PictureUnreadable
├── TextError
│   ├── TextEmpty
│   └── TextTooLong
├── CatalogError          a catalog cannot be read at all (single bad rows are `Rejection`s)
├── ModelError            an unknown model name, or weights that are not there
│   └── MissingExtra      an extra, such as `train`, is needed for this
├── BundleError           a bundle that must not be used
│   ├── BundleNotFound
│   └── BundleCorrupt
├── SettingsError         a settings file that cannot be read
└── TrainingError         a catalog that nothing can be learnt from, or a training that came to nothing
    ├── TrainingStopped   a signal stopped it; the same command goes on
    ├── BudgetTooShort    there is no time for tuning the towers
    └── TrainingLost      tuning gained nothing, or lost more of what the base knew than permitted
"""

from __future__ import annotations


class EmbedderError(Exception):
    """Root of this package's errors; the message says what failed, the value, what is permitted, the next step."""


class PictureError(EmbedderError):
    """A picture that cannot be used."""

    reason = "IMAGE_UNREADABLE"


class PictureMissing(PictureError):
    """The file is not there, may not be read, or is not a regular file."""

    reason = "IMAGE_MISSING"


class PictureOutside(PictureError):
    """A catalog's picture that lies outside the catalog's folder, where that was not permitted."""

    reason = "IMAGE_OUTSIDE_CATALOG"


class PictureUrlRefused(PictureError):
    """A URL that is not permitted: its scheme, host or port, or an address of a private network behind its name."""

    reason = "IMAGE_URL_REFUSED"


class PictureFetchFailed(PictureError):
    """A web server or object store that could not be reached, or did not hand over the picture."""

    reason = "IMAGE_FETCH_FAILED"


class PictureFetchTimeout(PictureError):
    """A web server that took longer than permitted."""

    reason = "IMAGE_FETCH_TIMEOUT"


class PictureEmpty(PictureError):
    """Zero bytes, or zero pixels."""

    reason = "IMAGE_EMPTY"


class PictureTooLarge(PictureError):
    """More bytes than permitted."""

    reason = "IMAGE_TOO_LARGE"


class PictureTooManyPixels(PictureError):
    """More pixels than permitted; seen from the header, before decoding."""

    reason = "IMAGE_TOO_MANY_PIXELS"


class PictureSideTooLong(PictureError):
    """More rows or columns than permitted; seen from the header, before decoding."""

    reason = "IMAGE_SIDE_TOO_LONG"


class PictureUnreadable(PictureError):
    """Not a picture, of an unsupported format, or broken on the way."""

    reason = "IMAGE_UNREADABLE"


class TextError(EmbedderError):
    """A text that cannot be encoded."""

    reason = "TEXT_EMPTY"


class TextEmpty(TextError):
    """No characters but white space."""

    reason = "TEXT_EMPTY"


class TextTooLong(TextError):
    """More characters than permitted."""

    reason = "TEXT_TOO_LONG"


class CatalogError(EmbedderError):
    """A catalog that cannot be read at all."""


class ModelError(EmbedderError):
    """A model that cannot be made or loaded."""


class MissingExtra(ModelError):
    """Something that only an extra brings, such as `train`, `search`, `parquet` or `remote`."""


class BundleError(EmbedderError):
    """A model bundle that must not be used."""


class BundleNotFound(BundleError):
    """No bundle at that path."""


class BundleCorrupt(BundleError):
    """Files that are missing, changed, or of another format version."""


class TrainingError(EmbedderError):
    """A catalog or setting that nothing can be learnt with."""


class TrainingStopped(TrainingError):
    """A signal stopped a training after a whole step; its checkpoint is there."""


class TrainingLost(TrainingError):
    """No tuned model was better than frozen towers and kept enough of what its base knew."""


class BudgetTooShort(TrainingError):
    """A time budget that leaves no time for tuning the towers."""


class SettingsError(EmbedderError):
    """A settings file that cannot be read."""
