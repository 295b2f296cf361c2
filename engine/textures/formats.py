"""Texel formats: how many bytes a picture takes in one, its numbers in DDS and KTX2, and its decoding.

Numbers are those of Microsoft's DXGI_FORMAT and of Vulkan's VkFormat. Blocks BC1 … BC7 (Khronos Data Format
Specification 1.3, sections 18 to 20) are decoded by bcdec (through imagecodecs), another program than the one that
encodes them here; ASTC (section 23) by Arm's astcenc.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from engine.errors import CodecUnavailable, CorruptStream

ASTC_BLOCKS = (
    *((4, 4), (5, 4), (5, 5), (6, 5), (6, 6), (8, 5), (8, 6), (8, 8)),
    *((10, 5), (10, 6), (10, 8), (10, 10), (12, 10), (12, 12)),
)
"""Block sizes in the order of their VkFormat numbers."""

ASTC_INSTALL = "the astc-encoder-py package is missing: install it with 'pip install astc-encoder-py'"


@dataclass(frozen=True)
class TexelFormat:
    """One way to hold texels.

    block: width and height of what `block_bytes` hold; 1×1 where texels stand alone. channels: what decoding gives,
    in order: "RGB", "RGBA", "L", "RG" (two of something). bits: of a sample, 32 for every float. srgb: codes are marked
    as sRGB. dxgi, vk: its numbers, None where the other kind of file has none. name is for people.
    """

    name: str
    block: tuple[int, int]
    block_bytes: int
    channels: str
    bits: int
    dxgi: int | None
    vk: int | None
    srgb: bool = False
    decoder: Callable[[TexelFormat, bytes, int, int], np.ndarray] = lambda *_: np.empty(0)

    @property
    def is_light(self) -> bool:
        return self.bits == 32

    def blocks(self, width: int, height: int) -> tuple[int, int]:
        """How many blocks lie side by side and on top of each other: the last ones may stand out of the picture."""
        return math.ceil(width / self.block[0]), math.ceil(height / self.block[1])

    def size(self, width: int, height: int) -> int:
        """Bytes of a picture, in a file and in video memory alike, without mipmaps."""
        return math.prod(self.blocks(width, height)) * self.block_bytes

    @property
    def bpp(self) -> float:
        """Bits per pixel where nothing stands out."""
        return 8 * self.block_bytes / math.prod(self.block)

    def decode(self, data: bytes, width: int, height: int) -> np.ndarray:
        """H×W×C of u8, u16, f16 or f32; `CorruptStream` if `data` are too few."""
        needed = self.size(width, height)
        if len(data) < needed:
            raise CorruptStream(f"{needed} bytes of {self.name} texels are expected, {len(data)} are there")
        return self.decoder(self, data[:needed], width, height)


def _blocks(form: TexelFormat, data: bytes, width: int, height: int) -> np.ndarray:
    """BC1 … BC7: whole blocks, then the part of them that is the picture."""
    import imagecodecs

    kind = getattr(imagecodecs.BCN.FORMAT, form.name.split()[0].replace("BC6H", "BC6HS" if _signed(form) else "BC6HU"))
    columns, rows = form.blocks(width, height)
    shape = (4 * rows, 4 * columns) if form.channels == "L" else (4 * rows, 4 * columns, len(form.channels))
    texels: Any = imagecodecs.bcn_decode(data, kind, shape=shape)
    return texels.reshape(4 * rows, 4 * columns, -1)[:height, :width]


def _signed(form: TexelFormat) -> bool:
    return form.name == "BC6H signed"


def astc() -> Any:
    """The package of Arm's encoder and decoder; `CodecUnavailable` says what to install."""
    try:
        return import_module("astc_encoder")
    except ImportError as error:
        raise CodecUnavailable(f"ASTC cannot be used here: {ASTC_INSTALL}") from error


def _astc(form: TexelFormat, data: bytes, width: int, height: int) -> np.ndarray:
    library = astc()
    profiles = library.ASTCProfile
    profile = profiles.HDR_RGB_LDR_A if form.is_light else profiles.LDR_SRGB if form.srgb else profiles.LDR
    config = library.ASTCConfig(profile, *form.block, 1, flags=library.ASTCConfigFlags.DECOMPRESS_ONLY)
    kind, dtype = (library.ASTCType.F16, np.float16) if form.is_light else (library.ASTCType.U8, np.uint8)
    image = library.ASTCImage(kind, width, height)
    try:
        library.ASTCContext(config).decompress(data, image, library.ASTCSwizzle.from_str("rgba"))
    except library.ASTCError as error:
        raise CorruptStream(f"the ASTC blocks are damaged: {error}") from error
    return np.frombuffer(image.data, dtype).reshape(height, width, 4)


def _plain(dtype: str, order: tuple[int, ...]) -> Callable[[TexelFormat, bytes, int, int], np.ndarray]:
    """A decoder of samples that lie as they are; `order` takes them to ours."""

    def decode(form: TexelFormat, data: bytes, width: int, height: int) -> np.ndarray:
        texels = np.frombuffer(data, f"<{dtype}").reshape(height, width, -1)
        return texels if order == tuple(range(texels.shape[2])) else texels[:, :, list(order)]

    return decode


def _shared_exponent(_form: TexelFormat, data: bytes, width: int, height: int) -> np.ndarray:
    """RGB9E5: three mantissas of 9 bits without a hidden one, an exponent of 5 bits with a bias of 15."""
    words = np.frombuffer(data, "<u4").reshape(height, width)
    scale = np.ldexp(np.float32(1), (words >> 27).astype(np.int32) - 24)
    mantissas = np.stack([(words >> shift) & 0x1FF for shift in (0, 9, 18)], axis=2)
    return mantissas.astype(np.float32) * scale[:, :, None]


def _bc_pair(number: str, size: int, dxgi: int, vk: int) -> list[TexelFormat]:
    """A format of colours as it is, and marked as sRGB: the numbers of that come next."""
    marked = TexelFormat(f"{number} sRGB", (4, 4), size, "RGBA", 8, dxgi + 1, vk + 1, True, _blocks)
    return [TexelFormat(number, (4, 4), size, "RGBA", 8, dxgi, vk, decoder=_blocks), marked]


def _raw(name: str, dtype: str, channels: str, dxgi: int | None, vk: int | None, *, order: str = "") -> TexelFormat:
    """A format of single texels; `order` names the samples as they lie there, X for one to leave out."""
    stored = order or {"L": "L", "RG": "RG"}.get(channels, channels)
    size = np.dtype(dtype).itemsize
    bits = 32 if dtype[0] == "f" else 8 * size
    places = tuple(stored.index(channel) for channel in channels)
    decoder = _plain(dtype, places)
    return TexelFormat(name, (1, 1), size * len(stored), channels, bits, dxgi, vk, name.endswith("sRGB"), decoder)


def _astc_formats() -> Iterable[TexelFormat]:
    for index, (width, height) in enumerate(ASTC_BLOCKS):
        name = f"ASTC {width}×{height}"
        yield TexelFormat(name, (width, height), 16, "RGBA", 8, None, 157 + 2 * index, decoder=_astc)
        yield TexelFormat(f"{name} sRGB", (width, height), 16, "RGBA", 8, None, 158 + 2 * index, True, _astc)
        yield TexelFormat(f"{name} HDR", (width, height), 16, "RGBA", 32, None, 1000066000 + index, decoder=_astc)


FORMATS: tuple[TexelFormat, ...] = (
    *_bc_pair("BC1", 8, 71, 133),
    TexelFormat("BC1 opaque", (4, 4), 8, "RGBA", 8, None, 131, decoder=_blocks),
    TexelFormat("BC1 opaque sRGB", (4, 4), 8, "RGBA", 8, None, 132, True, _blocks),
    *_bc_pair("BC2", 16, 74, 135),
    *_bc_pair("BC3", 16, 77, 137),
    TexelFormat("BC4", (4, 4), 8, "L", 8, 80, 139, decoder=_blocks),
    TexelFormat("BC5", (4, 4), 16, "RG", 8, 83, 141, decoder=_blocks),
    TexelFormat("BC6H", (4, 4), 16, "RGB", 32, 95, 143, decoder=_blocks),
    TexelFormat("BC6H signed", (4, 4), 16, "RGB", 32, 96, 144, decoder=_blocks),
    *_bc_pair("BC7", 16, 98, 145),
    *_astc_formats(),
    _raw("R8", "u1", "L", 61, 9),
    _raw("RG8", "u1", "RG", 49, 16),
    _raw("RGB8", "u1", "RGB", None, 23),
    _raw("RGB8 sRGB", "u1", "RGB", None, 29),
    _raw("BGR8", "u1", "RGB", None, 30, order="BGR"),
    _raw("RGBA8", "u1", "RGBA", 28, 37),
    _raw("RGBA8 sRGB", "u1", "RGBA", 29, 43),
    _raw("BGRA8", "u1", "RGBA", 87, 44, order="BGRA"),
    _raw("BGRA8 sRGB", "u1", "RGBA", 91, 50, order="BGRA"),
    _raw("BGRX8", "u1", "RGB", 88, None, order="BGRX"),
    _raw("BGRX8 sRGB", "u1", "RGB", 93, None, order="BGRX"),
    _raw("R16", "u2", "L", 56, 70),
    _raw("RGBA16", "u2", "RGBA", 11, 91),
    _raw("R16F", "f2", "L", 54, 76),
    _raw("RGB16F", "f2", "RGB", None, 90),
    _raw("RGBA16F", "f2", "RGBA", 10, 97),
    _raw("R32F", "f4", "L", 41, 100),
    _raw("RGB32F", "f4", "RGB", 6, 106),
    _raw("RGBA32F", "f4", "RGBA", 2, 109),
    TexelFormat("RGB9E5", (1, 1), 4, "RGB", 32, 67, 123, decoder=_shared_exponent),
)

BY_NAME = {form.name: form for form in FORMATS}
BY_DXGI = {form.dxgi: form for form in FORMATS if form.dxgi is not None}
# Formats "without type" (27 RGBA8, 70 BC1 … 97 BC7) leave it to the program: the unsigned, plain one comes next.
BY_DXGI |= {number: BY_DXGI[number + 1] for number in (27, 70, 73, 76, 79, 82, 94, 97)}
BY_VK = {form.vk: form for form in FORMATS if form.vk is not None}


def astc_format(block: tuple[int, int], kind: str) -> TexelFormat:
    """ASTC of this block size; kind is "", "sRGB" or "HDR"."""
    return BY_NAME[f"ASTC {block[0]}×{block[1]} {kind}".strip()]


@dataclass(frozen=True)
class Texture:
    """The first picture of a texture file, its texels as they lie there.

    data: texels of the picture, without mipmaps. premultiplied, opaque: what the file says of its alpha. light: how
    texels stand for light (engine.textures.packed), "" where they are what they are. notes: what was left out.
    """

    form: TexelFormat
    width: int
    height: int
    data: bytes
    premultiplied: bool = False
    opaque: bool = False
    light: str = ""
    notes: tuple[str, ...] = ()
