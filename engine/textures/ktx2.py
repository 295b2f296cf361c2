"""KTX2 files (Khronos, "KTX File Format Specification", version 2.0): the base level of the first picture.

Levels may be packed by Zstandard or zlib (supercompression schemes 2 and 3). How texels stand for light is under a key
of our own among the key/value data, where other programs skip it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

from engine import memory
from engine.errors import CorruptStream, Unsupported
from engine.textures.formats import BY_VK, TexelFormat, Texture

MAGIC = b"\xabKTX 20\xbb\r\n\x1a\n"
LIGHT_KEY = "RatescopeLight"
_HEADER = struct.Struct("<12s9I4I2Q")
_LEVEL = struct.Struct("<3Q")
_MAX_KEYS = 1 << 16  # bytes of key/value data that are looked at
_MAX_LEVELS = 32
_ZSTD, _ZLIB = 2, 3
_SCHEMES = {1: "Basis Universal"}
_ZSTD_LEVEL = 19  # slow to write once, as fast to read as any
_WRITER = b"Ratescope"

# Colour models, channels and qualifiers of the Khronos Data Format Specification 1.3, sections 5.6 to 5.12.
_MODELS = {"BC1": 128, "BC2": 129, "BC3": 130, "BC4": 131, "BC5": 132, "BC6H": 133, "BC7": 134, "ASTC": 162}
_RGBSDA, _BT709, _LINEAR, _SRGB, _PREMULTIPLIED = 1, 1, 1, 2, 1
_FLOAT, _SIGNED, _LINEAR_SAMPLE, _ALPHA_SAMPLE = 0x80, 0x40, 0x10, 15
_ONE, _MINUS_ONE = 0x3F800000, 0xBF800000


def sniff(data: bytes) -> bool:
    return data[: len(MAGIC)] == MAGIC


def header(data: bytes) -> Texture:
    """What the header says, without texels. `CorruptStream` or `Unsupported` for what cannot be read."""
    if len(data) < _HEADER.size + _LEVEL.size:
        raise CorruptStream("the KTX2 header is cut off")
    _, number, _, width, height, depth, layers, faces, levels, scheme, *where, _, _ = _HEADER.unpack_from(data)
    if scheme in _SCHEMES or number == 0:
        raise Unsupported("KTX2 files of Basis Universal or another packed kind cannot be read", hint=_known())
    if number not in BY_VK:
        raise Unsupported(f"KTX2 files of the Vulkan format {number} cannot be read", hint=_known())
    if scheme not in (0, _ZSTD, _ZLIB):
        raise Unsupported(f"KTX2 files packed by scheme {scheme} cannot be read", hint="Zstandard and zlib can")
    if levels > _MAX_LEVELS or faces not in (1, 6):
        raise CorruptStream("the KTX2 header is damaged")
    notes = []
    if layers > 1 or faces > 1 or depth > 1:
        notes.append("the first picture of a cube map, an array or a volume")
    if levels > 1:
        notes.append(f"{levels - 1} smaller copies (mipmaps) left out")
    dfd_at, dfd_size, keys_at, keys_size = where
    premultiplied = dfd_size >= 16 and data[dfd_at + 15 : dfd_at + 16] == bytes([_PREMULTIPLIED])
    light = _keys(data[keys_at : keys_at + min(keys_size, _MAX_KEYS)]).get(LIGHT_KEY, "")
    return Texture(BY_VK[number], width, max(height, 1), b"", premultiplied, light=light, notes=tuple(notes))


def _keys(data: bytes) -> dict[str, str]:
    """Key/value pairs whose values are text; what is damaged ends them."""
    found, at = {}, 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        key, _, value = data[at + 4 : at + 4 + size].partition(b"\0")
        found[key.decode("utf-8", "replace")] = value.rstrip(b"\0").decode("utf-8", "replace")
        at += 4 + (size + 3 & ~3)
    return found


def _known() -> str:
    return "BC1 to BC7, ASTC, 8 and 16 bits a sample, and half or single floats can"


def read(data: bytes) -> Texture:
    """The first picture; the caller bounds its size by :func:`header` first. `CorruptStream` if texels are missing."""
    found = header(data)
    (scheme,) = struct.unpack_from("<I", data, 44)
    offset, size, unpacked = _LEVEL.unpack_from(data, _HEADER.size)
    needed = found.form.size(found.width, found.height)
    if offset + size > len(data):
        raise CorruptStream(f"the KTX2 file ends before its texels do: {offset + size} bytes are expected")
    level = data[offset : offset + size]
    if scheme:
        level = _unpacked(level, scheme, unpacked, needed)
    if len(level) < needed:
        raise CorruptStream(f"the KTX2 file holds {len(level)} bytes of texels, {needed} are expected")
    return Texture(**{**found.__dict__, "data": level[:needed]})


def _unpacked(level: bytes, scheme: int, size: int, needed: int) -> bytes:
    """The level without its supercompression; it may hold more pictures than the one that is wanted."""
    import imagecodecs

    if size < needed:
        raise CorruptStream(f"the KTX2 file claims {size} bytes of texels, {needed} are expected")
    memory.require(2 * size, "unpacking this KTX2 file")
    unpack = imagecodecs.zstd_decode if scheme == _ZSTD else imagecodecs.zlib_decode
    try:
        return bytes(unpack(level, out=size))
    except Exception as error:  # its exception types are its own
        raise CorruptStream("the packed texels of the KTX2 file are damaged") from error


def write(texture: Texture, *, packed: bool = False) -> bytes:
    """A KTX2 file of one level; packed: by Zstandard. `Unsupported` for a format that has no Vulkan number."""
    import imagecodecs

    form = texture.form
    if form.vk is None:
        raise Unsupported(f"KTX2 files have no name for {form.name}")
    level = imagecodecs.zstd_encode(texture.data, _ZSTD_LEVEL) if packed else texture.data
    description = _description(form, texture.premultiplied)
    pairs = {"KTXwriter": _WRITER} | ({LIGHT_KEY: texture.light.encode()} if texture.light else {})
    keys = b"".join(_pair(key, value) for key, value in sorted(pairs.items()))
    description_at = _HEADER.size + _LEVEL.size
    keys_at = description_at + len(description)
    aligned = 1 if packed else math.lcm(form.block_bytes, 4)
    level_at = -(-(keys_at + len(keys)) // aligned) * aligned
    head = _HEADER.pack(
        *(MAGIC, form.vk, _type_size(form), texture.width, texture.height, 0, 0, 1, 1, _ZSTD if packed else 0),
        *(description_at, len(description), keys_at, len(keys), 0, 0),
    )
    body = head + _LEVEL.pack(level_at, len(level), len(texture.data)) + description + keys
    return body.ljust(level_at, b"\0") + level


def _pair(key: str, value: bytes) -> bytes:
    text = key.encode() + b"\0" + value + b"\0"
    return struct.pack("<I", len(text)) + text.ljust(len(text) + 3 & ~3, b"\0")


def _type_size(form: TexelFormat) -> int:
    """Bytes of what a machine of the other byte order would have to swap."""
    return 1 if form.block != (1, 1) else 4 if form.name == "RGB9E5" else form.block_bytes // len(form.channels)


def _description(form: TexelFormat, premultiplied: bool) -> bytes:
    """The data format descriptor: one basic block."""
    samples = b"".join(_samples(form))
    size = 24 + len(samples)
    model = _MODELS.get(form.name.split()[0], _RGBSDA)
    transfer = _SRGB if form.srgb else _LINEAR
    block = bytes([form.block[0] - 1, form.block[1] - 1, 0, 0])
    meaning = bytes([model, _BT709, transfer, premultiplied * _PREMULTIPLIED])
    body = struct.pack("<IHH", 0, 2, size) + meaning + block + bytes([form.block_bytes, *bytes(7)]) + samples
    return struct.pack("<I", 4 + len(body)) + body


def _samples(form: TexelFormat) -> Iterator[bytes]:
    if form.block != (1, 1):
        halves = 2 if form.name.split()[0] in ("BC2", "BC3", "BC5") else 1
        bits = 8 * form.block_bytes // halves
        # The half with alpha comes first in BC2 and BC3; BC5 has red, then green.
        kinds = {1: [0], 2: [0, 1] if form.name == "BC5" else [_ALPHA_SAMPLE, 0]}[halves]
        for place, kind in enumerate(kinds):
            linear = _LINEAR_SAMPLE if form.srgb and kind == _ALPHA_SAMPLE else 0
            yield _sample(form, place * bits, bits, kind | linear)
        return
    bits = 8 * form.block_bytes // len(form.channels)
    for place, channel in enumerate(form.channels):
        kind = _ALPHA_SAMPLE if channel == "A" else max("RGB".find(channel), 0)
        yield _sample(form, place * bits, bits, kind | (_LINEAR_SAMPLE if form.srgb and channel == "A" else 0))


def _sample(form: TexelFormat, offset: int, bits: int, kind: int) -> bytes:
    """One sample: where it is, what it is, and the codes of 0 (or -1) and 1."""
    if form.is_light:
        signed = form.name != "BC6H"
        kind |= _FLOAT | (_SIGNED if signed else 0)
        low, high = (_MINUS_ONE if signed else 0), _ONE
    else:
        low, high = 0, (1 << min(bits, 32)) - 1
    return struct.pack("<HBB4xII", offset, bits - 1, kind, low, high)
