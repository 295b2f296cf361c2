"""The two themes: two greys, one accent, hairlines. Colour belongs to the pictures and to the codecs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

GRID = 4  # px; every margin and gap is a multiple
RADIUS = 5


@dataclass(frozen=True)
class Theme:
    """Colours by what they are for, as #rrggbb. text and dim have a contrast of at least 4.5 : 1 on panel."""

    name: str
    window: str  # behind the panels
    panel: str  # a panel's ground
    raised: str  # cards, chosen buttons
    field: str  # where one types
    hairline: str
    text: str
    dim: str
    accent: str
    on_accent: str
    surround: str  # around pictures: neutral, never brighter than their mid-tone
    good: str
    warn: str
    error: str
    grid_line: str  # of plots


DARK = Theme(
    name="dark",
    window="#17191d",
    panel="#1f2126",
    raised="#292c33",
    field="#191b1f",
    hairline="#33363e",
    text="#e9eaec",
    dim="#9ba0a9",
    accent="#6ea8f0",
    on_accent="#0f1114",
    surround="#2a2a2a",
    good="#4cc38a",
    warn="#e2b23c",
    error="#f07167",
    grid_line="#34373f",
)
LIGHT = Theme(
    name="light",
    window="#eceef2",
    panel="#f7f8fa",
    raised="#ffffff",
    field="#ffffff",
    hairline="#d3d7de",
    text="#1b1d21",
    dim="#5d646f",
    accent="#2463b8",
    on_accent="#ffffff",
    surround="#b9b9b9",
    good="#18794e",
    warn="#8a6100",
    error="#b3261e",
    grid_line="#dfe2e7",
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT)}


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(a: str, b: str, share: float) -> str:
    """`share` of `b` (0…1) over `a`, both #rrggbb, mixed as code values, which is how a screen blends them."""
    mixed = (round(x + (y - x) * share) for x, y in zip(_channels(a), _channels(b), strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if (c := v / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for v in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two #rrggbb colours, 1…21 (WCAG 2.2, "contrast ratio")."""
    dark, light = sorted((_luminance(a), _luminance(b)))
    return (light + 0.05) / (dark + 0.05)


@cache
def readable(colour: str, ground: str, ratio: float = 4.5) -> str:
    """`colour` itself where it stands out from `ground` by `ratio`, else the nearest shade of it that does.

    The codec colours are made for one middle ground; yellow on white or dark blue on black would be lost.
    Text takes the default; lines and marks take `LANE_RATIO`.
    """
    towards = "#000000" if _luminance(ground) > 0.18 else "#ffffff"
    shades = (mix(colour, towards, step / 50) for step in range(51))
    return next((shade for shade in shades if contrast(shade, ground) >= ratio), towards)


LANE_RATIO = 3.0  # WCAG 2.2, 1.4.11: graphics that carry meaning


def lane_colour(colour: str, theme: Theme) -> str:
    """A codec's colour for dots, curves, chips and bars on `theme`'s panels."""
    return readable(colour, theme.panel, LANE_RATIO)


def lane_ink(colour: str, theme: Theme) -> str:
    """A codec's colour for text on `theme`'s panels and cards."""
    ground = min((theme.panel, theme.raised), key=lambda ground: contrast(colour, ground))
    return readable(colour, ground)
