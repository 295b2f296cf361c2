"""`lightmap-multiscale`: light at low resolution, its detail apart, and learned filters over both.

The logarithm of light goes through our wavelet transform (engine/codecs/wavelet_planes.py). Its low resolution, an
eighth and coarser, is quantised with a step of its own, the detail with another: how they stand to each other, and so
how the bits are split, is chosen for each picture by trying. What lies between charts costs next to nothing
(engine/codecs/gutters.py). Coefficients are coded by context mixing. The decoder then corrects the light by filters
that were learned from lightmaps (engine/codecs/light_filters.py); the encoder says how far to follow them, by what they
do to this picture. Decoded light is the same on every machine. docs/format.md describes the stream.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from engine import container, memory
from engine.bit_map import BitMap
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Prepared, Role, Settings
from engine.codecs import colour_axes, gutters, light_filters, log_coded, wavelet_planes
from engine.codecs.checks import require_carried
from engine.codecs.wavelet_planes import CENTRES_SIZE, TRADE, Plane, Steps
from engine.color import rgb_to_xyz
from engine.container import Picture, Section
from engine.errors import CodecUnavailable, CorruptStream, Unsupported
from engine.image import Image
from engine.learned import needs, stored
from engine.learned.stored import Installed
from engine.light import TOE, LogTransfer
from engine.metrics.banding import contours
from engine.native import wavelet as native
from engine.native.light import WEIGHTS

STREAM_VERSION = 1  # of what is on the wire
ENCODER_REVISION = 2  # of what the encoder does: raise it with every change that alters the bytes of any file
SPLIT = 3  # levels of detail; what is coarser is the low resolution
_BITS = 16
_ROUNDS, _OWN_ROUNDS = 16, 2
_EVEN = 8  # the code of equal steps; with each above, the low resolution is finer by a quarter of an octave
_TRIED = (_EVEN, _EVEN + 1, _EVEN + 2)
_LOOKED_AT = 1 << 19  # texels, from the top, at most, in which contours are looked for
_UNSEEN = 1e-6  # stops
_STRENGTH = 8  # of how far the filters are followed: 8 is as they were learned, at most 15

# Measured on six lightmaps.
_TYPICAL_BPP = (
    0.0005, 0.0008, 0.0012, 0.0019, 0.003, 0.0055, 0.011, 0.023, 0.05,
    0.11, 0.25, 0.6, 1.5, 3.4, 6.0, 9.0, 12.0,
)  # fmt: skip


class LightmapMultiscaleCodec:
    """The codec of this module; `decode` gives the same pixels on every machine."""

    info = CodecInfo(
        id="lightmap-multiscale",
        label="Lightmap multiscale",
        family="learned",
        extension=".rsl",
        params=(
            Param(
                "quality",
                Kind.FLOAT,
                35.0,
                0.0,
                100.0,
                role=Role.RATE,
                better=+1,
                label="Quality",
                help="0: a quantisation step of twice the full range; 100: of half a code value; equal ratios between",
                typical_bpp=_TYPICAL_BPP,
            ),
            gutters.param("fill"),
        ),
        capabilities=Capabilities(depths=(32,), memory=42.0, light=log_coded.LIGHT_16),
        about="wavelets of the logarithm of light, low resolution and detail apart, corrected by learned filters",
    )

    def available(self) -> str | None:
        return needs.missing(("safetensors",)) or (None if _preferred() else stored.nothing_installed(self.info.id))

    def version(self) -> str:
        weights = _preferred()
        return f"stream {STREAM_VERSION}, encoder {ENCODER_REVISION}, weights {weights.name if weights else 'none'}"

    def model(self) -> str:
        """ "CPU · model 6941aa4d": the name that streams have for the weights to encode with."""
        weights = _preferred()
        return f"CPU · model {weights.name}" if weights else ""

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        """Encode light in floats, grey or R, G, B."""
        chosen = self.info.complete(settings)
        return self.prepare(image, chosen, ctx).encode(chosen["quality"])

    def prepare(self, image: Image, settings: Settings, ctx: Ctx) -> Prepared:
        """Files by quality, all from one transform."""
        require_carried(image, self.info)
        weights = _preferred()
        if weights is None:
            raise CodecUnavailable(stored.nothing_installed(self.info.id))
        encoder = _Encoder.of(image, self.info.complete(settings), weights, ctx)
        return Prepared(lambda quality: replace(encoder.encode(float(quality)), mapped=self.bit_map))

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        """Decode; `CorruptStream`, `Unsupported` or `LimitExceeded`; `EngineError` if the weights are missing."""
        picture, head, symbols = self._read(data)
        levels = wavelet_planes.levels_of(picture.width, picture.height)
        planes = wavelet_planes.empty(picture)
        wavelet_planes.decode(planes, levels, symbols, ctx, fast=False)
        values = wavelet_planes.samples(planes, levels, ctx, steps=head.steps, centres=head.centres)
        if head.weights is not None and picture.transfer is not None:
            tensor = _tensor(stored.named(self.info.id, head.weights))
            changes = _corrections(values, tensor, head, picture.transfer)
            values = [value + change for value, change in zip(values, changes, strict=True)]
        pixels = wavelet_planes.pixels_of(values, replace(picture, bits=_BITS), head.axes)
        return log_coded.light_of(pixels, picture, _BITS)

    def details(self, data: bytes, ctx: Ctx) -> dict[str, Any]:
        """weights: which ones decode it, if any. split: the step of the low resolution to that of the detail."""
        head = self._read(data)[1]
        return {"weights": head.weights, "split": head.steps.base / head.steps.detail}

    def bit_map(self, data: bytes, ctx: Ctx) -> BitMap:
        """What each coefficient cost under the probabilities that it was coded with, on the pixels of its scale."""
        picture, _, symbols = self._read(data)
        levels = wavelet_planes.levels_of(picture.width, picture.height)
        bits, _ = wavelet_planes.costs(wavelet_planes.empty(picture), levels, symbols, ctx, fast=False)
        return BitMap(bits, container.apart(data, picture, len(symbols)))

    def _read(self, data: bytes) -> tuple[Picture, _Head, bytes]:
        stream = container.read(data)
        if stream.codec != self.info.id:
            raise Unsupported(f"this stream was written by the codec '{stream.codec}', not by {self.info.id}")
        picture, payload = stream.picture, stream.section(Section.LIGHTMAP_MULTISCALE)
        if picture.transfer is None or picture.channels not in (1, 3):
            raise CorruptStream("the stream claims a picture of a kind that it cannot hold")
        memory.require(memory.decode_estimate(self.info, picture.pixels * picture.channels), "decoding this picture")
        head, size = _Head.read(payload, picture)
        return picture, head, payload[size:]


@dataclass(frozen=True)
class _Head:
    """The head of the section. weights: the name of those that are followed, None if none are; strengths: how far, for
    luma and for chroma, in eighths."""

    code: int
    split: int
    centres: tuple[np.ndarray, np.ndarray]
    axes: np.ndarray | None
    strengths: tuple[int, int]
    weights: str | None

    @property
    def steps(self) -> Steps:
        return _steps(self.code, self.split)

    @staticmethod
    def read(payload: bytes, picture: Picture) -> tuple[_Head, int]:
        """The head, and its size."""
        axes_at = 4 + CENTRES_SIZE
        strengths_at = axes_at + (0 if picture.is_gray else colour_axes.SIZE)
        if len(payload) <= strengths_at:
            raise CorruptStream("the lightmap section is cut off")
        if payload[0] != STREAM_VERSION:
            raise Unsupported(f"the stream has lightmap version {payload[0]}; this program reads {STREAM_VERSION}")
        strengths = payload[strengths_at] & 15, payload[strengths_at] >> 4
        end = strengths_at + 1 + (stored.NAME_BYTES if any(strengths) else 0)
        if len(payload) <= end or payload[3] > 2 * _EVEN:
            raise CorruptStream("the head of the lightmap section is damaged or cut off")
        axes = None if picture.is_gray else colour_axes.unpack(payload[axes_at:strengths_at])
        centres = wavelet_planes.unpack_centres(payload[4:axes_at])
        name = payload[strengths_at + 1 : end].hex() if any(strengths) else None
        code = int.from_bytes(payload[1:3], "little")
        return _Head(code, payload[3], centres, axes, strengths, name), end


def _steps(code: int, split: int) -> Steps:
    step = wavelet_planes.step_of(code)
    return Steps(step, step * _ratio(split), SPLIT)


def _ratio(split: int) -> float:
    """The step of the low resolution to that of the detail: in single precision, rounded, the same everywhere."""
    return round(2.0 ** ((_EVEN - split) / 4) * 4096) / 4096


def _corrections(values: list[np.ndarray], tensor: np.ndarray, head: _Head, transfer: LogTransfer) -> list[np.ndarray]:
    """What the filters say is to be added to planes of samples, as far as they are followed."""
    unit = (2**_BITS - 1) / transfer.span
    scale = light_filters.Scale.of(head.steps.detail / unit)
    numbers = light_filters.classes(values[0], scale, unit)
    shares = np.array(head.strengths, np.float32)[:, None, None] / np.float32(_STRENGTH)
    return light_filters.corrections(values, numbers, tensor * shares, scale, unit)


@dataclass(frozen=True)
class _Encoder:
    """A picture ready to be quantised. originals: planes of samples; counts: where they matter, None: everywhere."""

    picture: Picture
    planes: list[Plane]
    originals: list[np.ndarray]
    counts: np.ndarray | None
    free: gutters.FreeGutters | None
    axes: bytes
    levels: int
    weights: Installed
    ctx: Ctx

    @staticmethod
    def of(image: Image, chosen: dict[str, Any], weights: Installed, ctx: Ctx) -> _Encoder:
        mask = image.mask if gutters.are_free(image, chosen) else None
        codes, transfer = log_coded.codes_of(gutters.filled(image, chosen), _BITS)
        picture, levels = Picture.of(image, transfer), wavelet_planes.levels_of(image.width, image.height)
        planes, axes = wavelet_planes.split(codes, lossless=False)
        originals = [plane.coefficients for plane in planes if plane.coefficients is not None]
        ctx.check()
        free = None
        if mask is not None:
            free = gutters.FreeGutters(originals, mask, levels, _ROUNDS, ctx)
        else:
            planes = [replace(plane, coefficients=each.copy()) for plane, each in zip(planes, originals, strict=True)]
            for plane in planes:
                if plane.coefficients is not None:
                    native.dwt(plane.coefficients, levels)
        counts = image.mask if image.mask is not None and image.mask.any() else None
        return _Encoder(picture, planes, originals, counts, free, axes, levels, weights, ctx)

    def encode(self, quality: float) -> Encoded:
        code = wavelet_planes.step_code(quality, _BITS)
        planes = self._planes(_steps(code, _EVEN))
        split = min(_TRIED, key=lambda each: self._price(planes, _steps(code, each)))
        steps = _steps(code, split)
        symbols, spent = wavelet_planes.encode(planes, self.levels, steps, self.ctx, fast=False)
        packed = wavelet_planes.pack_centres(planes, self.levels, steps)
        head = _Head(
            code,
            split,
            wavelet_planes.unpack_centres(packed),
            colour_axes.unpack(self.axes) if self.axes else None,
            (_STRENGTH, _STRENGTH),
            self.weights.name,
        )
        strengths = self._strengths(planes, head)
        payload = bytes([STREAM_VERSION]) + code.to_bytes(2, "little") + bytes([split]) + packed + self.axes
        payload += bytes([strengths[0] | strengths[1] << 4])
        payload += bytes.fromhex(self.weights.name) if any(strengths) else b""
        data = container.write(
            LightmapMultiscaleCodec.info.id, self.picture, {Section.LIGHTMAP_MULTISCALE: payload + symbols}
        )
        spent["header"] = len(data) - sum(spent.values())
        stats = {"bytes": spent, "split": _ratio(split), "strengths": [s / _STRENGTH for s in strengths]}
        return Encoded(data, {**stats, "weights": self.weights.name})

    def _planes(self, steps: Steps) -> list[Plane]:
        return self.planes if self.free is None else self.free.planes(self.planes, steps, _OWN_ROUNDS)

    def _price(self, planes: list[Plane], steps: Steps) -> float:
        """Squared error plus what the bits are worth, in squared steps of the detail, as the fast coder has it."""
        symbols, _ = wavelet_planes.encode(planes, self.levels, steps, self.ctx, fast=True)
        centres = wavelet_planes.unpack_centres(wavelet_planes.pack_centres(planes, self.levels, steps))
        error = 0.0
        for plane in planes:
            decoded = steps.dequantise(plane.q.copy(), self.levels, centres[plane.number > 0])
            decoded -= plane.coefficients
            error += float(np.einsum("ij,ij->", decoded, decoded, dtype=np.float64))
        return error / steps.detail**2 + TRADE * 8 * len(symbols)

    def _strengths(self, planes: list[Plane], head: _Head) -> tuple[int, int]:
        """How far the filters are followed, in eighths, for luma and chroma: as least error asks for."""
        assert self.picture.transfer is not None
        copies = [Plane(plane.number, plane.q.copy()) for plane in planes]
        decoded = wavelet_planes.samples(copies, self.levels, self.ctx, steps=head.steps, centres=head.centres)
        self.ctx.check()
        sums = np.zeros((2, 2))
        corrections = _corrections(decoded, _tensor(self.weights), head, self.picture.transfer)
        for number, (was, now, change) in enumerate(zip(self.originals, decoded, corrections, strict=True)):
            counts = np.float32(1) if self.counts is None else self.counts
            fits = np.einsum("ij,ij->", (was - now) * counts, change, dtype=np.float64)
            sums[min(number, 1)] += fits, np.einsum("ij,ij->", change * counts, change, dtype=np.float64)
        best = np.rint(_STRENGTH * sums[:, 0] / np.maximum(sums[:, 1], 1e-9)).clip(0, 15)
        return self._smoothest((int(best[0]), int(best[1])), decoded, corrections, head)

    def _smoothest(
        self, best: tuple[int, int], decoded: list[np.ndarray], corrections: list[np.ndarray], head: _Head
    ) -> tuple[int, int]:
        """How far to follow the filters, at most `best`, so that they draw no contours: what noise had hidden shows
        when it is gone. Of several that draw as little, as the banding metric scores it, the strongest."""
        if not any(best):
            return best
        rows = slice(0, max(1, _LOOKED_AT // self.picture.width))
        counts = np.ones(decoded[0].shape, bool) if self.counts is None else self.counts
        original = self._luminance([plane[rows] for plane in self.originals], head)

        def drawn(strengths: tuple[int, int]) -> float:
            self.ctx.check()
            planes = [
                now[rows] + change[rows] * np.float32(strengths[min(number, 1)] / _STRENGTH)
                for number, (now, change) in enumerate(zip(decoded, corrections, strict=True))
            ]
            found = contours(original, self._luminance(planes, head), counts[rows])
            return float(np.sqrt(np.mean(np.square(found), dtype=np.float64)))

        luma, chroma = best
        tried = list(dict.fromkeys([best, ((luma + 1) // 2, (chroma + 1) // 2), (0, chroma), (0, 0)]))
        scores = [drawn(strengths) for strengths in tried]
        return next(s for s, score in zip(tried, scores, strict=True) if score <= min(scores) + _UNSEEN)

    def _luminance(self, planes: list[np.ndarray], head: _Head) -> np.ndarray:
        """h×w f32 in stops, of h×w planes of samples."""
        assert self.picture.transfer is not None
        span = np.float32(self.picture.transfer.span)
        codes = np.stack(planes, axis=2) if head.axes is None else np.stack(planes, axis=2) @ head.axes
        stops = (codes + np.float32(1 << (_BITS - 1))) * (span / np.float32(2**_BITS - 1)) - np.float32(10)
        light = (np.exp2(stops) - np.float32(TOE)).clip(0, None)
        weights = rgb_to_xyz(self.picture.color.primaries)[1].astype(np.float32)
        return np.log2((light[:, :, 0] if self.picture.is_gray else light @ weights) + np.float32(TOE))


def _preferred() -> Installed | None:
    return stored.preferred(LightmapMultiscaleCodec.info.id)


@lru_cache(maxsize=4)
def _tensor(weights: Installed) -> np.ndarray:
    """2×CLASSES×WEIGHTS f32; `CorruptStream` names the file if it holds none."""
    tensor = stored.read(weights.path).floats.get("filters")
    shape = (2, light_filters.CLASSES, WEIGHTS)
    if tensor is None or tensor.shape != shape or tensor.dtype != np.float32 or not np.isfinite(tensor).all():
        raise CorruptStream("does not hold the filters of lightmap-multiscale", path=weights.path)
    return tensor
