"""Codecs that are imported checkpoints of published models: one codec for each name that they were imported under.

Symbols are computed in exact arithmetic (engine/learned/published), the same on every machine; torch computes what is
around them, in float. Each checkpoint is one rate; several under one name are a ladder, and `quality` its rungs.
docs/compressai.md tells what can be imported, docs/format.md describes the stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import container, memory
from engine.bit_map import BitMap, spread
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs.checks import require_carried
from engine.container import Picture, Section
from engine.errors import CodecUnavailable, CorruptStream, Unsupported
from engine.image import Image
from engine.learned import needs
from engine.learned.published import weights
from engine.learned.published.architecture import ARCHITECTURES, HYPER_CELL, LATENT_CELL, working_bytes
from engine.learned.published.symbols import Latent, SymbolCoder
from engine.learned.published.weights import Imported
from engine.learned.stored import NAME_BYTES
from engine.native.latent import state_bytes

if TYPE_CHECKING:
    from engine.learned.published.networks import PublishedModel

WIRE = "compressai"  # the codec that streams name, whatever the checkpoints were imported as
STREAM_VERSION = 1  # of what is on the wire
ENCODER_REVISION = 1  # of what the encoder does: raised with every change of any file's bytes
_HEAD = 1 + NAME_BYTES
_LATENT_BYTES = 0.144  # for each channel and sample
_NOT_EXACT = "pixels ±1"


class CheckpointCodec:
    """The codec of the checkpoints in `rungs`, from fewest bits to most. Without any, it decodes, and no more."""

    def __init__(self, codec_id: str, rungs: tuple[Imported, ...]) -> None:
        self._rungs = rungs
        self.info = _info(codec_id, rungs)

    def available(self) -> str | None:
        there = self._rungs or weights.ladders(weights.stamp())
        return needs.missing() or (None if there else "import a checkpoint first: 'ratescope models import FILE'")

    def version(self) -> str:
        names = "+".join(each.name for each in self._rungs) or "none"
        return f"stream {STREAM_VERSION}, encoder {ENCODER_REVISION}, weights {names}"

    def model(self) -> str:
        """What it is, and what of it is not the same on every machine: symbols are, decoded pixels nearly."""
        many = f"{len(self._rungs)} checkpoints" if len(self._rungs) > 1 else ""
        name = many or (f"model {self._rungs[0].name}" if self._rungs else "")
        return f"CPU · {name} · {_NOT_EXACT}" if name else ""

    def load(self) -> None:
        """Load torch and the weights of the middle rung."""
        if self._rungs:
            _model(self._rung(self.info.defaults()))

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        """Encode 8-bit grey or R, G, B."""
        require_carried(image, self.info)
        if not self._rungs:
            raise CodecUnavailable(f"{self.info.label}: encode with one of the codecs that 'ratescope codecs' lists")
        rung = self._rung(self.info.complete(settings))
        needed = memory.encode_estimate(self.info, image) + _float_bytes(rung, image.height, image.width)
        memory.require(needed, "encoding this picture")
        ctx.check()
        model = _model(rung)
        from engine.learned.published import passage

        colours = np.broadcast_to(image.colour_pixels, (image.height, image.width, 3))
        cell = model.networks.shape.architecture.cell
        latent, hyper = passage.analyse(model.networks, _padded(colours, cell), _part(ctx, 0, 0.5))
        data, coded = model.symbols.encode(latent, hyper, _part(ctx, 0.5, 1))
        head = bytes([STREAM_VERSION]) + bytes.fromhex(rung.name)
        file = container.write(WIRE, Picture.of(image), {Section.COMPRESSAI: head + data})
        spent = {"symbols": len(data), "header": len(file) - len(data)}
        stats = {"bytes": spent, "weights": rung.name, "symbols": f"{coded.checksum:08x}"}
        return Encoded(file, stats, self.bit_map)

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        """Decode; `CorruptStream`, `Unsupported` or `LimitExceeded`; `EngineError` if the checkpoint is missing."""
        told = self._told(data, _part(ctx, 0, 0.5))
        size = told.picture.height, told.picture.width
        needed = memory.decode_estimate(self.info, told.picture.pixels * 3) + _float_bytes(told.rung, *size)
        memory.require(needed, "decoding this picture")
        if (reason := needs.missing()) is not None:
            raise CodecUnavailable(reason)
        from engine.learned.published import passage

        picture = told.picture
        pixels = passage.render(_model(told.rung).networks, told.latent.floats(), _part(ctx, 0.5, 1))
        shown = pixels[: picture.height, : picture.width]
        if picture.is_gray:
            shown = shown.mean(2, keepdims=True)
        whole = np.rint(np.nan_to_num(shown).clip(0, 255)).astype(np.uint8)
        return Image(whole, picture.color, picture.alpha, picture.bits, picture.icc)

    def details(self, data: bytes, ctx: Ctx) -> dict[str, Any]:
        """weights: the checkpoint that decodes it. architecture: of that. symbols: a digest of what both ends must
        agree on, the same on every machine. Needs the checkpoint, but not torch."""
        told = self._told(data, ctx)
        return {
            "weights": told.rung.name,
            "architecture": told.rung.architecture,
            "symbols": f"{told.latent.checksum:08x}",
        }

    def bit_map(self, data: bytes, ctx: Ctx) -> BitMap:
        """What each position's symbols cost. Needs the checkpoint, but not torch."""
        told = self._told(data, ctx)
        size = told.picture.height, told.picture.width
        hyper, positions = told.symbols.costs(told.latent)
        ctx.check()
        bits = spread(positions, (LATENT_CELL, LATENT_CELL), size)
        if hyper.size:
            bits += spread(hyper, (HYPER_CELL, HYPER_CELL), size)
        apart = container.apart(data, told.picture, len(told.coded))
        return BitMap(bits, apart | {"coder state": state_bytes(told.coded, told.latent.mark)})

    def _rung(self, chosen: dict[str, Any]) -> Imported:
        return self._rungs[chosen.get("quality", 1) - 1]

    def _told(self, data: bytes, ctx: Ctx) -> _Told:
        stream = container.read(data)
        if stream.codec != WIRE:
            raise Unsupported(f"this stream was written by the codec '{stream.codec}', not by an imported checkpoint")
        picture, payload = stream.picture, stream.section(Section.COMPRESSAI)
        if len(payload) <= _HEAD:
            raise CorruptStream("the section of the imported checkpoint is cut off")
        if payload[0] != STREAM_VERSION:
            raise Unsupported(f"the stream has version {payload[0]}; this program reads {STREAM_VERSION}")
        if picture.bits != 8 or picture.channels not in (1, 3):
            raise CorruptStream("the stream claims a picture of a kind that imported checkpoints cannot hold")
        memory.require(memory.decode_estimate(self.info, picture.pixels * 3), "decoding this picture")
        ctx.check()
        rung = weights.named(payload[1:_HEAD].hex())
        symbols = _coder(rung)
        cells = symbols.shape.architecture.cell // LATENT_CELL
        size = tuple(-(-side // symbols.shape.architecture.cell) * cells for side in (picture.height, picture.width))
        coded = payload[_HEAD:]
        return _Told(picture, rung, coded, symbols, symbols.decode(coded, (size[0], size[1]), ctx))


def decoder() -> CheckpointCodec:
    """What decodes streams of imported checkpoints, whatever they were imported as."""
    return CheckpointCodec(WIRE, ())


@dataclass(frozen=True)
class _Model:
    networks: PublishedModel
    symbols: SymbolCoder


@dataclass(frozen=True)
class _Told:
    """What a stream says, read without torch. coded: the bytes of the symbols."""

    picture: Picture
    rung: Imported
    coded: bytes
    symbols: SymbolCoder
    latent: Latent


@lru_cache(maxsize=2)
def _model(rung: Imported) -> _Model:
    """Both parts of a checkpoint; they stay in memory. Loads torch."""
    if (reason := needs.missing()) is not None:
        raise CodecUnavailable(reason)
    from engine.learned.published import passage

    content = weights.read(rung.path)
    return _Model(passage.model_of(content.shape, content.floats), _coder(rung))


@lru_cache(maxsize=4)
def _coder(rung: Imported) -> SymbolCoder:
    """The part of a checkpoint that needs no torch."""
    content = weights.read(rung.path)
    return SymbolCoder(content.shape, content.integers)


def _info(codec_id: str, rungs: tuple[Imported, ...]) -> CodecInfo:
    name = rungs[0].architecture if rungs else ""
    return CodecInfo(
        id=codec_id,
        label=rungs[0].label if rungs else "Imported checkpoints",
        family="learned",
        extension=".rsl",
        params=(_quality(rungs),) if len(rungs) > 1 else (),
        capabilities=Capabilities(memory=_memory(rungs)),
        about=f"imported CompressAI checkpoint{'s' * (len(rungs) > 1)} of {name or 'published models'}; "
        "symbols are the same on every machine, decoded pixels may differ by one level",
    )


def _quality(rungs: tuple[Imported, ...]) -> Param:
    return Param(
        "quality",
        Kind.INT,
        (len(rungs) + 1) // 2,
        1,
        len(rungs),
        role=Role.RATE,
        better=+1,
        label="Checkpoint",
        help="which of the imported checkpoints, from fewest bits to most; each is a rate of its own",
        typical_bpp=tuple(each.bpp for each in rungs) if all(each.bpp > 0 for each in rungs) else (),
    )


def _float_bytes(rung: Imported, height: int, width: int) -> int:
    return working_bytes(ARCHITECTURES[rung.architecture], rung.width, height, width)


def _memory(rungs: tuple[Imported, ...]) -> float:
    """Bytes a sample that the coder takes, measured: what it knows of each channel of the latent."""
    return max((_LATENT_BYTES * each.latent for each in rungs), default=46.0)


def _padded(pixels: np.ndarray, cell: int) -> np.ndarray:
    """H×W×3 continued to multiples of the cell by repeating the border."""
    padding = [(0, -side % cell) for side in pixels.shape[:2]]
    return np.pad(pixels, [*padding, (0, 0)], mode="edge")


def _part(ctx: Ctx, start: float, stop: float) -> Ctx:
    """The context for work that is a part of the whole."""
    return Ctx(ctx.cancel, lambda done: ctx.progress(start + done * (stop - start)), ctx.threads, ctx.busy)
