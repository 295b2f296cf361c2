"""The two themes: two greys, one accent, hairlines. Colour belongs to the pictures and to the codecs."""

from __future__ import annotations

from dataclasses import dataclass

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
