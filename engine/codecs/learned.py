"""What our learned codecs share: weights in a file of their own that the stream names, symbols in integers, one model
for all rates.

What both ends must agree on, the symbols, is computed in C integers (engine/learned/symbols.py); torch computes what
surrounds them, in float, and is loaded by the first picture. docs/learned.md tells how it works, docs/format.md
describes the streams.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from engine import container, memory
from engine.bit_map import BitMap, spread
from engine.codec import WARNING, CodecInfo, Ctx, Encoded, Forecast, Kind, Param, Prepared, Role, Settings
from engine.container import Picture, Section
from engine.errors import CodecUnavailable, CorruptStream, Unsupported
from engine.image import Image
from engine.importance import Importance, pack, unpack
from engine.learned import fixed, needs, stored
from engine.learned.card import load_card
from engine.learned.domain import Ranges, warning
from engine.learned.stored import Installed
from engine.native.latent import state_bytes

if TYPE_CHECKING:
    from engine.learned.model import LatentModel
    from engine.learned.symbols import Latent, SymbolNetwork
    from engine.learned.tiles import Analysis

GRANULE = 64  # pictures are continued to multiples of this: the side of a hyper-latent's cell
LATENT_CELL = 16
_ANALYSIS, _CODING = 0.35, 0.65  # shares of the time, for progress


@dataclass(frozen=True)
class Source:
    """A picture on its way into a stream. extra: what the head says of it. analysis: what the networks make of it.
    outlook: what rates would take, as far as that can be told before anything is coded. importance: what is painted.
    unlike: in what it is unlike the pictures that the model was trained on, in words."""

    picture: Picture
    extra: bytes
    analysis: Analysis
    outlook: Forecast | None = None
    importance: Importance | None = None
    unlike: str = ""


def quality_param(reach: str, typical_bpp: tuple[float, ...]) -> Param:
    """The knob of all of them. reach: which rates or qualities the model was trained for."""
    return Param(
        "quality",
        Kind.FLOAT,
        50.0,
        0.0,
        100.0,
        role=Role.RATE,
        better=+1,
        label="Quality",
        help=f"from end to end of the rates that the model was trained for{reach}",
        typical_bpp=typical_bpp,
    )


class LearnedCodec(ABC):
    """A learned codec. Decoded symbols are the same everywhere; pixels may differ by their last bits.

    `extra_bytes` follow version, weights and rate in the head of the section.
    """

    info: ClassVar[CodecInfo]
    section: ClassVar[Section]
    stream_version: ClassVar[int]  # of what is on the wire
    encoder_revision: ClassVar[int]  # of what the encoder does: raised with every change of any file's bytes
    extra_bytes: ClassVar[int] = 0
    rounded: ClassVar[bool] = True  # to codes; the last bits of floats depend on the number of threads otherwise

    @abstractmethod
    def _source(self, image: Image, chosen: dict[str, Any], model: Model, ctx: Ctx) -> Source:
        """`Unsupported` for what is not carried."""

    @abstractmethod
    def _claims(self, picture: Picture, extra: bytes) -> None:
        """`CorruptStream` if a stream claims to hold what it cannot."""

    @abstractmethod
    def _image(self, pixels: np.ndarray, picture: Picture, extra: bytes) -> Image:
        """The picture of the decoder's H×W×3 f32 pixels: 0…255, but not clamped."""

    def _sliced(self, steps: np.ndarray, model: Model) -> tuple[int, bytes]:
        """How many slices of the latent to code, and what the head says of that."""
        return len(model.symbols.recipe.slices), b""

    def _slices(self, extra: bytes, network: SymbolNetwork) -> int:
        """How many slices are in a stream with this head."""
        return len(network.recipe.slices)

    def _blend(self, extra: bytes) -> float:
        """How far to go from the faithful decoder (0) to the plausible one (1), in models that have both."""
        return 1.0

    def available(self) -> str | None:
        here = stored.preferred(self.info.id) is not None
        return needs.missing() or (None if here else stored.nothing_installed(self.info.id))

    def version(self) -> str:
        weights = stored.preferred(self.info.id)
        name = weights.name if weights else "none"
        return f"stream {self.stream_version}, encoder {self.encoder_revision}, weights {name}"

    def model(self) -> str:
        """ "CPU · model 6941aa4d": the name that streams have for the weights to encode with."""
        weights = stored.preferred(self.info.id)
        return f"CPU · model {weights.name}" if weights else ""

    def load(self) -> None:
        """Load torch and the weights, and let torch prepare its kernels on a small picture."""
        weights = stored.preferred(self.info.id)
        if weights is not None:
            _warm(weights)

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        """Encode what the codec carries."""
        chosen = self.info.complete(settings)
        return self.prepare(image, chosen, ctx).encode(chosen["quality"])

    def prepare(self, image: Image, settings: Settings, ctx: Ctx) -> Prepared:
        """Files by quality, all from one analysis."""
        chosen = self.info.complete(settings)
        weights = stored.preferred(self.info.id)
        if weights is None:
            raise CodecUnavailable(stored.nothing_installed(self.info.id))
        ctx.check()
        model = load(weights)
        source = self._source(image, chosen, model, _part(ctx, 0, _ANALYSIS))
        if model.ranges.bounds:
            source = replace(source, unlike=model.ranges.unlike(source.analysis.numbers((image.height, image.width))))
        coding = _part(ctx, _ANALYSIS, 1)

        def encode(quality: Any) -> Encoded:
            return self._encoded(weights, source, fixed.rate_of(float(quality), weights.points), coding)

        return Prepared(encode, source.outlook)

    def latent_numbers(self, image: Image, ctx: Ctx) -> dict[str, float]:
        """What the latent of a picture that is carried is like: see `engine.learned.domain`."""
        weights = stored.preferred(self.info.id)
        if weights is None:
            raise CodecUnavailable(stored.nothing_installed(self.info.id))
        source = self._source(image, self.info.complete(None), load(weights), ctx)
        return source.analysis.numbers((image.height, image.width))

    def _encoded(self, weights: Installed, source: Source, rate: int, ctx: Ctx) -> Encoded:
        from engine.learned.forecast import RateForecast

        model = load(weights)
        hyper, steps = source.analysis.symbols(rate, ctx)
        slices, said = self._sliced(steps, model)
        painted = source.importance
        data, coded = model.symbols.encode(hyper, steps, rate, ctx, slices=slices, importance=painted)
        head = _Head(self.stream_version, bytes.fromhex(weights.name), rate, source.extra + said)
        sections: dict[int, bytes] = {self.section: head.pack() + data}
        if painted is not None:
            sections[Section.IMPORTANCE] = pack(painted)
        file = container.write(self.info.id, source.picture, sections)
        spent = {"symbols": len(data), "header": len(file) - len(data)}
        stats: dict[str, Any] = {
            "bytes": spent,
            "rate": rate / fixed.RATE_STEPS,
            "weights": weights.name,
            "symbols": _digest(coded),
        }
        if source.unlike:
            stats[WARNING] = warning(source.unlike)
        forecast = RateForecast(model.symbols, coded, steps, rate, spent["header"]) if model.symbols.forecasts else None
        return Encoded(file, stats, self.bit_map, forecast)

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        """Decode; `CorruptStream`, `Unsupported` or `LimitExceeded`; `EngineError` if the weights are missing."""
        picture, head, payload = self._read(data)
        memory.require(memory.decode_estimate(self.info, picture.pixels * 3), "decoding this picture")
        ctx.check()
        model = load(stored.named(self.info.id, head.weights.hex()))
        latent = self._symbols(model.symbols, picture, head, payload, _part(ctx, 0, _CODING))
        from engine.learned import tiles

        rest = _part(ctx, _CODING, 1)
        rest = rest if self.rounded else replace(rest, threads=1)
        pixels = tiles.render(model.networks, latent, head.rate, rest, blend=self._blend(head.extra))
        shown = pixels[: picture.height, : picture.width]
        if picture.is_gray:
            shown = shown.mean(2, keepdims=True)
        return self._image(shown, picture, head.extra)

    def details(self, data: bytes, ctx: Ctx) -> dict[str, Any]:
        """weights: which ones decode it. rate: of the model's range. symbols: a digest of what both ends must agree
        on, the same on every machine. Needs the weights, but not torch."""
        told = self._told(data, ctx)
        head, latent = told.head, told.latent
        rate = head.rate / fixed.RATE_STEPS
        return {"weights": head.weights.hex(), "rate": rate, "symbols": _digest(latent)}

    def bit_map(self, data: bytes, ctx: Ctx) -> BitMap:
        """What each position's symbols cost, of latent and hyper-latent. Needs the weights, but not torch."""
        told = self._told(data, ctx)
        size = told.picture.height, told.picture.width
        hyper, positions = told.network.costs(told.latent)
        ctx.check()
        bits = spread(hyper, (GRANULE, GRANULE), size)
        bits += spread(positions, (LATENT_CELL, LATENT_CELL), size)
        apart = container.apart(data, told.picture, len(told.coded), told.head.painted)
        return BitMap(bits, apart | {"coder state": state_bytes(told.coded, told.latent.mark)})

    def _read(self, data: bytes) -> tuple[Picture, _Head, bytes]:
        stream = container.read(data)
        if stream.codec != self.info.id:
            raise Unsupported(f"this stream was written by the codec '{stream.codec}', not by {self.info.id}")
        picture, payload = stream.picture, stream.section(self.section)
        end = _Head.SIZE + self.extra_bytes
        if len(payload) <= end:
            raise CorruptStream(f"the {self.info.id} section is cut off")
        if payload[0] != self.stream_version:
            raise Unsupported(
                f"the stream has {self.info.id} version {payload[0]}; this program reads {self.stream_version}"
            )
        head = replace(_Head.read(payload[:end]), painted=stream.sections.get(Section.IMPORTANCE))
        self._claims(picture, head.extra)
        return picture, head, payload[end:]

    def _symbols(self, network: SymbolNetwork, picture: Picture, head: _Head, payload: bytes, ctx: Ctx) -> Latent:
        if head.rate > (network.points - 1) * fixed.RATE_STEPS:
            raise CorruptStream(f"the {self.info.id} stream claims a rate that its model does not have")
        size = -(-picture.height // GRANULE), -(-picture.width // GRANULE)
        painted = None if head.painted is None else unpack(head.painted, picture.height, picture.width)
        return network.decode(
            payload, size, head.rate, ctx, slices=self._slices(head.extra, network), importance=painted
        )

    def _told(self, data: bytes, ctx: Ctx) -> _Told:
        picture, head, coded = self._read(data)
        memory.require(memory.decode_estimate(self.info, picture.pixels * 3), "decoding this picture")
        ctx.check()
        network = symbol_network(stored.named(self.info.id, head.weights.hex()))
        return _Told(picture, head, coded, network, self._symbols(network, picture, head, coded, ctx))


@dataclass(frozen=True)
class Model:
    """The two parts of a model in memory."""

    networks: LatentModel
    symbols: SymbolNetwork
    ranges: Ranges


@lru_cache(maxsize=4)
def load(weights: Installed) -> Model:
    """The model with these weights; it stays in memory. Loads torch."""
    if (reason := needs.missing()) is not None:
        raise CodecUnavailable(reason)
    from engine.learned.coders import symbol_network as network_of
    from engine.learned.export import model_of

    content = stored.read(weights.path)
    ranges = Ranges.from_card(load_card(weights.path))
    return Model(model_of(content), network_of(content.model, content.integers), ranges)


@lru_cache(maxsize=4)
def _warm(weights: Installed) -> None:
    model = load(weights)
    from engine.learned import tiles

    analysis = tiles.Analysis(model.networks, np.zeros((GRANULE, GRANULE, 3), np.uint8), Ctx())
    hyper, steps = analysis.symbols(0, Ctx())
    _, latent = model.symbols.encode(hyper, steps, 0, Ctx())
    tiles.render(model.networks, latent, 0, Ctx())


@lru_cache(maxsize=4)
def symbol_network(weights: Installed) -> SymbolNetwork:
    """The part of a model that needs no torch."""
    from engine.learned.coders import symbol_network as network_of

    content = stored.read(weights.path)
    return network_of(content.model, content.integers)


def _digest(latent: Latent) -> str:
    """What both ends must agree on, in eight hex digits."""
    return f"{latent.checksum:08x}"


def padded(pixels: np.ndarray) -> np.ndarray:
    """H×W×3 continued to multiples of 64 by repeating the border: a tenth cheaper than by reflection."""
    padding = [(0, -side % GRANULE) for side in pixels.shape[:2]]
    return np.pad(pixels, [*padding, (0, 0)], mode="edge")


@dataclass(frozen=True)
class _Head:
    """The head of the section. weights: the first bytes of the SHA-256 of their file. painted: the packed map of
    importance, which is a section of its own."""

    version: int
    weights: bytes
    rate: int
    extra: bytes
    painted: bytes | None = None

    SIZE = 1 + stored.NAME_BYTES + 2

    def pack(self) -> bytes:
        return bytes([self.version]) + self.weights + self.rate.to_bytes(2, "little") + self.extra

    @staticmethod
    def read(head: bytes) -> _Head:
        end = 1 + stored.NAME_BYTES
        rate = int.from_bytes(head[end : _Head.SIZE], "little")
        return _Head(head[0], head[1:end], rate, head[_Head.SIZE :])


@dataclass(frozen=True)
class _Told:
    """What a stream says, read without torch. coded: the bytes of the symbols."""

    picture: Picture
    head: _Head
    coded: bytes
    network: SymbolNetwork
    latent: Latent


def _part(ctx: Ctx, start: float, stop: float) -> Ctx:
    """The context for work that is a part of the whole."""
    return Ctx(ctx.cancel, lambda done: ctx.progress(start + done * (stop - start)), ctx.threads, ctx.busy)
