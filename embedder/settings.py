"""Configuration of `python -m embedder`, and the layers that all three commands' configurations have."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as EnvironmentUnreadable

from embedder.errors import SettingsError
from embedder.inputs.picture import PictureFetcher, PictureLimits
from embedder.inputs.remote.hosts import PictureHosts
from embedder.inputs.remote.permitted import open_web_pictures
from embedder.precision import PrecisionChoice
from embedder.setting_names import COMMANDS, SHARED, TABLES, TEST_PREFIX, nearest
from embedder.training.settings import AttributeSettings, FineTuneSettings, InstanceSettings, TuneSettings

ENVIRONMENT_PREFIX = "MERCHLENS_"
NESTED = "__"
"""Separates a table's name from its key in a variable's name."""


class LayeredSettings(BaseSettings):
    """Defaults < TOML file < `MERCHLENS_*` environment < flags; each command's `__main__` makes one.

    One file serves all commands. A key outside of any table is for every command that has such a setting; the tables
    `[embedder]`, `[indexer]` and `[server]` are for one command, and come before the keys outside. A name that no
    command has is refused, in the file and in the environment.

    Attributes:
        command: whose settings a class holds: its table's name.
    """

    command: ClassVar[str]

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter=NESTED, extra="forbid", frozen=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given only: `from_flags` puts the layers together."""
        return (init_settings,)

    @classmethod
    def from_flags(cls, config_file: Path | None, **flags: Any) -> Self:
        """Make the settings; flags that are None were not given, also inside a dictionary for a nested table.

        Raises:
            pydantic.ValidationError: a value outside its range, whatever layer it came from (see `describe_invalid`).
            SettingsError: `config_file` cannot be read, or a name in it or in the environment is not known.
            FileNotFoundError: `config_file` does not exist.
        """
        _check_environment(cls)
        try:
            environment = EnvSettingsSource(cls)()
        except EnvironmentUnreadable as error:
            raise SettingsError(
                f"environment, {ENVIRONMENT_PREFIX}*: {error}; permitted: for a table JSON, or a variable for each "
                f"key, such as {ENVIRONMENT_PREFIX}TRAIN{NESTED}EPOCHS"
            ) from error
        from_file = {} if config_file is None else _own_values(_read_toml(config_file), config_file, cls)
        return cls(**_over(_over(from_file, environment), _given(flags)))


class CatalogSettings(LayeredSettings):
    """How a catalog's pictures are read, by whatever command.

    Attributes:
        max_image_pixels: most pixels (width x height) of a catalog's picture; a larger one is rejected.
        picture_hosts: web servers that pictures may be fetched from: cdn.shop.example, *.shop.example for all below it,
            cdn.shop.example:8443, http://cdn.shop.example for one without TLS. Empty: URLs are rejected.
        picture_timeout_s: for fetching one picture, seconds.
    """

    max_image_pixels: int = Field(default=PictureLimits().max_pixels, ge=1, le=2**31)
    picture_hosts: tuple[str, ...] = ()
    picture_timeout_s: float = Field(default=10.0, gt=0, le=3600, allow_inf_nan=False)

    @field_validator("picture_hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        PictureHosts.parse(hosts)
        return hosts

    def picture_limits(self) -> PictureLimits:
        """The limits for a catalog's pictures."""
        return PictureLimits.for_catalog(self.max_image_pixels)

    def web_pictures(self) -> PictureFetcher | None:
        """What fetches pictures from the permitted web servers; None where there are none.

        Raises:
            MissingExtra: what speaks HTTP is not installed.
        """
        return open_web_pictures(self.picture_hosts, self.picture_timeout_s)


class EmbedderSettings(CatalogSettings):
    """What the embedder's commands share; with `CatalogSettings`.

    Attributes:
        cache_dir: exported models and features; may be deleted at any time.
        threads: of ONNX Runtime; 0 is one for each core.
        device: "auto", "cpu", "cuda", "cuda:1", ...
        seed: of everything random.
        decode_threads: how many pictures are decoded at once; each may take 4 bytes a pixel and more.
        precision: "auto", as the bundle decided for each tower when it was exported with a catalog; or "fp32", "fp16",
            "int8" for both. Training computes in fp32 whatever it says.
        train: of fine-tuning on features computed once.
        tune: of tuning the towers themselves.
        instance: of the instance part.
        attributes: of the recognition of attributes.
    """

    command = "embedder"

    cache_dir: Path = Path("data/cache")
    threads: int = Field(default=0, ge=0, le=1024)
    device: str = "auto"
    seed: int = Field(default=0, ge=0, lt=2**63)
    decode_threads: int = Field(default=2, ge=1, le=256)
    precision: PrecisionChoice = "auto"
    train: FineTuneSettings = Field(default_factory=FineTuneSettings)
    tune: TuneSettings = Field(default_factory=TuneSettings)
    instance: InstanceSettings = Field(default_factory=InstanceSettings)
    attributes: AttributeSettings = Field(default_factory=AttributeSettings)


def describe_invalid(error: ValidationError) -> str:
    """Which settings are outside their ranges, in one line, without keys."""
    lines = []
    for found in error.errors():
        name = ".".join(map(str, found["loc"]))
        value = "(hidden)" if "key" in name else repr(found["input"])
        lines.append(f"{name} {value}: {found['msg'][:1].lower()}{found['msg'][1:]}")
    return "; ".join(lines)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise FileNotFoundError(f"config file {path} does not exist") from None
    except OSError as error:
        raise SettingsError(
            f"config file {path} cannot be read: {error.strerror or error}; permitted: a TOML file"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"config file {path} is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}; permitted: "
            "TOML in UTF-8; next step: save it as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"config file {path} is not TOML: {error}; permitted: key = value, and tables") from error


def _own_values(data: Mapping[str, Any], path: Path, settings: type[LayeredSettings]) -> dict[str, Any]:
    """A file's values for one command, once every name in the file is known to be some command's."""
    where = f"config file {path}"
    shared = {name: value for name, value in data.items() if name not in COMMANDS}
    _check_names(shared, [*SHARED, *COMMANDS], where)
    for command, names in COMMANDS.items():
        table = data.get(command, {})
        if not isinstance(table, dict):
            raise SettingsError(f"{where}: {command} is {table!r}; permitted: a table, [{command}]")
        _check_names(table, names, f"{where}, [{command}]")
    shared = {name: value for name, value in shared.items() if name in settings.model_fields}
    own = _over(shared, data.get(settings.command, {}))
    for name, keys in tables_of(settings).items():
        table = own.get(name, {})
        if not isinstance(table, dict):
            raise SettingsError(f"{where}: {name} is {table!r}; permitted: a table, [{name}]")
        _check_names(table, keys, f"{where}, [{name}]")
    return own


def tables_of(settings: type[LayeredSettings]) -> dict[str, frozenset[str]]:
    """The settings that are tables themselves, with their keys."""
    tables = {}
    for name, info in settings.model_fields.items():
        if isinstance(info.annotation, type) and is_dataclass(info.annotation):
            tables[name] = frozenset(field.name for field in fields(info.annotation))
        elif isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            tables[name] = frozenset(info.annotation.model_fields)
    return tables


def _check_names(data: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    names = set(known)
    for name, value in data.items():
        if name not in names:
            what = "table" if isinstance(value, dict) else "setting"
            raise SettingsError(f"{where}: unknown {what} {name!r}; {nearest(name, names)}")


def _check_environment(settings: type[LayeredSettings]) -> None:
    """Refuse variables that no command has; values are not shown, for one may be a key.

    The keys in another command's tables are that command's to check.
    """
    tables = tables_of(settings)
    for variable in os.environ:
        upper = variable.upper()
        if not upper.startswith(ENVIRONMENT_PREFIX) or upper.startswith(TEST_PREFIX):
            continue
        table, separator, _ = upper.removeprefix(ENVIRONMENT_PREFIX).partition(NESTED)
        if separator and table.lower() in TABLES - tables.keys():
            continue
        keys = tables.get(table.lower()) if separator else None
        within = f"{ENVIRONMENT_PREFIX}{table}{NESTED}" if keys else ENVIRONMENT_PREFIX
        known = {f"{within}{name}".upper() for name in keys or SHARED}
        if upper not in known:
            raise SettingsError(f"environment variable {variable}: unknown setting; {nearest(upper, known)}")


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None, also in dictionaries."""
    return {
        name: _given(value) if isinstance(value, dict) else value for name, value in flags.items() if value is not None
    }


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two layers: the upper one's values, tables merged too."""
    merged = dict(below)
    for name, value in above.items():
        both_tables = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _over(merged[name], value) if both_tables else value
    return merged
