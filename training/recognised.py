"""How much of what was asked for a probe finds in pictures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics import Share
from training.probe import Probe
from training.probe_net import FINER, HEADS, told
from training.visibility import Visibility
from training.world import Facts


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a probe reads of pictures, beside what was asked of them.

    Args:
        facts: what was asked for.
        readings: what the probe reads, in the same order.
        seen: which attributes renders of such facts show; only those count.
    """

    facts: Sequence[Facts]
    readings: Sequence[Mapping[str, str]]
    seen: Visibility

    @classmethod
    def of(cls, probe: Probe, images: NDArray[np.uint8], facts: Sequence[Facts], seen: Visibility) -> Recognised:
        """Let the probe read pictures (N, 128, 128, 3)."""
        return cls(facts, probe.read(images, [str(row["subject"]) for row in facts]), seen)

    def attributes(self) -> dict[str, Share]:
        """For each head (``"set.colour"`` …) how many of the pictures that must show it do."""
        found = {}
        for subject, names in HEADS.items():
            for name in names:
                hits = [hit for row, hit in self._hits(name) if row["subject"] == subject]
                if hits:
                    found[f"{subject}.{name}"] = Share(sum(hits), len(hits))
        return found

    def together(self, subject: str = "", *, finer: bool = False) -> Share:
        """How many pictures show everything asked for; with ``finer`` also what a caption may leave out.

        Pictures of which nothing can be seen, and so nothing can be asked, do not count.
        """
        hits = [
            all(hit for _, hit in found)
            for row, reading in zip(self.facts, self.readings, strict=True)
            if subject in ("", row["subject"]) and (found := self._found(row, reading, finer))
        ]
        return Share(sum(hits), len(hits))

    def all_readings(self, *, finer: bool = False) -> Share:
        """All single attributes of all pictures counted together."""
        hits = [
            hit
            for row, reading in zip(self.facts, self.readings, strict=True)
            for _, hit in self._found(row, reading, finer)
        ]
        return Share(sum(hits), len(hits))

    def unfiltered(self) -> dict[str, Share]:
        """For each head, and for ``"all"``, how many pictures show what was asked, whether renders show it or not."""
        hits: dict[str, list[bool]] = defaultdict(list)
        for row, reading in zip(self.facts, self.readings, strict=True):
            for name in HEADS[str(row["subject"])]:
                if (value := told(row, name)) is not None:
                    hits[f"{row['subject']}.{name}"].append(reading[name] == value)
        main = [hit for head, found in hits.items() if head.partition(".")[2] not in FINER for hit in found]
        return {head: Share(sum(found), len(found)) for head, found in [*hits.items(), ("all", main)]}

    def requested(self) -> Share:
        """How many of the attributes that the facts have are requested at all, the finer ones aside."""
        hits = [
            self.seen.shows(row, name)
            for row in self.facts
            for name in HEADS[str(row["subject"])]
            if name not in FINER and told(row, name) is not None
        ]
        return Share(sum(hits), len(hits))

    def mistakes(self, most: int = 6) -> dict[str, list[str]]:
        """For each head the most frequent mistakes, as ``"asked → read × times"``."""
        counts: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        for row, reading in zip(self.facts, self.readings, strict=True):
            for name in self.seen.requested(row, finer=True):
                if reading[name] != str(row[name]):
                    counts[f"{row['subject']}.{name}"][str(row[name]), reading[name]] += 1
        return {
            head: [f"{asked} → {read} × {times}" for (asked, read), times in counter.most_common(most)]
            for head, counter in sorted(counts.items())
        }

    def as_json(self) -> dict[str, Any]:
        """All of it, for a file."""
        return {
            "attributes": {head: share.as_json() for head, share in self.attributes().items()},
            "readings": self.all_readings().as_json(),
            "together": self.together().as_json(),
            "together_sets": self.together("set").as_json(),
            "together_people": self.together("people").as_json(),
            "together_with_finer": self.together(finer=True).as_json(),
            "unfiltered": {head: share.as_json() for head, share in self.unfiltered().items()},
            "mistakes": self.mistakes(),
        }

    def _found(self, row: Facts, reading: Mapping[str, str], finer: bool) -> list[tuple[str, bool]]:
        """What is requested of a picture, and whether the probe finds it."""
        return [(name, reading[name] == str(row[name])) for name in self.seen.requested(row, finer=finer)]

    def _hits(self, name: str) -> list[tuple[Facts, bool]]:
        return [
            (row, reading[name] == str(row[name]))
            for row, reading in zip(self.facts, self.readings, strict=True)
            if name in HEADS[str(row["subject"])] and self.seen.shows(row, name)
        ]
