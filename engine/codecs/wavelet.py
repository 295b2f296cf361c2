"""`wavelet`: our own transform codec. 9/7 wavelet, rate-distortion quantisation, adaptive entropy coding.

Lossy: colour rotated onto axes made for the picture (engine/codecs/colour_axes.py), six levels of the 9/7 wavelet
in float32, one quantisation step weighted by the norms of the subbands (equal weight on every unit of error),
each coefficient decided by distortion + lambda rate against the adaptive model itself. Lossless: YCoCg-R and the
5/3 wavelet. Alpha is always coded losslessly. Light in floats goes through its logarithm in 16 bits (engine/light.py).
Coefficients are coded by a fast coder (csrc/wavelet_nibble.c) or, at effort `max`, by context mixing
(csrc/wavelet_bands.c). docs/format.md describes the stream.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine import container, memory
from engine.bit_map import BitMap, spread
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Prepared, Role, Settings
from engine.codecs import colour_axes, gutters, log_coded
from engine.container import Picture, Section, Stream
from engine.errors import CorruptStream, Unsupported
from engine.image import Image
from engine.native import wavelet as native

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.00525, 0.00849, 0.0151, 0.0273, 0.0496, 0.0847, 0.144, 0.234, 0.365,
    0.549, 0.801, 1.15, 1.63, 2.31, 3.51, 4.98, 6.71,
)  # fmt: skip

STREAM_VERSION = 2  # of what is on the wire: 2 knows the fast coder
# Names what the encoder does in the store of results. Raise it with every change here, in colour_axes.py or in
# csrc/wavelet_*.c, dwt.c or rangecoder.* that alters the bytes of any file: results of before are then not taken for
# those of now. Streams of every revision decode.
ENCODER_REVISION = 4
MAX_LEVELS = 6
_ALPHA_PLANE = 3
# Lambda: squared steps that a bit is worth. Theory for fine steps gives (6 dB a bit) ln 2 / 6 = 0.116.
_TRADE = {"fast": 0.0, "normal": 0.1, "max": 0.1}
# Rounds in which gutters of lightmaps come to cost little (gutters.py), and such in which the coder itself takes part.
_ROUNDS = {"fast": 0, "normal": 8, "max": 16}
_OWN_ROUNDS = {"fast": 0, "normal": 0, "max": 2}
_CENTRE_UNIT = 32
_LOSSLESS_FLAG = 0x20
_FAST_FLAG = 0x40  # the coefficients are coded by the fast coder
_LOG_BITS = 16

_PARAMS = (
    Param(
        "quality",
        Kind.FLOAT,
        60.0,
        0.0,
        100.0,
        role=Role.RATE,
        better=+1,
        label="Quality",
        help="0: a quantisation step of twice the full range; 100: of half a code value; equal ratios in between",
        typical_bpp=_TYPICAL_BPP,
    ),
    Param(
        "effort",
        Kind.CHOICE,
        "normal",
        choices=("fast", "normal", "max"),
        role=Role.EFFORT,
        label="Effort",
        help="normal decodes like JPEG 2000; fast does not weigh what bits are worth; max is smallest, slow both ways",
    ),
    Param(
        "chroma",
        Kind.CHOICE,
        "4:4:4",
        choices=("4:4:4", "4:2:0"),
        label="Chroma",
        help="4:2:0 leaves the finest colour detail out",
    ),
    Param(
        "lossless",
        Kind.BOOL,
        False,
        label="Lossless",
        help="exact pixels (5/3 wavelet), not for floats; quality is not used",
    ),
    gutters.param("fill"),
)


@dataclass
class _Plane:
    """One plane on its way: its number on the wire, integers, and what the encoder quantises them from."""

    number: int
    q: np.ndarray
    coefficients: np.ndarray | None = None


class WaveletCodec:
    """The codec of this module; `decode` gives the same pixels on every machine."""

    info = CodecInfo(
        id="wavelet",
        label="Wavelet",
        family="wavelet",
        extension=".rsw",
        params=_PARAMS,
        capabilities=Capabilities(
            alpha=True, depths=(*range(1, 17), 32), lossless=True, memory=28.0, light=log_coded.LIGHT_16
        ),
        about="9/7 wavelet, adaptively coded; files begin with a coarser picture; 5/3 when lossless",
    )

    def available(self) -> str | None:
        return None

    def version(self) -> str:
        return f"stream {STREAM_VERSION}, encoder {ENCODER_REVISION}"

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        """Encode u8, u16 or f32 of any channels, floats without alpha; `Unsupported` for lossless floats."""
        chosen = self.info.complete(settings)
        return self.prepare(image, chosen, ctx).encode(chosen["quality"])

    def prepare(self, image: Image, settings: Settings, ctx: Ctx) -> Prepared:
        """Files by quality, all from one transform."""
        transformed = _Transformed.of(self.info, image, self.info.complete(settings), ctx)
        return Prepared(lambda quality: replace(transformed.encode(float(quality)), mapped=self.bit_map))

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        """Decode; `CorruptStream` for damaged data, `Unsupported` for streams of later versions, `LimitExceeded`."""
        return self._picture(container.read(data), ctx, _decode_planes)

    def decode_beginning(self, data: bytes, ctx: Ctx) -> Image:
        """Resolution by resolution, band by band, rows from the top, as far as `data` goes; details behind are zero."""
        try:
            stream = container.read(data)
        except CorruptStream:
            return self._picture(container.read_beginning(data), ctx, _decode_planes_of_beginning)
        return self._picture(stream, ctx, _decode_planes)

    def bit_map(self, data: bytes, ctx: Ctx) -> BitMap:
        """What each coefficient cost under the probabilities that it was coded with, on the pixels of its scale."""
        stream = container.read(data)
        planes, header, symbols = self._read(stream)
        costs = [np.zeros(plane.q.shape, np.float32) for plane in planes]
        states = _tell_planes(planes, costs, header, symbols, ctx)
        apart = container.apart(data, stream.picture, len(symbols)) | {"coder state": round(states / 8)}
        return BitMap(_on_pixels(costs, header.levels), apart)

    def _picture(self, stream: Stream, ctx: Ctx, decode_planes: Callable[..., None]) -> Image:
        planes, header, symbols = self._read(stream)
        decode_planes(planes, header, symbols, ctx)
        transfer, picture = stream.picture.transfer, header.picture
        pixels = _join(planes, header, ctx)
        if transfer is not None:
            return log_coded.light_of(pixels, stream.picture, _LOG_BITS)
        return Image(pixels, picture.color, picture.alpha, picture.bits, picture.icc)

    def _read(self, stream: Stream) -> tuple[list[_Plane], _Header, bytes]:
        """Planes with room for coefficients, what the section's head says, and the coded coefficients."""
        if stream.codec != "wavelet":
            raise Unsupported(f"this stream was written by the codec '{stream.codec}', not by wavelet")
        payload = stream.section(Section.WAVELET)
        picture = stream.picture if stream.picture.transfer is None else replace(stream.picture, bits=_LOG_BITS)
        header = _Header.read(payload, picture)
        memory.require(memory.decode_estimate(self.info, picture.pixels * picture.channels), "decoding this picture")
        planes = [_Plane(n, np.empty((picture.height, picture.width), np.int32)) for n in _plane_numbers(picture)]
        return planes, header, payload[header.size :]


@dataclass(frozen=True)
class _Transformed:
    """A picture ready to be quantised. bits: of the integers that were transformed. free: of light with gutters."""

    picture: Picture
    bits: int
    planes: list[_Plane]
    axes: bytes
    levels: int
    chosen: dict[str, Any]
    ctx: Ctx
    free: gutters.FreeGutters | None = None

    @staticmethod
    def of(info: CodecInfo, image: Image, chosen: dict[str, Any], ctx: Ctx) -> _Transformed:
        picture, mask = Picture.of(image), image.mask if gutters.are_free(image, chosen) else None
        if image.is_float:
            log_coded.require_lossy(info, chosen)
            image, transfer = log_coded.codes_of(gutters.filled(image, chosen), _LOG_BITS)
            picture = replace(picture, transfer=transfer)
        levels = _levels(image.width, image.height)
        planes, axes = _split(image, lossless=chosen["lossless"])
        ctx.check()
        free = None
        if mask is not None:
            floats = [plane.coefficients for plane in planes if plane.coefficients is not None]
            free = gutters.FreeGutters(floats, mask, levels, _ROUNDS[chosen["effort"]], ctx)
        else:
            for plane in planes:
                native.dwt(plane.q if plane.coefficients is None else plane.coefficients, levels)
        return _Transformed(picture, image.bits, planes, axes, levels, chosen, ctx, free)

    def encode(self, quality: float) -> Encoded:
        """Quantise and code."""
        lossless, fast = self.chosen["lossless"], self.chosen["effort"] != "max"
        code = _step_code(quality, self.bits)
        step = None if lossless else _step_of(code)
        planes = self.planes if self.free is None or step is None else self._with_gutters(self.free, step)
        stream, spent = _encode_planes(planes, self.levels, step or 1.0, self.chosen, self.ctx)
        head = bytes([self.levels | (_LOSSLESS_FLAG if lossless else 0) | (_FAST_FLAG if fast else 0)])
        if step is not None:
            head += code.to_bytes(2, "little") + _pack_centres(planes, self.levels, step) + self.axes
        data = container.write("wavelet", self.picture, {Section.WAVELET: head + stream})
        spent["header"] = len(data) - sum(spent.values())
        return Encoded(data, {"bytes": spent, "levels": self.levels, "step": step})

    def _with_gutters(self, free: gutters.FreeGutters, step: float) -> list[_Plane]:
        """The planes, the texels of their gutters such that they cost little at this step."""

        def planes_of(coefficients: list[np.ndarray]) -> list[_Plane]:
            return [replace(plane, coefficients=each) for plane, each in zip(self.planes, coefficients, strict=True)]

        def decoded(coefficients: list[np.ndarray]) -> list[np.ndarray]:
            planes = planes_of(coefficients)
            _encode_planes(planes, self.levels, step, {**self.chosen, "effort": "normal"}, self.ctx)
            centres = _unpack_centres(_pack_centres(planes, self.levels, step))
            return [native.dequantise(p.q.copy(), self.levels, step, centres[p.number > 0]) for p in planes]

        found = free.coefficients(step)
        for _ in range(_OWN_ROUNDS[self.chosen["effort"]]):
            found = free.nearer(decoded, found)
        return planes_of(found)


@dataclass(frozen=True)
class _Header:
    """The head of the wavelet section. picture: of integers."""

    picture: Picture
    levels: int
    fast: bool
    step: float | None
    centres: tuple[np.ndarray, np.ndarray] | None
    axes: np.ndarray | None
    size: int

    @staticmethod
    def read(payload: bytes, picture: Picture) -> _Header:
        lossless = len(payload) >= 1 and bool(payload[0] & _LOSSLESS_FLAG)
        size = 1 if lossless else (6 if picture.is_gray else 6 + colour_axes.SIZE)
        if len(payload) <= size:
            raise CorruptStream("the wavelet section is cut off")
        levels = payload[0] & 0x1F
        fast = bool(payload[0] & _FAST_FLAG)
        if payload[0] & 0x80 or levels != _levels(picture.width, picture.height):
            raise CorruptStream("the wavelet header contradicts the picture")
        if lossless:
            return _Header(picture, levels, fast, None, None, None, size)
        step = _step_of(int.from_bytes(payload[1:3], "little"))
        axes = None if picture.is_gray else colour_axes.unpack(payload[6:size])
        return _Header(picture, levels, fast, step, _unpack_centres(payload[3:6]), axes, size)


def _levels(width: int, height: int) -> int:
    """Six, fewer for small pictures: the last LL keeps at least 8 samples along the longer side."""
    return min(MAX_LEVELS, max(0, (max(width, height) - 1).bit_length() - 3))


def _step_code(quality: float, bits: int) -> int:
    """Quality to the 16 bits that stand for a step: 5 of exponent, 11 of mantissa, so that it is exact everywhere."""
    log_step = (bits + 1) - quality / 100 * (bits + 2)
    exponent = math.floor(log_step)
    mantissa = round((2.0 ** (log_step - exponent) - 1) * 2048)
    return ((exponent + 8) << 11) + mantissa


def _step_of(code: int) -> float:
    return math.ldexp(2048 + (code & 2047), (code >> 11) - 8 - 11)


def _plane_numbers(picture: Picture) -> list[int]:
    return ([0] if picture.is_gray else [0, 1, 2]) + ([_ALPHA_PLANE] if picture.channels % 2 == 0 else [])


def _split(image: Image, *, lossless: bool) -> tuple[list[_Plane], bytes]:
    """The picture as planes to be transformed, exact or still to be quantised, and its packed axes."""
    colours = 1 if image.is_gray else 3
    samples = [native.load_plane(image.pixels, c, 1 << (image.bits - 1)) for c in range(colours)]
    axes = b""
    if lossless:
        if colours == 3:
            native.ycocg(samples)
        planes = [_Plane(number, plane) for number, plane in enumerate(samples)]
    else:
        floats = [samples[0].astype(np.float32)]
        if colours == 3:
            axes = colour_axes.choose(samples)
            floats = native.rotate(samples, colour_axes.unpack(axes))
        planes = [_Plane(number, samples[number], values) for number, values in enumerate(floats)]
    if image.has_alpha:
        planes.append(_Plane(_ALPHA_PLANE, native.load_plane(image.pixels, image.channels - 1, int(image.peak))))
    return planes, axes


def _guides(planes: list[_Plane], plane: _Plane) -> list[np.ndarray]:
    """Colour planes are told by those before them; luma and alpha stand alone."""
    return [p.q for p in planes if p.number < plane.number] if plane.number in (1, 2) else []


def _encode_planes(
    planes: list[_Plane], levels: int, step: float, chosen: dict[str, Any], ctx: Ctx
) -> tuple[bytes, dict[str, int]]:
    height, width = planes[0].q.shape
    samples = sum(p.q.size for p in planes)
    slow = chosen["effort"] == "max"
    encoder = native.BandEncoder(width, samples) if slow else native.FastBandEncoder(width, height, samples)
    spent: dict[str, int] = dict.fromkeys((_NAMES[p.number] for p in planes), 0)
    before = 0
    for level in range(levels + 1, 0, -1):
        for plane in planes:
            ctx.check()
            skip = chosen["chroma"] == "4:2:0" and level == 1 <= levels and plane.coefficients is not None
            after = encoder.level(
                plane.number,
                plane.q,
                _guides(planes, plane),
                levels,
                level,
                coefficients=plane.coefficients,
                step=step,
                trade=_TRADE[chosen["effort"]],
                skip=skip and plane.number in (1, 2),
            )
            spent[_NAMES[plane.number]] += after - before
            before = after
        ctx.progress(0.2 + 0.75 * 4.0 ** (1 - level))
    return encoder.finish(), spent


_NAMES = {0: "luma", 1: "chroma 1", 2: "chroma 2", _ALPHA_PLANE: "alpha"}


def _decoder(planes: list[_Plane], fast: bool, stream: bytes) -> native.BandDecoder:
    height, width = planes[0].q.shape
    return native.FastBandDecoder(width, height, stream) if fast else native.BandDecoder(width, stream)


def _decode_planes(planes: list[_Plane], header: _Header, stream: bytes, ctx: Ctx) -> None:
    decoder, levels = _decoder(planes, header.fast, stream), header.levels
    for level in range(levels + 1, 0, -1):
        for plane in planes:
            ctx.check()
            decoder.level(plane.number, plane.q, _guides(planes, plane), levels, level)
        ctx.progress(0.75 * 4.0 ** (1 - level))
    decoder.finish()


def _decode_planes_of_beginning(planes: list[_Plane], header: _Header, stream: bytes, ctx: Ctx) -> None:
    for plane in planes:
        plane.q[:] = 0
    if len(stream) < native.LEAST_BEGINNING:
        return
    decoder, levels = _decoder(planes, header.fast, stream), header.levels
    for level in range(levels + 1, 0, -1):
        for plane in planes:
            ctx.check()
            if not decoder.level_of_beginning(plane.number, plane.q, _guides(planes, plane), levels, level):
                return


def _tell_planes(planes: list[_Plane], costs: list[np.ndarray], header: _Header, stream: bytes, ctx: Ctx) -> float:
    """Decode, each plane's costs into its own; bits of the coder's states besides."""
    decoder, levels, states = _decoder(planes, header.fast, stream), header.levels, 0.0
    for level in range(levels + 1, 0, -1):
        for plane, bits in zip(planes, costs, strict=True):
            ctx.check()
            decoder.tell(bits)
            decoder.level(plane.number, plane.q, _guides(planes, plane), levels, level)
            states = decoder.tell(bits)
    decoder.finish()
    return states


def _on_pixels(costs: list[np.ndarray], levels: int) -> np.ndarray:
    """The bits of all coefficients on the pixels that they stand for, a square of 2^level a side: H×W f32."""
    total = np.sum(costs, axis=0)
    height, width = total.shape
    high, wide = -(-height >> levels), -(-width >> levels)
    bits = spread(total[:high, :wide], (1 << levels, 1 << levels), (height, width))
    for level in range(levels, 0, -1):
        high, wide = -(-height >> level), -(-width >> level)
        bottom, right = -(-height >> (level - 1)), -(-width >> (level - 1))
        cells = np.zeros((high, wide), np.float32)
        for band in (total[:high, wide:right], total[high:bottom, :wide], total[high:bottom, wide:right]):
            cells[: band.shape[0], : band.shape[1]] += band
        bits += spread(cells, (1 << level, 1 << level), (height, width))
    return bits


def _join(planes: list[_Plane], header: _Header, ctx: Ctx) -> np.ndarray:
    """Inverse transforms and colour; the pixels. What is in the planes is used up."""
    picture = header.picture
    pixels = np.empty((picture.height, picture.width, picture.channels), np.uint8 if picture.bits <= 8 else np.uint16)
    offset, colours = 1 << (picture.bits - 1), []
    for plane in planes:
        ctx.check()
        values = plane.q
        if plane.number != _ALPHA_PLANE and header.step is not None and header.centres is not None:
            values = native.dequantise(values, header.levels, header.step, header.centres[plane.number > 0])
        native.dwt(values, header.levels, inverse=True)
        if plane.number == _ALPHA_PLANE:
            native.store_plane(values, pixels, picture.channels - 1, 2**picture.bits - 1, picture.bits)
        else:
            colours.append(values)
    if header.axes is not None:
        native.store_rotated(colours, header.axes, pixels, offset, picture.bits)
    elif len(colours) == 3:
        native.store_ycocg(colours, pixels, offset, picture.bits)
    else:
        grey = colours[0] if header.step is None else native.round_plane(colours[0])
        native.store_plane(grey, pixels, 0, offset, picture.bits)
    return pixels


def _best_centres(planes: list[_Plane], levels: int, step: float) -> list[int]:
    """Where values of |q| = 1, 2 and more lie in their bins, off the middle, in 1/32: what least error asks for."""
    sums = [native.centres(p.q, p.coefficients, levels, step) for p in planes if p.coefficients is not None]
    count, excess = (sum(part) for part in zip(*sums, strict=True)) if sums else (np.zeros(3), np.zeros(3))
    return [int(c) for c in np.clip(np.rint(excess / np.maximum(count, 1) * _CENTRE_UNIT), -8, 7)]


def _pack_centres(planes: list[_Plane], levels: int, step: float) -> bytes:
    """Three centres of luma, three of chroma, four bits each, low half first."""
    codes = _best_centres(planes[:1], levels, step) + _best_centres(planes[1:3], levels, step)
    nibbles = [c & 15 for c in codes]
    return bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))


def _unpack_centres(packed: bytes) -> tuple[np.ndarray, np.ndarray]:
    codes = [(nibble ^ 8) - 8 for byte in packed for nibble in (byte & 15, byte >> 4)]
    centres = np.array(codes, np.float32) / np.float32(_CENTRE_UNIT)
    return centres[:3].copy(), centres[3:].copy()
