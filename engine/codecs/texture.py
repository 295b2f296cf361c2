"""What the codecs of engine formats share: texels go into a DDS or KTX2 file, and come back through its reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from engine.codec import CodecInfo, Ctx, Encoded, Kind, Param
from engine.codecs.checks import require_carried
from engine.color import LINEAR_SRGB, SRGB
from engine.errors import CorruptStream, EngineError, Unsupported
from engine.image import Image
from engine.io import decode, textures
from engine.io.textures import texture_of
from engine.textures import dds, ktx2
from engine.textures.formats import TexelFormat, Texture

MAX_SIDE = 16_384  # of a texture, on the cards of today
_STRIP_BLOCKS = 32  # rows of blocks that are encoded at a time: whether the work is still wanted is asked in between

_HELP = "ktx2+zstd is packed by Zstandard: smaller on disk, the same in video memory."
DDS_OR_KTX2 = Param("file", Kind.CHOICE, "dds", choices=("dds", "ktx2", "ktx2+zstd"), label="File", help=_HELP)
KTX2_ONLY = Param("file", Kind.CHOICE, "ktx2", choices=("ktx2", "ktx2+zstd"), label="File", help=_HELP)


def require_texture(image: Image, info: CodecInfo) -> None:
    """`Unsupported` for a picture that is not what the codec carries, or in colours that no texture names."""
    require_carried(image, info)
    meant = LINEAR_SRGB if image.is_float else SRGB
    if image.icc is not None or (image.color != meant and not image.is_gray):
        raise Unsupported(f"{info.label} textures name no colours: {meant} is what engines take them for")
    if image.is_gray:
        raise Unsupported(f"{info.label} carries no grey pictures")


def in_strips(texels: np.ndarray, form: TexelFormat, ctx: Ctx, encode: Callable[[np.ndarray], bytes]) -> bytes:
    """The blocks of H×W×C `texels` from `encode`, a strip of rows at a time; `Cancelled` in between."""
    step = _STRIP_BLOCKS * form.block[1]
    parts = []
    for strip in _strips(texels, step):
        ctx.check()
        parts.append(encode(strip))
        ctx.progress(min(1.0, len(parts) * step / len(texels)))
    return b"".join(parts)


def _strips(texels: np.ndarray, step: int) -> Iterator[np.ndarray]:
    return (texels[top : top + step] for top in range(0, len(texels), step))


def packed(form: TexelFormat, image: Image, data: bytes, file: str, *, light: str = "") -> Encoded:
    """The file of texels `data`; its figures name the bytes in video memory and what stands out of the picture."""
    texture = Texture(form, image.width, image.height, data, opaque=not image.has_alpha and not light, light=light)
    columns, rows = form.blocks(image.width, image.height)
    padding = [columns * form.block[0] - image.width, rows * form.block[1] - image.height]
    written = dds.write(texture) if file == "dds" else ktx2.write(texture, packed=file == "ktx2+zstd")
    return Encoded(written, {"format": form.name, "vram_bytes": len(data), "padding": padding})


def decoded(data: bytes, codec_id: str, ctx: Ctx) -> Image:
    """The picture in a file of this codec; `CorruptStream` for anything else."""
    ctx.check()
    texture = texture_of(data)
    if codec_of(data) != codec_id:
        raise CorruptStream(f"the file holds {texture.light or texture.form.name}, not {codec_id}")
    return decode(data, textures.DDS if dds.sniff(data) else textures.KTX2, ctx)


def is_texture(data: bytes) -> bool:
    return dds.sniff(data) or ktx2.sniff(data)


def codec_of(data: bytes) -> str | None:
    """The id of the codec that writes such texels; None where only the picture readers know them."""
    try:
        texture = texture_of(data)
    except EngineError:
        return None
    name = texture.form.name.split()[0]
    return texture.light or {"BC6H": "bc6h", "BC7": "bc7", "ASTC": "astc"}.get(name)


def suffix_of(data: bytes) -> str:
    return ".dds" if dds.sniff(data) else ".ktx2"


def library(*packages: str) -> str:
    """Names and versions of the packages that make the bytes."""
    names = []
    for package in packages:
        try:
            names.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            names.append(f"{package} missing")
    return ", ".join(names)
