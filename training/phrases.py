"""The words of the house models' world: several ways of saying each thing."""

from __future__ import annotations

from collections.abc import Mapping

Phrases = Mapping[str, tuple[str, ...]]

SETTING: Phrases = {
    "sweep": (
        "a seamless paper sweep",
        "a seamless studio backdrop",
        "a plain paper backdrop",
        "a smooth empty studio sweep",
        "an infinity cove",
    ),
    "arch_podium": (
        "an arch and a round podium",
        "an arch behind a round podium in front of a plain wall",
        "a podium before an arch",
        "a round podium and an arched wall",
        "an archway with a podium",
    ),
    "steps": (
        "stacked blocks",
        "stacked blocks and steps",
        "blocks climbing like stairs",
        "geometric steps",
        "stairs of square blocks",
    ),
    "discs": (
        "large floating discs",
        "big round discs behind a podium",
        "floating circles",
        "large soft circles on the wall",
        "overlapping discs",
    ),
    "balls": (
        "balls of many sizes",
        "scattered spheres",
        "matte and glossy balls",
        "small and large spheres on the floor",
        "coloured balls",
    ),
    "window_light": (
        "a bare plaster wall",
        "a limewashed wall and a ledge",
        "a bare wall with light and shadow",
        "a rough plaster wall over a ledge",
        "a white stucco wall",
    ),
    "pattern": (
        "a printed pattern",
        "a patterned backdrop",
        "a graphic pattern on wall and floor",
        "a bold print on the wall",
        "patterned paper",
    ),
    "tabletop_wood": (
        "a wooden table before a blurred room",
        "a wooden tabletop",
        "a wood table with a room out of focus",
        "a desk of wood in a bright room",
        "a wooden counter in a living room",
    ),
    "tabletop_stone": (
        "a stone slab",
        "a stone tabletop before a plain wall",
        "a slab of polished stone",
        "a stone counter",
        "a stone plinth and a plain wall",
    ),
    "linen": (
        "draped linen",
        "draped fabric in folds",
        "hanging cloth",
        "soft folds of fabric",
        "a curtain of cloth",
    ),
    "kitchen_shelf": (
        "a kitchen shelf",
        "a kitchen worktop with tiles and jars",
        "a kitchen counter before glazed tiles",
        "a tiled kitchen",
        "a kitchen with jars and a board",
    ),
    "bathroom_shelf": (
        "a bathroom shelf",
        "a bathroom with a round mirror",
        "a marble bathroom shelf with towels",
        "a round mirror on a tiled bathroom wall",
        "a bath shelf with mirror and towels",
    ),
    "water": (
        "a stone disc in rippled water",
        "rippled water",
        "calm water with ripples",
        "the surface of a lake",
        "the sea with small waves",
    ),
    "wet_stone": (
        "wet dark stones",
        "dark wet slate with pebbles",
        "wet slate and mist",
        "black pebbles on wet stone",
        "dark stones with a thin film of water",
    ),
    "sand": (
        "rippled sand",
        "a desert with dunes",
        "sand dunes under an open sky",
        "a beach of rippled sand",
        "sandy desert ground",
    ),
    "snow": (
        "fresh snow",
        "a snowy landscape",
        "snow and ridges in the haze",
        "a field of white snow",
        "deep snow under falling flakes",
    ),
    "sky": (
        "a sky with clouds",
        "a podium among the clouds",
        "an open sky",
        "a podium in the sky",
        "clouds and open air",
    ),
    "hills": (
        "hills in mist",
        "misty mountains",
        "a mountain view in mist",
        "layers of misty hills",
        "a rock ledge above the mountains",
    ),
    "forest_bokeh": (
        "a forest out of focus",
        "a mossy plank in the woods",
        "a blurred forest",
        "the edge of a wood with bokeh",
        "trees out of focus behind mossy wood",
    ),
    "paper_layers": (
        "layers of cut paper",
        "cut paper layers",
        "a paper cut tunnel of layers",
        "layered paper art",
        "sheets of cut paper one behind the other",
    ),
    "confetti": (
        "paper confetti",
        "falling confetti",
        "a party set with confetti",
        "confetti over a podium",
        "colourful confetti in the air",
    ),
    "bokeh_night": (
        "city lights at night",
        "a dark counter above a city at night",
        "bokeh of a city at night",
        "blurred city lights",
        "a night skyline out of focus",
    ),
    "neon": (
        "glowing neon tubes",
        "neon lights on a dark wall",
        "a neon sign without words",
        "a glowing neon shape",
        "neon tubes and a reflecting floor",
    ),
    "smoke": (
        "coloured smoke",
        "drifting smoke",
        "a dark set with smoke",
        "swirls of smoke",
        "smoke and haze around a podium",
    ),
}

DETAIL: Phrases = {
    "window": ("with the shadow of a window", "with window bars in the light"),
    "blinds": ("with the shadow of blinds", "with shadows of slatted blinds"),
    "leaves": ("with shadows of leaves", "with leafy shadows"),
    "palm": ("with the shadow of a palm", "with palm leaf shadows"),
    "stripes": ("with stripes", "striped"),
    "checks": ("with checks", "checkered"),
    "dots": ("with dots", "dotted"),
    "halftone": ("with halftone dots", "in halftone"),
    "oak": ("of oak", "in light oak"),
    "walnut": ("of walnut", "in dark walnut"),
    "ash": ("of ash", "in pale ash"),
    "terrazzo": ("of terrazzo", "in speckled terrazzo"),
    "marble": ("of marble", "in veined marble"),
    "tunnel": ("as a tunnel", "as a round tunnel"),
    "waves": ("as waves", "as wavy lines"),
    "ring": ("as a ring", "in the shape of a ring"),
    "arch": ("as an arch", "in the shape of an arch"),
    "bars": ("as bars", "as upright bars"),
}

LIGHT: Phrases = {
    "window_warm": (
        "warm morning light through a window",
        "warm window light",
        "morning sun through a window",
        "calm morning sun with window shadows",
    ),
    "leaf_shade": (
        "sunlight through leaves",
        "dappled leaf shade",
        "leafy shade",
        "fresh sun through foliage",
    ),
    "hard_noon": (
        "hard noon sun",
        "bright midday sun",
        "harsh sunlight at noon",
        "clear energetic midday light",
    ),
    "soft_north": (
        "soft north light",
        "soft daylight",
        "gentle cool daylight",
        "quiet soft studio light",
    ),
    "golden_low": (
        "low golden evening light",
        "golden hour light",
        "the last golden sun",
        "golden sunset light",
    ),
    "gel_duo": (
        "coloured gels in pink and blue",
        "two coloured lamps",
        "pink and blue gel light",
        "playful coloured gel light",
    ),
    "night": (
        "night light",
        "moonlight with one warm lamp",
        "moonlit night",
        "mysterious moonlight",
    ),
    "overcast": (
        "overcast grey light",
        "grey even light",
        "a grey cloudy day",
        "muted overcast daylight",
    ),
    "high_key": (
        "high key white light",
        "bright airy white light",
        "very bright airy light",
        "pure white airy light",
    ),
    "moody": (
        "moody spotlight",
        "one spotlight on a dark set",
        "dramatic dark light",
        "a dark and dramatic spot of light",
    ),
    "blinds": (
        "late sun through blinds",
        "light through slatted blinds",
        "striped light of blinds",
        "lazy late light through blinds",
    ),
}

COLOUR: Phrases = {
    "coral": ("coral", "coral red", "red"),
    "orange": ("orange", "warm orange", "amber"),
    "yellow": ("yellow", "golden yellow", "mustard"),
    "green": ("green", "leaf green", "emerald"),
    "teal": ("teal", "turquoise", "cyan"),
    "blue": ("blue", "sky blue", "navy blue"),
    "violet": ("violet", "purple", "lilac"),
    "pink": ("pink", "rose pink", "magenta"),
    "neutral": ("neutral", "beige grey", "greige"),
}

IN_COLOUR = ("in {}", "{} colours", "all in {}", "a {} set", "{} palette", "colours: {}")
WITH_ACCENT = ("with {} accents", "and {} accents", "with {} as accent")

SEASON: Phrases = {
    "none": ("",),
    "spring": ("spring petals falling", "falling pink petals", "blossom petals in spring"),
    "autumn": ("autumn leaves falling", "falling autumn leaves", "brown leaves in autumn"),
    "winter": ("winter snowflakes falling", "falling snowflakes", "snowflakes in winter"),
}

STAND_X: Phrases = {
    "far-left": ("on the far left", "at the far left edge"),
    "left": ("on the left", "to the left"),
    "middle": ("in the middle", "in the centre", "in the center"),
    "right": ("on the right", "to the right"),
    "far-right": ("on the far right", "at the far right edge"),
}
STAND_Y: Phrases = {
    "high": ("standing high", "placed high"),
    "raised": ("standing raised", "placed raised"),
    "low": ("standing low", "placed low"),
    "bottom": ("standing at the bottom", "placed at the bottom"),
}
DISTANCE: Phrases = {
    "distant": ("a distant view", "seen from very far"),
    "far": ("a wide view", "seen from far"),
    "medium": ("a medium view", "seen from a medium distance"),
    "near": ("a close view", "seen from near", "close up"),
}
ROOM = ("empty foreground {}", "room for a {} {}", "free space {}", "place for a {} {}")
PRODUCTS = (
    "product", "bottle", "jar", "can", "box", "tube", "shoe", "bag", "cup", "glass", "watch", "phone", "book", "pack",
    "lamp", "chair", "cream", "perfume",
)  # fmt: skip

MOOD: Phrases = {
    "window_warm": ("calm mood", "homely", "cosy"),
    "leaf_shade": ("fresh mood", "relaxed", "natural"),
    "hard_noon": ("bright mood", "summer", "energetic"),
    "soft_north": ("gentle mood", "quiet", "clean"),
    "golden_low": ("romantic mood", "nostalgic", "warm"),
    "gel_duo": ("electric mood", "playful", "bold"),
    "night": ("mysterious mood", "dark", "silent"),
    "overcast": ("sober mood", "muted", "plain"),
    "high_key": ("airy mood", "pure", "light"),
    "moody": ("dramatic mood", "intense", "luxurious"),
    "blinds": ("lazy mood", "late afternoon", "slow"),
}

FILLERS = (
    "advertising still life photograph",
    "advertising photograph",
    "product backdrop",
    "an empty set for a product",
    "high quality",
    "for an advertisement",
    "scene for an ad",
    "photograph",
    "a picture of",
    "a photo of",
    "an image of",
    "a render of",
    "for people who like it",
    "for men and women",
    "for young people",
    "for families with children",
    "for friends at home",
    "for city people on their way to work",
    "for people who make things with their hands",
    "for sports and fitness",
    "modern",
    "minimal",
    "elegant",
    "simple and friendly",
    "honest mood",
    "premium",
    "sharp and detailed",
)  # fmt: skip

#: Words without a picture of their own; a prompt may use them freely.
STOP_WORDS: tuple[str, ...] = tuple(
    """
    a an the and or of in on at to for from with without by as is are be it its this that these those
    their his her our your my we you they who which where when while will can all one some any each
    every very more most not no into over under before behind above below between through around near up
    down out off then than so but if colour colours color colors coloured mood style look feel scene set
    background backdrop picture image photo advertising advertisement ad ads product products brand room
    space place view light
    """.split()  # noqa: SIM905
)
