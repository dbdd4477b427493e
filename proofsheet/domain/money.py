"""Money: an exact decimal with its currency; two currencies are never added."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from proofsheet.errors import InputError


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount in one currency (ISO 4217 code).

    Raises:
        InputError: the currency is not three capital letters, or the amount is not finite.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if len(self.currency) != 3 or not self.currency.isalpha() or not self.currency.isupper():
            raise InputError(
                f"The currency {self.currency!r} is not an ISO 4217 code.",
                "Write three capital letters, such as EUR or USD.",
            )
        if not self.amount.is_finite():
            raise InputError(f"The amount {self.amount} is not a finite number.", "Give a plain amount.")

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.amount - other.amount, self.currency)

    def __mul__(self, factor: int | Decimal) -> Money:
        return Money(self.amount * factor, self.currency)

    def per(self, count: int) -> Money | None:
        """This money divided by a count; None when the count is zero."""
        return Money(self.amount / count, self.currency) if count else None

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise InputError(
                f"{self.currency} and {other.currency} cannot be added: they are different currencies.",
                "Convert one of them first, or look at them apart.",
            )

    def __str__(self) -> str:
        digits = 0 if self.currency in {"JPY", "KRW", "VND", "CLP", "HUF"} else 2
        if self.amount and abs(self.amount) < Decimal("0.01"):
            digits = 4
        return f"{self.amount:,.{digits}f} {self.currency}"
