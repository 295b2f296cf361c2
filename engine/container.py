"""Our stream: what carries the bytes of `wavelet`, `dct-rans` and `hyperprior`; docs/format.md describes it.

Float pictures in formats of others (`jpeg2000`, `jxl`, `avif`) travel in it too: their files cannot name our transfer.

A plain 8-bit sRGB picture costs 18 bytes of container: at low rates headers count. The parser trusts
nothing: the checksum comes first, then every claimed size is bounded before anything is allocated.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.color import SRGB, ColorSpec
from engine.errors import CorruptStream, EngineError, Unsupported
from engine.image import Alpha, Image
from engine.light import LogTransfer
from engine.native import crc32c

MAGIC = b"\x8bRS"
VERSION = 1
MAX_PIXELS = 2**28
MAX_SIDE = 2**24
MAX_ICC = 2**22
CHECKSUM_BYTES = 4

# Wire ids: pinned for ever, new ones at the end.
CODECS: dict[int, str] = {
    1: "wavelet",
    2: "dct-rans",
    3: "hyperprior",
    4: "jpeg2000",
    5: "jxl",
    6: "avif",
    7: "lightmap-ae",
    8: "lightmap-multiscale",
    9: "ae",
    10: "vae",
    11: "vqvae",
    12: "factorized",
    13: "hyperprior-scale",
    14: "channelwise",
    15: "context-ar",
    16: "attention-gmm",
    17: "gan",
    18: "ratescope",
    32: "compressai",
}
_CODEC_BYTE = {name: byte for byte, name in CODECS.items()}
_ALPHA: dict[int, Alpha] = {0: Alpha.NONE, 1: Alpha.STRAIGHT, 2: Alpha.PREMULTIPLIED}
_ALPHA_BITS = {alpha: bits for bits, alpha in _ALPHA.items()}


class Section(enum.IntEnum):
    """Section types: below 0x80 a reader must know them, from there on it may skip them."""

    IMPORTANCE = 0x00  # before the others, which are read by it: the packed map of engine.importance
    WAVELET = 0x01
    DCT_RANS = 0x02
    HYPERPRIOR = 0x03
    LIGHTMAP_AE = 0x04
    LIGHTMAP_MULTISCALE = 0x05
    LATENT = 0x06
    GAN = 0x0E
    FILE = 0x10  # a file of the codec's own format, which holds the codes of a float picture
    COMPRESSAI = 0x20
    ICC = 0x80


# Bits of the picture byte.
_COLOUR, _ALPHA_SHIFT, _SAMPLES_SHIFT, _POINTS, _RESERVED = 0x01, 1, 3, 0x20, 0xC0
_U8, _INTEGER, _FLOAT = 0, 1, 2
_LOG2 = 1  # the transfers of float pictures: engine.light.LogTransfer


@dataclass(frozen=True)
class Picture:
    """What the header says of the picture. `transfer` is given for float pictures (bits 32) and only for them."""

    width: int
    height: int
    channels: int
    alpha: Alpha = Alpha.NONE
    bits: int = 8
    color: ColorSpec = SRGB
    icc: bytes | None = None
    transfer: LogTransfer | None = None

    @staticmethod
    def of(image: Image, transfer: LogTransfer | None = None) -> Picture:
        """The header of `image`."""
        return Picture(
            image.width, image.height, image.channels, image.alpha, image.bits, image.color, image.icc, transfer
        )

    @property
    def is_gray(self) -> bool:
        return self.channels <= 2

    @property
    def pixels(self) -> int:
        return self.width * self.height


@dataclass(frozen=True)
class Stream:
    """A parsed stream: which codec, which picture, and the sections by type."""

    codec: str
    picture: Picture
    sections: Mapping[int, bytes] = field(default_factory=dict)

    def section(self, kind: Section) -> bytes:
        """The payload of a section that must be there; `CorruptStream` otherwise."""
        if kind not in self.sections:
            raise CorruptStream(f"the {self.codec} stream has no {kind.name.lower()} section")
        return self.sections[kind]


def is_ours(data: bytes) -> bool:
    """Whether `data` begins like one of our streams."""
    return data[: len(MAGIC)] == MAGIC


def section_bytes(payload: bytes) -> int:
    """How many bytes of a stream a section with this payload takes: type, length, payload."""
    return 1 + len(_varint(len(payload))) + len(payload)


def section_name(kind: int) -> str:
    """A section's name as people read it, also of a type that only a later version knows."""
    return Section(kind).name.lower() if kind in set(Section) else f"section {kind:#04x}"


def apart(data: bytes, picture: Picture, coded: int, importance: bytes | None = None) -> dict[str, int]:
    """Bytes of a stream besides the `coded` ones of its symbols, by name, as `engine.bit_map.BitMap` lists them.

    importance: the payload of that section, where there is one.
    """
    named = {"colour profile": picture.icc, "painted map": importance}
    sizes = {name: section_bytes(payload) for name, payload in named.items() if payload}
    return {"headers": len(data) - coded - sum(sizes.values()), **sizes}


def write(codec: str, picture: Picture, sections: Mapping[int, bytes]) -> bytes:
    """The stream of `picture` coded by `codec` as `sections`; `Unsupported` beyond the limits of the format."""
    _check_size(picture.width, picture.height, Unsupported)
    if (picture.transfer is not None) != (picture.bits == 32):
        raise EngineError("a float picture, and only that, needs a transfer to integers")
    out = bytearray(MAGIC)
    out += bytes([VERSION, _CODEC_BYTE[codec]])
    out += _picture_header(picture)
    all_sections = dict(sections)
    if picture.icc:
        if len(picture.icc) > MAX_ICC:
            raise Unsupported(f"the colour profile of {len(picture.icc)} bytes is too long")
        all_sections[Section.ICC] = picture.icc
    for kind, payload in sorted(all_sections.items()):
        out += bytes([kind]) + _varint(len(payload)) + payload
    out += crc32c(bytes(out)).to_bytes(CHECKSUM_BYTES, "little")
    return bytes(out)


def read(data: bytes) -> Stream:
    """Parse a whole stream. `CorruptStream` for anything damaged, `Unsupported` for versions and ids of the future."""
    if not is_ours(data):
        raise CorruptStream("this is not a Ratescope stream")
    if len(data) < 14:
        raise CorruptStream("the stream is cut off")
    if data[3] != VERSION:
        raise Unsupported(f"the stream has container version {data[3]}; this program reads version {VERSION}")
    if crc32c(data[:-CHECKSUM_BYTES]) != int.from_bytes(data[-CHECKSUM_BYTES:], "little"):
        raise CorruptStream("the checksum does not match: the file is damaged or cut off")
    if data[4] not in CODECS:
        raise Unsupported(f"the stream names codec {data[4]}, which this program does not know")
    cursor = _Cursor(data, 5, len(data) - CHECKSUM_BYTES)
    picture = _read_picture(cursor)
    sections = _read_sections(cursor)
    icc = sections.get(Section.ICC)
    if icc is not None:
        picture = Picture(**{**picture.__dict__, "icc": icc})
    return Stream(CODECS[data[4]], picture, sections)


def read_beginning(data: bytes) -> Stream:
    """Parse the first bytes of a stream, cut off anywhere behind the header of its first section.

    Nothing vouches for them, since the checksum is at the end. Of the sections there is the first, as far as it goes,
    and where that is the map of importance the one behind it.
    `CorruptStream` if there is less, or what no stream begins with; `Unsupported` as by `read`.
    """
    if not is_ours(data):
        raise CorruptStream("this is not a Ratescope stream")
    cursor = _Cursor(data, len(MAGIC), len(data))
    if (version := cursor.byte()) != VERSION:
        raise Unsupported(f"the stream has container version {version}; this program reads version {VERSION}")
    if (codec := cursor.byte()) not in CODECS:
        raise Unsupported(f"the stream names codec {codec}, which this program does not know")
    picture = _read_picture(cursor)
    sections = {}
    kind, size = cursor.byte(), cursor.varint()
    if kind == Section.IMPORTANCE:
        sections[kind] = cursor.take(size)
        kind, size = cursor.byte(), cursor.varint()
    sections[kind] = cursor.take_up_to(size)
    return Stream(CODECS[codec], picture, sections)


def _picture_header(picture: Picture) -> bytes:
    samples = _U8 if picture.bits == 8 else (_FLOAT if picture.bits == 32 else _INTEGER)
    flags = (0 if picture.is_gray else _COLOUR) | _ALPHA_BITS[picture.alpha] << _ALPHA_SHIFT
    flags |= samples << _SAMPLES_SHIFT | (0 if picture.color == SRGB else _POINTS)
    out = bytes([flags]) + _varint(picture.width) + _varint(picture.height)
    if samples == _INTEGER:
        out += bytes([picture.bits])
    if picture.transfer is not None:
        out += bytes([_LOG2, picture.transfer.quarters])
    if flags & _POINTS:
        out += bytes(picture.color.code_points)
    return out


def _read_picture(cursor: _Cursor) -> Picture:
    flags = cursor.byte()
    if flags & _RESERVED:
        raise Unsupported("the picture header uses bits of a later version")
    alpha_bits, samples = flags >> _ALPHA_SHIFT & 3, flags >> _SAMPLES_SHIFT & 3
    if alpha_bits not in _ALPHA or samples > _FLOAT:
        raise CorruptStream("the picture header contradicts itself")
    width, height = cursor.varint(), cursor.varint()
    _check_size(width, height, CorruptStream)
    bits, transfer = {_U8: 8, _FLOAT: 32}.get(samples, 0), None
    if samples == _INTEGER:
        bits = cursor.byte()
        if not 1 <= bits <= 16 or bits == 8:
            raise CorruptStream(f"the picture header claims {bits} bits per sample")
    if samples == _FLOAT:
        transfer = _read_transfer(cursor)
    color = ColorSpec(cursor.byte(), cursor.byte()) if flags & _POINTS else SRGB
    channels = (3 if flags & _COLOUR else 1) + (alpha_bits != 0)
    return Picture(width, height, channels, _ALPHA[alpha_bits], bits, color, None, transfer)


def _read_transfer(cursor: _Cursor) -> LogTransfer:
    kind, quarters = cursor.byte(), cursor.byte()
    if kind != _LOG2:
        raise Unsupported(f"the stream codes floats by transfer {kind}, which this program does not know")
    if quarters == 0:
        raise CorruptStream("the picture header claims a range of no light")
    return LogTransfer(quarters)


def _read_sections(cursor: _Cursor) -> dict[int, bytes]:
    sections: dict[int, bytes] = {}
    while not cursor.at_end():
        kind = cursor.byte()
        payload = cursor.take(cursor.varint())
        if kind in sections:
            raise CorruptStream(f"section {kind:#04x} appears twice")
        if kind < 0x80 and kind not in set(Section):
            raise Unsupported(f"the stream has a section of type {kind:#04x}, which this program does not know")
        if kind == Section.ICC and len(payload) > MAX_ICC:
            raise CorruptStream("the colour profile is too long")
        sections[kind] = payload
    return sections


def _check_size(width: int, height: int, fault: type[EngineError]) -> None:
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise fault(f"a picture of {width}×{height} is beyond the format: at most {MAX_PIXELS:,} pixels")


def _varint(value: int) -> bytes:
    """LEB128: seven bits a byte, low first, the top bit set on all but the last."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class _Cursor:
    """Reads `data` from `start` to `end` and never past it."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self._at, self._end = data, start, end

    def at_end(self) -> bool:
        return self._at >= self._end

    def take(self, size: int) -> bytes:
        if size > self._end - self._at:
            raise CorruptStream("the stream is cut off")
        self._at += size
        return self._data[self._at - size : self._at]

    def take_up_to(self, size: int) -> bytes:
        return self.take(min(size, self._end - self._at))

    def byte(self) -> int:
        return self.take(1)[0]

    def varint(self) -> int:
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if shift and not byte:
                    raise CorruptStream("a number in the header is not in its shortest form")
                return value
        raise CorruptStream("a number in the header is too long")
