"""What may be wrong with a picture of light, in plain words, and what can be done about it.

:func:`examine` finds, on the picture as its file holds it; :func:`mend` applies fixes, which are named, pure and always
in one order, so that a session that knows their names gets the same picture again. Nothing is mended unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from engine import charts
from engine.color import SRGB, to_linear
from engine.errors import UsageError
from engine.image import Image
from engine.light import HALF_MAX, texels

BLOCK = 4  # texels, of the smallest blocks of formats for graphics hardware (BC6H, ASTC 4×4)
_CODES_OFF = 0.07  # of an 8-bit step: what half floats near 1 may be off a whole code
_CODES_SHARE = 0.999
_CODES_LEAST = 16  # different codes, for a picture that is not simply black and white
_STRIP_ROWS = 64
_EMPTY_SHARE = 0.5  # of the texels beside charts
_PARTLY_SHARE = 0.05  # of covered texels: more than the rims that a baker's filter leaves


@dataclass(frozen=True)
class Finding:
    """Something about a picture that a person should know.

    kind: "nan", "infinite", "negative", "beyond_half", "srgb", "alpha", "gutters", "empty" or "padding". count: texels
    (of "padding": texels between charts). first: x, y of the first of them. title: in a few words. words: what follows
    from it. fix: the fix that helps, a key of `FIXES`; "" where there is none.
    """

    kind: str
    count: int
    first: tuple[int, int]
    title: str
    words: str
    fix: str = ""


@dataclass(frozen=True)
class Fix:
    """label: what its button says. done: what was done, once it is. apply: from a picture as `engine.io` reads it."""

    label: str
    done: str
    apply: Callable[[Image], Image]


# ---------------------------------------------------------------- fixes


def _decoded(image: Image) -> Image:
    return image.with_pixels(to_linear(image.pixels, SRGB).astype(np.float32))


def _raised(image: Image) -> Image:
    return image.with_pixels(np.maximum(image.pixels, 0))


def _limited(image: Image) -> Image:
    return image.with_pixels(np.minimum(image.pixels, np.float32(HALF_MAX)))


def _uncovered(image: Image) -> Image:
    return replace(image, mask=None)


def _charted(image: Image) -> Image:
    gutters = charts.find_gutters(image.colour_pixels)
    if gutters is None:
        return image
    return replace(image, mask=~gutters if image.mask is None else image.mask & ~gutters)


def _filled(image: Image) -> Image:
    return charts.filled(image if image.mask is not None else _charted(image))


FIXES: dict[str, Fix] = {  # in the order in which they are applied
    "decode": Fix("Decode as sRGB", "decoded as sRGB", _decoded),
    "raise": Fix("Raise to 0", "raised to 0", _raised),
    "limit": Fix("Limit to 65504", "limited to 65504", _limited),
    "uncover": Fix("Let all texels count", "alpha ignored: all texels count", _uncovered),
    "gutters": Fix("Leave gutters out", "gutters left out of scores", _charted),
    "fill": Fix("Fill from neighbours", "what does not count was filled from its neighbours", _filled),
}


def ordered(fixes: Iterable[str]) -> tuple[str, ...]:
    """Fixes by name in the order in which they are applied, each once; `UsageError` for one that is unknown."""
    wanted = set(fixes)
    unknown = wanted - set(FIXES)
    if unknown:
        raise UsageError(f"unknown fix '{min(unknown)}'; known are {', '.join(FIXES)}")
    return tuple(name for name in FIXES if name in wanted)


def mend(image: Image, fixes: Iterable[str]) -> Image:
    """A picture of light, as `engine.io` reads it, with these fixes; a picture of code values as it is."""
    names = ordered(fixes)
    if image.is_float:
        for name in names:
            image = FIXES[name].apply(image)
    return image


# ---------------------------------------------------------------- findings


def examine(image: Image) -> tuple[Finding, ...]:
    """What is to be known of a picture of light: NaN, infinite or negative samples included, alpha if it has any.

    Nothing for code values.
    """
    if not image.is_float:
        return ()
    colours = image.colour_pixels
    finite = np.ones(colours.shape[:2], bool) if np.isfinite(colours).all() else np.isfinite(colours).all(axis=2)
    safe = colours if finite.all() else np.where(finite[:, :, None], colours, 0)
    found = [*_not_finite(colours, finite), *_outside(safe), *_srgb(safe), *_alpha(image)]
    covered = _covered(image)
    if covered is not None:
        return (*found, *_empty(safe, covered), *_padding(covered & finite))
    return (*found, *_gutters(image, safe))


def _not_finite(colours: np.ndarray, finite: np.ndarray) -> Iterable[Finding]:
    if finite.all():
        return
    nan, infinite = np.isnan(colours).any(axis=2), np.isinf(colours).any(axis=2)
    if nan.any():
        words = "Taken as 0, and left out of scores. Filled, they also leave codecs alone."
        yield _finding("nan", nan, "not a number (NaN)", words, "fill")
    if infinite.any():
        words = "Taken as the brightest finite light, and left out of scores. Filled, they also leave codecs alone."
        yield _finding("infinite", infinite, "infinite", words, "fill")


def _outside(safe: np.ndarray) -> Iterable[Finding]:
    least, most = float(safe.min()), float(safe.max())
    if least < 0:
        words = f"Down to −{-least:.3g}. Codecs raise them to 0; some formats turn them into green specks."
        yield _finding("negative", np.asarray((safe < 0).any(axis=2)), "below 0", words, "raise")
    if most > HALF_MAX:
        words = f"Up to {most:.6g}: half floats, and so most formats of light, end at 65504."
        yield _finding("beyond_half", np.asarray((safe > HALF_MAX).any(axis=2)), "above 65504", words, "limit")


def _srgb(safe: np.ndarray) -> Iterable[Finding]:
    """8-bit codes that were stored as floats without being decoded: every sample is a whole number of 255ths."""
    if safe.min() < 0 or safe.max() > 1:
        return
    near, seen = 0, np.zeros(256, np.bool_)
    for rows in np.array_split(safe, -(-safe.shape[0] // _STRIP_ROWS)):
        codes = rows * np.float32(255)
        whole = np.rint(codes)
        near += int(np.count_nonzero(np.abs(codes - whole) < _CODES_OFF))
        seen[whole.astype(np.uint8)] = True
    if near >= _CODES_SHARE * safe.size and seen.sum() >= _CODES_LEAST:
        words = "Every sample is a whole number of 255ths: 8-bit sRGB codes, most likely, stored as if they were light."
        yield Finding("srgb", safe.shape[0] * safe.shape[1], (0, 0), "probably sRGB codes, not light", words, "decode")


def _alpha(image: Image) -> Iterable[Finding]:
    """Alpha that decides what counts, but does not look like coverage."""
    alpha = image.alpha_plane
    if alpha is None:
        return
    covered = alpha > 0  # NaN is not
    if not covered.any() or covered.all():
        return  # then it decides nothing
    partly = covered & (alpha != 1)
    if (alpha[covered] > 1).any() or partly.sum() > _PARTLY_SHARE * covered.sum():
        most = float(np.nanmax(alpha))
        share = 100 * (1 - float(covered.mean()))
        words = (
            f"Neither 0 nor 1 there (up to {most:.3g}). Where it is 0, {share:.1f} % of the texels, nothing is scored."
        )
        yield _finding("alpha", partly, "of alpha that is no coverage", words, "uncover")


def _covered(image: Image) -> np.ndarray | None:
    """H×W bool of texels that count, None where neither mask nor alpha says so."""
    if image.alpha_plane is not None:
        covered = np.asarray(image.alpha_plane > 0)
        return covered if covered.any() and not covered.all() else None
    return image.mask


def _empty(safe: np.ndarray, covered: np.ndarray) -> Iterable[Finding]:
    """Gutters that no baker filled: most texels right beside the charts are exactly black, and the charts are not."""
    beside = charts.beside(covered)
    black = np.zeros_like(beside)
    black[beside] = (safe[beside] == 0).all(axis=1)
    if black.sum() > _EMPTY_SHARE * beside.sum() and safe[covered].any():
        words = "Black beside the charts: filters darken their borders, and codecs spend bits on the edge."
        yield _finding("empty", black, "of empty gutter at charts", words, "fill")


def _gutters(image: Image, safe: np.ndarray) -> Iterable[Finding]:
    gutters = charts.find_gutters(safe)
    if gutters is not None:
        share = 100 * gutters.mean()
        words = f"{share:.1f} % of the picture is no chart, by its looks. It counts in scores until it is left out."
        yield _finding("gutters", gutters, "of gutters", words, "gutters")
        yield from _empty(safe, ~gutters)
        yield from _padding(~gutters)


def _padding(mask: np.ndarray) -> Iterable[Finding]:
    gap = charts.padding(mask, BLOCK - 1)
    if gap is not None:
        words = (
            f"Less than a block of {BLOCK}×{BLOCK} (BC6H, the smallest of ASTC): blocks mix the light of two charts."
        )
        yield Finding("padding", gap, _first(~mask), f"{texels(gap)} between charts", words)


def _finding(kind: str, where: np.ndarray, what: str, words: str, fix: str) -> Finding:
    return Finding(
        kind, int(np.count_nonzero(where)), _first(where), texels(int(np.count_nonzero(where)), what), words, fix
    )


def _first(where: np.ndarray) -> tuple[int, int]:
    y, x = np.unravel_index(int(np.argmax(where)), where.shape)
    return int(x), int(y)
