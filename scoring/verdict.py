"""Verdicts by stated rules: thresholds, reasons and remedies live in ``thresholds.toml``, not in code."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from proofsheet.domain.assessment import Action, Grade, Verdict
from proofsheet.domain.asset import Box
from proofsheet.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a number becomes a grade.

    ``better`` is "high" or "low". A value at least as good as ``good`` passes; one at least as good as ``fair`` wants
    review; a worse one gets ``worst``. Without ``fair`` there is no middle ground. The texts are templates that may
    use ``{value}``, ``{good}``, ``{fair}`` and the facts the scorer names. ``action`` is the remedy, one of ``Action``.
    """

    name: str
    criterion: str
    better: str
    good: float
    fair: float | None
    worst: Grade
    reasons: Mapping[Grade, str]
    remedy: str
    action: str = ""
    source: str = ""

    def grade(self, value: float) -> Grade:
        """The grade of a value."""
        if self._reaches(value, self.good):
            return Grade.PASS
        if self.fair is not None and self._reaches(value, self.fair):
            return Grade.REVIEW
        return self.worst

    def _reaches(self, value: float, limit: float) -> bool:
        return value >= limit if self.better == "high" else value <= limit

    def judge(
        self, asset_id: str, value: float, *, boxes: Iterable[Box] = (), colours: Iterable[str] = (), **facts: Any
    ) -> Verdict:
        """The verdict on a value.

        ``facts`` fill the words of the reason and the remedy; ``boxes`` and ``colours`` are its evidence, which a
        verdict that passes does without.
        """
        grade = self.grade(value)
        mended = grade is not Grade.PASS
        words = {"value": value, "good": self.good, "fair": self.fair, **facts}
        return Verdict(
            asset_id=asset_id,
            criterion=self.criterion,
            grade=grade,
            reason=self.reasons[grade].format(**words),
            remedy=self.remedy.format(**words) if mended else "",
            action=self.action if mended else "",
            boxes=tuple(boxes) if mended else (),
            colours=tuple(colours) if mended else (),
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules by name, and the plain settings that measuring needs."""

    rules: Mapping[str, Rule]
    settings: Mapping[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Rule:
        return self.rules[name]


@cache
def load_rules(path: Path | None = None) -> Rules:
    """Read the rules; the bundled table when no path is given.

    Raises:
        InputError: the file is not TOML, or a rule lacks a key, has an unknown one or one of the wrong type.
    """
    where = str(path) if path else "scoring/thresholds.toml"
    try:
        text = path.read_text("utf-8") if path else files("scoring").joinpath("thresholds.toml").read_text("utf-8")
        table = tomllib.loads(text)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The rules in {where} cannot be read: {error}.", "Mend or remove that file.") from error
    settings = {name: float(value) for name, value in table.pop("settings", {}).items()}
    return Rules({name: _rule(name, entry, where) for name, entry in table.items()}, settings)


_KEYS = {"criterion", "better", "good", "fair", "worst", "pass", "review", "fail", "remedy", "action", "source"}


def _rule(name: str, entry: Mapping[str, Any], where: str) -> Rule:
    hint = f"Mend [{name}] in {where}."
    if unknown := set(entry) - _KEYS:
        raise InputError(f"Rule {name} has unknown keys: {', '.join(sorted(unknown))}.", hint)
    if missing := {"criterion", "better", "good", "pass", "remedy"} - set(entry):
        raise InputError(f"Rule {name} lacks {', '.join(sorted(missing))}.", hint)
    if entry["better"] not in {"high", "low"}:
        raise InputError(f"Rule {name} has better = {entry['better']!r}; it must be high or low.", hint)
    if (action := str(entry.get("action", ""))) and action not in set(Action):
        raise InputError(f"Rule {name} has action = {action!r}; it must be one of {', '.join(Action)}.", hint)
    worst = Grade(entry.get("worst", "FAIL"))
    reasons = {Grade.PASS: str(entry["pass"])}
    for grade, key, other in ((Grade.REVIEW, "review", "fail"), (Grade.FAIL, "fail", "review")):
        text = entry.get(key, entry.get(other))
        if text is None:
            raise InputError(f"Rule {name} lacks the reason for {grade}.", hint)
        reasons[grade] = str(text)
    for template in (*reasons.values(), str(entry["remedy"])):
        try:
            list(string.Formatter().parse(template))
        except ValueError as error:
            raise InputError(f"Rule {name} has a text that is no template: {error}.", hint) from error
    fair = entry.get("fair")
    return Rule(
        name=name,
        criterion=str(entry["criterion"]),
        better=str(entry["better"]),
        good=float(entry["good"]),
        fair=None if fair is None else float(fair),
        worst=worst,
        reasons=reasons,
        remedy=str(entry["remedy"]),
        action=action,
        source=str(entry.get("source", "")),
    )


def ranked(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts that ask for something, the gravest first; those of one grade in the order of mending.

    A damaged picture is composed again before anything else is judged; then words, layout, scene and colours, as each
    of these moves what comes after it; the export last.
    """
    order = (Action.RE_COMPOSE, Action.RE_WORD, Action.RE_LAYOUT, Action.REDRAW, Action.RE_COLOUR, Action.EXPORT)
    places = {str(action): place for place, action in enumerate(order)}
    asking = (verdict for verdict in verdicts if verdict.grade is not Grade.PASS)
    return tuple(sorted(asking, key=lambda one: (-one.grade.severity, places.get(one.action, len(places)))))
