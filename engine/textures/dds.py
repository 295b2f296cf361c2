"""DDS files (Microsoft, "Programming Guide for DDS", "DDS_HEADER_DXT10"): one picture; what is left out is said."""

from __future__ import annotations

import struct

from engine.errors import CorruptStream, Unsupported
from engine.textures.formats import BY_DXGI, BY_NAME, TexelFormat, Texture

MAGIC = b"DDS "
_HEADER = struct.Struct("<7I44x8I5I")  # size … mip count, reserved, pixel format, caps
_DX10 = struct.Struct("<5I")
_HEADER_BYTES, _FORMAT_BYTES = 124, 32
_FOURCC, _RGB, _LUMINANCE, _ALPHA = 0x4, 0x40, 0x20000, 0x1
_CAPS, _HEIGHT, _WIDTH, _PIXEL_FORMAT, _LINEAR_SIZE, _PITCH = 0x1, 0x2, 0x4, 0x1000, 0x80000, 0x8
_TEXTURE_CAP, _CUBE, _VOLUME = 0x1000, 0x200, 0x200000
_TEXTURE_2D = 3
_ALPHA_STRAIGHT, _ALPHA_PREMULTIPLIED, _ALPHA_OPAQUE = 1, 2, 3

# FourCC codes of before DX10, and D3DFMT numbers that stand in their place; True: colours are multiplied by alpha.
_OLD: dict[bytes | int, tuple[str, bool]] = {
    b"DXT1": ("BC1", False),
    b"DXT2": ("BC2", True),
    b"DXT3": ("BC2", False),
    b"DXT4": ("BC3", True),
    b"DXT5": ("BC3", False),
    b"ATI1": ("BC4", False),
    b"BC4U": ("BC4", False),
    b"ATI2": ("BC5", False),
    b"BC5U": ("BC5", False),
    36: ("RGBA16", False),
    111: ("R16F", False),
    113: ("RGBA16F", False),
    114: ("R32F", False),
    116: ("RGBA32F", False),
}
# Bits of a texel, masks of red, green, blue and alpha -> format.
_MASKS: dict[tuple[int, int, int, int, int], str] = {
    (32, 0xFF, 0xFF00, 0xFF0000, 0xFF000000): "RGBA8",
    (32, 0xFF0000, 0xFF00, 0xFF, 0xFF000000): "BGRA8",
    (32, 0xFF0000, 0xFF00, 0xFF, 0): "BGRX8",
    (24, 0xFF0000, 0xFF00, 0xFF, 0): "BGR8",
    (24, 0xFF, 0xFF00, 0xFF0000, 0): "RGB8",
}


def sniff(data: bytes) -> bool:
    return data[:4] == MAGIC


def header(data: bytes) -> tuple[Texture, int]:
    """What the header says, without texels, and where these begin."""
    if len(data) < 4 + _HEADER.size:
        raise CorruptStream("the DDS header is cut off")
    fields = _HEADER.unpack_from(data, 4)
    size, _flags, height, width, _pitch, depth, mips = fields[:7]
    pf_size, pf_flags, fourcc, bits, *masks = fields[7:15]
    caps2 = fields[16]
    if (size, pf_size) != (_HEADER_BYTES, _FORMAT_BYTES):
        raise CorruptStream("the DDS header is damaged")
    start, notes = 4 + _HEADER.size, []
    code = struct.pack("<I", fourcc)
    alpha, layers = 0, 1
    if pf_flags & _FOURCC and code == b"DX10":
        form, alpha, layers = _dx10(data, start)
        start += _DX10.size
    elif pf_flags & _FOURCC:
        form, premultiplied = _old(code, fourcc)
        alpha = _ALPHA_PREMULTIPLIED if premultiplied else 0
    else:
        form = _by_masks(pf_flags, bits, masks)
    if layers > 1 or caps2 & (_CUBE | _VOLUME) or (caps2 & _VOLUME and depth > 1):
        notes.append("the first picture of a cube map, an array or a volume")
    if mips > 1:
        notes.append(f"{mips - 1} smaller copies (mipmaps) left out")
    premultiplied, opaque = alpha == _ALPHA_PREMULTIPLIED, alpha == _ALPHA_OPAQUE
    return Texture(form, width, height, b"", premultiplied, opaque, notes=tuple(notes)), start


def _dx10(data: bytes, at: int) -> tuple[TexelFormat, int, int]:
    """Format, meaning of alpha, and how many pictures there are."""
    if len(data) < at + _DX10.size:
        raise CorruptStream("the DDS header is cut off")
    number, dimension, misc, layers, misc2 = _DX10.unpack_from(data, at)
    if dimension not in (2, 3, 4):
        raise CorruptStream("the DDS header is damaged")
    if number not in BY_DXGI:
        raise Unsupported(f"DDS files of the DXGI format {number} cannot be read", hint=_known())
    return BY_DXGI[number], misc2 & 7, max(layers, 1) * (6 if misc & 4 else 1)


def _old(code: bytes, number: int) -> tuple[TexelFormat, bool]:
    found = _OLD.get(code) or _OLD.get(number)
    if found is None:
        name = code.decode("ascii") if code.isalnum() else str(number)
        raise Unsupported(f"DDS files of the format '{name}' cannot be read", hint=_known())
    return BY_NAME[found[0]], found[1]


def _by_masks(flags: int, bits: int, masks: list[int]) -> TexelFormat:
    if flags & _LUMINANCE and bits in (8, 16) and not flags & _ALPHA:
        return BY_NAME["R8" if bits == 8 else "R16"]
    alpha = masks[3] if flags & _ALPHA else 0
    name = _MASKS.get((bits, masks[0], masks[1], masks[2], alpha)) if flags & _RGB else None
    if name is None and flags & _RGB and bits == 32 and masks[0] == 0xFF:
        name = "RGBA8"  # without alpha: its fourth byte is dropped with the flag
    if name is None:
        raise Unsupported(f"DDS files of {bits}-bit texels like these cannot be read", hint=_known())
    return BY_NAME[name]


def _known() -> str:
    return "BC1 to BC7, 8 and 16 bits a sample, and half or single floats can"


def read(data: bytes) -> Texture:
    """The first picture; the caller bounds its size by :func:`header` first. `CorruptStream` if texels are missing."""
    found, start = header(data)
    size = found.form.size(found.width, found.height)
    if len(data) - start < size:
        raise CorruptStream(
            f"the DDS file ends before its texels do: {size} bytes are expected, {len(data) - start} are there"
        )
    return Texture(**{**found.__dict__, "data": data[start : start + size]})


def write(texture: Texture) -> bytes:
    """A DDS file with a DX10 header. `Unsupported` for a format that has no DXGI number, or a meaning beyond it."""
    form = texture.form
    if form.dxgi is None or texture.light:
        raise Unsupported(f"DDS files have no name for {texture.light or form.name}; KTX2 has")
    blocks = form.block != (1, 1)
    flags = _CAPS | _HEIGHT | _WIDTH | _PIXEL_FORMAT | (_LINEAR_SIZE if blocks else _PITCH)
    pitch = form.size(texture.width, texture.height if blocks else 1)
    pixel_format = (_FORMAT_BYTES, _FOURCC, int.from_bytes(b"DX10", "little"), 0, 0, 0, 0, 0)
    fields = (_HEADER_BYTES, flags, texture.height, texture.width, pitch, 1, 1)
    alpha = _ALPHA_PREMULTIPLIED if texture.premultiplied else _ALPHA_OPAQUE if texture.opaque else _ALPHA_STRAIGHT
    alpha = alpha if "A" in form.channels else 0
    head = _HEADER.pack(*fields, *pixel_format, _TEXTURE_CAP, 0, 0, 0, 0)
    return MAGIC + head + _DX10.pack(form.dxgi, _TEXTURE_2D, 0, 1, alpha) + texture.data
