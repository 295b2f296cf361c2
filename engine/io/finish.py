"""From samples as they lie in a file to an `Image`: ink to light, profiles, orientation. Each step says what it did."""

from __future__ import annotations

import numpy as np

from engine import color
from engine.channels import from_samples
from engine.color import DISPLAY_P3, SRGB, ColorSpec
from engine.errors import Unsupported
from engine.image import Alpha, Image, Meaning
from engine.io.finish_light import finish_light
from engine.io.source import Raw

_TURNS = {
    2: "mirrored left to right",
    3: "turned by 180°",
    4: "mirrored top to bottom",
    5: "mirrored and turned by 90°",
    6: "turned by 90° clockwise",
    7: "mirrored and turned by 90°",
    8: "turned by 90° counter-clockwise",
}
# H.273 transfers whose code values are close to sRGB's and are shown as such by browsers.
_VIDEO_TRANSFERS = (1, 6, 14, 15)
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
_STRIP_ROWS = 64
_LCMS_SPACE = {b"RGB ": "rgb", b"GRAY": "gray", b"CMYK": "cmyk"}


def finish(raw: Raw, data: Meaning | None = None) -> tuple[Image, tuple[str, ...]]:
    """The picture, upright and in a colour space that we know, and what was done to get there.

    data: DIRECTION or MASK; then the samples stay as they are, whatever colours the file names.
    """
    if data is not None:
        return _as_data(raw, data), tuple(raw.notes)
    if raw.pixels.dtype.kind == "f":
        raw.pixels = _turned(raw.pixels, raw)
        return finish_light(raw)
    pixels, spec = _to_known_colours(raw)
    pixels = _turned(pixels, raw)
    alpha = Alpha.NONE
    if pixels.shape[2] in (2, 4):
        alpha = Alpha.PREMULTIPLIED if raw.premultiplied else Alpha.STRAIGHT
    bits = raw.bits if pixels.dtype == np.uint16 else 8
    return Image(np.ascontiguousarray(pixels), spec, alpha, bits), tuple(raw.notes)


def _as_data(raw: Raw, data: Meaning) -> Image:
    if raw.channels == "CMYK":
        raise Unsupported(f"inks are no {data.noun}", hint="--kind colour reads it as a picture")
    raw.notes[:] = [note for note in raw.notes if "sRGB" not in note]  # what textures say of colours
    bits = raw.bits if raw.pixels.dtype == np.uint16 else 8
    return from_samples(_turned(raw.pixels, raw), bits, data, raw.notes)


def _turned(pixels: np.ndarray, raw: Raw) -> np.ndarray:
    if raw.orientation not in _TURNS:
        return pixels
    raw.notes.append(f"{_TURNS[raw.orientation]}, as the file asks")
    return _upright(pixels, raw.orientation)


def _to_known_colours(raw: Raw) -> tuple[np.ndarray, ColorSpec]:
    if raw.channels == "CMYK":
        return _from_ink(raw), SRGB
    if raw.cicp is not None and raw.cicp[0] != 2:
        spec = _spec_of_code_points(raw)
        if spec is not None:
            return raw.pixels, spec
    if raw.icc is None:
        return raw.pixels, SRGB
    spec = color.recognise(raw.icc)
    if spec is not None:
        if spec != SRGB:
            raw.notes.append(f"{spec} colours kept")
        return raw.pixels, spec
    return _through_profile(raw, raw.icc), SRGB


def _spec_of_code_points(raw: Raw) -> ColorSpec | None:
    """The spec that code points state; None leaves the matter to the ICC profile, if there is one."""
    primaries, transfer = raw.cicp or (2, 2)
    if transfer in _HDR_TRANSFERS:
        kind = _HDR_TRANSFERS[transfer]
        raw.notes.append(f"HDR code values ({kind}) are taken as they are: colours look flat")
        return SRGB
    if transfer not in (2, 13, *_VIDEO_TRANSFERS) or primaries not in color.PRIMARIES:
        return None
    if primaries == DISPLAY_P3.primaries:
        raw.notes.append(f"{DISPLAY_P3} colours kept")
        return DISPLAY_P3
    if primaries == SRGB.primaries:
        return SRGB
    raw.icc = color.profile_bytes(ColorSpec(primaries, 13))
    return None


def _from_ink(raw: Raw) -> np.ndarray:
    if raw.icc is not None and raw.icc[16:20] == b"CMYK":
        converted = _transform(raw.pixels, raw.icc, "cmyk")
        if converted is not None:
            raw.notes.append(f"CMYK converted to sRGB through its profile “{color.describe(raw.icc)}”")
            return converted
    raw.notes.append("CMYK without a usable profile was converted by the plain formula: colours are approximate")
    peak = 2**raw.bits - 1
    light = np.empty((*raw.pixels.shape[:2], 3), raw.pixels.dtype)
    for top in range(0, len(light), _STRIP_ROWS):  # products are twice as wide as samples: never all of them at once
        paper = peak - raw.pixels[top : top + _STRIP_ROWS].astype(np.uint32)
        light[top : top + _STRIP_ROWS] = (paper[:, :, :3] * paper[:, :, 3:] + peak // 2) // peak
    return light


def _through_profile(raw: Raw, icc: bytes) -> np.ndarray:
    name = color.describe(icc)
    space = _LCMS_SPACE.get(icc[16:20])
    gray = raw.channels.startswith("L")
    if space is None or space != ("gray" if gray else "rgb"):
        raw.notes.append(f"the profile “{name}” does not fit the picture and was ignored: colours taken as sRGB")
        return raw.pixels
    alpha = raw.pixels[:, :, -1:] if raw.channels.endswith("A") else None
    colours = raw.pixels if alpha is None else raw.pixels[:, :, :-1]
    converted = _transform(np.ascontiguousarray(colours), icc, space)
    if converted is None:
        raw.notes.append(f"the profile “{name}” is damaged and was ignored: colours taken as sRGB")
        return raw.pixels
    raw.notes.append(f"converted from “{name}” to sRGB")
    if gray:
        converted = converted[:, :, :1]  # the three are equal: sRGB's greys lie on its diagonal
    return converted if alpha is None else np.concatenate([converted, alpha], axis=2)


def _transform(pixels: np.ndarray, icc: bytes, space: str) -> np.ndarray | None:
    """`pixels` as sRGB of the same depth through LittleCMS (relative colorimetric), or None if the profile is bad."""
    import imagecodecs

    try:
        return imagecodecs.cms_transform(
            np.ascontiguousarray(pixels[:, :, 0] if space == "gray" else pixels),
            icc,
            color.profile_bytes(SRGB),
            colorspace=space,
            outcolorspace="rgb",
            intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
            flags=imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION,
        )
    except imagecodecs.CmsError:
        return None


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undo an orientation (EXIF 2.32, tag 0x0112)."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
