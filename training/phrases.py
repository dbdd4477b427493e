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
    "kitchen_shelf": (
        "a kitchen shelf",
        "a kitchen worktop with tiles and jars",
        "a kitchen counter before glazed tiles",
        "a tiled kitchen",
        "a kitchen with jars and a board",
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
    "sky": (
        "a sky with clouds",
        "a podium among the clouds",
        "an open sky",
        "a podium in the sky",
        "clouds and open air",
    ),
    "forest_bokeh": (
        "a forest out of focus",
        "a mossy plank in the woods",
        "a blurred forest",
        "the edge of a wood with bokeh",
        "trees out of focus behind mossy wood",
    ),
}

DETAIL: Phrases = {
    "oak": ("of oak", "in light oak"),
    "walnut": ("of walnut", "in dark walnut"),
    "terrazzo": ("of terrazzo", "in speckled terrazzo"),
    "marble": ("of marble", "in veined marble"),
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
    "soft_north": ("gentle mood", "quiet", "clean"),
    "golden_low": ("romantic mood", "nostalgic", "warm"),
    "high_key": ("airy mood", "pure", "light"),
    "moody": ("dramatic mood", "intense", "luxurious"),
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
