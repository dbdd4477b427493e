"""The evaluation as tables a person reads: targets first, then every attribute, then the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.attributes import PEOPLE
from training.probe_net import FINER, HEADS

Figures = Mapping[str, Any]


def tables(figures: Figures) -> str:
    """The whole report in Markdown."""
    parts = [
        "# The house models, measured",
        _preface(figures),
        "## Against the targets",
        targets_table(figures),
        "## Attribute by attribute",
        attributes_table(figures),
        _requested(figures),
        "## House CLIP",
        clip_table(figures),
        "## Diversity",
        diversity_table(figures),
        "## Fidelity",
        frechet_table(figures),
        "## Memorisation",
        memorisation_table(figures),
        "## What the probe mistakes most in generated scenes",
        _mistakes(figures),
    ]
    return "\n\n".join(parts) + "\n"


def targets(figures: Figures) -> list[tuple[str, str, str, bool]]:
    """What was to be reached: (what, at least, measured with its interval, whether it is)."""
    ae, generated, clip = figures["autoencoder"], figures["generated"], figures["clip"]["renders"]
    people = _worst(
        {name: clip["accuracy"][name] for name in ("count", "age", "gender", "skin") if name in clip["accuracy"]}
    )
    weakest = _weakest(generated["attributes"])
    apart = max(("clip_vendi", "clip_distance"), key=lambda name: float(figures["diversity"][name]["ratio"]))
    diversity, speed = figures["diversity"][apart], figures["speed"]
    name = {"clip_vendi": "Vendi score", "clip_distance": "mean distance"}[apart]
    copies = figures["memorisation"]["copies"]
    return [
        (
            "autoencoder on held-out renders, PSNR",
            "30 dB",
            f"{ae['psnr_mean']:.1f} dB (worst tenth {ae['psnr_worst_tenth']:.1f})",
            ae["psnr_mean"] >= 30,
        ),
        (
            "attributes read from its reconstructions",
            "98 %",
            percent(ae["readings"]),
            ae["readings"]["value"] >= 0.98,
        ),
        (
            f"each attribute in generated scenes (weakest: {weakest[0]})",
            "95 %",
            percent(weakest[1]),
            weakest[1]["value"] >= 0.95,
        ),
        (
            "all requested attributes together",
            "85 %",
            percent(generated["together"]),
            generated["together"]["value"] >= 0.85,
        ),
        (
            "… share of the attributes asked for that can be judged so",
            "80 %",
            percent(figures["requested"]),
            figures["requested"]["value"] >= 0.8,
        ),
        ("CLIP, settings", "95 %", f"{clip['accuracy']['setting']:.1%}", clip["accuracy"]["setting"] >= 0.95),
        ("CLIP, palette", "95 %", f"{clip['accuracy']['colour']:.1%}", clip["accuracy"]["colour"] >= 0.95),
        (
            f"CLIP, people (weakest: {people[0]})",
            "90 %",
            f"{people[1]:.1%} (mean of all {_mean_of_people(clip['accuracy']):.1%})",
            people[1] >= 0.9,
        ),
        (
            "CLIP, text to image among 64, first",
            "80 %",
            f"{clip['recall_at_1']:.1%}" if "recall_at_1" in clip else "not measured: fewer than 64 scenes",
            clip.get("recall_at_1", 0.0) >= 0.8,
        ),
        (
            f"diversity of seeds, share of the renders' ({name})",
            "70 %",
            f"{diversity['ratio']:.0%} ({diversity['low']:.0%}–{diversity['high']:.0%})",
            diversity["ratio"] >= 0.7,
        ),
        (
            "seconds a scene, batch of 8, 2 cores",
            "≤ 0.5 s",
            f"{speed['median']:.2f} s ({speed['least']:.2f}–{speed['most']:.2f})",
            speed["median"] <= 0.5,
        ),
        ("copies of training renders", "none", f"{copies} of {figures['counts']['drawn']}", copies == 0),
    ]


def _mean_of_people(accuracy: Mapping[str, float]) -> float:
    """The mean accuracy over the attributes of people that were asked for."""
    found = [accuracy[name] for name in PEOPLE if name in accuracy]
    return sum(found) / max(len(found), 1)


def targets_table(figures: Figures) -> str:
    """The targets as a Markdown table; what is missed says so."""
    rows = [(what, least, found, "yes" if met else "**missed**") for what, least, found, met in targets(figures)]
    return table(("what", "at least", "measured", "reached"), rows)


def attributes_table(figures: Figures) -> str:
    """Each attribute as the probe reads it from renders, reconstructions and generated scenes of the same facts."""
    columns = [figures[name] for name in ("renders", "reconstructions", "generated")]
    rows = []
    for subject, names in HEADS.items():
        for name in names:
            shares = [column["attributes"].get(f"{subject}.{name}") for column in columns]
            if shares[0] and shares[0]["count"]:
                rows.append(
                    (f"{subject}: {_plain(name)}", str(shares[0]["count"]), *(percent(s) if s else "" for s in shares))
                )
    for key, label in (
        ("together", "all requested together"),
        ("together_sets", "… sets"),
        ("together_people", "… people"),
        ("together_with_finer", "… and the finer ones as well"),
    ):
        rows.append((label, str(columns[0][key]["count"]), *(percent(column[key]) for column in columns)))
    rows.append(
        (
            "all attributes, whether renders show them or not",
            str(columns[0]["unfiltered"]["all"]["count"]),
            *(percent(column["unfiltered"]["all"]) for column in columns),
        )
    )
    head = ("attribute", "pictures", "renders", "reconstructions", "generated")
    finer = ", ".join(_plain(name) for name in sorted(FINER))
    return table(head, rows) + f'\n\nFiner attributes, apart from "all requested together": {finer}.'


def clip_table(figures: Figures) -> str:
    """Zero-shot accuracy by attribute and recall, on renders and on advertisements made of them."""
    plain, adverts = figures["clip"]["renders"], figures["clip"]["adverts"]
    rows = [
        (_plain(name), str(plain["count"][name]), f"{plain['accuracy'][name]:.1%}", f"{adverts['accuracy'][name]:.1%}")
        for name in plain["accuracy"]
    ]
    for key, label in (
        ("skin_within_one", "skin, within one step"),
        ("recall_at_1", "text to image among 64 scenes, first"),
        ("recall_at_1_people", "text to image among 64 pictures of people, first"),
    ):
        if key in plain:
            rows.append((label, "", f"{plain[key]:.1%}", f"{adverts[key]:.1%}"))
    return table(("zero-shot", "pictures", "held-out renders", "the same in advertisements"), rows)


def diversity_table(figures: Figures) -> str:
    """How different the seeds of one caption are."""
    found = figures["diversity"]
    labels = {
        "clip_vendi": "Vendi score, house CLIP",
        "clip_distance": "mean distance, house CLIP",
        "pixels_vendi": "Vendi score, 16 × 16 pixels",
        "pixels_distance": "mean distance, 16 × 16 pixels",
    }
    rows = [
        (
            label,
            f"{found[key]['generated']:.3f}",
            f"{found[key]['renders']:.3f}",
            f"{found[key]['ratio']:.0%} ({found[key]['low']:.0%}–{found[key]['high']:.0%})",
        )
        for key, label in labels.items()
    ]
    note = (
        f"{found['prompts']} captions of held-out combinations, {found['seeds']} seeds each, beside renders of the "
        "same facts with as many other seeds. Vendi scores are centred on the mean of all held-out renders; intervals "
        "are bootstrapped over captions."
    )
    return table(("measure", "generated", "renders", "ratio"), rows) + "\n\n" + note


def frechet_table(figures: Figures) -> str:
    """Fréchet distances in house-CLIP space."""
    found = figures["frechet"]
    rows = [
        ("generated scenes", f"{found['generated']:.4f}"),
        ("training renders", f"{found['train_renders']:.4f}"),
        ("held-out renders (the least to be had)", f"{found['held_renders']:.4f}"),
    ]
    note = f"Each {found['count']} pictures against the same {found['against']} other held-out renders."
    earlier = [row for row in figures.get("history", []) if "denoiser_seconds" in row]
    falling = ""
    if len(earlier) > 1:
        steps = [
            (f"{row['denoiser_seconds'] / 60:.0f} min, {row['denoiser_steps']:,} steps", f"{row['frechet']:.4f}")
            for row in sorted(earlier, key=lambda row: int(row["denoiser_steps"]))
        ]
        falling = "\n\nWith training:\n\n" + table(("denoiser", "Fréchet distance"), steps)
    return table(("set", "Fréchet distance"), rows) + "\n\n" + note + falling


def memorisation_table(figures: Figures) -> str:
    """Distances to the nearest training render."""
    found = figures["memorisation"]
    names = list(found["clip"]["generated"])
    rows = [
        (f"{label}, {whose}", *(f"{found[space][whose][name]:.3f}" for name in names))
        for space, label in (("clip", "house CLIP"), ("pixels", "16 × 16 pixels"))
        for whose in ("generated", "held")
    ]
    shares = (percent(found[space]["nearer_than_1_%_of_held"]) for space in ("clip", "pixels"))
    note = (
        f"Nearer than 1 % of held-out renders are: in CLIP {next(shares)}, in pixels {next(shares)} of generated "
        f"scenes. A copy is nearer in both spaces than any held-out render: {found['copies']} found. "
        "The nearest pairs are in nearest.png."
    )
    return table(("distance to the nearest training render", *names), rows) + "\n\n" + note


def percent(share: Mapping[str, Any]) -> str:
    """A share with its interval, such as ``97.2 % (95.4–98.3)``."""
    if "value" not in share:
        return "–"
    return f"{100 * share['value']:.1f} % ({100 * share['low']:.1f}–{100 * share['high']:.1f})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _preface(figures: Figures) -> str:
    counts, models = figures["counts"], figures["models"]
    trained = ""
    if "denoiser_seconds" in counts:
        trained = f" The denoiser had {counts['denoiser_steps']:,} steps in {counts['denoiser_seconds'] / 60:.0f} min."
    return (
        f"{counts['drawn']} scenes drawn from captions of held-out combinations, {models['steps']} steps, guidance "
        f"{models['guidance']:g}; {counts['held']} held-out and {counts['train']} training renders of 128 × 128 "
        f"pixels.{trained} Weights {models['diffusion']} (diffusion) and {models['clip']} (CLIP). In brackets: 95 % "
        "Wilson intervals."
    )


def _requested(figures: Figures) -> str:
    share = figures["requested"]
    return (
        "An attribute counts only where renders show it: on renders that the probe has not seen, it must read it in "
        "nine of ten pictures of the same setting and light (of people: of the same framing and number), and a colour "
        f"or skin tone also in nine of ten of the same light. {100 * share['value']:.1f} % of the attributes asked for "
        f"are of that kind ({share['right']} of {share['count']}); the others are left out."
    )


def _mistakes(figures: Figures) -> str:
    rows = [f"- {head}: {'; '.join(found)}" for head, found in figures["generated"]["mistakes"].items()]
    return "\n".join(rows) or "None."


def _weakest(attributes: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    main = {head: share for head, share in attributes.items() if head.partition(".")[2] not in FINER}
    head = min(main, key=lambda name: float(main[name].get("value", 1)))
    return head.replace(".", ": ").replace("_", " "), main[head]


def _worst(values: Mapping[str, float]) -> tuple[str, float]:
    name = min(values, key=lambda key: values[key])
    return name, values[name]


def _plain(name: str) -> str:
    return {"stand_x": "place, across", "stand_y": "place, height"}.get(name, name.replace("_", " "))
