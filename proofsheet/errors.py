"""The errors a user may see: each names the thing, the value got, the rule and the remedy."""

from __future__ import annotations

import importlib
from types import ModuleType


class ProofsheetError(Exception):
    """A problem the user can act on.

    Args:
        message: what is wrong: the thing, the value got and the rule it broke.
        hint: what to do about it; printed on its own line.

    The front doors print ``message`` and ``hint`` and exit with ``exit_code``; a traceback is never shown.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class InputError(ProofsheetError):
    """A file, option or value given by the user breaks a rule (exit status 2)."""

    exit_code = 2


class NotFoundError(ProofsheetError):
    """Something named does not exist (exit status 3)."""

    exit_code = 3


class StateError(ProofsheetError):
    """The step asked for is not allowed from the present state (exit status 4)."""

    exit_code = 4


class BusyError(ProofsheetError):
    """Another process held the warehouse for longer than the waiting limit (exit status 5)."""

    exit_code = 5


class MissingExtraError(ProofsheetError):
    """An optional part is not installed (exit status 6)."""

    exit_code = 6


def require(module: str, why: str, extra: str = "creative") -> ModuleType:
    """Import an optional module, or say exactly how to install it.

    Args:
        module: dotted module name, such as ``"torch"``.
        why: what needs it, as the end of the sentence "… is needed".
        extra: the extra of this distribution that brings it.

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(
            f"The package {module!r} is needed {why}, and is not installed.",
            f'Install it with: pip install "proofsheet[{extra}]"',
        ) from error
