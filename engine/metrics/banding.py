"""Banding: contours that a codec draws into smooth light.

Published detectors look at 8- or 10-bit video alone: BBAND (Z. Tu et al., ICASSP 2020) follows the edges between flat
areas, CAMBI (P. Tandon et al., PCS 2021) counts steps of few code values in windows, on several scales. Light has no
code values, but there is an original to compare with, so the definition here is shorter. With x the luminance as
log2(light + 2⁻¹⁰), and along rows and columns alike:

- step D = x of a texel − x of the one before it. The *rest* F is the largest |step| among the four on either side of
  it.
- A contour is a step that stands out of a calm surround and was not in the original:
  c = min(|D|, |D − D of the original|) − 2·max(F, F of the original) − 1/128 stop, or 0 where that is below 0.
- It must go on in the next row (or column), at most one texel aside, in the same direction.
- The same on the picture halved once and twice, for contours that are not sharp. A texel has its largest c.

So a quantised ramp with steps of h stops and bands of n texels has contours of h·(1 − 3/n) − 1/128, and none where
its bands are no wider than 4 texels; noise has a rest as large as its steps; edges that the original has do not
count, nor a loss of detail that leaves no contour. 1/128 stop is half a per cent of light, about the least contrast
of an edge that is seen. The score is the RMS of c over the texels that count, in stops: for one ramp it grows with
the root of the step where bands are wide.
"""

from __future__ import annotations

import numpy as np

from engine.codec import Ctx
from engine.color import rgb_to_xyz
from engine.image import Image, Meaning
from engine.light import TOE
from engine.metric import Domain, MetricInfo
from engine.metrics.align import counted

_REACH = 4  # steps on either side of a contour that must be calm
_NEAREST = 2  # of which at least so many must be there, before a chart ends
_CALM = 2.0  # how far a contour must stand out of its rest
_LEAST = 1 / 128  # stops
_LEVELS = 3
_MARGIN = 32  # rows around a strip: (reach + 2) texels of the coarsest level, and a whole number of them
_STRIP_PIXELS = 1 << 19


class Banding:
    """RMS of the false contours; the map is their strength."""

    info = MetricInfo(
        id="banding",
        label="Banding",
        unit="stops",
        higher_is_better=False,
        domain=Domain.PERCEPTUAL,
        version="1",
        library=f"numpy {np.__version__}",
        has_map=True,
        map_label="False contours",
        map_unit="stops",
        digits=4,
        of=(Meaning.LIGHT,),
        memory=20.0,
        about="RMS strength of contours in smooth light that the original does not have, in stops of luminance, on "
        "three scales, over the texels that count.",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        errors = self.map(ref, img, ctx)
        counts = errors if ref.mask is None else errors[ref.mask]
        return float(np.sqrt(np.mean(np.square(counts, dtype=np.float64))))

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        out = np.empty((ref.height, ref.width), np.float32)
        step = max(_MARGIN, _STRIP_PIXELS // ref.width // _MARGIN * _MARGIN)
        for top in range(0, ref.height, step):
            ctx.check()
            bottom = min(top + step, ref.height)
            rows = slice(max(0, top - _MARGIN), min(ref.height, bottom + _MARGIN))
            found = contours(_stops(ref, rows), _stops(img, rows), counted(ref, rows))
            out[top:bottom] = found[top - rows.start : bottom - rows.start]
            ctx.progress(bottom / ref.height)
        return out


def _stops(image: Image, rows: slice) -> np.ndarray:
    """h×w f32: luminance in stops."""
    light = image.pixels[rows]
    luminance = light[:, :, 0] if image.is_gray else light @ rgb_to_xyz(image.color.primaries)[1].astype(np.float32)
    return np.log2(luminance.clip(0, None) + np.float32(TOE))


def contours(ref: np.ndarray, img: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """h×w f32 of contours in luminance in stops (h×w f32), where texels count: the strongest of all scales and both
    directions."""
    out = np.zeros(ref.shape, np.float32)
    for level in range(_LEVELS):
        if level:
            ref, img, counts = _halved(ref, counts), _halved(img, counts), _halved_counts(counts)
        if min(ref.shape) < 2:
            break
        across = _along_rows(ref, img, counts)
        down = _along_rows(ref.T, img.T, counts.T).T
        found = np.maximum(across, down).repeat(1 << level, axis=0).repeat(1 << level, axis=1)
        part = out[: found.shape[0], : found.shape[1]]  # odd sides lose a row or column when halved
        np.maximum(part, found, out=part)
    return out


def _along_rows(ref: np.ndarray, img: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """h×w f32 of contours between texels of a row; each belongs to both of its texels."""
    valid = counts[:, 1:] & counts[:, :-1]
    was, now = (np.where(valid, each[:, 1:] - each[:, :-1], 0) for each in (ref, img))
    rest = _rest(np.maximum(np.abs(was), np.abs(now)))
    strength = np.minimum(np.abs(now), np.abs(now - was)) - _CALM * rest - np.float32(_LEAST)
    strength = np.where(_surrounded(valid), strength.clip(0, None), 0)
    strength = np.where(_goes_on(np.sign(now) * (strength > 0)), strength, 0)
    out = np.zeros(ref.shape, np.float32)
    out[:, 1:] = strength
    np.maximum(out[:, :-1], strength, out=out[:, :-1])
    return out


def _rest(steps: np.ndarray) -> np.ndarray:
    """The largest of the `_REACH` steps on either side of each, itself left out."""
    padded = np.pad(steps, ((0, 0), (_REACH, _REACH)))
    width = steps.shape[1]
    out = np.zeros(steps.shape, np.float32)
    for shift in (*range(_REACH), *range(_REACH + 1, 2 * _REACH + 1)):
        np.maximum(out, padded[:, shift : shift + width], out=out)
    return out


def _surrounded(valid: np.ndarray) -> np.ndarray:
    """Where a step and the nearest on both sides are between texels that count."""
    padded = np.pad(valid, ((0, 0), (_NEAREST, _NEAREST)))
    width = valid.shape[1]
    out = np.ones(valid.shape, bool)
    for shift in range(2 * _NEAREST + 1):
        out &= padded[:, shift : shift + width]
    return out


def _goes_on(signs: np.ndarray) -> np.ndarray:
    """Where one of the six texels in the rows above and below has the same sign."""
    height, width = signs.shape
    padded = np.pad(signs, 1)
    out = np.zeros(signs.shape, bool)
    for dy in (0, 2):
        for dx in range(3):
            out |= padded[dy : dy + height, dx : dx + width] == signs
    return out


def _blocks(values: np.ndarray) -> np.ndarray:
    """h/2 × 2 × w/2 × 2 view."""
    height, width = values.shape[0] // 2, values.shape[1] // 2
    return values[: 2 * height, : 2 * width].reshape(height, 2, width, 2)


def _halved(stops: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return _blocks(np.where(counts, stops, 0)).mean(axis=(1, 3))


def _halved_counts(counts: np.ndarray) -> np.ndarray:
    return np.asarray(_blocks(counts).all(axis=(1, 3)))


BANDING = Banding()
