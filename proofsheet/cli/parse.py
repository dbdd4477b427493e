"""What options mean: money, metrics, key=value pairs and judgements, from text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from proofsheet.domain.assessment import Judgement
from proofsheet.domain.experiment import Metric, MetricKind, Role
from proofsheet.domain.money import Money
from proofsheet.errors import InputError


def money(text: str, option: str) -> Money:
    """``"350 EUR"`` or ``"350.00EUR"`` as money. Raises InputError for anything else."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]{3})\s*", text)
    if not found:
        raise InputError(f"{option} is {text!r}: not an amount with its currency.", 'Write it like "350.00 EUR".')
    return Money(Decimal(found[1]), found[2].upper())


def judgement(*, approve: bool, reject: bool, withdraw: bool) -> Judgement:
    """The one judgement asked for. Raises InputError when there is none, or several."""
    asked = [
        kind
        for kind, on in (
            (Judgement.APPROVE, approve),
            (Judgement.REJECT, reject),
            (Judgement.WITHDRAW, withdraw),
        )
        if on
    ]
    if len(asked) != 1:
        raise InputError(
            f"{len(asked)} judgements were asked for.", "Give exactly one of --approve, --reject and --withdraw."
        )
    return asked[0]


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """``["unit=userid"]`` as a mapping. Raises InputError for a text without an equals sign."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise InputError(f"{option} is {text!r}: not of the form name=value.", f"Write it like {option} name=value")
        found[key.strip()] = value.strip()
    return found


def numbers(texts: Sequence[str], option: str) -> dict[str, str | int | float]:
    """``["batch_size=4", "device=cpu"]`` as a mapping in which numbers are numbers.

    Raises:
        InputError: a text has no equals sign.
    """
    found: dict[str, str | int | float] = {}
    for name, text in pairs(texts, option).items():
        whole = re.fullmatch(r"[+-]?\d+", text)
        broken = re.fullmatch(r"[+-]?\d*\.\d+", text)
        found[name] = int(text) if whole else float(text) if broken else text
    return found


def metrics(texts: Sequence[str]) -> tuple[Metric, ...]:
    """``["retention_7:proportion", "spend/clicks:ratio:lower"]`` as metrics, the first one primary.

    A last part ``lower`` says that lower is better.

    Raises:
        InputError: the kind is unknown, or a ratio has no denominator.
    """
    found: list[Metric] = []
    for text in texts:
        lower = text.endswith(":lower")
        name, colon, kind_text = text.removesuffix(":lower").removesuffix(":higher").rpartition(":")
        kinds = [kind.value for kind in MetricKind]
        if not colon or kind_text not in kinds or not name:
            raise InputError(
                f"--metric is {text!r}: not of the form column:kind.",
                f"The kind is one of {', '.join(kinds)}; for example retention_7:proportion, spend/clicks:ratio:lower.",
            )
        numerator, slash, denominator = name.partition("/")
        if (kind_text == MetricKind.RATIO.value) != bool(slash and numerator and denominator):
            raise InputError(
                f"--metric is {text!r}: a ratio, and only a ratio, has two columns.",
                "Write it like revenue/orders:ratio",
            )
        found.append(
            Metric(
                name=name,
                kind=MetricKind(kind_text),
                numerator=numerator,
                denominator=denominator,
                higher_is_better=not lower,
                role=Role.SECONDARY if found else Role.PRIMARY,
            )
        )
    return tuple(found)


def one_of(value: str, known: Sequence[str], option: str) -> str:
    """The value when it is known. Raises InputError naming those that are."""
    if value not in known:
        raise InputError(f"{option} is {value!r}.", f"It is one of: {', '.join(known)}.")
    return value
