"""Safe area: what must be seen stays clear of the platform's interface, of each other, and of the logo's space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from proofsheet.domain.assessment import Score, Verdict
from proofsheet.domain.asset import Box, Composition
from proofsheet.domain.campaign import BrandKit, Placement
from scoring.contrast import role_word, shown_scale
from scoring.scorer import Assessment, Subject, score_of
from scoring.verdict import Rules, load_rules

_ALL = 100.0


@dataclass(frozen=True, slots=True)
class Element:
    """Something that must be seen: what it is, in words, and where it stands."""

    kind: str  # "text" | "button" | "logo" | "product"
    words: str
    box: Box


class SafeAreaScorer:
    """Scores safe area, product's visibility, overlap, the logo's space and size, and the share and size of text.

    Uploads are not judged: what stands where on them is not known.
    """

    name = "safe_area"
    version = "1"
    compares = False

    def __init__(self, *, rules: Rules | None = None) -> None:
        self._rules = rules or load_rules()

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order."""
        for subject in subjects:
            if subject.composition is None:
                why = "What stands where is not known for an upload; look at it in the placement's preview."
                yield Assessment((self._score(subject.asset.id, "safe_area", None, "%", why),))
                continue
            parts = (
                self._inside(subject, subject.composition),
                self._overlap(subject.asset.id, subject.composition),
                self._logo_space(subject.asset.id, subject.composition, brand.clear_space),
                self._logo_size(subject.asset.id, subject.composition),
                self._text(subject.asset.id, subject.composition),
            )
            joined = Assessment()
            for part in parts:
                joined = joined.joined(part)
            yield joined

    def _score(self, asset_id: str, criterion: str, value: float | None, unit: str, detail: str = "") -> Score:
        return score_of(self, asset_id, criterion, value, unit, detail)

    def _inside(self, subject: Subject, composition: Composition) -> Assessment:
        asset_id, platform = subject.asset.id, subject.placement.platform or subject.placement.title
        free = free_box(subject.placement, composition)
        elements = [one for one in elements_of(composition) if one.kind != "product"]
        shares = {one: _ALL * share_inside(one.box, free) for one in elements}
        least = min(elements, key=lambda one: shares[one], default=None)
        value = shares[least] if least else _ALL
        out = [one.words for one in elements if shares[one] < self._rules["safe_area"].good]
        product = _ALL * share_inside(composition.product, free)
        verdicts = (
            self._rules["safe_area"].judge(
                asset_id,
                value,
                platform=platform,
                outside=capital(least.words) if least else "",
                outside_plain=least.words if least else "",
                direction=_way_in(least.box, free) if least else "",
                boxes=[one.box for one in elements if shares[one] < self._rules["safe_area"].good],
            ),
            self._rules["product_visible"].judge(asset_id, product, platform=platform, boxes=[composition.product]),
        )
        scores = (
            self._score(asset_id, "safe_area", value, "%", f"Outside: {', '.join(out)}" if out else "All inside"),
            self._score(asset_id, "product_visible", product, "%"),
        )
        return Assessment(scores, verdicts)

    def _overlap(self, asset_id: str, composition: Composition) -> Assessment:
        hits: list[tuple[str, float, Element, Element]] = []
        intended = {f"the {role_word(role)}" for role in composition.intended_overlaps}
        for first, second in combinations(elements_of(composition), 2):
            share = _ALL * share_covered(first.box, second.box)
            if share <= 0 or _belong_together(first, second):
                continue
            if second.kind == "product":
                common = _area(_common(first.box, second.box))
                if first.words in intended:
                    hits.append(("intended_overlap", _ALL * common / max(1, _area(first.box)), first, second))
                else:
                    hits.append(("overlap", _ALL * common / max(1, _area(second.box)), first, second))
            else:
                hits.append(("collision", share, first, second))
        hits.extend(self._loose_labels(composition))
        worst: Verdict | None = None
        value, told = 0.0, []
        for rule, share, first, second in hits:
            verdict = self._rules[rule].judge(
                asset_id,
                share,
                first=capital(first.words),
                second=second.words,
                boxes=(first.box, second.box, _common(first.box, second.box)),
            )
            told.append(f"{first.words} and {second.words} {share:.0f} %")
            if worst is None or (verdict.grade.severity, share) > (worst.grade.severity, value):
                worst, value = verdict, share
        if worst is None:
            worst = self._rules["collision"].judge(asset_id, 0.0, first="", second="")
        return Assessment((self._score(asset_id, "overlap", value, "%", "; ".join(told)),), (worst,))

    def _loose_labels(self, composition: Composition) -> Iterator[tuple[str, float, Element, Element]]:
        """Button texts that stick out of their button."""
        if composition.button is None:
            return
        button = Element("button", "the button", composition.button)
        for run in composition.texts:
            if run.role == "cta" and (out := _ALL * (1 - share_inside(run.box, composition.button))) > 0.5:
                yield "collision", out, Element("text", "the button text", run.box), button

    def _logo_space(self, asset_id: str, composition: Composition, clear_space: float) -> Assessment:
        logo = logo_box(composition)
        if logo is None:
            return Assessment((self._score(asset_id, "logo_space", None, "%", "There is no logo on it."),))
        needed = clear_space * logo.height
        others = [one for one in elements_of(composition) if one.kind != "logo"]
        if not others or needed <= 0:
            return Assessment((self._score(asset_id, "logo_space", _ALL, "%"),))
        nearest = min(others, key=lambda one: gap(logo, one.box))
        kept = min(_ALL, _ALL * gap(logo, nearest.box) / needed)
        verdict = self._rules["logo_space"].judge(
            asset_id,
            kept,
            intruder=capital(nearest.words),
            intruder_plain=nearest.words,
            boxes=(_grown(logo, round(needed)), nearest.box),
        )
        return Assessment((self._score(asset_id, "logo_space", kept, "%", f"Nearest: {nearest.words}"),), (verdict,))

    def _logo_size(self, asset_id: str, composition: Composition) -> Assessment:
        """The logo's shorter side at the size at which the picture is usually shown."""
        logo = logo_box(composition)
        if logo is None:
            return Assessment((self._score(asset_id, "logo_size", None, "px", "There is no logo on it."),))
        shown = min(logo.width, logo.height) * shown_scale(composition.width, composition.height, self._rules)
        verdict = self._rules["logo_size"].judge(asset_id, shown, boxes=[logo])
        return Assessment((self._score(asset_id, "logo_size", shown, "px", "Shorter side, as shown"),), (verdict,))

    def _text(self, asset_id: str, composition: Composition) -> Assessment:
        picture = composition.width * composition.height
        share = _ALL * sum(_area(run.box) for run in composition.texts) / picture
        headline = _ALL * sum(_area(run.box) for run in composition.texts if run.role == "headline") / picture
        scores = [
            self._score(asset_id, "text_share", share, "%"),
            self._score(asset_id, "headline_share", headline, "%"),
        ]
        boxes = [run.box for run in composition.texts]
        verdicts = [self._rules["text_share"].judge(asset_id, share, boxes=boxes)]
        read = [run for run in composition.texts if run.role != "wordmark"]
        if read:
            scale = shown_scale(composition.width, composition.height, self._rules)
            smallest = min(read, key=lambda run: run.size)
            size = smallest.size * scale
            scores.append(self._score(asset_id, "text_size", size, "px", f"{smallest.role}, as shown"))
            verdicts.append(
                self._rules["text_size"].judge(asset_id, size, role=role_word(smallest.role), boxes=[smallest.box])
            )
        return Assessment(tuple(scores), tuple(verdicts))


def free_box(placement: Placement, composition: Composition) -> Box:
    """What is free of the placement's interface and inside what the composer kept free."""
    left, top, right, bottom = placement.safe_area.box(composition.width, composition.height)
    return _common(Box(left=left, top=top, right=right, bottom=bottom), composition.safe)


def logo_box(composition: Composition) -> Box | None:
    """The logo's box, or that of the brand name set in its place; None when there is neither."""
    if composition.logo is not None:
        return composition.logo
    return next((run.box for run in composition.texts if run.role == "wordmark"), None)


def elements_of(composition: Composition) -> tuple[Element, ...]:
    """All that must be seen: texts, then button, logo and product."""
    found = [
        Element("text", f"the {role_word(run.role)}", run.box) for run in composition.texts if run.role != "wordmark"
    ]
    if composition.button is not None:
        found.append(Element("button", "the button", composition.button))
    if (logo := logo_box(composition)) is not None:
        found.append(Element("logo", "the logo", logo))
    found.append(Element("product", "the product", composition.product))
    return tuple(found)


def _belong_together(first: Element, second: Element) -> bool:
    return {first.kind, second.kind} == {"text", "button"} and "the button text" in {first.words, second.words}


def _area(box: Box) -> int:
    return max(0, box.width) * max(0, box.height)


def _common(first: Box, second: Box) -> Box:
    return Box(
        left=max(first.left, second.left),
        top=max(first.top, second.top),
        right=min(first.right, second.right),
        bottom=min(first.bottom, second.bottom),
    )


def _grown(box: Box, by: int) -> Box:
    return Box(left=box.left - by, top=box.top - by, right=box.right + by, bottom=box.bottom + by)


def share_inside(box: Box, within: Box) -> float:
    """The share (0–1) of a box's area that lies within another; 1 for an empty box."""
    return _area(_common(box, within)) / _area(box) if _area(box) else 1.0


def share_covered(first: Box, second: Box) -> float:
    """The share (0–1) of the smaller of two boxes that the other one hits."""
    smaller = min(_area(first), _area(second))
    return _area(_common(first, second)) / smaller if smaller else 0.0


def gap(first: Box, second: Box) -> float:
    """The distance in pixels between two boxes, the larger of across and down, as clear space is a frame."""
    across = max(first.left - second.right, second.left - first.right, 0)
    down = max(first.top - second.bottom, second.top - first.bottom, 0)
    return float(max(across, down))


def _way_in(box: Box, free: Box) -> str:
    """Which way a box must go to be inside, with the pixels."""
    ways = [
        (free.left - box.left, "to the right"),
        (free.top - box.top, "down"),
        (box.right - free.right, "to the left"),
        (box.bottom - free.bottom, "up"),
    ]
    return " and ".join(f"{pixels} px {way}" for pixels, way in ways if pixels > 0) or "inwards"


def capital(words: str) -> str:
    """The words with a capital first letter."""
    return words[:1].upper() + words[1:]
