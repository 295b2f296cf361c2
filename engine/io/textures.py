"""DDS and KTX2: texels are decoded as a graphics card would, to code values or to light."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.carry import with_bits
from engine.errors import CorruptStream
from engine.image import Alpha, Image
from engine.io.source import Raw, Reader, Source
from engine.textures import dds, ktx2
from engine.textures.blocks import with_alpha
from engine.textures.formats import BY_NAME, Texture
from engine.textures.packed import unpacked

_LINEAR_BT709 = (1, 8)  # H.273


def _dds(source: Source) -> Raw:
    return _raw(source, dds.header(source.data)[0], dds.read)


def _ktx2(source: Source) -> Raw:
    return _raw(source, ktx2.header(source.data), ktx2.read)


def _raw(source: Source, claimed: Texture, read: Callable[[bytes], Texture]) -> Raw:
    source.check_size(claimed.width, claimed.height)
    texture = read(source.data)
    form = texture.form
    texels = form.decode(texture.data, texture.width, texture.height)
    notes = [*_about(texture), *texture.notes]
    if texture.light:
        return Raw(unpacked(texture.light, texels), "RGB", 32, cicp=_LINEAR_BT709, notes=notes)
    channels = form.channels
    if channels == "RG":
        texels = np.concatenate([texels, np.zeros_like(texels[:, :, :1])], axis=2)
        channels = "RGB"
        notes.append("two channels, shown as red and green")
    if channels == "RGBA" and (texture.opaque or (not form.is_light and (texels[:, :, 3] == 2**form.bits - 1).all())):
        texels, channels = texels[:, :, :3], "RGB"
    if form.is_light and form.block != (1, 1):
        texels, channels = texels[:, :, :3], "RGB"  # ASTC's alpha of HDR texels is no mask
    return Raw(
        np.ascontiguousarray(texels),
        channels,
        form.bits,
        cicp=_LINEAR_BT709 if form.is_light else None,
        premultiplied=texture.premultiplied,
        notes=notes,
    )


def _about(texture: Texture) -> list[str]:
    """How it lies in video memory, and what its codes are taken for."""
    form = texture.form
    notes = [f"{form.name}, {form.size(texture.width, texture.height)} bytes in video memory"]
    if texture.light:
        notes.append(f"light packed as {texture.light}")
    elif not form.is_light and not form.srgb:
        notes.append("its codes are not marked as sRGB, but taken as such")
    return notes


def ktx2_bytes(image: Image) -> bytes:
    """A picture of RGB, with alpha or without, as a KTX2 file of single texels: RGBA of 8 bits (sRGB), or of half
    floats where these hold every sample exactly, else of 32 bits. A mask becomes alpha."""
    texels = image.pixels
    if image.is_float:
        with np.errstate(over="ignore"):
            halves = texels.astype(np.float16)
        name, texels = ("RGBA16F", halves) if np.array_equal(halves, texels, equal_nan=True) else ("RGBA32F", texels)
        if image.mask is not None and not image.has_alpha:
            texels = np.dstack([texels, image.mask.astype(texels.dtype)])
    else:
        name, texels = "RGBA8 sRGB" if image.data is None else "RGBA8", with_bits(image, 8).pixels
    premultiplied = image.alpha is Alpha.PREMULTIPLIED
    data = with_alpha(texels).tobytes()
    return ktx2.write(Texture(BY_NAME[name], image.width, image.height, data, premultiplied), packed=True)


def texture_of(data: bytes) -> Texture:
    """What the header of a DDS or KTX2 file says; `CorruptStream` for anything else."""
    if dds.sniff(data):
        return dds.header(data)[0]
    if ktx2.sniff(data):
        return ktx2.header(data)
    raise CorruptStream("not a DDS or KTX2 file")


DDS = Reader("DDS", (".dds",), dds.sniff, _dds)
KTX2 = Reader("KTX2", (".ktx2",), ktx2.sniff, _ktx2)
