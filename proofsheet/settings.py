"""Settings, typed and read once: environment variables over ``proofsheet.toml`` over the defaults."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from proofsheet.errors import InputError

SETTINGS_FILE = "proofsheet.toml"


class Settings(BaseSettings):
    """What a run may be told from outside; every field has a sane default.

    Environment variables are the field's name in capitals after ``PROOFSHEET_``; the file ``proofsheet.toml`` in the
    working folder holds the same names.
    """

    model_config = SettingsConfigDict(env_prefix="PROOFSHEET_", toml_file=SETTINGS_FILE, frozen=True, extra="forbid")

    home: Path = Field(Path(".proofsheet"), description="folder of the warehouse and its files")
    user: str = Field("", description="who reviews and decides; the login name by default")
    lease_timeout: float = Field(60.0, gt=0, le=3600, description="seconds to wait for the warehouse")
    currency: str = Field("EUR", pattern="^[A-Z]{3}$", description="currency of the production ledger")
    compute_price_per_hour: Decimal = Field(
        Decimal("0.40"), ge=0, le=1_000_000, description="price of an hour of this machine, for the ledger"
    )
    review_price_per_minute: Decimal = Field(
        Decimal("0.75"), ge=0, le=1_000_000, description="price of a minute of a reviewer, for the ledger"
    )
    executor: str = Field("processes", description="where work runs: processes or inline")
    backend: str = Field("", description="what draws scenes; empty: the house model where its packages are installed")
    clip_model: str = Field("", description="open_clip model: name, or local-dir:FOLDER; empty: house; none: no score")
    clip_checkpoint: str = Field("", description="path of a .safetensors checkpoint for clip_model")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; a None among the overrides means "not given".

    Raises:
        InputError: a value breaks its rule; the message names it.
    """
    try:
        return Settings(**{key: value for key, value in overrides.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"The setting {name} has the value {first.get('input')!r}: {first['msg']}.",
            f"Set PROOFSHEET_{name.upper()} or {name} in {SETTINGS_FILE} rightly, or remove it.",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{SETTINGS_FILE} is not valid TOML: {error}.", "Mend the line named.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{SETTINGS_FILE} is not UTF-8 text.", "Save it again as UTF-8.") from error
