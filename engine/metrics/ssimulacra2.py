"""SSIMULACRA 2.1: a structural metric fitted to what people said of compressed pictures.

J. Sneyers, <https://github.com/cloudinary/ssimulacra2>, April 2023, the definition of which is the C++ tool in libjxl.
Six scales of both pictures, halved in linear light, as XYB (the opponent colours of JPEG XL). On every scale three maps
a channel: SSIM without its luminance denominator, edges that the candidate has in addition (ringing, blocks) and edges
that it lost (blur). Mean and 4-norm of each make 108 numbers, whose weighted sum a polynomial takes to the scale
on which 30 is low, 50 medium, 70 high and 90 visually lossless quality; it goes below 0 and ends at 100.

Written anew after that definition because the package of this name on the Python index is another metric where it
matters: at 64×64 it gives 85.3 for a grey 50 levels too bright, and the tool -8.8.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import numpy as np

from engine.codec import Ctx
from engine.color import LINEAR_SRGB, convert
from engine.image import Image
from engine.metric import Domain, MetricInfo

_SCALES = 6
_LEAST_SIDE = 8  # a scale is halved once more only if both of its sides have as many
_C2 = 0.0009
_STRIP_PIXELS = 1 << 17

# JPEG XL's opsin absorbance (ISO/IEC 18181-1, annex L.2).
_OPSIN = np.array(
    [
        [0.30, 0.622, 0.078],
        [0.23, 0.692, 0.078],
        [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
    ]
)
_BIAS = 0.0037930732552754493
# X, Y and B-Y are scaled and shifted so that all are positive.
_TO_POSITIVE = np.array([[7.0, -7.0, 0.0], [0.5, 0.5, 0.0], [-0.5, -0.5, 1.0]])
_SHIFT = np.array([0.42, 0.01, 0.55])
# The blur is libjxl's Gaussian of σ 1.5 made of three cosines (Charalampidis, IEEE TSP 2016), which ends after 4
# neighbours; beyond the picture lie zeros.
_TAPS = (0.00941436780965374, 0.0360111146583644, 0.1093353727774603, 0.2129285920104222, 0.2646211054881985)
_BLUR = np.array([*_TAPS, *_TAPS[-2::-1]], np.float32)
_MARGIN = len(_TAPS) - 1

# A row for every scale of X, then of Y, then of B-Y: mean of SSIM, gained and lost edges, then the 4-norms of the same.
# fmt: off
_WEIGHTS = np.array([
    [0.0, 0.0007376606707406586, 0.0, 0.0, 0.0007793481682867309, 0.0],
    [0.0, 0.0004371155730107379, 0.0, 1.1041726426657346, 0.00066284834129271, 0.00015231632783718752],
    [0.0, 0.0016406437456599754, 0.0, 1.8422455520539298, 11.441172603757666, 0.0],
    [0.0007989109436015163, 0.000176816438078653, 0.0, 1.8787594979546387, 10.94906990605142, 0.0],
    [0.0007289346991508072, 0.9677937080626833, 0.0,
     0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053],
    [0.0004550992113792063, 0.0, 0.0, 0.0013648766163243398, 0.0, 0.0],
    [0.0, 0.0, 0.0, 7.466890328078848, 0.0, 17.445833984131262],
    [0.0006235601634041466, 0.0, 0.0, 6.683678146179332, 0.00037724407979611296, 1.027889937768264],
    [225.20515300849274, 0.0, 0.0, 19.213238186143016, 0.0011401524586618361, 0.001237755635509985],
    [176.39317598450694, 0.0, 0.0, 24.43300999870476, 0.28520802612117757, 0.0004485436923833408],
    [0.0, 0.0, 0.0, 34.77906344483772, 44.835625328877896, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0008680556573291698, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0005313191874358747, 0.0, 0.00016533814161379112, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0004179171803251336, 0.0017290828234722833, 0.0],
    [0.0020827005846636437, 0.0, 0.0, 8.826982764996862, 23.19243343998926, 0.0],
    [95.1080498811086, 0.9863978034400682, 0.9834382792465353,
     0.0012286405048278493, 171.2667255897307, 0.9807858872435379],
    [0.0, 0.0, 0.0, 0.0005130064588990679, 0.0, 0.00010854057858411537],
])
# fmt: on
_GAIN = 0.9562382616834844
_POLYNOMIAL = (6.248496625763138e-05, -0.020884521182843837, 2.326765642916932, 0.0)
_EXPONENT = 0.6276336467831387


class Ssimulacra2:
    """SSIMULACRA 2.1, up to 100; no map, as its scales do not share a grid."""

    info = MetricInfo(
        id="ssimulacra2",
        label="SSIMULACRA 2",
        unit="",
        higher_is_better=True,
        domain=Domain.PERCEPTUAL,
        version="2.1",
        library=f"scipy {version('scipy')}",
        digits=2,
        min_side=_LEAST_SIDE,
        memory=48.0,
        about="SSIMULACRA 2.1 of April 2023 as in libjxl's tool, within 0.01 of it on textured pictures; 100 is equal, "
        "90 visually lossless, 70 high, 50 medium, 30 low quality, and bad pictures go below 0.",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        pair = _light(ref), _light(img)
        norms = []
        for scale in range(_SCALES):
            if min(pair[0].shape[:2]) < _LEAST_SIDE:
                break
            if scale:
                pair = _halved(pair[0]), _halved(pair[1])
            norms.append(_norms(*pair, ctx))
            ctx.progress((scale + 1) / _SCALES)
        # Small pictures have fewer scales; the definition then goes through the weights without any gap.
        terms = np.stack(norms, axis=1).ravel()
        error = _GAIN * float(terms @ _WEIGHTS.ravel()[: terms.size])
        error = float(np.polyval(_POLYNOMIAL, error))
        return 100.0 - 10.0 * error**_EXPONENT if error > 0 else 100.0

    def map(self, ref: Image, img: Image, ctx: Ctx) -> None:
        return None


def _light(image: Image) -> np.ndarray:
    """H×W×3 f32 of linear sRGB."""
    out = np.empty((image.height, image.width, 3), np.float32)
    for rows in _strips(*out.shape[:2]):
        out[rows] = convert(image.pixels[rows].astype(np.float32) / np.float32(image.peak), image.color, LINEAR_SRGB)
    return out


def _halved(light: np.ndarray) -> np.ndarray:
    """Means of 2×2; an odd last row or column is averaged with itself."""
    height, width = light.shape[:2]
    even = np.pad(light, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    rows = even[0::2] + even[1::2]
    return (rows[:, 0::2] + rows[:, 1::2]) * np.float32(0.25)


def _norms(ref: np.ndarray, img: np.ndarray, ctx: Ctx) -> np.ndarray:
    """3×6: for each of X, Y, B-Y the means of the three maps, then their 4-norms."""
    height, width = ref.shape[:2]
    means, fourths = np.zeros((3, 3)), np.zeros((3, 3))
    for rows in _strips(height, width):
        ctx.check()
        wide = slice(max(0, rows.start - _MARGIN), min(height, rows.stop + _MARGIN))
        inner = slice(rows.start - wide.start, rows.stop - wide.start)
        xyb = _xyb(ref[wide]), _xyb(img[wide])
        for channel in range(3):
            for index, errors in enumerate(_maps(xyb[0][channel], xyb[1][channel], inner)):
                square = np.square(errors)
                means[channel, index] += errors.sum(dtype=np.float64)
                fourths[channel, index] += np.square(square).sum(dtype=np.float64)
    return np.concatenate([means / (height * width), (fourths / (height * width)) ** 0.25], axis=1)


def _maps(ref: np.ndarray, img: np.ndarray, inner: slice) -> Iterator[np.ndarray]:
    """Loss of structure, gained edges, lost edges, over the rows `inner` of a strip."""
    mean_ref, mean_img = _blurred(ref)[inner], _blurred(img)[inner]
    square_ref, square_img, product = (_blurred(each)[inner] for each in (ref * ref, img * img, ref * img))
    covariance = 2 * (product - mean_ref * mean_img) + np.float32(_C2)
    variances = (square_ref - mean_ref * mean_ref) + (square_img - mean_img * mean_img) + np.float32(_C2)
    yield (1 - (1 - np.square(mean_ref - mean_img)) * covariance / variances).clip(0, None)
    gain = (1 + np.abs(img[inner] - mean_img)) / (1 + np.abs(ref[inner] - mean_ref)) - 1
    yield gain.clip(0, None)
    yield (-gain).clip(0, None)


def _xyb(light: np.ndarray) -> np.ndarray:
    """3×H×W f32: X, Y and B-Y, made positive."""
    cones = np.cbrt((light @ _OPSIN.T.astype(np.float32) + np.float32(_BIAS)).clip(0, None))
    cones -= np.float32(np.cbrt(_BIAS))
    return np.ascontiguousarray(
        np.moveaxis(cones @ _TO_POSITIVE.T.astype(np.float32) + _SHIFT.astype(np.float32), 2, 0)
    )


def _blurred(plane: np.ndarray) -> np.ndarray:
    from scipy.ndimage import correlate1d

    return correlate1d(correlate1d(plane, _BLUR, axis=1, mode="constant"), _BLUR, axis=0, mode="constant")


def _strips(height: int, width: int) -> Iterator[slice]:
    step = max(4 * _MARGIN, _STRIP_PIXELS // width)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


SSIMULACRA2 = Ssimulacra2()
