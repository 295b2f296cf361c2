"""What patches of a picture look like, whatever lies where in them: statistics of texture, light and colour.

The statistics that Portilla and Simoncelli found to make textures look alike ("A parametric texture model based on
joint statistics of complex wavelet coefficients", IJCV 2000), as far as they are cheap and stable on 32×32 pixels. Of
three scales of luma, each half of the one before: log energies of second derivatives in four directions, and how far
their magnitudes go together; of the Laplacian band its sparsity, skewness and autocorrelation, how far its magnitudes
go together with those of the band above, and how far it goes together with either chroma; log energies of chroma. Then
mean luma and chroma, and the contrast of luma. All are counted in standard deviations over patches of photographs.

Patches overlap by half. Each is made of four cells of 16×16 pixels, whose sums are all that is kept: a row of cells
sees its own pixels and a margin, so a picture is gone through in strips, with the same result to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.codec import Ctx
from engine.color import SRGB, convert
from engine.image import Image

PATCH = 32
_CELL = PATCH // 2
_LEVELS = 3
_MARGIN = 32  # pixels around a strip: 22 are within reach of the coarsest band, and the pyramid needs whole cells
_STRIP_PIXELS = 1 << 17
_LEAST_ROWS = 8  # of cells in a strip: its margin is as much as four

_TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)  # JFIF (ITU-T T.871), of code values 0 … 1
# What is fainter than this has no say: 1.5 code values of 8 bits, the noise and the rounding of a good photograph.
_FLOOR = np.float32((1.5 / 255) ** 2)
_MEAN_LUMA = 0.42

# Standard deviations of each kind of number over the patches of 150 photographs; they make all of them count alike.
_LIGHT, _CHROMA, _SHADE = 0.25, 0.08, 1.05
_ENERGY, _CHROMA_ENERGY = 0.8, 0.32
_SPARSITY, _SKEWNESS, _AUTOCORRELATION = 0.35, 0.55, 0.26
_DIRECTIONS, _SCALES, _COLOURS = 0.2, 0.23, 0.26


def patch_features(image: Image, ctx: Ctx) -> np.ndarray:
    """N×D f32: D numbers of each of the N patches of a picture of code values, grey or RGB, 32 pixels a side at least.

    The picture is taken to sRGB; its last patches see a continuation by reflection.
    """
    cells = [_cell_sums(planes) for planes in _strips(image, ctx)]
    means = {}
    for name in cells[0]:
        sums = np.concatenate([each[name] for each in cells])
        pairs = sums[1:] + sums[:-1]
        means[name] = (pairs[:, 1:] + pairs[:, :-1]).ravel() / np.float32(PATCH**2)
    return _numbers(means)


def _strips(image: Image, ctx: Ctx) -> Iterator[np.ndarray]:
    """3×h×w f32 of Y, Cb, Cr of each strip of rows of cells, with its margin."""
    height, width = (-(-side // _CELL) * _CELL for side in (image.height, image.width))
    columns = _reflected(-_MARGIN, width + _MARGIN, image.width)
    step = max(_LEAST_ROWS, _STRIP_PIXELS // (width * _CELL)) * _CELL
    for top in range(0, height, step):
        ctx.check()
        bottom = min(top + step, height)
        rows = _reflected(top - _MARGIN, bottom + _MARGIN, image.height)
        codes = image.pixels[rows].astype(np.float32) / np.float32(image.peak)
        if image.color != SRGB:
            codes = convert(codes, image.color, SRGB).astype(np.float32)
        rgb = [np.take(codes[:, :, min(k, codes.shape[2] - 1)], columns, axis=1) for k in range(3)]
        yield np.stack([sum(weight * plane for weight, plane in zip(row, rgb, strict=True)) for row in _TO_YCC])
        ctx.progress(bottom / height)


def _reflected(start: int, stop: int, size: int) -> np.ndarray:
    """Places within `size` samples of start … stop of their continuation by reflection."""
    place = np.arange(start, stop) % (2 * size)
    return np.minimum(place, 2 * size - 1 - place)


# --- maps and their sums over cells


def _cell_sums(planes: np.ndarray) -> dict[str, np.ndarray]:
    """rows×columns f32 by name: sums of all maps over the cells of a strip, as if each had all pixels."""
    sums = dict(zip(("luma", "blue", "red"), _summed(planes, _CELL), strict=True))
    finer: np.ndarray | None = None
    for level in range(_LEVELS):
        smooth = _smoothed(planes)
        maps = _maps(planes[0], planes - smooth)
        if finer is not None:
            maps |= {"finer": finer, "finer²": finer * finer, "finer·detail": finer * maps["|detail|"]}
        scale = np.float32(4**level)
        for name, total in zip(maps, _summed(np.stack(list(maps.values())), _CELL >> level), strict=True):
            sums[f"{name} {level}"] = total * scale
        finer = _halved(maps["|detail|"])
        planes = _halved(smooth)
    return sums


def _maps(luma: np.ndarray, band: np.ndarray) -> dict[str, np.ndarray]:
    """h×w maps of one scale. band: 3×h×w, the Laplacian band of Y, Cb, Cr."""
    across, down, falling, rising = _second_derivatives(luma)
    maps = {"across²": across * across, "down²": down * down, "falling²": falling * falling, "rising²": rising * rising}
    across, down, falling, rising = np.abs(across), np.abs(down), np.abs(falling), np.abs(rising)
    maps |= {"across": across, "down": down, "falling": falling, "rising": rising}
    maps |= {"across·down": across * down, "falling·rising": falling * rising}
    detail, blue, red = band
    square = detail * detail
    right, below = np.zeros_like(detail), np.zeros_like(detail)
    right[:, :-2] = detail[:, :-2] * detail[:, 2:]
    below[:-2] = detail[:-2] * detail[2:]
    maps |= {"|detail|": np.abs(detail), "detail²": square, "detail³": square * detail, "right": right, "below": below}
    maps |= {"blue²": blue * blue, "red²": red * red, "blue·detail": blue * detail, "red·detail": red * detail}
    return maps | {"shade": luma, "shade²": luma * luma}


def _second_derivatives(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """h×w second derivatives across, down and along both diagonals, of unit gain for white noise or nearly so.

    Three of them make that of any direction (Freeman and Adelson, "The design and use of steerable filters", 1991).
    """
    across, down, mixed = (np.zeros_like(plane) for _ in range(3))
    rows = plane[:-2] + 2 * plane[1:-1] + plane[2:]
    columns = plane[:, :-2] + 2 * plane[:, 1:-1] + plane[:, 2:]
    across[1:-1, 1:-1] = (rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]) / np.float32(6)
    down[1:-1, 1:-1] = (columns[:-2] - 2 * columns[1:-1] + columns[2:]) / np.float32(6)
    difference = plane[:, 2:] - plane[:, :-2]
    mixed[1:-1, 1:-1] = (difference[2:] - difference[:-2]) / np.float32(6)
    both = (across + down) / np.float32(2)
    return across, down, both + mixed, both - mixed


def _smoothed(planes: np.ndarray) -> np.ndarray:
    """Binomial low-pass of five taps both ways; two samples along each border are not filtered."""
    out = planes.copy()
    out[:, 2:-2] = (
        planes[:, :-4] + planes[:, 4:] + 4 * (planes[:, 1:-3] + planes[:, 3:-1]) + 6 * planes[:, 2:-2]
    ) / np.float32(16)
    rows = out.copy()
    out[:, :, 2:-2] = (
        rows[:, :, :-4] + rows[:, :, 4:] + 4 * (rows[:, :, 1:-3] + rows[:, :, 3:-1]) + 6 * rows[:, :, 2:-2]
    ) / np.float32(16)
    return out


def _halved(planes: np.ndarray) -> np.ndarray:
    """Means of 2×2 samples."""
    rows = planes[..., 0::2, :] + planes[..., 1::2, :]
    return (rows[..., 0::2] + rows[..., 1::2]) * np.float32(0.25)


def _summed(maps: np.ndarray, cell: int) -> np.ndarray:
    """Sums over cells of `cell` samples a side; the margin, as many cells as two of 16 pixels are, is left out."""
    margin = _MARGIN // _CELL * cell
    inside = maps[:, margin:-margin, margin:-margin]
    count, height, width = inside.shape
    rows = inside.reshape(count, height // cell, cell, width).sum(axis=2)
    return rows.reshape(count, height // cell, width // cell, cell).sum(axis=3)


# --- from means over patches to numbers


def _numbers(means: dict[str, np.ndarray]) -> np.ndarray:
    """N×D f32 from the means of the maps over N patches."""
    out = [(means["luma"] - np.float32(_MEAN_LUMA)) / _LIGHT, means["blue"] / _CHROMA, means["red"] / _CHROMA]
    for level in range(_LEVELS):
        maps = {name[:-2]: mean for name, mean in means.items() if name.endswith(f" {level}")}
        out += _texture_numbers(maps)
    out.append(_log_rms(maps["shade²"] - maps["shade"] ** 2) / _SHADE)
    return np.ascontiguousarray(np.stack(out, axis=1), np.float32)


def _texture_numbers(maps: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The numbers of one scale, N each."""
    out = [_log_rms(maps[f"{name}²"]) / _ENERGY for name in ("across", "down", "falling", "rising")]
    out += [_correlation(maps, one, other) / _DIRECTIONS for one, other in (("across", "down"), ("falling", "rising"))]
    energy = maps["detail²"] + _FLOOR
    out.append(np.log((maps["|detail|"] ** 2 + _FLOOR) / energy) / _SPARSITY)
    out.append(np.arctan(maps["detail³"] / energy**1.5) / _SKEWNESS)
    out += [maps[name] / energy / _AUTOCORRELATION for name in ("right", "below")]
    for chroma in ("blue", "red"):
        strength = maps[f"{chroma}²"] + _FLOOR
        out.append(np.log(strength) / 2 / _CHROMA_ENERGY)
        out.append(maps[f"{chroma}·detail"] / np.sqrt(strength * energy) / _COLOURS)
    if "finer" in maps:
        out.append(_correlation({**maps, "detail": maps["|detail|"]}, "finer", "detail") / _SCALES)
    return out


def _log_rms(mean_square: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(mean_square, 0) + _FLOOR) / 2


def _correlation(maps: dict[str, np.ndarray], one: str, other: str) -> np.ndarray:
    """Of two magnitudes; towards 0 where both are faint."""
    variances = [np.maximum(maps[f"{name}²"] - maps[name] ** 2, 0) + _FLOOR for name in (one, other)]
    return (maps[f"{one}·{other}"] - maps[one] * maps[other]) / np.sqrt(variances[0] * variances[1])
