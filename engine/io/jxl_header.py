"""The image header of a JPEG XL codestream (ISO/IEC 18181-1:2024, annexes D and E), as far as the colours.

libjxl decodes the pixels, but through imagecodecs it says neither how large the picture is before it
allocates it, nor how many bits count, nor which colours are meant.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import CorruptStream

SIGNATURE = b"\xff\x0a"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_ALPHA, _SPOT, _FILTER = 0, 2, 5  # kinds of extra channels whose description goes on
_GRAY, _XYB = 1, 2
_D65, _CUSTOM = 1, 2
_P3 = 11  # its number here; 12 in H.273


@dataclass
class Header:
    """What the codestream says of its picture. cicp: H.273 primaries and transfer, where it names such."""

    width: int
    height: int
    bits: int = 8
    is_float: bool = False
    orientation: int = 1
    animated: bool = False
    premultiplied: bool = False
    xyb: bool = True
    has_profile: bool = False
    cicp: tuple[int, int] | None = None


class _Bits:
    """Bits of the codestream, least significant first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise CorruptStream("the JPEG XL header is cut off")
        value = self._value & ((1 << count) - 1)
        self._value, self._left = self._value >> count, self._left - count
        return value

    def u32(self, *choices: tuple[int, int]) -> int:
        """A value coded by two bits that choose (offset, number of bits that follow)."""
        offset, count = choices[self.take(2)]
        return offset + self.take(count)

    def enum(self) -> int:
        return self.u32((0, 0), (1, 0), (2, 4), (18, 6))


def parse(codestream: bytes) -> Header:
    """The header at the start of `codestream`; `CorruptStream` if there is none."""
    if not codestream.startswith(SIGNATURE):
        raise CorruptStream("the JPEG XL codestream is damaged")
    bits = _Bits(codestream[len(SIGNATURE) :])
    header = Header(*_size(bits))
    if bits.take(1):  # everything by default: 8 bits, XYB, sRGB
        return header
    if bits.take(1):
        _extra_fields(bits, header)
    header.is_float, header.bits = _depth(bits)
    bits.take(1)  # whether 16-bit buffers suffice
    for _ in range(bits.u32((0, 0), (1, 0), (2, 4), (1, 12))):
        _extra_channel(bits, header)
    header.xyb = bool(bits.take(1))
    _colours(bits, header)
    return header


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)

    def side() -> int:
        return 8 * (bits.take(5) + 1) if small else bits.u32((1, 9), (1, 13), (1, 18), (1, 30))

    height = side()
    ratio = bits.take(3)
    if ratio == 0:
        return side(), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _extra_fields(bits: _Bits, header: Header) -> None:
    header.orientation = bits.take(3) + 1
    if header.orientation >= 5:
        header.width, header.height = header.height, header.width
    if bits.take(1):
        _size(bits)  # the intrinsic size
    if bits.take(1):
        _preview(bits)
    header.animated = bool(bits.take(1))
    if header.animated:
        bits.u32((100, 0), (1000, 0), (1, 10), (1, 30))  # ticks per second: numerator, denominator
        bits.u32((1, 0), (1001, 0), (1, 8), (1, 10))
        bits.u32((0, 0), (0, 3), (0, 16), (0, 32))  # loops
        bits.take(1)


def _preview(bits: _Bits) -> None:
    eighths = bits.take(1)

    def side() -> int:
        return (
            bits.u32((16, 0), (32, 0), (1, 5), (33, 9)) if eighths else bits.u32((1, 6), (65, 8), (321, 10), (1345, 12))
        )

    side()
    if bits.take(3) == 0:
        side()


def _depth(bits: _Bits) -> tuple[bool, int]:
    if not bits.take(1):
        return False, bits.u32((8, 0), (10, 0), (12, 0), (1, 6))
    count = bits.u32((32, 0), (16, 0), (24, 0), (1, 6))
    bits.take(4)  # bits of the exponent
    return True, count


def _extra_channel(bits: _Bits, header: Header) -> None:
    if bits.take(1):  # by default: straight alpha of 8 bits
        return
    kind = bits.enum()
    _depth(bits)
    bits.u32((0, 0), (3, 0), (4, 0), (1, 3))  # how much smaller it is
    bits.take(8 * bits.u32((0, 0), (0, 4), (16, 5), (48, 10)))  # its name
    if kind == _ALPHA:
        header.premultiplied |= bool(bits.take(1))
    elif kind == _SPOT:
        bits.take(64)
    elif kind == _FILTER:
        bits.u32((1, 0), (0, 2), (3, 4), (19, 8))


def _colours(bits: _Bits, header: Header) -> None:
    if bits.take(1):  # sRGB
        return
    header.has_profile = bool(bits.take(1))
    space = bits.enum()
    if header.has_profile or space == _XYB:
        return
    white = bits.enum()
    if white == _CUSTOM:
        _chromaticities(bits, 1)
    primaries = 1
    if space != _GRAY:
        primaries = bits.enum()
        if primaries == _CUSTOM:
            _chromaticities(bits, 3)
    transfer = 2 if bits.take(1) and bits.take(24) else bits.enum()  # a plain gamma has no code point
    if white == _D65:
        header.cicp = (12 if primaries == _P3 else primaries, transfer)


def _chromaticities(bits: _Bits, count: int) -> None:
    for _ in range(2 * count):
        bits.u32((0, 19), (524_288, 19), (1_048_576, 20), (2_097_152, 21))
