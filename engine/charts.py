"""The charts (UV islands) of a lightmap: where they are, how far apart, and what fills the gutters between them.

Which texels belong to a chart is `Image.mask`. Where a file does not say, :func:`find_gutters` looks for what bakers
leave between charts. It is careful: light may truly be black, and what is taken for a gutter is never scored again.
"""

from __future__ import annotations

import numpy as np

from engine.image import Image

_LEAST_EMPTY = 0.05  # of the texels must be black before anything is taken for a gutter
_DARK = 2.0**-8  # of the median of what is lit: a texel beside true black is below it, as shadows end softly
_ABRUPT = 0.75  # of the texels around a gutter that are brighter than that
_LEAST_TEXELS = 16  # a smaller black patch is no gutter
_RINGS = 8  # texels, at most, that a chart's light is repeated into its gutter
_REPEATED = 0.8  # of the texels around a gutter that repeat a neighbour, for their ring to be one of these
_FLAT = 0.3  # of the lit texels that equal a neighbour anyway: beyond, repeating one says nothing


def find_gutters(colours: np.ndarray) -> np.ndarray | None:
    """H×W bool, True where no chart is, as far as finite light (H×W×C) itself tells; None where it does not.

    Empty gutters are patches of texels that are exactly 0 in every channel and end abruptly: three quarters of the
    texels around them are lit. Black that light fades into is no gutter, nor is black that is not a twentieth of
    the picture. Then rings around them are peeled off in which a baker repeated the charts' outermost light (dilation):
    while four fifths of the texels around the gutters equal a neighbour to the last bit, in a picture in which such
    neighbours are rare.
    """
    from scipy import ndimage

    brightness = np.maximum.reduce([colours[:, :, channel] for channel in range(colours.shape[2])])
    empty = brightness == 0
    for channel in range(colours.shape[2]):
        empty &= colours[:, :, channel] == 0
    if empty.mean() < _LEAST_EMPTY or empty.all():
        return None
    dark = float(np.median(brightness[~empty])) * _DARK
    labels, count = ndimage.label(empty)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    around, lit = _around(labels, brightness > dark, count)
    good = (sizes >= _LEAST_TEXELS) & (around > 0) & (lit >= _ABRUPT * around)
    good[0] = False
    gutters = good[labels]
    if gutters.mean() < _LEAST_EMPTY:
        return None
    return _without_repeats(_keys(colours), gutters)


def islands(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Charts numbered from 1 (H×W int32, 0 outside of them), and how many; those that touch at a corner are one."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, np.ones((3, 3), int))
    return labels.astype(np.int32, copy=False), int(count)


def padding(mask: np.ndarray, most: int) -> int | None:
    """Texels between the two charts that are closest along a row, a column or a diagonal; None if more than `most`."""
    labels, count = islands(mask)
    if count < 2:
        return None
    for gap in range(1, most + 1):
        for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
            one, other = _apart(labels, dy * (gap + 1), dx * (gap + 1))
            if ((one != other) & (one > 0) & (other > 0)).any():
                return gap
    return None


def beside(mask: np.ndarray) -> np.ndarray:
    """H×W bool: texels outside of charts that are direct neighbours of one."""
    out = np.zeros_like(mask)
    for here, there in _PAIRS:
        out[here] |= mask[there]
        out[there] |= mask[here]
    return out & ~mask


def around(mask: np.ndarray) -> np.ndarray:
    """H×W bool: texels outside of charts that a bilinear filter reads with one: its neighbours, diagonal ones too."""
    from scipy import ndimage

    return np.asarray(ndimage.binary_dilation(mask, np.ones((3, 3), bool)) & ~mask)


def filled(image: Image) -> Image:
    """`image` with everything outside of its mask filled from what is inside, smoothly; as it is without a mask.

    Push-pull (S. Gortler, R. Grzeszczuk, R. Szeliski and M. Cohen, "The Lumigraph", 1996, section 3.4): means of ever
    larger blocks of what counts, taken back to where nothing was. The mask stays, and so does what it covers.
    """
    if image.mask is None or not image.mask.any():
        return image
    out = image.pixels.copy()
    colours = _push_pull(np.where(image.mask[:, :, None], image.colour_pixels, 0), image.mask.astype(np.float32))
    holes = ~image.mask
    kept = out[:, :, : colours.shape[2]]
    kept[holes] = colours[holes] if image.is_float else np.rint(colours[holes])
    return image.with_pixels(out)


def _around(labels: np.ndarray, lit: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each patch of black: how many of its borders are with texels that are not, and with lit ones."""
    around, bright = np.zeros(count + 1, int), np.zeros(count + 1, int)
    for here, there in _PAIRS:
        for one, other in ((here, there), (there, here)):
            border = (labels[one] > 0) & (labels[other] == 0)
            around += np.bincount(labels[one][border], minlength=count + 1)
            bright += np.bincount(labels[one][border & lit[other]], minlength=count + 1)
    return around, bright


def _without_repeats(keys: np.ndarray, gutters: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    repeats = _equals_one(keys, ~gutters)
    inner = ~ndimage.binary_dilation(gutters, iterations=_RINGS)
    if inner.any() and repeats[inner].mean() > _FLAT:
        return gutters
    for _ in range(_RINGS):
        ring = ndimage.binary_dilation(gutters) & ~gutters
        repeated = ring & _equals_one(keys, ~(gutters | ring))
        if repeated.sum() < _REPEATED * ring.sum() or not ring.any():
            return gutters
        gutters = gutters | repeated
    return gutters


def _keys(colours: np.ndarray) -> np.ndarray:
    """H×W u64 that are equal where colours are, to the last bit, and where they are not but once in 10¹⁹ times."""
    bits = np.ascontiguousarray(colours, np.float32).view(np.uint32)
    keys = np.zeros(colours.shape[:2], np.uint64)
    for channel in range(colours.shape[2]):
        keys ^= bits[:, :, channel]
        keys *= np.uint64(0x9E3779B97F4A7C15)  # odd: no two keys become one
        keys ^= keys >> np.uint64(29)
    return keys


def _equals_one(keys: np.ndarray, among: np.ndarray) -> np.ndarray:
    """H×W bool: where one of the eight neighbours that are `among` has the same key."""
    out = np.zeros(among.shape, bool)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one, other = _apart(keys, dy, dx)
        same = one == other
        one_among, other_among = _apart(among, dy, dx)
        one_out, other_out = _apart(out, dy, dx)
        one_out |= same & other_among
        other_out |= same & one_among
    return out


def _apart(values: np.ndarray, dy: int, dx: int) -> tuple[np.ndarray, np.ndarray]:
    """Two views whose texels lie `dy` >= 0 rows and `dx` columns apart; empty where the picture is smaller."""
    height, width = values.shape[:2]
    dy, reach = min(dy, height), min(abs(dx), width)
    left, right = slice(0, width - reach), slice(reach, width)
    columns = (left, right) if dx >= 0 else (right, left)
    return values[: height - dy, columns[0]], values[dy:, columns[1]]


def _push_pull(colours: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """H×W×C f32: `colours` (0 where `weight` is) where the weight is 1, elsewhere what the coarser levels say."""
    height, width = weight.shape
    if weight.all() or weight.size == 1:
        return colours.astype(np.float32)
    total = _summed(weight)
    coarse = _summed(colours) / np.maximum(total, 1)[:, :, None]
    coarse = _push_pull(coarse, (total > 0).astype(np.float32))
    fine = _doubled(_doubled(coarse).swapaxes(0, 1)).swapaxes(0, 1)[:height, :width]
    return np.where(weight[:, :, None] > 0, colours, fine)


def _summed(values: np.ndarray) -> np.ndarray:
    """Sums over 2×2; beyond an odd side there is nothing."""
    rows = values[::2].copy()
    rows[: len(values) // 2] += values[1::2]
    out = rows[:, ::2].copy()
    out[:, : rows.shape[1] // 2] += rows[:, 1::2]
    return out


def _doubled(values: np.ndarray) -> np.ndarray:
    """Twice the rows, linearly in between; each new one lies a quarter of the old distance from an old one."""
    out = np.empty((2 * len(values), *values.shape[1:]), np.float32)
    before, after = np.concatenate((values[:1], values[:-1])), np.concatenate((values[1:], values[-1:]))
    for side, towards in enumerate((before, after)):
        out[side::2] = np.float32(0.75) * values + np.float32(0.25) * towards
    return out


_ALL, _FIRST, _LAST = slice(None), slice(None, -1), slice(1, None)
_PAIRS = (((_ALL, _FIRST), (_ALL, _LAST)), ((_FIRST, _ALL), (_LAST, _ALL)))  # texels and their direct neighbours
