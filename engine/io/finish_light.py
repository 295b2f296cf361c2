"""From light in floats, as it lies in a file, to an `Image`: linear, in known primaries, finite, without alpha.

Alpha of such pictures says which texels are covered, not how they blend: lightmaps keep filled-in light where it is 0,
and some tools write 2 into it. So it becomes the mask of texels that count (above 0), and the colours stay as they are.
"""

from __future__ import annotations

import numpy as np

from engine import color
from engine.color import LINEAR_SRGB, ColorSpec
from engine.image import Image
from engine.io.source import Raw
from engine.light import HALF_MAX, repaired, texels


def finish_light(raw: Raw) -> tuple[Image, tuple[str, ...]]:
    """The picture and what is to be known of it: primaries, alpha, and texels that are no proper light."""
    notes = raw.notes
    pixels = raw.pixels.astype(np.float32, copy=False)
    covered = None
    if raw.channels.endswith("A"):
        covered = _covered(pixels[:, :, -1], notes)
        pixels = pixels[:, :, :-1]
    pixels, wrong = repaired(pixels)
    if wrong is not None:
        notes.append(_not_finite(raw.pixels, wrong))
        covered = ~wrong if covered is None else covered & ~wrong
    pixels, spec = _linear(pixels, raw)
    _report(pixels if wrong is None else np.where(wrong[:, :, None], 0, pixels), notes)
    return Image(np.ascontiguousarray(pixels), spec, mask=covered), tuple(notes)


def _covered(alpha: np.ndarray, notes: list[str]) -> np.ndarray | None:
    """Where alpha is above 0; None where it says nothing."""
    covered = alpha > 0  # NaN is not
    if not covered.any():
        notes.append("alpha is 0 everywhere and was ignored: all texels count")
        return None
    partly = _count(covered & (alpha != 1))
    if partly:
        notes.append(f"alpha is neither 0 nor 1 at {texels(partly)}: they count as covered, colours are kept as stored")
    if covered.all():
        notes.append("alpha covers every texel and was left out")
        return None
    empty = covered.size - _count(covered)
    share = 100 * empty / covered.size
    notes.append(f"alpha became the mask: {texels(empty)} ({share:.1f} %) are not covered and do not count in scores")
    return np.ascontiguousarray(covered)


def _linear(pixels: np.ndarray, raw: Raw) -> tuple[np.ndarray, ColorSpec]:
    """Linear light in primaries that we know."""
    if raw.cicp is not None:
        spec = ColorSpec(*raw.cicp)
        known = spec.primaries in color.PRIMARIES and spec.transfer in color.TRANSFERS
        if not known:
            raw.notes.append(f"its colours ({spec}) are not known: taken as linear light with BT.709 primaries")
            return pixels, LINEAR_SRGB
        return color.to_linear(pixels, spec), ColorSpec(spec.primaries, LINEAR_SRGB.transfer)
    if pixels.shape[2] == 1:
        return pixels, LINEAR_SRGB
    if raw.chromaticities is None:
        raw.notes.append("names no primaries: taken as BT.709")
        return pixels, LINEAR_SRGB
    found = color.recognise_chromaticities(raw.chromaticities)
    if isinstance(found, ColorSpec):
        if found != LINEAR_SRGB:
            raw.notes.append(f"{found} kept")
        return pixels, found
    if found is None:
        raw.notes.append("its primaries make no sense: taken as BT.709")
        return pixels, LINEAR_SRGB
    raw.notes.append("converted from its own primaries to BT.709: colours outside have light below 0")
    return pixels @ found.T.astype(np.float32), LINEAR_SRGB


def _not_finite(pixels: np.ndarray, wrong: np.ndarray) -> str:
    colours = pixels[:, :, : 3 if pixels.shape[2] >= 3 else 1]
    nan, inf = _count(np.isnan(colours).any(axis=2)), _count(np.isinf(colours).any(axis=2))
    kinds = [f"{texels(n)} {what}" for n, what in ((nan, "not a number (NaN)"), (inf, "infinite")) if n]
    return (
        f"{' and '.join(kinds)}, the first at {_first(wrong)}: NaN is taken as 0, infinite light as the brightest that "
        "is finite, and these do not count in scores"
    )


def _report(pixels: np.ndarray, notes: list[str]) -> None:
    negative = np.any(pixels < 0, axis=2)
    if negative.any():
        count, least = _count(negative), float(pixels.min())
        notes.append(f"{texels(count)} with light below 0 (down to {least:.3g}), the first at {_first(negative)}")
    beyond = np.any(pixels > HALF_MAX, axis=2)
    if beyond.any():
        count, most = _count(beyond), float(pixels.max())
        notes.append(f"{texels(count)} brighter than half floats hold (65504; up to {most:.6g})")


def _count(where: np.ndarray) -> int:
    return int(np.count_nonzero(where))


def _first(where: np.ndarray) -> str:
    y, x = np.unravel_index(int(np.argmax(where)), where.shape)
    return f"x {x}, y {y}"
