"""The room of the bundled lightmap: a window with bars, late sun on the floor, a lamp, furniture and a column."""

from __future__ import annotations

from engine.bake.bake import Scene
from engine.bake.light import Glow, Light, Sun
from engine.bake.surfaces import Colour, Disc, Quad, Surface, Tube, box

_WHITE: Colour = (0.78, 0.76, 0.72)
_WOOD: Colour = (0.45, 0.28, 0.16)
_RED: Colour = (0.62, 0.16, 0.12)
_BLUE: Colour = (0.16, 0.28, 0.48)
_GREY: Colour = (0.4, 0.4, 0.4)
_DARK: Colour = (0.1, 0.1, 0.1)

_X, _Y, _Z = 6.0, 4.5, 2.8
_WINDOW = (1.1, 0.9, 3.5, 2.4)  # in the wall x = 0: from y and z, to y and z
_BAR = 0.05


def room() -> Scene:
    """Six metres by four and a half, seen by the afternoon sun through one window."""
    return Scene((*_walls(), *_bars(), *_furniture()), _lights())


def _walls() -> list[Surface]:
    y0, z0, y1, z1 = _WINDOW
    return [
        Quad((0, 0, 0), (_X, 0, 0), (0, _Y, 0), _WOOD),
        Quad((0, _Y, _Z), (_X, 0, 0), (0, -_Y, 0), _WHITE),
        Quad((0, 0, 0), (0, _Y, 0), (0, 0, _Z), _WHITE, holes=((y0, z0, y1, z1),)),
        Quad((_X, _Y, 0), (0, -_Y, 0), (0, 0, _Z), _RED),
        Quad((_X, 0, 0), (-_X, 0, 0), (0, 0, _Z), _WHITE),
        Quad((0, _Y, 0), (_X, 0, 0), (0, 0, _Z), _BLUE),
        # the reveal of the window, a hand deep
        Quad((-0.25, y0, z0), (0.25, 0, 0), (0, y1 - y0, 0), _WHITE),
        Quad((-0.25, y1, z1), (0.25, 0, 0), (0, y0 - y1, 0), _WHITE),
        Quad((0, y0, z0), (-0.25, 0, 0), (0, 0, z1 - z0), _WHITE),
        Quad((-0.25, y1, z0), (0.25, 0, 0), (0, 0, z1 - z0), _WHITE),
    ]


def _bars() -> list[Surface]:
    """The crossing bars of the window: they only cast shadows."""
    y0, z0, y1, z1 = _WINDOW
    upright = [(y0 + (y1 - y0) * share - _BAR / 2) for share in (1 / 3, 2 / 3)]
    level = z0 + (z1 - z0) * 0.62
    bars: list[Surface] = [Quad((-0.2, y, z0), (0, _BAR, 0), (0, 0, z1 - z0), _DARK, charted=False) for y in upright]
    return [*bars, Quad((-0.2, y0, level), (0, y1 - y0, 0), (0, 0, _BAR), _DARK, charted=False)]


def _furniture() -> list[Surface]:
    return [
        # a round table
        Disc((2.6, 1.5, 0.75), 0.62, _WHITE),
        Disc((2.6, 1.5, 0.72), 0.62, _WOOD, faces_up=False),
        Tube((2.6, 1.5, 0.72), 0.62, 0.03, _WOOD, charted=False),
        Tube((2.6, 1.5, 0.0), 0.07, 0.72, _GREY),
        # a column
        Tube((4.5, 3.2, 0.0), 0.2, _Z, _WHITE),
        *box((4.9, 0.0, 0.0), (6.0, 0.55, 1.9), _WOOD, ("y+", "x-", "z+")),  # a cupboard in a corner
        *box((1.2, 3.95, 0.0), (3.2, 4.5, 0.45), _RED, ("y-", "x-", "x+", "z+")),  # a bench along a wall
        *box((1.4, 4.2, 1.45), (3.0, 4.5, 1.5), _WOOD, ("y-", "x-", "x+", "z+", "z-")),  # a shelf over it
        *box((3.7, 1.9, 0.0), (4.15, 2.35, 0.45), _GREY, ("x-", "x+", "y-", "y+", "z+")),  # a stool
    ]


def _lights() -> tuple[Light, ...]:
    y0, z0, y1, z1 = _WINDOW
    sky = Quad((-0.26, y0, z0), (0, y1 - y0, 0), (0, 0, z1 - z0), _DARK)
    lamp = Quad((5.2, 1.9, 2.2), (0, 0.3, 0), (0.3, 0, 0), _DARK)  # faces down
    return (
        Sun((-0.83, -0.28, 0.55), (16.0, 12.5, 8.0), radius=1.2),
        Glow(sky, (1.1, 1.3, 1.6), zenith=(0.7, 1.3, 2.6)),
        Glow(lamp, (34.0, 19.0, 8.0)),
    )
