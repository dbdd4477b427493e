"""Which attributes can be seen at all, and where: a colour under coloured lamps may not be told from another.

An attribute is *requested* of a picture only where renders show it. The rule, fixed before any generated picture is
looked at: on renders that the probe has not seen, it must read the attribute in at least nine of ten pictures of such
a kind. A kind is (setting, light) for sets and (framing, number) for people, without what is asked itself: a probe that
always says the same would else be right about pictures of that kind. For a colour or a skin tone it must also be so for
(light, value). Kinds have few renders each, so their accuracy is drawn towards what their two
parts say: the product of both parts' accuracies over the overall one, counted as ``PRIOR`` further renders.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.probe_net import FINER, HEADS, told
from training.world import Facts

if TYPE_CHECKING:
    from training.dataset import Data
    from training.probe import Probe

LEAST = 0.9
PRIOR = 8

_KINDS = {"set": ("setting", "light"), "people": ("framing", "count")}
_BY_VALUE = frozenset({"colour", "skin"})


@dataclass(slots=True)
class Tally:
    """How many renders were read, and how many rightly."""

    right: int = 0
    count: int = 0

    def add(self, right: bool) -> None:
        """Count one more."""
        self.right += right
        self.count += 1

    @property
    def share(self) -> float:
        """The share read rightly, slightly towards one half so that nothing is certain."""
        return (self.right + 0.5) / (self.count + 1)


@dataclass(slots=True)
class Visibility:
    """What renders show: accuracies of kinds of pictures, and the probe's figures on the renders they come from."""

    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    figures: dict[str, Any] = field(default_factory=dict)

    def shows(self, facts: Mapping[str, str | int], attribute: str) -> bool:
        """Whether the attribute is there and a render of these facts shows it."""
        value = told(facts, attribute)
        return value is not None and all(self._cell(key) >= LEAST for key in keys_of(facts, attribute, value))

    def requested(self, facts: Mapping[str, str | int], *, finer: bool = False) -> list[str]:
        """The attributes a picture of these facts must show; ``finer`` takes in those a caption may leave out."""
        names = HEADS[str(facts["subject"])]
        return [name for name in names if (finer or name not in FINER) and self.shows(facts, name)]

    def _cell(self, key: tuple[str, str, str]) -> float:
        whole, first, second = (self._share(text) for text in _parents(key))
        prior = min(1.0, first * second / max(whole, 1e-6))
        cell = self.tallies.get(_text(key), Tally())
        return (cell.right + PRIOR * prior) / (cell.count + PRIOR)

    def _share(self, text: str) -> float:
        return self.tallies.get(text, Tally()).share

    def as_json(self) -> dict[str, Any]:
        """All of it, for a file."""
        return {
            "rule": {"least": LEAST, "prior": PRIOR},
            "tallies": {key: [tally.right, tally.count] for key, tally in sorted(self.tallies.items())},
            "figures": self.figures,
        }

    @classmethod
    def load(cls, out: Path) -> Visibility:
        """What ``train_probe`` has written into a run's folder."""
        kept = json.loads((Path(out) / "probe" / "visibility.json").read_text("utf-8"))
        seen = cls(figures=kept["figures"])
        seen.tallies.update({key: Tally(right, count) for key, (right, count) in kept["tallies"].items()})
        return seen


def keys_of(facts: Mapping[str, str | int], attribute: str, value: str) -> list[tuple[str, str, str]]:
    """The kinds a picture belongs to for one attribute: (subject and attribute, first part, second part)."""
    subject = str(facts["subject"])
    first, second = (f"{part}={facts[part]}" if part != attribute else "any" for part in _KINDS[subject])
    keys = [(f"{subject}.{attribute}", first, second)]
    if attribute in _BY_VALUE:
        keys.append((f"{subject}.{attribute}", f"light={facts['light']}", f"value={value}"))
    return keys


def visibility(probe: Probe, data: Data) -> Visibility:
    """Try the probe on the training renders kept from it, and take its figures on those of held-out combinations."""
    import numpy as np

    from training.probe import square, validation

    seen = Visibility()
    images, facts = validation(data)
    readings = probe.read(images, [str(row["subject"]) for row in facts])
    for row, reading in zip(facts, readings, strict=True):
        for attribute in HEADS[str(row["subject"])]:
            value = told(row, attribute)
            if value is None:
                continue
            right = reading[attribute] == value
            for text in {text for key in keys_of(row, attribute, value) for text in (_text(key), *_parents(key))}:
                seen.tallies[text].add(right)
    seen.figures["validation"] = accuracies(readings, facts, seen)
    shards = square(data, "held")
    held = [row for shard in shards for row in shard.facts]
    readings = probe.read(np.concatenate([shard.images for shard in shards]), [str(row["subject"]) for row in held])
    seen.figures["held"] = accuracies(readings, held, seen)
    return seen


def accuracies(
    readings: Sequence[Mapping[str, str]], facts: Sequence[Facts], seen: Visibility
) -> dict[str, dict[str, float | int]]:
    """For each head its ``accuracy`` over all, ``visible`` over what renders show, the counts, the share shown."""
    found: dict[str, dict[str, float | int]] = {}
    for subject, names in HEADS.items():
        for name in names:
            every, shown = Tally(), Tally()
            for row, reading in zip(facts, readings, strict=True):
                value = told(row, name)
                if row["subject"] != subject or value is None:
                    continue
                every.add(reading[name] == value)
                if seen.shows(row, name):
                    shown.add(reading[name] == value)
            if every.count:
                found[f"{subject}.{name}"] = {
                    "accuracy": round(every.right / every.count, 4),
                    "count": every.count,
                    "visible": round(shown.right / max(shown.count, 1), 4),
                    "visible_count": shown.count,
                    "share_visible": round(shown.count / every.count, 4),
                }
    return found


def _text(key: tuple[str, str, str]) -> str:
    return "|".join(key)


def _parents(key: tuple[str, str, str]) -> tuple[str, str, str]:
    return key[0], f"{key[0]}|{key[1]}", f"{key[0]}|{key[2]}"
