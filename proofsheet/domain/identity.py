"""Content-hash ids: equal content has one id, on every machine and in every run."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any


def canonical(value: Any) -> Any:
    """Reduce a noun to JSON types in one way only: dataclasses by field, mappings by sorted key."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: canonical(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): canonical(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((canonical(item) for item in value), key=str)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, PurePath):
        return value.as_posix()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"{type(value).__name__} has no canonical form")


def to_json(value: Any, *, indent: int | None = None) -> str:
    """The canonical JSON text of a noun: sorted keys, no superfluous space, Unicode kept."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(canonical(value), ensure_ascii=False, sort_keys=True, separators=separators, indent=indent)


def content_id(value: Any, *, length: int = 12) -> str:
    """The first ``length`` hex digits of the SHA-256 of a noun's canonical JSON."""
    return hashlib.sha256(to_json(value).encode()).hexdigest()[:length]


def bytes_id(data: bytes) -> str:
    """The SHA-256 of some bytes as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()
