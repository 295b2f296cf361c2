"""Light in 8 bits a channel, as engines pack it where a card has no float texture: RGBM, dLDR, RGBE.

RGBM and dLDR are Unity's for linear colour space ("Lightmap data format" in its manual; LIGHTMAP_RGBM_MAX_LINEAR and
UnpackLightmapRGBM in EntityLighting.hlsl of its core render pipeline): the texture is marked as sRGB, so that the card
gives linear colours, and alpha as it is.

- RGBM: light = rgb · 5^2.2 · alpha^2.2, so up to 34.49. Alpha is the least of its 255 steps that reaches the brightest
  channel; black has the least step, too.
- dLDR: light = rgb · 2^2.2, so up to 4.59; what is brighter is clipped.
- RGBE: light = rgb · 2^(alpha - 136), no sRGB: Radiance's bytes in a texture (G. Ward, "Real Pixels",
  Graphics Gems II, 1991).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.color import SRGB, from_linear, to_linear
from engine.errors import Unsupported

GAMMA = 2.2
RGBM_MAX = 5.0**GAMMA
DLDR_MAX = 2.0**GAMMA
_BIAS = 136  # of the exponent, with the eight bits of the mantissa


def rgbm_codes(light: np.ndarray) -> np.ndarray:
    """H×W×4 u8 of light (H×W×3 f32, ≥ 0); what is brighter than 34.49 is clipped."""
    light = np.minimum(light, RGBM_MAX)
    reach = (light.max(axis=2) / RGBM_MAX) ** (1 / GAMMA)
    step = np.ceil(reach * 255 - 1e-4).clip(1, 255)  # a brightest channel that lies on a step needs no more
    colours = light / _rgbm_scale(step)[:, :, None]
    return np.dstack([_srgb_codes(colours), step.astype(np.uint8)])


def rgbm_light(codes: np.ndarray) -> np.ndarray:
    """H×W×3 f32 of H×W×4 u8."""
    return _linear(codes[:, :, :3]) * _rgbm_scale(codes[:, :, 3].astype(np.float32))[:, :, None]


def _rgbm_scale(step: np.ndarray) -> np.ndarray:
    return (RGBM_MAX * (step / 255) ** GAMMA).astype(np.float32)


def dldr_codes(light: np.ndarray) -> np.ndarray:
    """H×W×3 u8 of light (H×W×3 f32, ≥ 0); what is brighter than 4.59 is clipped."""
    return _srgb_codes(light / np.float32(DLDR_MAX))


def dldr_light(codes: np.ndarray) -> np.ndarray:
    """H×W×3 f32 of H×W×3 or 4 u8."""
    return _linear(codes[:, :, :3]) * np.float32(DLDR_MAX)


def rgbe_codes(light: np.ndarray) -> np.ndarray:
    """H×W×4 u8 of light (H×W×3 f32, finite, ≥ 0), rounded to 8 bits of mantissa of the brightest channel."""
    brightest = light.max(axis=2)
    exponent = np.frexp(brightest)[1]
    exponent += np.rint(np.ldexp(brightest, 8 - exponent)) > 255  # rounding up may need the next exponent
    exponent = np.clip(exponent, -127, 127)
    steps = np.rint(np.ldexp(light, 8 - exponent[:, :, None])).clip(0, 255).astype(np.uint8)
    empty = ~steps.any(axis=2)
    return np.dstack([steps, np.where(empty, 0, exponent + 128).astype(np.uint8)])


def rgbe_light(codes: np.ndarray) -> np.ndarray:
    """H×W×3 f32 of H×W×4 u8."""
    scale = np.ldexp(np.float32(1), codes[:, :, 3].astype(np.int32) - _BIAS)
    scale[codes[:, :, 3] == 0] = 0
    return codes[:, :, :3] * scale[:, :, None]


def _srgb_codes(colours: np.ndarray) -> np.ndarray:
    return np.rint(from_linear(colours.clip(0, 1), SRGB) * 255).astype(np.uint8)


def _linear(codes: np.ndarray) -> np.ndarray:
    steps = np.arange(256, dtype=np.float32) / 255
    return to_linear(steps, SRGB)[codes]


@dataclass(frozen=True)
class Packing:
    """One way to pack light. id: in files and as a codec. channels: of its codes. srgb: these are marked as sRGB."""

    id: str
    channels: int
    srgb: bool
    brightest: float
    codes: Callable[[np.ndarray], np.ndarray]
    light: Callable[[np.ndarray], np.ndarray]


PACKINGS: dict[str, Packing] = {
    packing.id: packing
    for packing in (
        Packing("rgbm", 4, True, RGBM_MAX, rgbm_codes, rgbm_light),
        Packing("dldr", 3, True, DLDR_MAX, dldr_codes, dldr_light),
        Packing("rgbe", 4, False, float(np.ldexp(255.0, 255 - _BIAS)), rgbe_codes, rgbe_light),
    )
}


def unpacked(name: str, codes: np.ndarray) -> np.ndarray:
    """H×W×3 f32 of codes packed in the way of that name; `Unsupported` for one that is not known, or cannot be."""
    packing = PACKINGS.get(name)
    if packing is None or codes.dtype != np.uint8 or codes.shape[2] < packing.channels:
        raise Unsupported(f"the texture packs its light in a way that is not known: '{name[:40]}'")
    return packing.light(codes)
