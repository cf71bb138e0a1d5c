"""Configuration of `python -m embedder`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from embedder.errors import SettingsError


class LayeredSettings(BaseSettings):
    """Defaults < TOML file < `MERCHLENS_*` environment < flags; each command's `__main__` makes one."""

    model_config = SettingsConfigDict(env_prefix="MERCHLENS_", extra="ignore", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the layers; `config_file` among the flags names the TOML file."""
        config_file = init_settings().pop("config_file", None)
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file))

    @classmethod
    def from_flags(cls, config_file: Path | None, **flags: Any) -> Any:
        """Make the settings; flags that are None were not given.

        Raises:
            pydantic.ValidationError: a value outside its range, whatever layer it came from (see `describe_invalid`).
            SettingsError: `config_file` is no TOML.
            FileNotFoundError: `config_file` is not there.
        """
        if config_file is not None and not config_file.is_file():
            raise FileNotFoundError(f"config file {config_file} is not there")
        given = {name: value for name, value in flags.items() if value is not None}
        if config_file is not None:
            given["config_file"] = config_file
        try:
            return cls(**given)
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"config file {config_file} is no TOML: {error}") from error


class EmbedderSettings(LayeredSettings):
    """What the embedder's commands share.

    Attributes:
        cache_dir: exported models and features; may be deleted at any time.
        threads: of ONNX Runtime; 0 is one for each core.
        device: "auto", "cpu", "cuda", "cuda:1", ...
        seed: of everything random.
    """

    cache_dir: Path = Path("data/cache")
    threads: int = Field(default=0, ge=0, le=1024)
    device: str = "auto"
    seed: int = Field(default=0, ge=0)


def describe_invalid(error: ValidationError) -> str:
    """Which settings are outside their ranges, in one line, without keys."""
    lines = []
    for found in error.errors():
        name = ".".join(map(str, found["loc"]))
        value = "(hidden)" if "key" in name else repr(found["input"])
        lines.append(f"{name} {value}: {found['msg'][:1].lower()}{found['msg'][1:]}")
    return "; ".join(lines)
