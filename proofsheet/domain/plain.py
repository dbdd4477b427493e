"""Nouns from plain data: the way back from canonical JSON, by the types the nouns declare."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def from_json(cls: type[T], text: str) -> T:
    """The noun whose canonical JSON this is (see ``proofsheet.domain.identity.to_json``)."""
    value: T = _build(cls, json.loads(text))
    return value


def _build(kind: Any, value: Any) -> Any:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _build_union(args, value)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_build(args[0], item) for item in value)
        return tuple(_build(arg, item) for arg, item in zip(args, value, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {_build(args[0], key): _build(args[1], item) for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        hints = _hints(typing.cast(type, kind))
        return typing.cast(type, kind)(**{name: _build(hints[name], item) for name, item in value.items()})
    return _scalar(kind, value)


def _build_union(args: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return None
    plain = tuple(arg for arg in args if arg is not type(None))
    return _build(plain[0], value) if len(plain) == 1 else value


def _scalar(kind: Any, value: Any) -> Any:
    if kind is Decimal:
        return Decimal(value)
    if kind in (date, datetime):
        return kind.fromisoformat(value)
    if kind is Path:
        return Path(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return float(value) if kind is float else value
