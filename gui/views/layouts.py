"""Which renditions are seen in a layout, and in how many rows and columns. Without Qt."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from gui.views.transform import Size

GRID_MOST = 4
SQUARE_BONUS = 1.1  # two rows of two are read as a comparison; a strip must show pictures this much larger to win


class Layout(enum.StrEnum):
    SINGLE = "single"
    WIPE = "wipe"
    SIDE = "side"
    GRID = "grid"
    BLINK = "blink"


def visible_keys(layout: Layout, keys: Sequence[str], active: str, codec: str) -> tuple[str, ...]:
    """Keys in panes, first to last. keys: all, the original first. codec: the codec last made active.

    Side by side (and wipe): the original and the active codec. Grid: the original and three codecs, the active one too.
    """
    if not keys:
        return ()
    if layout in (Layout.SINGLE, Layout.BLINK):
        return (active,)
    if layout in (Layout.SIDE, Layout.WIPE):
        return (keys[0], codec) if codec else (keys[0],)
    chosen = list(keys[:GRID_MOST])
    for key in (codec, active):
        if key and key not in chosen:
            chosen[-1] = key
    return tuple(chosen)


def arrangement(count: int, area: Size, picture: Size) -> tuple[int, int]:
    """Rows and columns in which `count` panes show a picture of this shape largest."""
    if count <= 1:
        return 1, 1

    def shown(shape: tuple[int, int]) -> float:
        rows, columns = shape
        scale = min(area[0] / columns / picture[0], area[1] / rows / picture[1])
        return scale * (SQUARE_BONUS if rows > 1 and columns > 1 else 1)

    shapes = [(1, count), (count, 1)] + ([(2, 2)] if count > 2 else [])
    return max(shapes, key=shown)
