"""Command-line flags for settings: range and default are the setting's own, written once."""

from __future__ import annotations

from typing import Any

import annotated_types
import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined


def flag(settings: Any, name: str, help_text: str, option: str = "") -> Any:
    """A flag for one field of a settings class; its parameter's default must be None, for "not given".

    Args:
        settings: a pydantic model or dataclass.
        name: of the field.
        help_text: what the setting is; the default is added.
        option: what the flag is called; "": as the field.
    """
    field: FieldInfo = settings.__pydantic_fields__[name]
    least = [bound.ge for bound in field.metadata if isinstance(bound, annotated_types.Ge)]
    most = [bound.le for bound in field.metadata if isinstance(bound, annotated_types.Le)]
    shown = "" if field.default in (PydanticUndefined, None) else f"; default: {field.default}"
    return typer.Option(
        f"--{(option or name).replace('_', '-')}",
        # Bounds that are no part of the range themselves are checked with the settings.
        min=least[0] if least else None,  # type: ignore[arg-type]
        max=most[0] if most else None,  # type: ignore[arg-type]
        help=help_text + shown,
        show_default=False,
    )
