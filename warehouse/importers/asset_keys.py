"""What an ad's name or tracking parameter says of the asset: its variant id, and the placement it was made for."""

from __future__ import annotations

import re
from functools import lru_cache

_HEX = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?![0-9a-f])")
_OWN_NAME = re.compile(r"[a-z0-9-]+(?:_[a-z0-9-]+){3,}_([0-9a-f]{8})(?![0-9a-z])", re.IGNORECASE)
_OWN_PARTS = re.compile(
    r"(?<![a-z0-9-])(?P<placement>[a-z0-9]+(?:-[a-z0-9]+)*)_[a-z0-9-]+_(?:any|[a-z]{2,3}(?:-[a-z0-9]{2,8})*)_[0-9a-f]{8}(?![0-9a-z])"
)
_UTM = re.compile(r"utm_content=([^&\s]*)")


@lru_cache(maxsize=50_000)
def keys_in(text: str) -> frozenset[str]:
    """Every variant id a text may hold.

    A name of the form ``campaign_placement_layout_locale_variant`` is taken at its last part. Elsewhere eight hex
    digits count only if they hold a letter and a digit: ``20260601`` is a day, and ``defaced0`` would be chance enough.
    """
    lowered = text.lower()
    if match := _OWN_NAME.search(lowered):
        return frozenset({match[1]})
    found = _HEX.findall(lowered)
    return frozenset(token for token in found if not token.isdigit() and not token.isalpha())


@lru_cache(maxsize=50_000)
def placement_in(ad: str) -> str:
    """The placement in a name of the form ``campaign_placement_layout_locale_variant``, under its own name.

    In file names hyphens join the words of a part: ``meta-feed-portrait`` is ``meta_feed_portrait``. Empty where the
    name has another form.
    """
    lowered = ad.lower()
    if not _OWN_NAME.search(lowered):
        return ""
    match = _OWN_PARTS.search(lowered)
    return match["placement"].replace("-", "_") if match else ""


@lru_cache(maxsize=50_000)
def find_key(ad: str, utm_content: str) -> tuple[str, str]:
    """The variant id of an ad, and a flag where it is not clear.

    Returns:
        the id, or empty; and ``several_variant_ids``, ``variant_id_conflict`` (name and parameter differ) or empty.
    """
    in_name = keys_in(ad)
    parameter = _UTM.search(utm_content)
    in_parameter = keys_in(parameter[1] if parameter else utm_content)
    both = in_name & in_parameter if in_name and in_parameter else in_name | in_parameter
    if len(both) == 1:
        return next(iter(both)), ""
    if not both:
        return "", "variant_id_conflict" if in_name and in_parameter else ""
    return "", "several_variant_ids"
