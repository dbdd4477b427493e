"""Duplicates: pictures for the same placement and language that nobody could tell apart on a contact sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from proofsheet.domain.assessment import Score
from proofsheet.domain.asset import Asset
from proofsheet.domain.campaign import BrandKit
from scoring.fit.variety import WORDS, clusters_of
from scoring.scorer import Assessment, Subject
from scoring.signature import Signature, changed_share, hash_distance, signature_of
from scoring.verdict import Rules, load_rules

_CANDIDATES = 4  # the nearest by grid that are looked at closely, besides all within _NEAR_GRID
_NEAR_GRID = 3.0  # twins' coarse grids are nearer than this (mean CIELAB distance); most others are far beyond


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like another subject one is: the other's index, the changed share (0–1) and the hash distance in bits."""

    other: int
    changed: float
    bits: int


class DuplicatesScorer:
    """Scores ``duplicates``: the share of the thumbnail that differs from the nearest other picture, with a verdict.

    Only pictures for the same placement and locale are compared. Different words on the same scene are a legitimate
    pair as long as a thumbnail shows that they differ.
    """

    name = "duplicates"
    version = "1"
    compares = True

    def __init__(self, *, rules: Rules | None = None) -> None:
        self._rules = rules or load_rules()

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order; pictures are opened one at a time and only signatures are kept."""
        signatures = [signature_of(subject.image()) for subject in subjects]
        groups: dict[tuple[str, str], list[int]] = {}
        for index, subject in enumerate(subjects):
            groups.setdefault((subject.asset.placement, subject.asset.locale), []).append(index)
        nearest: dict[int, Likeness] = {}
        for members in groups.values():
            nearest.update(self._nearest(signatures, subjects, members))
        sizes = {index: len(members) for members in groups.values() for index in members}
        for index, subject in enumerate(subjects):
            like = nearest.get(index)
            yield self._assessment(subject.asset, like, subjects[like.other].asset if like else None, sizes[index] - 1)

    def _nearest(
        self, signatures: Sequence[Signature], subjects: Sequence[Subject], members: Sequence[int]
    ) -> dict[int, Likeness]:
        """By index, the other picture of the group that is furthest below (or least above) its rule's limit."""
        if len(members) < 2:
            return {}
        kept = [signatures[i] for i in members]
        likes: dict[int, list[tuple[float, int, Likeness]]] = {i: [] for i in members}
        for (one, other), share in changed_shares(kept, self._rules.settings["visible_difference"]).items():
            i, j = members[one], members[other]
            bits = hash_distance(kept[one], kept[other])
            limit = self._rules[rule_for(subjects[i].asset, subjects[j].asset)].good
            likes[i].append((share / limit, bits, Likeness(j, share, bits)))
            likes[j].append((share / limit, bits, Likeness(i, share, bits)))
        return {i: min(found, key=lambda like: like[:2])[2] for i, found in likes.items()}

    def _assessment(self, asset: Asset, like: Likeness | None, twin: Asset | None, others: int) -> Assessment:
        scorer = f"{self.name}/{self.version}"
        if like is None or twin is None:
            why = "There is no other picture for this placement and language."
            return Assessment(
                (Score(asset_id=asset.id, criterion="duplicates", value=None, unit="%", scorer=scorer, detail=why),)
            )
        differing = differing_levels(asset.levels, twin.levels)
        name = f"“{twin.label}” ({twin.id})" if twin.label else twin.id
        detail = f"Nearest: {name}, {like.bits} of 64 hash bits differ"
        if differing:
            levels = f"By plan the two differ in {' and '.join(differing)}."
            mend = f"Make the two levels of {' and '.join(differing)} look more different, or reject one of the two."
            detail += f"; levels differ in {', '.join(differing)}"
        else:
            levels = "They do not differ by plan either." if asset.levels or twin.levels else ""
            mend = "Reject one of the two: showing both teaches nothing."
        value = 100 * like.changed
        verdict = self._rules[rule_for(asset, twin)].judge(
            asset.id, value, others=others, twin=name, levels=levels, mend=mend
        )
        score = Score(asset_id=asset.id, criterion="duplicates", value=value, unit="%", scorer=scorer, detail=detail)
        return Assessment((score,), (verdict,))


def changed_shares(signatures: Sequence[Signature], visible: float) -> dict[tuple[int, int], float]:
    """The changed share (0–1) of the pairs (lower index first) that may look alike: of each its nearest by grid."""
    if len(signatures) < 2:
        return {}
    grids = np.stack([one.grid for one in signatures])
    shares: dict[tuple[int, int], float] = {}
    for i in range(len(signatures)):
        distance = np.sqrt(((grids - grids[i]) ** 2).sum(axis=2)).mean(axis=1)
        ranked = np.argsort(distance, kind="stable")
        for j in ranked[: max(_CANDIDATES + 1, int((distance <= _NEAR_GRID).sum()))].tolist():
            pair = (min(i, j), max(i, j))
            if i != j and pair not in shares:
                shares[pair] = changed_share(signatures[pair[0]], signatures[pair[1]], visible)
    return shares


def look_alikes(signatures: Sequence[Signature], *, rules: Rules | None = None) -> tuple[tuple[int, ...], ...]:
    """Clusters of pictures that look the same at a glance, by index: each is joined to one that it looks like.

    By the rule ``duplicates``, for pictures of which no plan says how they should differ. Single linkage: two pictures
    of a cluster may differ visibly where a third stands between them.
    """
    rules = rules or load_rules()
    twins = np.zeros((len(signatures), len(signatures)), dtype=np.bool_)
    for (one, other), share in changed_shares(signatures, rules.settings["visible_difference"]).items():
        twins[one, other] = 100 * share < rules["duplicates"].good
    return clusters_of(twins) if len(signatures) else ()


def rule_for(first: Asset, second: Asset) -> str:
    """The rule by which two thumbnails are told apart."""
    return "duplicates_words" if differ_in_words(first, second) else "duplicates"


def differ_in_words(first: Asset, second: Asset) -> bool:
    """Whether two assets differ by plan, and in words alone."""
    differing = set(differing_levels(first.levels, second.levels))
    return bool(differing) and differing <= WORDS


def differing_levels(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[str, ...]:
    """The factors in which two variants differ, in the plan's order."""
    return tuple(name for name in first if first[name] != second.get(name)) + tuple(
        name for name in second if name not in first
    )
