"""The themes: contrast that people can read, icons that are there, one style sheet that Qt accepts."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from engine.palette import LOOKS
from gui import style
from gui.theme import DARK, LIGHT, THEMES, Theme, contrast, lane_colour, lane_ink, mix, readable

GROUNDS = ("window", "panel", "raised", "field")
TEXTS = ("text", "dim", "accent", "good", "warn", "error")


def test_contrast_follows_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the standard's well-known example


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_every_text_colour_is_readable_on_every_ground(theme: Theme, ground: str, text: str) -> None:
    assert contrast(getattr(theme, text), getattr(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_text_on_the_accent_is_readable(theme: Theme) -> None:
    assert contrast(theme.on_accent, theme.accent) >= 4.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.colour)
def test_every_codec_stands_out_on_panels_and_cards(theme: Theme, look: object) -> None:
    colour = look.colour  # type: ignore[attr-defined]
    assert contrast(lane_colour(colour, theme), theme.panel) >= 3
    assert min(contrast(lane_ink(colour, theme), ground) for ground in (theme.panel, theme.raised)) >= 4.5


def test_codec_colours_stay_apart_from_each_other() -> None:
    for theme in (DARK, LIGHT):
        assert len({lane_ink(look.colour, theme) for look in LOOKS}) == len(LOOKS)


@given(st.integers(0, 0xFFFFFF), st.sampled_from(["#ffffff", "#f7f8fa", "#1f2126", "#000000"]))
def test_a_readable_shade_always_exists(number: int, ground: str) -> None:
    assert contrast(readable(f"#{number:06x}", ground), ground) >= 4.5


def test_mixing_ends_at_both_colours() -> None:
    assert (mix("#102030", "#405060", 0), mix("#102030", "#405060", 1)) == ("#102030", "#405060")


def test_every_icon_named_in_the_window_exists() -> None:
    gui = Path(style.__file__).parent
    source = "\n".join(path.read_text(encoding="utf-8") for path in gui.rglob("*.py"))
    named = set(re.findall(r"(?:icon|pixmap|IconButton)\(\s*\"([a-z-]+)\"", source))
    present = {entry.name.removesuffix(".svg") for entry in (resources.files("resources") / "icons").iterdir()}
    assert named <= present


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_icons_are_drawn_in_the_theme_and_the_style_is_accepted(qapp: QApplication, theme: Theme) -> None:
    style.apply(qapp, theme)
    assert style.current() is theme
    image = style.pixmap("plus", theme.text, 16, 2.0).toImage()
    assert image.width() == 32
    assert image.pixelColor(16, 16).name() == theme.text
    assert image.pixelColor(1, 1).alpha() == 0


def test_the_sheet_uses_only_known_tokens() -> None:
    assert "<<" not in style.style_sheet(DARK)
    assert DARK.accent in style.style_sheet(DARK)
