"""`wavelet`: our own transform codec. 9/7 wavelet, rate-distortion quantisation, adaptive entropy coding.

Lossy: colour rotated onto axes made for the picture (engine/codecs/colour_axes.py), six levels of the 9/7 wavelet
in float32, one quantisation step weighted by the norms of the subbands (equal weight on every unit of error), finer
or coarser where a painted map says so,
each coefficient decided by distortion + lambda rate against the adaptive model itself. Lossless: YCoCg-R and the
5/3 wavelet. Alpha is always coded losslessly. Light in floats goes through its logarithm in 16 bits (engine/light.py).
Coefficients are coded by a fast coder (csrc/wavelet_nibble.c) or, at effort `max`, by context mixing
(csrc/wavelet_bands.c). docs/format.md describes the stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine import container, memory
from engine.bit_map import BitMap
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Prepared, Role, Settings
from engine.codecs import colour_axes, gutters, log_coded, wavelet_planes
from engine.codecs.wavelet_planes import CENTRES_SIZE, TRADE, Plane, Steps
from engine.container import Picture, Section, Stream
from engine.errors import CorruptStream, Unsupported
from engine.image import Image
from engine.importance import Importance, pack, unpack
from engine.native import wavelet as native

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.00525, 0.00849, 0.0151, 0.0273, 0.0496, 0.0847, 0.144, 0.234, 0.365,
    0.549, 0.801, 1.15, 1.63, 2.31, 3.51, 4.98, 6.71,
)  # fmt: skip

STREAM_VERSION = 2  # of what is on the wire: 2 knows the fast coder
# Names what the encoder does in the store of results. Raise it with every change here, in wavelet_planes.py,
# colour_axes.py, gutters.py or in csrc/wavelet_*.c, dwt.c or rangecoder.* that alters the bytes of any file: results of
# before are then not taken for those of now. Streams of every revision decode.
ENCODER_REVISION = 5
_TRADE = {"fast": 0.0, "normal": TRADE, "max": TRADE}
# Rounds in which gutters of lightmaps come to cost little (gutters.py), and such in which the coder itself takes part.
_ROUNDS = {"fast": 0, "normal": 8, "max": 16}
_OWN_ROUNDS = {"fast": 0, "normal": 0, "max": 2}
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


class WaveletCodec:
    """The codec of this module; `decode` gives the same pixels on every machine."""

    info = CodecInfo(
        id="wavelet",
        label="Wavelet",
        family="wavelet",
        extension=".rsw",
        params=_PARAMS,
        capabilities=Capabilities(
            alpha=True, depths=(*range(1, 17), 32), lossless=True, regions=True, memory=28.0, light=log_coded.LIGHT_16
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
        return self._picture(container.read(data), ctx, wavelet_planes.decode)

    def decode_beginning(self, data: bytes, ctx: Ctx) -> Image:
        """Resolution by resolution, band by band, rows from the top, as far as `data` goes; details behind are zero."""
        try:
            stream = container.read(data)
        except CorruptStream:
            return self._picture(container.read_beginning(data), ctx, wavelet_planes.decode_beginning)
        return self._picture(stream, ctx, wavelet_planes.decode)

    def bit_map(self, data: bytes, ctx: Ctx) -> BitMap:
        """What each coefficient cost under the probabilities that it was coded with, on the pixels of its scale."""
        stream = container.read(data)
        planes, header, symbols = self._read(stream)
        bits, states = wavelet_planes.costs(planes, header.levels, symbols, ctx, fast=header.fast)
        apart = container.apart(data, stream.picture, len(symbols), stream.sections.get(Section.IMPORTANCE))
        apart["coder state"] = round(states / 8)
        return BitMap(bits, apart)

    def _picture(self, stream: Stream, ctx: Ctx, decode_planes: Callable[..., None]) -> Image:
        planes, header, symbols = self._read(stream)
        decode_planes(planes, header.levels, symbols, ctx, fast=header.fast)
        transfer, picture = stream.picture.transfer, header.picture
        steps = None if header.step is None else Steps.alike(header.step)
        painted = None if header.step is None else _painted(stream)
        values = wavelet_planes.samples(
            planes, header.levels, ctx, steps=steps, centres=header.centres, importance=painted
        )
        pixels = wavelet_planes.pixels_of(values, picture, header.axes)
        if transfer is not None:
            return log_coded.light_of(pixels, stream.picture, _LOG_BITS)
        return Image(pixels, picture.color, picture.alpha, picture.bits, picture.icc)

    def _read(self, stream: Stream) -> tuple[list[Plane], _Header, bytes]:
        """Planes with room for coefficients, what the section's head says, and the coded coefficients."""
        if stream.codec != "wavelet":
            raise Unsupported(f"this stream was written by the codec '{stream.codec}', not by wavelet")
        payload = stream.section(Section.WAVELET)
        picture = stream.picture if stream.picture.transfer is None else replace(stream.picture, bits=_LOG_BITS)
        header = _Header.read(payload, picture)
        memory.require(memory.decode_estimate(self.info, picture.pixels * picture.channels), "decoding this picture")
        planes = wavelet_planes.empty(picture)
        return planes, header, payload[header.size :]


def _painted(stream: Stream) -> Importance | None:
    packed = stream.sections.get(Section.IMPORTANCE)
    return None if packed is None else unpack(packed, stream.picture.height, stream.picture.width)


@dataclass(frozen=True)
class _Transformed:
    """A picture ready to be quantised. bits: of the integers that were transformed. free: of light with gutters, whose
    coefficients are weighed by `painted` only then."""

    picture: Picture
    bits: int
    planes: list[Plane]
    axes: bytes
    levels: int
    chosen: dict[str, Any]
    ctx: Ctx
    free: gutters.FreeGutters | None = None
    painted: Importance | None = None

    @staticmethod
    def of(info: CodecInfo, image: Image, chosen: dict[str, Any], ctx: Ctx) -> _Transformed:
        painted = None if chosen["lossless"] else image.importance
        picture, mask = Picture.of(image), image.mask if gutters.are_free(image, chosen) else None
        if image.is_float:
            log_coded.require_lossy(info, chosen)
            image, transfer = log_coded.codes_of(gutters.filled(image, chosen), _LOG_BITS)
            picture = replace(picture, transfer=transfer)
        levels = wavelet_planes.levels_of(image.width, image.height)
        planes, axes = wavelet_planes.split(image, lossless=chosen["lossless"])
        ctx.check()
        free = None
        if mask is not None:
            floats = [plane.coefficients for plane in planes if plane.coefficients is not None]
            free = gutters.FreeGutters(floats, mask, levels, _ROUNDS[chosen["effort"]], ctx)
        else:
            for plane in planes:
                native.dwt(plane.q if plane.coefficients is None else plane.coefficients, levels)
        if painted is not None and free is None:
            _weigh(planes, levels, painted)
        return _Transformed(picture, image.bits, planes, axes, levels, chosen, ctx, free, painted)

    def encode(self, quality: float) -> Encoded:
        """Quantise and code."""
        lossless, fast = self.chosen["lossless"], self.chosen["effort"] != "max"
        code = wavelet_planes.step_code(quality, self.bits)
        step = None if lossless else wavelet_planes.step_of(code)
        planes = self.planes if self.free is None or step is None else self._with_gutters(self.free, step)
        steps = Steps.alike(step or 1.0)
        trade, halved = _TRADE[self.chosen["effort"]], self.chosen["chroma"] == "4:2:0"
        stream, spent = wavelet_planes.encode(
            planes, self.levels, steps, self.ctx, fast=fast, trade=trade, halved=halved
        )
        head = bytes([self.levels | (_LOSSLESS_FLAG if lossless else 0) | (_FAST_FLAG if fast else 0)])
        if step is not None:
            head += code.to_bytes(2, "little") + wavelet_planes.pack_centres(planes, self.levels, steps) + self.axes
        sections: dict[int, bytes] = {Section.WAVELET: head + stream}
        if self.painted is not None:
            sections[Section.IMPORTANCE] = pack(self.painted)
        data = container.write("wavelet", self.picture, sections)
        spent["header"] = len(data) - sum(spent.values())
        return Encoded(data, {"bytes": spent, "levels": self.levels, "step": step})

    def _with_gutters(self, free: gutters.FreeGutters, step: float) -> list[Plane]:
        """The planes, the texels of their gutters such that they cost little at this step."""
        planes = free.planes(self.planes, Steps.alike(step), _OWN_ROUNDS[self.chosen["effort"]])
        if self.painted is not None:
            own = [None if plane.coefficients is None else plane.coefficients.copy() for plane in planes]
            planes = [replace(plane, coefficients=values) for plane, values in zip(planes, own, strict=True)]
            _weigh(planes, self.levels, self.painted)
        return planes


def _weigh(planes: list[Plane], levels: int, painted: Importance) -> None:
    for plane in planes:
        if plane.coefficients is not None:
            wavelet_planes.weigh(plane.coefficients, levels, painted)


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
        centres = 3 + CENTRES_SIZE
        size = 1 if lossless else (centres if picture.is_gray else centres + colour_axes.SIZE)
        if len(payload) <= size:
            raise CorruptStream("the wavelet section is cut off")
        levels = payload[0] & 0x1F
        fast = bool(payload[0] & _FAST_FLAG)
        if payload[0] & 0x80 or levels != wavelet_planes.levels_of(picture.width, picture.height):
            raise CorruptStream("the wavelet header contradicts the picture")
        if lossless:
            return _Header(picture, levels, fast, None, None, None, size)
        step = wavelet_planes.step_of(int.from_bytes(payload[1:3], "little"))
        axes = None if picture.is_gray else colour_axes.unpack(payload[centres:size])
        return _Header(picture, levels, fast, step, wavelet_planes.unpack_centres(payload[3:centres]), axes, size)
