"""The words of the house models' world for people: several ways of saying each thing."""

from __future__ import annotations

from collections.abc import Mapping

from training.phrases import Phrases

WHO: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("child", "woman"): ("girl", "young girl"),
    ("child", "man"): ("boy", "young boy"),
    ("child", "androgynous"): ("androgynous child", "child of open gender"),
    ("adult", "woman"): ("woman", "adult woman"),
    ("adult", "man"): ("man", "adult man"),
    ("adult", "androgynous"): ("androgynous person", "androgynous adult"),
    ("older", "woman"): ("older woman", "elderly woman", "senior woman"),
    ("older", "man"): ("older man", "elderly man", "senior man"),
    ("older", "androgynous"): ("older androgynous person", "elderly androgynous person"),
}
MANY: Mapping[str, str] = {
    "girl": "girls",
    "boy": "boys",
    "child": "children",
    "woman": "women",
    "man": "men",
    "person": "people",
    "adult": "adults",
}
COUNT: Phrases = {"1": ("one", "a single", "one alone"), "2": ("two", "a pair of"), "3": ("three", "a group of three")}
SKIN: Phrases = {
    "1": ("monk 1", "porcelain"),
    "2": ("monk 2", "pale"),
    "3": ("monk 3", "fair"),
    "4": ("monk 4", "light beige"),
    "5": ("monk 5", "tan"),
    "6": ("monk 6", "light brown"),
    "7": ("monk 7", "medium brown"),
    "8": ("monk 8", "dark brown"),
    "9": ("monk 9", "deep brown"),
    "10": ("monk 10", "darkest brown"),
}
BUILD: Phrases = {
    "slim": ("slim build", "slender body"),
    "full": ("full build", "plus size body"),
}
ABILITY: Phrases = {
    "none": ("",),
    "wheelchair": ("using a wheelchair", "in a wheelchair"),
    "cane": ("with a cane", "walking with a cane"),
    "prosthetic": ("with a prosthetic leg", "wearing a leg prosthesis"),
}
FRAMING: Phrases = {
    "portrait": ("portrait", "bust portrait", "head and shoulders"),
    "figure": ("full figure", "full length", "whole body"),
}
PEOPLE_LIGHT: Phrases = {
    "soft": ("soft neutral light", "neutral studio light"),
    "warm": ("warm amber light", "warm evening light"),
    "cool": ("cool blue light", "cool bluish light"),
}
PEOPLE_PREFIX = ("an illustration of", "illustrated people,", "a drawing of", "illustrated")
WALL = ("{} wall", "before a {} wall", "{} background")
