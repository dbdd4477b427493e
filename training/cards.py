"""Writes what a reader of the weights must know: a card in each weights folder, and the page in the documentation."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from generation.house.choices import LIGHTS, SETTINGS
from training import tables
from training.clip_model import SIDE
from training.grammar import vocabulary

Figures = Mapping[str, Any]

_NOTABLE = 0.2  # decibels
_LARGEST = 290_000  # bytes of a picture in the documentation

_LIMITS = """\
- **A closed world.** It knows {settings} settings, {lights} lights, nine colour words, seasons, places for a product,
  and illustrated people; a vocabulary of {words} words. Other words it does not know at all. For an open vocabulary,
  use a large model through the `diffusers` backend.
- **Small pictures.** {shapes} At the size of an advertisement backdrops look out of focus, and small figures' faces are
  soft.
- **Phrases, not words.** It was taught whole phrases; a known word may say nothing to it, and chance decides what is
  not said. Proofsheet says before drawing what is heard.
- **No photographs.** It has seen renders only; people are illustrations. It draws no text, no logos, no brands, no
  products, and no real person.
- **No judge of real people.** Age group, gender presentation, skin tone, build and ability are attributes of drawn
  figures whose truth is known, as their facts were given. Nothing here says anything about people in photographs.
- Where captions contradict themselves, or name what does not occur together, the outcome is undefined."""


def write_cards(figures: Figures, out: Path, root: Path) -> None:
    """Write the three model cards and ``docs/house_models.md`` with its pictures.

    Args:
        figures: of the report.
        out: the run's folder, with ``report/`` and, where it has been made, the chart of steps and guidance.
        root: of the project.
    """
    with (Path(__file__).parent / "config.toml").open("rb") as file:
        config = tomllib.load(file)
    weights = root / "generation" / "house" / "weights" / "diffusion"
    clip = root / "scoring" / "house_clip"
    cards = (
        (weights, diffusion_card(figures, config)),
        (clip, clip_card(figures, config)),
        (weights.parent / "upscaler", upscaler_card(figures, config)),
    )
    for folder, text in cards:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "README.md").write_text(text, "utf-8")
    images = root / "docs" / "images"
    pictures = {"house_samples": out / "report" / "samples.png", "house_beside": out / "report" / "beside.png"}
    chart = chart_of(out)
    if chart is not None:
        pictures["house_sampling"] = chart
    for name, source in pictures.items():
        if source.is_file():
            (images / f"{name}.jpg").write_bytes(compact(Image.open(source)))
    (root / "docs" / "house_models.md").write_text(page(figures, config, chart is not None), "utf-8")


def chart_of(out: Path) -> Path | None:
    """The chart of steps, guidance and solvers, if it has been made."""
    found = sorted([*(out / "sampling").glob("*chart*.png"), *out.glob("sampling*.png")])
    return found[0] if found else None


def compact(image: Image.Image, most: int = _LARGEST) -> bytes:
    """A picture as JPEG of at most ``most`` bytes: coarser at first, then smaller."""
    image = image.convert("RGB")
    while True:
        for quality in (88, 80, 72, 64):
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
            if buffer.tell() <= most:
                return buffer.getvalue()
        image = image.resize((round(image.width * 0.85), round(image.height * 0.85)), Image.Resampling.LANCZOS)


def diffusion_card(figures: Figures, config: Mapping[str, Any]) -> str:
    """The card of the diffusion model."""
    models = figures["models"]
    return f"""---
license: apache-2.0
library_name: diffusers
pipeline_tag: text-to-image
language: en
---

# Proofsheet house diffusion

A small latent diffusion model of a small world: advertising backdrops with room for a product, and illustrated people.
It is Proofsheet's default for drawing scenes: real diffusion, loaded through the same code as large models, with no
download, no key and no GPU.

## Use

```python
import generation.house  # diffusers takes the classes of our own from here
from diffusers import AutoPipelineForText2Image

pipe = AutoPipelineForText2Image.from_pretrained("generation/house/weights/diffusion")
pipe(
    "a stone slab, soft north light, all in teal, room for a bottle on the left",
    width=128,
    height=128,
    num_inference_steps={models["steps"]},
    guidance_scale={models["guidance"]:g},
).images[0]
```

Image to image and inpainting load from the same folder; negative prompts work. In Proofsheet: `--backend house`.

## Parts

- Denoiser: a small transformer over patches of the latent, which has 16 channels at an eighth of the picture's size;
  flow matching, classifier-free guidance, a stock scheduler of diffusers. In training the noise carries what a caption
  leaves open (ADR 0007), so that seeds decide it and few steps suffice.
- Autoencoder: principal components of 8 × 8 patches, corrected by convolutions on both sides; deterministic.
- Text: the text tower of the house CLIP, frozen; whole words of a closed vocabulary, 48 tokens.

Weights are safetensors in float16.

{_recipe(figures, config)}

## Measurements

{tables.targets_table(figures)}

{_missed(figures)}

### Attribute by attribute

{tables.attributes_table(figures)}

### Diversity, fidelity, memorisation

{tables.diversity_table(figures)}

{tables.frechet_table(figures)}

{tables.memorisation_table(figures)}

## What it cannot do

{_limits("128 pixels to a side, or as many in other shapes; Proofsheet's own enlarger makes more of them.")}

## Licence

Apache-2.0, as the project. Trained on pictures that the project renders itself; nobody else's are in it.
"""


def clip_card(figures: Figures, config: Mapping[str, Any]) -> str:
    """The card of the CLIP."""
    return f"""---
license: apache-2.0
library_name: open_clip
pipeline_tag: zero-shot-image-classification
language: en
---

# Proofsheet house CLIP

A small CLIP of the house models' world: it tells how well a picture fits words about settings, light, palette, season,
places and illustrated people. Its text tower also tells the house diffusion model what to draw.

## Use

```python
import open_clip

model, preprocess = open_clip.create_model_from_pretrained("local-dir:scoring/house_clip")
tokenizer = open_clip.get_tokenizer("local-dir:scoring/house_clip")
```

A small ResNet for pictures of {SIDE} × {SIDE} pixels, a transformer for up to 48 words; vectors of 256 numbers.
Weights are safetensors in float16.

{_recipe(figures, config)}

It was also shown composed advertisements: text blocks, buttons and products over the scenes, in many layouts.

## Measurements

On combinations of attributes held out from training; phrases from the grammar, averaged over templates.

{tables.clip_table(figures)}

Targets: settings and palette 95 %, people's attributes 90 %, recall 80 %. {_missed(figures, "CLIP")}

## What it cannot do

{_limits(f"It sees {SIDE} × {SIDE} pixels; longer pictures are padded and cut into tiles by Proofsheet's scorer.")}
- It names what it was taught. A photograph it has never seen the like of gets an answer too: do not trust that one.

## Licence

Apache-2.0, as the project. Trained on pictures that the project renders itself; nobody else's are in it.
"""


def upscaler_card(figures: Figures, config: Mapping[str, Any]) -> str:
    """The card of the enlarger."""
    section, found = config.get("upscaler", {}), figures.get("enlarger")
    measured = "Not measured."
    if found:
        measured = (
            f"{found['count']} held-out scenes rendered at 512 × 512 pixels, made small, passed through the "
            f"autoencoder and enlarged again: PSNR {found['network']:.2f} dB, by plain bicubic enlarging "
            f"{found['bicubic']:.2f} dB; "
            f"better in {found['better']} of {found['count']}."
        )
        if found["network"] - found["bicubic"] < _NOTABLE:
            measured += " **So it gives hardly more than smooth enlarging does.**"
    taught = ""
    if "sets" in section and "people" in section:
        taught = f" {section['sets']:,} backdrops and {section['people']:,} pictures of illustrated people,"
    return f"""---
license: apache-2.0
library_name: diffusers
pipeline_tag: image-to-image
---

# Proofsheet house enlarger

Makes the house diffusion model's pictures four times larger, and then any size: a small convolutional network adds to
a smooth enlargement the detail that it lacks. The last rounding to 8 bits is dithered, so that gradients show no bands.

## Data and recipe

Pairs rendered by the project:{taught} at 512 × 512 pixels and at a quarter of that after the house autoencoder, with
and without noise on the latent. Trained by `python -m training run --only upscaler`.

## Measurements

{measured}

## What it cannot do

It sharpens edges and surfaces of the house models' own world. It invents no detail that the small picture does not
suggest, and it was not shown photographs, faces of real people or text: do not use it to restore those.

## Licence

Apache-2.0, as the project. Trained on pictures that the project renders itself; nobody else's are in it.
"""


def page(figures: Figures, config: Mapping[str, Any], charted: bool) -> str:
    """``docs/house_models.md``."""
    chart = (
        "## Steps and guidance\n\n![Steps, guidance and solvers compared](images/house_sampling.jpg)\n\n"
        "The defaults are chosen from this chart.\n\n"
        if charted
        else ""
    )
    return f"""# The house models

Proofsheet ships small models of its own, so that `make demo` draws and judges with real diffusion and a real CLIP
with no network, no key and no GPU. They are small models of a small world, in the standard formats: what loads them
loads large ones too.

![Samples with their captions](images/house_samples.jpg)

Sixty-four scenes drawn from captions of combinations held out from training. In red: what the probe does not find.

{_recipe(figures, config)}

## How they are judged

Some combinations of attributes are kept from training. From their captions scenes are drawn, and a *probe* reads the
attributes back: a small network trained on renders alone, which shares nothing with the models it judges. The same
probe reads the renders themselves (the most that can be had) and the renders after the autoencoder. It has seen other
renders of the held-out combinations, and it sees pictures at half their size: it tells what is in them, not how crisp
they are.

{tables.targets_table(figures)}

{_missed(figures)}

![Renders, the same through the autoencoder, and generated from their captions](images/house_beside.jpg)

{chart}{tables.tables(figures).partition("## Attribute by attribute")[1]}{_rest(figures)}

## What they cannot do

{_limits("128 pixels to a side, or as many in other shapes; Proofsheet's own enlarger makes more of them.")}

## Do it again

```sh
python -m training run --config training/config.toml --out runs/house
python -m training evaluate --out runs/house
```

The first renders, trains, installs the weights, judges them and writes the cards; it goes on where it was interrupted
and takes a GPU where there is one. The second only judges and writes cards and this page. Licence of code and weights:
Apache-2.0.
"""


def _rest(figures: Figures) -> str:
    whole = tables.tables(figures)
    return whole.partition("## Attribute by attribute")[2].partition("## What the probe mistakes")[0].rstrip()


def _recipe(figures: Figures, config: Mapping[str, Any]) -> str:
    train, held = config["data"]["train"], config["data"]["held"]
    sets = sum(count for name, count in train.items() if name.endswith("-set"))
    people = sum(count for name, count in train.items() if name.endswith("-people"))
    stages = [
        (name, float(config[name]["seconds"]))
        for name in ("words", "autoencoder", "probe", "sketch", "clip", "decoder", "upscaler", "denoiser")
        if "seconds" in config.get(name, {})
    ]
    times = ", ".join(f"{name} {seconds / 60:.0f} min" for name, seconds in stages)
    counts = figures["counts"]
    had = ""
    if "denoiser_steps" in counts:
        had = (
            f" The denoiser shipped had {counts['denoiser_steps']:,} steps in "
            f"{counts['denoiser_seconds'] / 60:.0f} minutes."
        )
    return f"""## Data and recipe

{sets:,} backdrops and {people:,} pictures of illustrated people, all rendered by the project, in four shapes from
128 × 128 to 256 × 64 pixels, and {sum(held.values()):,} more of combinations that training never
sees. Captions come from a grammar with synonyms, so the truth about every picture is known. Everything is made by
`python -m training run` from seeds and times in `training/config.toml`: {times}, on two CPU cores.{had}"""


def _limits(shapes: str) -> str:
    return _LIMITS.format(settings=len(SETTINGS), lights=len(LIGHTS), words=len(vocabulary()), shapes=shapes)


def _missed(figures: Figures, only: str = "") -> str:
    rows = [row for row in tables.targets(figures) if only in row[0]]
    missed = [f"{what}: {found} instead of {least}" for what, least, found, met in rows if not met]
    if not missed:
        return "All of these targets are reached."
    return "**Missed:** " + "; ".join(missed) + "."
