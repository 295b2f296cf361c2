"""`hyperprior`: our learned codec. A lapped transform, an entropy model of integer networks, a learned decoder.

One model for all rates; its weights are a file of their own, which the stream names by its digest. What both ends must
agree on, the symbols, is computed in C integers (engine/learned/symbols.py); torch computes what surrounds them, in
float, and is loaded by the first picture. docs/learned.md tells how it works, docs/format.md describes the stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import container, memory
from engine.bit_map import BitMap, spread
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Prepared, Role, Settings
from engine.codecs.checks import require_carried
from engine.container import Picture, Section
from engine.errors import CodecUnavailable, CorruptStream, Unsupported
from engine.image import Image
from engine.learned import fixed, needs, stored
from engine.learned.stored import Installed
from engine.native.latent import state_bytes

if TYPE_CHECKING:
    from engine.learned.model import HyperpriorModel
    from engine.learned.symbols import Latent, SymbolNetwork
    from engine.learned.tiles import Analysis

# Measured on six photographs of 768 × 512.
_TYPICAL_BPP = (
    0.0699, 0.0812, 0.0947, 0.113, 0.136, 0.164, 0.197, 0.232, 0.274,
    0.322, 0.376, 0.434, 0.498, 0.567, 0.642, 0.722, 0.813,
)  # fmt: skip

STREAM_VERSION = 1  # of what is on the wire
ENCODER_REVISION = 1  # of what the encoder does: raise it with every change that alters the bytes of any file
GRANULE = 64  # pictures are continued to multiples of this: the side of a hyper-latent's cell
LATENT_CELL = 16
_ANALYSIS, _CODING = 0.35, 0.65  # shares of the time, for progress


class HyperpriorCodec:
    """The codec of this module. Decoded symbols are the same everywhere; pixels may differ by one level."""

    info = CodecInfo(
        id="hyperprior",
        label="Hyperprior",
        family="learned",
        extension=".rsl",
        params=(
            Param(
                "quality",
                Kind.FLOAT,
                50.0,
                0.0,
                100.0,
                role=Role.RATE,
                better=+1,
                label="Quality",
                help="from end to end of the rates that the model was trained for, about 0.1 to 1 bit per pixel",
                typical_bpp=_TYPICAL_BPP,
            ),
        ),
        capabilities=Capabilities(memory=48.0),
        about="lapped transform, sliced two-pass hyperprior in integers, learned decoder; one model for all rates",
    )

    def available(self) -> str | None:
        return needs.missing() or (None if stored.preferred() is not None else stored.nothing_installed())

    def version(self) -> str:
        weights = stored.preferred()
        return f"stream {STREAM_VERSION}, encoder {ENCODER_REVISION}, weights {weights.name if weights else 'none'}"

    def model(self) -> str:
        """ "CPU · model 6941aa4d": the name that streams have for the weights to encode with."""
        weights = stored.preferred()
        return f"CPU · model {weights.name}" if weights else ""

    def load(self) -> None:
        """Load torch and the weights, and let torch prepare its kernels on a small picture."""
        weights = stored.preferred()
        if weights is not None:
            _warm(weights)

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        """Encode 8-bit grey or R, G, B."""
        chosen = self.info.complete(settings)
        return self.prepare(image, chosen, ctx).encode(chosen["quality"])

    def prepare(self, image: Image, settings: Settings, ctx: Ctx) -> Prepared:
        """Files by quality, all from one analysis."""
        require_carried(image, self.info)
        weights = stored.preferred()
        if weights is None:
            raise CodecUnavailable(stored.nothing_installed())
        ctx.check()
        model = load(weights)
        from engine.learned import tiles
        from engine.learned.forecast import Outlook

        analysis = tiles.Analysis(model.networks, _padded(image), _part(ctx, 0, _ANALYSIS))
        picture, coding = Picture.of(image), _part(ctx, _ANALYSIS, 1)

        def encode(quality: Any) -> Encoded:
            return self._encoded(weights, analysis, fixed.rate_of(float(quality), weights.points), picture, coding)

        return Prepared(encode, Outlook(analysis, image.width * image.height, weights.points))

    def _encoded(self, weights: Installed, analysis: Analysis, rate: int, picture: Picture, ctx: Ctx) -> Encoded:
        from engine.learned.forecast import RateForecast

        symbols = load(weights).symbols
        hyper, steps = analysis.symbols(rate, ctx)
        data, coded = symbols.encode(hyper, steps, rate, ctx)
        payload = _Head(STREAM_VERSION, bytes.fromhex(weights.name), rate).pack() + data
        file = container.write("hyperprior", picture, {Section.HYPERPRIOR: payload})
        spent = {"symbols": len(data), "header": len(file) - len(data)}
        stats = {"bytes": spent, "rate": rate / fixed.RATE_STEPS, "weights": weights.name}
        return Encoded(file, stats, self.bit_map, RateForecast(symbols, coded, steps, rate, spent["header"]))

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        """Decode; `CorruptStream`, `Unsupported` or `LimitExceeded`; `EngineError` if the weights are missing."""
        picture, head, payload = _read(data)
        memory.require(memory.decode_estimate(self.info, picture.pixels * 3), "decoding this picture")
        ctx.check()
        model = load(stored.named(head.weights.hex()))
        latent = _symbols(model.symbols, picture, head, payload, _part(ctx, 0, _CODING))
        from engine.learned import tiles

        pixels = tiles.render(model.networks, latent, head.rate, _part(ctx, _CODING, 1))
        shown = pixels[: picture.height, : picture.width]
        if picture.is_gray:
            shown = shown.mean(2, keepdims=True)
        whole = np.rint(shown.clip(0, 255)).astype(np.uint8)
        return Image(whole, picture.color, picture.alpha, picture.bits, picture.icc)

    def details(self, data: bytes, ctx: Ctx) -> dict[str, Any]:
        """weights: which ones decode it. rate: of the model's range. symbols: a digest of what both ends must agree
        on, the same on every machine. Needs the weights, but not torch."""
        told = _told(data, ctx)
        head, latent = told.head, told.latent
        rate = head.rate / fixed.RATE_STEPS
        return {"weights": head.weights.hex(), "rate": rate, "symbols": f"{latent.checksum:08x}"}

    def bit_map(self, data: bytes, ctx: Ctx) -> BitMap:
        """What each position's symbols cost, of latent and hyper-latent. Needs the weights, but not torch."""
        told = _told(data, ctx)
        size = told.picture.height, told.picture.width
        hyper, positions = told.network.costs(told.latent)
        ctx.check()
        bits = spread(hyper, (GRANULE, GRANULE), size)
        bits += spread(positions, (LATENT_CELL, LATENT_CELL), size)
        apart = container.apart(data, told.picture, len(told.coded))
        return BitMap(bits, apart | {"coder state": state_bytes(told.coded, told.latent.mark)})


@dataclass(frozen=True)
class Model:
    """The two parts of a model in memory."""

    networks: HyperpriorModel
    symbols: SymbolNetwork


@lru_cache(maxsize=2)
def load(weights: Installed) -> Model:
    """The model with these weights; it stays in memory. Loads torch."""
    if (reason := needs.missing()) is not None:
        raise CodecUnavailable(reason)
    from engine.learned.export import model_of
    from engine.learned.symbols import SymbolNetwork

    content = stored.read(weights.path)
    return Model(model_of(content), SymbolNetwork(content.model, content.integers))


@lru_cache(maxsize=2)
def _warm(weights: Installed) -> None:
    model = load(weights)
    from engine.learned import tiles

    analysis = tiles.Analysis(model.networks, np.zeros((GRANULE, GRANULE, 3), np.uint8), Ctx())
    hyper, steps = analysis.symbols(0, Ctx())
    _, latent = model.symbols.encode(hyper, steps, 0, Ctx())
    tiles.render(model.networks, latent, 0, Ctx())


@lru_cache(maxsize=2)
def symbol_network(weights: Installed) -> SymbolNetwork:
    """The part of a model that needs no torch."""
    from engine.learned.symbols import SymbolNetwork

    content = stored.read(weights.path)
    return SymbolNetwork(content.model, content.integers)


@dataclass(frozen=True)
class _Head:
    """The head of the section. weights: the first bytes of the SHA-256 of their file."""

    version: int
    weights: bytes
    rate: int

    SIZE = 1 + stored.NAME_BYTES + 2

    def pack(self) -> bytes:
        return bytes([self.version]) + self.weights + self.rate.to_bytes(2, "little")

    @staticmethod
    def read(payload: bytes) -> _Head:
        if len(payload) <= _Head.SIZE:
            raise CorruptStream("the hyperprior section is cut off")
        if payload[0] != STREAM_VERSION:
            raise Unsupported(f"the stream has hyperprior version {payload[0]}; this program reads {STREAM_VERSION}")
        end = 1 + stored.NAME_BYTES
        return _Head(payload[0], payload[1:end], int.from_bytes(payload[end : _Head.SIZE], "little"))


def _read(data: bytes) -> tuple[Picture, _Head, bytes]:
    stream = container.read(data)
    if stream.codec != "hyperprior":
        raise Unsupported(f"this stream was written by the codec '{stream.codec}', not by hyperprior")
    picture, payload = stream.picture, stream.section(Section.HYPERPRIOR)
    if picture.bits != 8 or picture.channels not in (1, 3):
        raise CorruptStream("the hyperprior stream claims a picture of a kind that it cannot hold")
    return picture, _Head.read(payload), payload[_Head.SIZE :]


def _symbols(network: SymbolNetwork, picture: Picture, head: _Head, payload: bytes, ctx: Ctx) -> Latent:
    if head.rate > (network.points - 1) * fixed.RATE_STEPS:
        raise CorruptStream("the hyperprior stream claims a rate that its model does not have")
    size = -(-picture.height // GRANULE), -(-picture.width // GRANULE)
    return network.decode(payload, size, head.rate, ctx)


@dataclass(frozen=True)
class _Told:
    """What a stream says, read without torch. coded: the bytes of the symbols."""

    picture: Picture
    head: _Head
    coded: bytes
    network: SymbolNetwork
    latent: Latent


def _told(data: bytes, ctx: Ctx) -> _Told:
    picture, head, coded = _read(data)
    memory.require(memory.decode_estimate(HyperpriorCodec.info, picture.pixels * 3), "decoding this picture")
    ctx.check()
    network = symbol_network(stored.named(head.weights.hex()))
    return _Told(picture, head, coded, network, _symbols(network, picture, head, coded, ctx))


def _colours(image: Image) -> np.ndarray:
    """R, G, B of grey, too: H×W×3 u8."""
    return np.broadcast_to(image.colour_pixels, (image.height, image.width, 3))


def _padded(image: Image) -> np.ndarray:
    """R, G, B continued to multiples of 64 by repeating the border: a tenth cheaper than by reflection. H×W×3 u8."""
    padding = [(0, -side % GRANULE) for side in image.pixels.shape[:2]]
    return np.pad(_colours(image), [*padding, (0, 0)], mode="edge")


def _part(ctx: Ctx, start: float, stop: float) -> Ctx:
    """The context for work that is a part of the whole."""
    return Ctx(ctx.cancel, lambda done: ctx.progress(start + done * (stop - start)), ctx.threads, ctx.busy)
