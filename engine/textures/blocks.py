"""Encoding blocks: BC3, BC6H and BC7 by Intel's ISPC texture compressor, ASTC by Arm's astcenc.

What stands out of the picture in its last blocks repeats its edge, so that it takes no part of a block's range.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from engine.errors import CodecUnavailable
from engine.light import HALF_MAX
from engine.textures.formats import ASTC_INSTALL, TexelFormat, astc

ISPC_INSTALL = "the ispc_texcomp package is missing: install it with 'pip install ispc_texcomp'"
BC6H_EFFORTS = ("veryfast", "fast", "basic", "slow", "veryslow")
BC7_EFFORTS = ("ultrafast", "veryfast", "fast", "basic", "slow")
ASTC_EFFORTS = {"fast": 10, "medium": 60, "thorough": 98, "exhaustive": 100}


def ispc() -> Any:
    """The package of Intel's compressor; `CodecUnavailable` says what to install."""
    try:
        return import_module("ispc_texcomp")
    except ImportError as error:
        raise CodecUnavailable(f"the texture compressor cannot be used here: {ISPC_INSTALL}") from error


def missing(*libraries: str) -> str | None:
    """What to install for those of "ispc" and "astc" that are not there; None if nothing."""
    for name, package, install in (("ispc", "ispc_texcomp", ISPC_INSTALL), ("astc", "astc_encoder", ASTC_INSTALL)):
        if name in libraries and find_spec(package) is None:  # not loaded: the window asks every codec when it starts
            return install
    return None


def bc6h(light: np.ndarray, effort: str) -> bytes:
    """Unsigned BC6H of light (H×W×3 f32, ≥ 0, finite); what is brighter than half floats hold is clipped."""
    library = ispc()
    texels = np.ones((*light.shape[:2], 4), np.float16)
    texels[:, :, :3] = np.minimum(light, HALF_MAX)
    surface = _surface(library, _whole_blocks(texels))
    return bytes(library.compress_blocks_bc6h(surface, library.BC6HEncSettings.from_profile(effort)))


def bc7(codes: np.ndarray, effort: str) -> bytes:
    """BC7 of H×W×3 or 4 u8; without alpha it is 255 in every texel."""
    library = ispc()
    profile = effort if codes.shape[2] == 3 else f"alpha_{effort}"
    surface = _surface(library, _whole_blocks(with_alpha(codes)))
    return bytes(library.compress_blocks_bc7(surface, library.BC7EncSettings.from_profile(profile)))


def bc3(codes: np.ndarray) -> bytes:
    """BC3 of H×W×3 or 4 u8."""
    library = ispc()
    return bytes(library.compress_blocks_bc3(_surface(library, _whole_blocks(with_alpha(codes)))))


def astc_blocks(texels: np.ndarray, form: TexelFormat, effort: str, threads: int = 1) -> bytes:
    """ASTC of H×W×3 or 4: u8 codes, or light in floats (≥ 0, finite, three channels), by what `form` is."""
    library = astc()
    height, width, channels = texels.shape
    if form.is_light:
        profile, kind = library.ASTCProfile.HDR_RGB_LDR_A, library.ASTCType.F16
        texels = np.minimum(texels, HALF_MAX).astype(np.float16)
    else:
        profile = library.ASTCProfile.LDR_SRGB if form.srgb else library.ASTCProfile.LDR
        kind = library.ASTCType.U8
    config = library.ASTCConfig(profile, *form.block, 1, quality=ASTC_EFFORTS[effort])
    image = library.ASTCImage(kind, width, height, data=with_alpha(texels).tobytes())
    swizzle = library.ASTCSwizzle.from_str("rgba" if channels == 4 else "rgb1")
    return bytes(library.ASTCContext(config, threads).compress(image, swizzle))


def with_alpha(texels: np.ndarray) -> np.ndarray:
    """H×W×4: three channels get an alpha of one."""
    if texels.shape[2] == 4:
        return np.ascontiguousarray(texels)
    one = 1 if texels.dtype.kind == "f" else np.iinfo(texels.dtype).max
    return np.concatenate([texels, np.full((*texels.shape[:2], 1), one, texels.dtype)], axis=2)


def _whole_blocks(texels: np.ndarray) -> np.ndarray:
    height, width = texels.shape[:2]
    return np.pad(texels, ((0, -height % 4), (0, -width % 4), (0, 0)), mode="edge")


def _surface(library: Any, texels: np.ndarray) -> Any:
    height, width = texels.shape[:2]
    return library.RGBASurface(texels.tobytes(), width, height, width * 4 * texels.itemsize)
