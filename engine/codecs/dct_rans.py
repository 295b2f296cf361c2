"""`dct-rans`: the levels of `dct` without Huffman codes, under adaptive contexts and rANS, in our container.

Quantisation is that of `dct`, setting for setting: both decode to the same pixels, and what differs is the size of the
file. docs/format.md describes the stream, csrc/dctr_blocks.c the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine import container, memory
from engine.bit_map import BitMap
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Prepared, Settings
from engine.codecs import dct, jpeg_bits
from engine.codecs.checks import require_carried
from engine.container import Picture, Section, Stream
from engine.errors import CorruptStream, Unsupported
from engine.image import Image
from engine.native import dct_rans as native
from engine.native import jpeg

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.0147, 0.0322, 0.0639, 0.0965, 0.131, 0.164, 0.200, 0.234, 0.266,
    0.302, 0.352, 0.415, 0.504, 0.640, 0.885, 1.46, 4.26,
)  # fmt: skip

STREAM_VERSION = 1  # of what is on the wire
# Names what the encoder does beyond dct's own revision: raise it with every change of csrc/dctr_* that alters bytes.
ENCODER_REVISION = 1

# How chroma is sampled, as the first byte of the section says it.
_CHROMA_CODES = {"4:2:0": 0, "4:2:2": 1, "4:4:4": 2}
_CHROMA = {code: name for name, code in _CHROMA_CODES.items()}


class DctRansCodec:
    """The codec of this module; `decode` gives the pixels of `dct` at the same settings."""

    info = CodecInfo(
        id="dct-rans",
        label="DCT-rANS",
        family="dct",
        extension=".rsd",
        params=dct.coding_params(_TYPICAL_BPP),
        capabilities=Capabilities(depths=(8,), gray=True, regions=True, memory=12.0, max_side=65_500),
        about="The coefficients of our JPEG, coded by rANS under contexts that learn: the same pixels, smaller.",
    )

    def available(self) -> str | None:
        return None

    def version(self) -> str:
        return f"stream {STREAM_VERSION}, encoder {ENCODER_REVISION}, ratescope-dct {dct.ENCODER_REVISION}"

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        """Encode 8-bit grey or R, G, B without alpha."""
        chosen = self.info.complete(settings)
        encoded = self.prepare(image, chosen, ctx).encode(chosen["quality"])
        ctx.progress(1.0)
        return encoded

    def prepare(self, image: Image, settings: Settings, ctx: Ctx) -> Prepared:
        """Files by quality, all from one transform."""
        transformed = self._transformed(image, self.info.complete(settings), ctx)

        def encode(quality: Any) -> Encoded:
            file = _file(transformed, float(quality), image, ctx)
            stats = {"header_bytes": len(file.data) - file.stream_bytes, "stream_bytes": file.stream_bytes}
            return Encoded(file.data, stats, self.bit_map)

        return Prepared(encode)

    def _transformed(self, image: Image, chosen: dict[str, Any], ctx: Ctx) -> dct.Transformed:
        require_carried(image, self.info)
        return dct.Transformed.of(image, {**chosen, "chroma": "4:4:4"} if image.is_gray else chosen, ctx)

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        """Decode; `CorruptStream` for damaged data, `Unsupported` for other codecs' streams, `LimitExceeded`."""
        stream = _read(data)
        coded, picture = self._levels(stream, ctx), stream.picture
        return Image(jpeg.picture_of(coded.levels, coded.where, coded.tables), picture.color, icc=picture.icc)

    def bit_map(self, data: bytes, ctx: Ctx) -> BitMap:
        """What the decisions of each block cost under the probabilities that they were coded with."""
        stream = _read(data)
        coded = self._levels(stream, ctx)
        costs, of_tables = native.costs(coded.levels, coded.where, coded.tables)
        ctx.check()
        symbols = stream.section(Section.DCT_RANS)[1:]
        apart = container.apart(data, stream.picture, len(symbols))
        apart |= {"quantisation tables": round(of_tables / 8), "coder state": native.state_bytes(symbols)}
        return BitMap(jpeg_bits.on_pixels(costs, coded.where), apart)

    def _levels(self, stream: Stream, ctx: Ctx) -> dct.Quantised:
        payload = stream.section(Section.DCT_RANS)
        where = _layout(stream.picture, payload)
        memory.require(memory.decode_estimate(self.info, 64 * where.blocks), "decoding this picture")
        ctx.check()
        levels, tables = native.decode(payload[1:], where)
        ctx.check()
        return dct.Quantised(where, levels, tables)


@dataclass(frozen=True)
class _File:
    """A file, and how much of it is symbols."""

    data: bytes
    stream_bytes: int


def _file(transformed: dct.Transformed, quality: float, image: Image, ctx: Ctx) -> _File:
    coded = transformed.quantised(quality, ctx)
    stream = native.encode(coded.levels, coded.where, coded.tables)
    payload = bytes([_CHROMA_CODES[transformed.chosen["chroma"]]]) + stream
    return _File(container.write("dct-rans", Picture.of(image), {Section.DCT_RANS: payload}), len(stream))


def _read(data: bytes) -> Stream:
    stream = container.read(data)
    if stream.codec != "dct-rans":
        raise Unsupported(f"this stream was written by the codec '{stream.codec}', not by dct-rans")
    return stream


def _layout(picture: Picture, payload: bytes) -> jpeg.Layout:
    """Where the blocks are; `CorruptStream` if the header claims what this codec does not write."""
    if picture.channels not in (1, 3) or picture.bits != 8:
        raise CorruptStream("dct-rans codes 8-bit grey or R, G, B, but the header claims something else")
    if max(picture.width, picture.height) > DctRansCodec.info.capabilities.max_side:
        raise CorruptStream("the header claims a picture larger than dct-rans codes")
    name = _CHROMA.get(payload[0]) if payload else None
    if name is None or (picture.is_gray and name != "4:4:4"):
        raise CorruptStream("the dct-rans section does not begin with a known sampling of chroma")
    return jpeg.layout(picture.width, picture.height, picture.channels, *dct.SAMPLING[name])
