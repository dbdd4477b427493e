"""A verdict as JSON that is the same bytes every time, and the way back: reading a record decides anew.

Keys are sorted, floats have 12 significant digits in Python's shortest form, infinities are the words "inf" and "-inf",
and no clock or machine leaves a trace. A record holds all it was decided on, so that anyone can decide again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Any

from experiments.deciding.findings import ArmFinding, Findings, GuardrailFinding
from experiments.deciding.metric_families import Guard
from experiments.deciding.verdict import Policy, Verdict, reach_verdict
from proofsheet.domain.result import Evidence, HealthCheck
from proofsheet.errors import InputError

SCHEMA = "proofsheet.verdict.1"


def write_record(verdict: Verdict) -> bytes:
    """The verdict with its findings and policy as canonical JSON, UTF-8, one line."""
    content = {"schema": SCHEMA, **_plain(verdict)}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"{text}\n".encode()


def digest(verdict: Verdict) -> str:
    """SHA-256 of the record: two looks with the same digest rest on the same findings."""
    return hashlib.sha256(write_record(verdict)).hexdigest()


def read_record(record: bytes) -> Verdict:
    """Decide again on the findings and policy of a record.

    Raises:
        InputError: it is not a record, or deciding again gives other bytes: it was changed, or other rules made it.
    """
    try:
        content = json.loads(record)
        if content["schema"] != SCHEMA:
            raise KeyError(content["schema"])
        verdict = reach_verdict(_findings(content["findings"]), Policy(**content["policy"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"This is not a record of a verdict ({error}).", f"Give JSON of the form {SCHEMA}.") from error
    if write_record(verdict) != record:
        raise InputError(
            "The record does not say what its findings say: it was changed, or was made by other rules.",
            "Compare its version, or decide anew from the data.",
        )
    return verdict


def _plain(value: Any) -> Any:
    """Dataclasses as mappings, tuples as lists, enumerations as their words, infinities as words."""
    if isinstance(value, Guard):
        return value.name.lower()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return value


def _findings(content: Mapping[str, Any]) -> Findings:
    arms = tuple(
        ArmFinding(**{**_numbers(arm), "guardrails": tuple(_guardrail(g) for g in arm["guardrails"])})
        for arm in content["arms"]
    )
    health = tuple(HealthCheck(**check) for check in content["health"])
    return Findings(**{**_numbers(content), "arms": arms, "health": health, "evidence": Evidence(content["evidence"])})


def _guardrail(content: Mapping[str, Any]) -> GuardrailFinding:
    return GuardrailFinding(**{**content, "state": Guard[content["state"].upper()]})


_NUMBERS = frozenset({"lift", "low", "high", "gain", "expected_loss", "value_of_waiting", "cost_of_waiting"})


def _numbers(content: Mapping[str, Any]) -> dict[str, Any]:
    return {k: float(v) if k in _NUMBERS and isinstance(v, str) else v for k, v in content.items()}
