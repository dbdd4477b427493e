"""Brand fit on brands that the house CLIP never saw, and calibration on simulated reviewers.

    python benchmarks/calibration.py [--runs 40] [--masters FOLDER]

``--masters`` keeps the large renders that pictures are cut out of, so that a second run is faster. Run it again
whenever the house CLIP has changed: the page names the model by its fingerprint.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from held_out_brands import HeldBrand, held_brands
from numpy.typing import NDArray
from scipy.stats import rankdata

from scoring.embedding import Embedder
from scoring.fit.calibration import calibrate, reliability
from scoring.fit.yardsticks import RULES, Descriptors, References, Yardstick, by_words, phrases_and_contrasts
from scoring.house import Lexicon, house_model
from scoring.verdict import load_rules
from training import phrases as say

Floats = NDArray[np.float64]
REFERENCES, OWN, BRANDS = 12, 16, 40
CLAIMS = (("setting", say.SETTING, "{}"), ("light", say.LIGHT, "{}"), ("colour", say.COLOUR, "{} colours"))
REVIEWS = (50, 100, 200, 400, 1_000, 2_000)
FRESH = 20_000
SEED = 2026

#: Simulated reviewers: the chance that one approves a picture whose score stands at the share u (0–1) of all scores.
REVIEWERS: Mapping[str, Callable[[Floats], Floats]] = {
    "more and more": lambda u: 1 / (1 + np.exp(-(6 * u - 2.5))),
    "hardly care": lambda u: 0.5 + 0.2 * u,
    "a threshold": lambda u: 0.08 + 0.84 / (1 + np.exp(-30 * (u - 0.35))),
    "up to a plateau": lambda u: np.clip(0.2 + 1.2 * u, 0.0, 0.85),
    "two steps": lambda u: 0.1 + 0.4 * (u > 0.3) + 0.4 * (u > 0.75),
}


@dataclass(frozen=True, slots=True)
class Looked:
    """What one yardstick says of a brand's own pictures and of those of the other brands, and which are near."""

    own: Floats
    others: Floats
    near: NDArray[np.bool_]  # of the others: two of setting, light and colour are the brand's


def auc(own: Floats, others: Floats) -> float:
    """The chance that one's own picture has the better score than another's; ties count half."""
    ranks = rankdata(np.concatenate([own, others]))
    return float((ranks[: own.size].sum() - own.size * (own.size + 1) / 2) / (own.size * others.size))


def look(
    brands: Sequence[HeldBrand], vectors: Sequence[NDArray[np.float32]], sticks: Sequence[Yardstick]
) -> list[Looked]:
    """Measure every brand's pictures (vectors, by brand) by every brand's yardstick."""
    found = []
    for place, (brand, stick) in enumerate(zip(brands, sticks, strict=True)):
        values = [np.array([stick.measure(vector).value for vector in group]) for group in vectors]
        rest = [index for index in range(len(brands)) if index != place]
        near = np.concatenate([np.full(len(values[i]), brand.shared(brands[i]) == 2) for i in rest])
        found.append(Looked(values[place], np.concatenate([values[i] for i in rest]), near))
    return found


def brand_lines(masters: Path) -> list[str]:
    """AUC by yardstick, on scenes and on finished advertisements."""
    name, why = house_model()
    if why:
        return [why]
    model = Embedder(name, device="cpu")
    brands = held_brands(BRANDS, REFERENCES, OWN, masters)
    sticks: dict[str, list[Yardstick]] = {
        f"{REFERENCES} references": [
            References(model.pictures(one.references), [str(n) for n in range(REFERENCES)]) for one in brands
        ],
        "three descriptors": [
            one for brand in brands if isinstance(one := by_words(model, brand.descriptors), Descriptors)
        ],
    }
    pictures = {
        "scene before text": [model.pictures(one.scenes) for one in brands],
        "finished advertisement": [model.pictures(one.adverts) for one in brands],
    }
    lines = [
        f"Model: `{model.title}`. {len(brands)} brands, each a setting, light and colour that the model never saw "
        f"together; {OWN} pictures of each against the {OWN * (len(brands) - 1)} of the others. Wanted: AUC of .95.",
        "",
        "| measured by | of | AUC, all brands' scores together | AUC, mean of brands | worst brand | against brands "
        "that share two of three | |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for by, each in sticks.items():
        for what, vectors in pictures.items():
            found = look(brands, vectors, each)
            rates = [auc(one.own, one.others) for one in found]
            near = [auc(one.own, one.others[one.near]) for one in found if one.near.any()]
            pooled = auc(np.concatenate([o.own for o in found]), np.concatenate([o.others for o in found]))
            kept = "met" if min(pooled, float(np.mean(rates))) >= 0.95 else "**missed**"
            lines.append(
                f"| {by} | {what} | {pooled:.3f} | {np.mean(rates):.3f} | {min(rates):.3f} | {np.mean(near):.3f} "
                f"| {kept} |"
            )
    return lines


def claim_lines(masters: Path) -> list[str]:
    """How many true claims are said not to be seen, and how many false ones."""
    name, why = house_model()
    if why:
        return []
    model = Embedder(name, device="cpu")
    limit = load_rules(RULES).settings["claim_seen"]
    brands = held_brands(BRANDS, 0, OWN, masters)
    lines = [
        "| claim | of | AUC | true claims called unseen | false claims called unseen |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for place, (attribute, words, form) in enumerate(CLAIMS):
        values = sorted({brand.look[place] for brand in brands})
        phrases, contrasts = phrases_and_contrasts(
            model, [form.format(words[value][0]) for value in values], Lexicon.of(model)
        )
        for what in ("scene before text", "finished advertisement"):
            true, false = list[float](), list[float]()
            for brand in brands:
                vectors = model.pictures(brand.scenes if what.startswith("scene") else brand.adverts)
                generic = vectors @ contrasts.T
                seen = (vectors @ phrases.T - generic.mean(axis=1)[:, None]) / generic.std(axis=1)[:, None]
                own = values.index(brand.look[place])
                true += seen[:, own].tolist()
                false += np.delete(seen, own, axis=1).ravel().tolist()
            yes, no = np.array(true), np.array(false)
            lines.append(
                f"| {attribute} | {what} | {auc(yes, no):.3f} | {(yes < limit).mean():.1%} "
                f"| {(no < limit).mean():.1%} |"
            )
    return lines


def simulated(runs: int) -> list[str]:
    """The expected calibration error on new reviews, by number of reviews and kind of reviewers."""
    rng = np.random.default_rng(SEED)
    lines = [
        "| reviewers | " + " | ".join(f"{n:,} reviews" for n in REVIEWS) + " |",
        "| --- |" + " ---: |" * len(REVIEWS),
    ]
    held: list[list[float]] = [[] for _ in REVIEWS]
    reached = dict.fromkeys(REVIEWERS, "never")
    for name, chance in REVIEWERS.items():
        cells = []
        for column, n in enumerate(REVIEWS):
            errors, isotonic = [], 0
            for _ in range(runs):
                scores = rng.beta(1.2, 1.0, n)
                found = calibrate(scores, rng.random(n) < chance(scores))
                if found is None:
                    continue
                new = rng.beta(1.2, 1.0, FRESH)
                errors.append(reliability(found.share(new), chance(new)).error)
                low, high = found.interval(new)
                held[column].append(float(((low <= chance(new)) & (chance(new) <= high)).mean()))
                isotonic += found.method == "isotonic"
            cells.append(f"{np.mean(errors):.3f}{f' ({isotonic / len(errors):.0%} isotonic)' if isotonic else ''}")
            if np.mean(errors) <= 0.03 and reached[name] == "never":
                reached[name] = f"{n:,}"
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines.append("| 95 % interval holds | " + " | ".join(f"{np.mean(one):.0%}" for one in held) + " |")
    when = "; ".join(f"{name}: {n}" for name, n in reached.items())
    return [*lines, "", f"Reviews from which the error is at most .03: {when}."]


def curve() -> list[str]:
    """One calibration of 1,000 reviews, told as a reviewer's table."""
    rng = np.random.default_rng(SEED + 1)
    chance = REVIEWERS["a threshold"]
    scores = rng.beta(1.2, 1.0, 1_000)
    found = calibrate(scores, rng.random(1_000) < chance(scores))
    assert found is not None
    new = rng.beta(1.2, 1.0, FRESH)
    told, own = reliability(found.share(new), rng.random(FRESH) < chance(new)), found.reliability
    return [
        f"Expected calibration error {told.error:.3f} on {FRESH:,} new reviews; {own.error:.3f} as the product says it "
        f"itself, from cross-validation, of which {own.by_chance:.3f} is what perfect chances would show.",
        "",
        "| approval foretold | approved |",
        "| ---: | ---: |",
        *(f"| {said:.1%} | {came:.1%} |" for said, came in zip(told.foretold, told.approved, strict=True)),
    ]


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--masters", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/calibration.md"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        masters = arguments.masters or Path(folder)
        brands, claims = brand_lines(masters), claim_lines(masters)
    lines = [
        "# Soft brand fit: held-out brands, and what reviewers make of it",
        "",
        f"`python benchmarks/calibration.py --runs {arguments.runs}` reproduces it, with the house CLIP as it is then.",
        "",
        "## Is a brand's own picture told from another's?",
        "",
        *brands,
        "",
        "Pictures are renders of the model's own small world, brands differ in setting, light or colour. Nothing here "
        "says how well it does on photographs.",
        "",
        "## Are a brief's claims found?",
        "",
        "Each brand's setting, light or colour as a claim of its own pictures, those of other brands as false ones.",
        "",
        *claims,
        "",
        "## Does .8 mean that 80 % approve?",
        "",
        f"Mean expected calibration error on {FRESH:,} new pictures against the simulated reviewers' true chances, "
        f"over {arguments.runs} sets of reviews a cell. Wanted: at most .03.",
        "",
        *simulated(arguments.runs),
        "",
        "With fewer reviews the number is what it can be: its interval says how far it may be off where a logistic "
        "curve fits reviewers; where none does and reviews are few, it is too narrow.",
        "",
        "### One curve: 1,000 reviews, reviewers with a threshold",
        "",
        *curve(),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
