"""Brands, products and words of several languages to compose advertisements from, all drawn here."""

from __future__ import annotations

import colorsys
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from generation.compose import Composer
from proofsheet.domain.campaign import BrandKit, PaletteColour, Product

ROLES = ("primary", "accent", "ink", "paper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The words of one locale: headlines of up to 27 characters, one for low banners, button and offer."""

    headlines: tuple[str, ...]
    brief: str
    cta: str
    offer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A brand with the composer of its product and the locales it speaks."""

    composer: Composer
    locales: tuple[str, ...]

    @property
    def brand(self) -> BrandKit:
        """The brand kit."""
        return self.composer.brand


COPY: Mapping[str, Copy] = {
    "en-US": Copy(
        headlines=("Slow brewed, wide awake.", "Made for long mornings", "Softer by the second day"),
        brief="Made for mornings",
        cta="Try it chilled",
        offer="Free delivery on the first case",
    ),
    "de-DE": Copy(
        headlines=("Langsam gezogen, hellwach.", "Größe zeigt sich im Detail", "Süße Ruhe für müde Füße"),
        brief="Für den Morgen",
        cta="Jetzt probieren",
        offer="Erste Kiste frei Haus",
    ),
    "fr-FR": Copy(
        headlines=("L’été tient en bouteille", "Déjà prêt, où que tu sois", "Le goût des longs matins"),
        brief="L’été commence",
        cta="Goûter",
        offer="Première caisse livrée",
    ),
    "el-GR": Copy(
        headlines=("Αργό ξύπνημα, καθαρό μυαλό", "Για τα μεγάλα πρωινά", "Όλη μέρα δροσιά"),
        brief="Για τα πρωινά",
        cta="Δοκίμασέ το",
        offer="Δωρεάν παράδοση",
    ),
    "ru-RU": Copy(
        headlines=("Долгое утро, ясный ум", "Сделано без спешки", "Мягче с каждым днём"),
        brief="Ясное утро",
        cta="Попробовать",
        offer="Первая доставка бесплатно",
    ),
    "ar-EG": Copy(
        headlines=("قهوة باردة وصباح هادئ", "نضج على مهل لأجلك", "طعم الصيف في زجاجة"),
        brief="صباح هادئ",
        cta="جرّبها الآن",
        offer="التوصيل الأول مجانا",
    ),
    "he-IL": Copy(
        headlines=("קפה קר לבוקר ארוך", "נעשה לאט במיוחד בשבילך", "טעם הקיץ בבקבוק"),
        brief="לבוקר ארוך",
        cta="נסו עכשיו",
        offer="משלוח ראשון חינם",
    ),
}


def houses(folder: Path) -> tuple[House, ...]:
    """The brands: with and without a logo picture, of one colour and of four, light and dark, left to right and not."""
    made = [
        _house(folder, "norda", ("#0a737b", "#e0672c", "#0c2427", "#f9f3e7"), ("en-US", "de-DE"), 1, logo="wide"),
        _house(folder, "mira", ("#b4533c",), ("en-US", "fr-FR"), 2, font="fraunces"),
        _house(folder, "Kiosk", ("#5a3fb0", "#f2b634", "#1c1633", "#f6f2ff"), ("fr-FR", "de-DE"), 3, logo="compact"),
        _house(folder, "Ágora", ("#24579e", "#d9a441", "#101c2e", "#f3f6fb"), ("el-GR", "ru-RU"), 4),
        _house(
            folder,
            "Halden",
            ("#2f7d4a", "#1d3b2a", "#14211a", "#f2f7ec"),
            ("en-US", "de-DE"),
            5,
            font="barlow-condensed",
        ),
    ]
    if rtl := right_to_left_font():
        made.append(
            _house(folder, "Sahar", ("#9c2f54", "#e8b07a", "#2b0f1a", "#fdf4ee"), ("ar-EG", "he-IL"), 6, font=str(rtl))
        )
    return tuple(made)


def right_to_left_font() -> Path | None:
    """A font of this machine with Arabic, Hebrew and Latin letters, by fontconfig; None where there is none."""
    if shutil.which("fc-match") is None:
        return None
    asked = ["fc-match", "--format=%{file}", "DejaVu Sans:bold:lang=ar:lang=he"]
    path = Path(subprocess.run(asked, capture_output=True, text=True, check=False).stdout)
    return path if path.is_file() and "DejaVuSans" in path.name else None


def _house(
    folder: Path,
    name: str,
    colours: tuple[str, ...],
    locales: tuple[str, ...],
    seed: int,
    *,
    font: str = "manrope",
    logo: str = "",
) -> House:
    palette = tuple(
        PaletteColour(name=role.title(), hex=code, role=role) for role, code in zip(ROLES, colours, strict=False)
    )
    brand = BrandKit(
        name=name,
        palette=palette,
        wordmark=name,
        logo=_draw_logo(folder / f"{name}-logo.png", colours, logo) if logo else None,
        headline_font=font,
        body_font=font,
        # None of these is on an advertisement as a whole word, though each is part of one that is.
        forbidden_words=("brew", "morning", "Groß", "gratis", "étés", "πρωινό", "утра", "صيف", "קיצ"),
    )
    product = _draw_product(folder / f"{name}-product.png", colours[0], np.random.default_rng(seed))
    return House(composer=Composer(brand, Product(name=name, image=product)), locales=locales)


def _draw_logo(path: Path, colours: tuple[str, ...], kind: str) -> Path:
    """A logo of one colour, wide; or one of two colours, compact."""
    size = (520, 120) if kind == "wide" else (240, 220)
    picture = Image.new("RGBA", size)
    pen = ImageDraw.Draw(picture)
    if kind == "wide":
        for left in range(0, 520, 104):
            pen.rectangle((left, 0, left + 22, 119), fill=colours[0])
            pen.ellipse((left + 30, 30, left + 92, 92), outline=colours[0], width=18)
    else:
        pen.ellipse((0, 0, 219, 219), fill=colours[0])
        pen.polygon([(60, 160), (110, 50), (160, 160)], fill=colours[1])
        pen.rectangle((180, 0, 239, 60), fill=colours[1])
    picture.save(path)
    return path


def _draw_product(path: Path, colour: str, rng: np.random.Generator) -> Path:
    """A bottle, jar or box with a printed label, softly shaded."""
    width = int(rng.choice([220, 320, 460]))
    height = 640
    base = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    picture = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(picture)
    neck = width // 4 if width < 300 else 12
    pen.rounded_rectangle((neck, 0, width - neck - 1, 170), 18, fill=(*_turned(base, 0.5), 255))
    pen.rounded_rectangle((0, 130, width - 1, height - 1), 34, fill=(*base.tolist(), 255))
    pen.rectangle((0, 300, width - 1, 520), fill=(238, 232, 218, 255))
    for row in range(6):
        end = int(width * rng.uniform(0.4, 0.85))
        pen.rectangle((int(width * 0.1), 322 + 32 * row, end, 338 + 32 * row), fill=(*(base // 2).tolist(), 255))
    pen.ellipse((width * 0.6, 420, width * 0.9, 420 + width * 0.3), fill=(*_turned(base, 0.45), 255))
    alpha = picture.getchannel("A").filter(ImageFilter.GaussianBlur(0.8))
    shade = np.linspace(1.12, 0.8, width)[None, :, None]
    shaded = np.clip(np.asarray(picture)[..., :3] * shade, 0, 255).astype(np.uint8)
    finished = Image.fromarray(shaded).convert("RGBA")
    finished.putalpha(alpha)
    finished.save(path)
    return path


def _turned(rgb: np.ndarray, by: float) -> tuple[int, int, int]:
    hue, light, chroma = colorsys.rgb_to_hls(*(rgb / 255))
    red, green, blue = colorsys.hls_to_rgb((hue + by) % 1, min(max(light, 0.35), 0.65), max(chroma, 0.3))
    return round(255 * red), round(255 * green), round(255 * blue)
