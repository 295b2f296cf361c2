"""`dct`: our JPEG. Block transform, quantisation and Huffman coding, in a file that every viewer opens.

Stages (each one call into the C library a plane): YCbCr → chroma reduced → 8×8 DCT → levels → scans.
Source of the format: ITU-T T.81 (ISO/IEC 10918-1), JFIF 1.02.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine import color, memory
from engine.bit_map import BitMap
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Prepared, Role, Settings
from engine.codecs import dct_region, jfif, jpeg_bits
from engine.errors import Unsupported
from engine.image import Image
from engine.native import entropy, jpeg, room

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.0392, 0.0531, 0.0892, 0.126, 0.163, 0.202, 0.239, 0.275, 0.312,
    0.351, 0.399, 0.469, 0.569, 0.719, 0.995, 1.65, 4.36,
)  # fmt: skip

# Names what the encoder does in the store of results. Raise it with every change here or in csrc/jpeg_*.c, dct8.c or
# huffman.c that alters the bytes of any file: results of before are then not taken for those of now. Files of every
# revision are plain JPEGs.
ENCODER_REVISION = 2

SAMPLING = {"4:2:0": (2, 2), "4:2:2": (2, 1), "4:4:4": (1, 1)}
SCANS: dict[str, jpeg.Mode] = {"smallest": "smaller", "progressive": "progressive", "sequential": "sequential"}

_PARAMS = (
    Param(
        "quality",
        Kind.FLOAT,
        75.0,
        0.0,
        100.0,
        role=Role.RATE,
        better=1,
        label="Quality",
        help="Scales the quantisation tables like libjpeg's quality does, but continuously.",
        typical_bpp=_TYPICAL_BPP,
    ),
    Param(
        "chroma",
        Kind.CHOICE,
        "4:2:0",
        choices=tuple(SAMPLING),
        label="Chroma",
        help="Colour at full, half (4:2:2) or quarter (4:2:0) resolution.",
    ),
    Param(
        "tables",
        Kind.CHOICE,
        "balanced",
        choices=("balanced", "flat", "annex-k"),
        label="Quantisation",
        help="balanced: somewhat coarser where the eye sees less, best by MS-SSIM and FLIP; flat: equal steps for all "
        "frequencies, best by PSNR; annex-k: the JPEG standard's example tables.",
    ),
    Param(
        "trellis",
        Kind.BOOL,
        True,
        role=Role.EFFORT,
        label="Trellis",
        help="Weigh the bits of every coefficient against the error it saves; slower, smaller.",
    ),
    Param(
        "scans",
        Kind.CHOICE,
        "smallest",
        choices=tuple(SCANS),
        label="Scans",
        help="progressive: several scans, coarse to fine; sequential: one; smallest: whichever makes the smaller file.",
    ),
)


def coding_params(typical_bpp: tuple[float, ...]) -> tuple[Param, ...]:
    """Those of the knobs that say what the levels are; for another codec of them, with its own rates."""
    quality, *others, _ = _PARAMS
    return replace(quality, typical_bpp=typical_bpp), *others


class DctCodec:
    """JPEG with our own encoder and decoder."""

    info = CodecInfo(
        id="dct",
        label="DCT",
        family="dct",
        extension=".jpg",
        params=_PARAMS,
        capabilities=Capabilities(depths=(8,), gray=True, regions=True, memory=10.0, max_side=65_500),
        about="Our own JPEG encoder, baseline or progressive (ITU-T T.81): any viewer opens the files.",
    )

    def available(self) -> str | None:
        return None

    def version(self) -> str:
        return f"ratescope-dct {ENCODER_REVISION}"

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        """A JFIF file of an 8-bit grey or RGB picture without alpha."""
        chosen = self.info.complete(settings)
        encoded = self.prepare(image, chosen, ctx).encode(chosen["quality"])
        ctx.progress(1.0)
        return encoded

    def prepare(self, image: Image, settings: Settings, ctx: Ctx) -> Prepared:
        """Files by quality, all from one transform."""
        _require_fitting(image)
        transformed, profile = Transformed.of(image, self.info.complete(settings), ctx), _profile_segments(image)

        def encode(quality: Any) -> Encoded:
            written = _written(transformed, float(quality), profile, ctx)
            return Encoded(written.data, _stats(written), self.bit_map)

        return Prepared(encode)

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        """Any 8-bit baseline or progressive JPEG, grey or in three colours."""
        header = jpeg.probe(data)
        memory.require(memory.decode_estimate(self.info, 64 * header.blocks), "decoding this picture")
        ctx.check()
        levels = jpeg.read(data, header)
        ctx.check()
        pixels = jpeg.render(levels)
        icc = jfif.icc_profile(data)
        spec = color.recognise(icc) if icc else color.SRGB
        return Image(pixels, color=spec or color.SRGB, icc=None if spec else icc)

    def bit_map(self, data: bytes, ctx: Ctx) -> BitMap:
        """Of any 8-bit baseline or progressive JPEG."""
        return jpeg_bits.bit_map(data, self.info, ctx)


def _require_fitting(image: Image) -> None:
    if image.has_alpha:
        raise Unsupported("JPEG carries no alpha")
    if image.pixels.dtype != np.uint8 or image.bits != 8:
        raise Unsupported(f"JPEG carries 8-bit samples, not {image.bits}-bit ones")


def _profile_segments(image: Image) -> bytes:
    if image.icc is not None:
        return jfif.icc_segments(image.icc)
    if image.color == color.SRGB or (image.is_gray and image.color.transfer == color.SRGB.transfer):
        return b""  # what a file without a profile means; grey has no primaries
    if image.is_gray:
        raise Unsupported("grey pictures are carried in sRGB's transfer only")
    return jfif.icc_segments(color.profile_bytes(image.color))


@dataclass(frozen=True)
class Quantised:
    """A picture before its symbols are coded: levels (blocks, 64) i16 and tables (1 or 2, 64) u8."""

    where: jpeg.Layout
    levels: np.ndarray
    tables: np.ndarray


@dataclass(frozen=True)
class Transformed:
    """A picture's coefficients, which all qualities share: (blocks, 64) i16. region: what is painted on it."""

    where: jpeg.Layout
    coefs: np.ndarray
    chosen: dict[str, Any]
    region: dct_region.Weights | None = None

    @staticmethod
    def of(image: Image, chosen: dict[str, Any], ctx: Ctx) -> Transformed:
        """Of an 8-bit grey or RGB picture at complete settings."""
        h, v = SAMPLING[chosen["chroma"]]
        where = jpeg.layout(image.width, image.height, image.channels, h, v)
        region = None if image.importance is None else dct_region.weights(image.importance, where)
        return Transformed(where, _transform(image.pixels, where, ctx), chosen, region)

    def quantised(self, quality: float, ctx: Ctx) -> Quantised:
        """The levels at a quality."""
        kind, region = self.chosen["tables"], self.region
        if region is not None:
            quality = _quality_of(_scale(quality) * region.finer)
        tables = _tables_for(self.coefs, self.where, kind, quality, region)
        rounding = _Rounding.at(wanted_to_actual(kind, quality), self.chosen["trellis"] or region is not None)
        return Quantised(self.where, _quantise(self.coefs, self.where, tables, rounding, ctx, region=region), tables)


def _written(transformed: Transformed, quality: float, profile: bytes, ctx: Ctx) -> jpeg.Written:
    coded = transformed.quantised(quality, ctx)
    return jpeg.write(coded.levels, coded.where, coded.tables, SCANS[transformed.chosen["scans"]], profile)


def _transform(pixels: np.ndarray, where: jpeg.Layout, ctx: Ctx) -> np.ndarray:
    """DCT coefficients of all components, (blocks, 64) i16."""
    coefs = np.empty((where.blocks, 64), np.int16)
    height, width, channels = pixels.shape
    planes = jpeg.planes(pixels, room("planes", (channels, height, width), np.int16))
    for i, out in enumerate(where.parts(coefs)):
        ctx.check()
        reduced = i > 0 and where.h * where.v > 1
        plane = jpeg.halve(planes[i], where.h, where.v) if reduced else planes[i]
        jpeg.forward_dct(plane, where.grids[i], out)
    ctx.progress(0.3)
    return coefs


def _quantise(
    coefs: np.ndarray,
    where: jpeg.Layout,
    tables: np.ndarray,
    rounding: _Rounding,
    ctx: Ctx,
    *,
    region: dct_region.Weights | None,
) -> np.ndarray:
    """Levels of all components, (blocks, 64) i16."""
    levels = np.empty_like(coefs)
    for i, (source, out) in enumerate(zip(where.parts(coefs), where.parts(levels), strict=True)):
        ctx.check()
        place, table = (where.grids[i], where.plane_size(i)), tables[min(i, 1)]
        jpeg.quantise(source, *place, table=table, rounding=rounding.offsets, out=out)
        # With a region most blocks are far from the nearest levels, whose symbols tell little: what is left is counted.
        for _ in range(0 if rounding.strength == 0 else 1 if region is None else 2):
            counts = jpeg.count_symbols(out, *place)
            bits = entropy.huffman_lengths(np.maximum(counts, 1), 16).astype(np.float32)
            weights = None if region is None else region.blocks[i]
            jpeg.trellis(source, *place, table=table, bits=bits, strength=rounding.strength, out=out, weights=weights)
    ctx.progress(0.6)
    return levels


def _stats(written: jpeg.Written) -> dict[str, Any]:
    size, header = len(written.data), written.header_bytes
    return {
        "header_bytes": header,
        "scan_bytes": size - header - 2,
        "scans": written.scans,
        "progressive": written.progressive,
    }


# --- Quantisation ---------------------------------------------------------------------------------

# T.81 tables K.1 and K.2, in zig-zag order.
_ANNEX_K = np.array(
    [
        [16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51,
         61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77,
         113, 121, 112, 100, 120, 92, 101, 103, 99],
        [17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66] + [99] * 50,
    ],
    np.float64,
)  # fmt: skip

# Equal steps minimise the squared error at a rate (reverse water-filling). In RGB an error of Cb or Cr
# weighs about as much as one of Y, and at 4:2:0 it spreads over four pixels. At quality 50 the rate is
# near that of the annex-k tables. The ratios are those of least PSNR BD-rate on 8 photographs.
_FLAT_STEP = 28.0
_FLAT = np.outer([_FLAT_STEP, 0.7 * _FLAT_STEP], np.ones(64))
_FLAT[:, 0] *= 0.85

# A quarter of the way (in logarithms) from flat to annex-k: against flat, MS-SSIM gains 6 % of rate and
# FLIP 5 %, PSNR loses 2 %; half way, MS-SSIM and FLIP gain no more.
_BASES = {"flat": _FLAT, "balanced": _FLAT**0.75 * _ANNEX_K**0.25, "annex-k": _ANNEX_K}


def _scale(quality: float) -> float:
    """libjpeg's scale of the tables, continued between the integers."""
    return 50 / max(quality, 0.25) if quality < 50 else 2 - quality / 50


def _quality_of(scale: float) -> float:
    """The quality of this scale; 100 where it is finer than any."""
    return 50 / scale if scale > 1 else min(100 - 50 * scale, 100.0)


def quantisation_tables(kind: str, quality: float) -> np.ndarray:
    """(2, 64) u8 steps for luma and chroma, in zig-zag order, for a `quality` of 0…100.

    annex-k at a whole quality from 50 up is what libjpeg writes (below, it rounds the scale). Of the
    other tables, where many steps would change at once, low frequencies are rounded down first and high
    ones last, so the rate moves in small steps.
    """
    turn = 0.5 if kind == "annex-k" else (np.arange(64) + 0.5) / 64
    return np.floor(_BASES[kind] * _scale(quality) + turn).clip(1, 255).astype(np.uint8)


# Squared steps that a bit of DC is worth. It makes the wanted step the best one for evenly spread values: a step twice
# as large saves a bit and quadruples an error of step² / 12, so λ = 2 ln 2 / 12.
_DC_TRADE = 0.1155


def _tables_for(
    coefs: np.ndarray, where: jpeg.Layout, kind: str, quality: float, region: dct_region.Weights | None
) -> np.ndarray:
    """`quantisation_tables` with the DC steps that suit a picture; annex-k stays as the standard has it.

    Large areas of one colour have one DC value, and its distance to the nearest multiple of a step goes up and
    down with the step: with a step that follows the quality alone, a dark picture's PSNR falls by up to 0.7 dB as
    its file grows. The step of least distortion + λ · bits, out of a set that is the same for every quality, has no
    such falls: as λ shrinks, the bits never get fewer nor the distortion larger (Shoham & Gersho, "Efficient bit
    allocation for an arbitrary set of quantizers", IEEE Trans. ASSP 36(9), 1988). With a region it is the step for
    blocks of mean weight, since all share it.
    """
    tables = quantisation_tables(kind, quality)[: min(where.components, 2)]
    if kind == "annex-k":
        return tables
    planes = [
        jpeg.dc_coefficients(part, where.grids[i], where.plane_size(i)) for i, part in enumerate(where.parts(coefs))
    ]
    for i, group in enumerate((planes[:1], planes[1:])[: len(tables)]):
        wanted = 16 * _BASES[kind][i, 0] * _scale(quality) / (1.0 if region is None else region.mean**0.5)
        tables[i, 0] = jpeg.dc_step(group, _DC_TRADE * wanted**2)
    return tables


def wanted_to_actual(kind: str, quality: float) -> float:
    """How much coarser than the tables the quality asks for: 1 but for the rounding to 1…255, on luma's average."""
    wanted = _BASES[kind][0] * _scale(quality)
    return float(np.mean(wanted / quantisation_tables(kind, quality)[0]))


@dataclass(frozen=True)
class _Rounding:
    """How coefficients become levels: offsets (64 f32) added before rounding down; strength of the trellis."""

    offsets: np.ndarray
    strength: float

    @staticmethod
    def at(ratio: float, trellis: bool) -> _Rounding:
        """Offsets below one half trade a little distortion for many bits, as values near 0 are far more
        frequent than those near 1 (Sullivan, "Efficient scalar quantization of exponential and Laplacian
        random variables", IEEE Trans. IT 42(5), 1996). DC has no such peak.

        ratio: of the steps that are wanted to those that whole numbers of 1…255 allow. The trade follows
        it, so that the rate moves between two tables, and on where steps can shrink or grow no further.
        """
        offsets = np.full(64, 0.5 - 0.17 * min(ratio, 1.0), np.float32)
        offsets[0] = 0.5
        return _Rounding(offsets, 0.14 * ratio**2 if trellis else 0.0)
