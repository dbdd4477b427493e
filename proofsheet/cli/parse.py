"""What options mean: money, metrics, key=value pairs and judgements, from text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from proofsheet.domain.assessment import Judgement
from proofsheet.domain.experiment import OVER_ANOTHER, Metric, MetricKind, Role
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


#: Kinds of metrics that an experiment kept here can have; of a file all can be asked.
KEPT_KINDS = (MetricKind.PROPORTION, MetricKind.MEAN, MetricKind.RATIO)


def metrics(texts: Sequence[str], kinds: Sequence[MetricKind] = KEPT_KINDS) -> tuple[Metric, ...]:
    """``["retention_7:proportion", "spend/clicks:ratio:lower"]`` as metrics, the first one primary.

    After the kind may follow ``lower``, which says that lower is better, and of a mean ``cap=0.999``, the quantile at
    which it is winsorised. A quantile has its level behind the kind: ``seconds:quantile=0.9``.

    Raises:
        InputError: the kind is unknown, a ratio or rate has no denominator, or a level is no share.
    """
    found: list[Metric] = []
    for text in texts:
        rest, upper, lower = text, 1.0, False
        while (last := rest.rpartition(":")[2]) in ("lower", "higher") or last.startswith("cap="):
            rest = rest.rpartition(":")[0]
            lower = last == "lower" if "=" not in last else lower
            upper = _share(text, last) if "=" in last else upper
        name, colon, kind_text = rest.rpartition(":")
        kind, equals, _ = kind_text.partition("=")
        known = [one.value for one in kinds]
        if not colon or kind not in known or not name or (equals and kind != MetricKind.QUANTILE.value):
            raise InputError(
                f"--metric is {text!r}: not of the form column:kind.",
                f"The kind is one of {', '.join(known)}; for example retention_7:proportion, spend/clicks:ratio:lower.",
            )
        numerator, slash, denominator = name.partition("/")
        if (MetricKind(kind) in OVER_ANOTHER) != bool(slash and numerator and denominator):
            raise InputError(
                f"--metric is {text!r}: a ratio or rate, and nothing else, has two columns.",
                "Write it like revenue/orders:ratio",
            )
        level = _share(text, kind_text) if equals else 0.5
        if kind == MetricKind.QUANTILE.value:
            name = f"{name} at {level:.4g}"
        found.append(
            Metric(
                name=name if upper == 1.0 else f"{name} up to {upper:.6g}",
                kind=MetricKind(kind),
                numerator=numerator,
                denominator=denominator,
                higher_is_better=not lower,
                role=Role.SECONDARY if found else Role.PRIMARY,
                level=level,
                upper=upper,
            )
        )
    return tuple(found)


def _share(text: str, option: str) -> float:
    """What stands behind the equals sign, between 0 and 1."""
    try:
        value = float(option.partition("=")[2])
    except ValueError:
        value = -1.0
    if not 0.0 < value < 1.0:
        raise InputError(
            f"--metric is {text!r}: {option!r} has no share between 0 and 1.", "Write it like spend:mean:cap=0.999"
        )
    return value


def one_of(value: str, known: Sequence[str], option: str) -> str:
    """The value when it is known. Raises InputError naming those that are."""
    if value not in known:
        raise InputError(f"{option} is {value!r}.", f"It is one of: {', '.join(known)}.")
    return value
