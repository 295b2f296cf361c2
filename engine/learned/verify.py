"""Whether weights are whole and work: digest, shapes, and a photograph through the networks and through the codec."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine import io, registry
from engine.codec import Ctx
from engine.errors import CorruptStream
from engine.image import Image
from engine.learned import stored
from engine.learned.card import ARCHITECTURE
from engine.learned.data import rgb, to_tensor
from engine.learned.evaluate import Point, estimate
from engine.learned.export import model_of
from engine.learned.model import HyperpriorModel
from engine.metrics import scores
from engine.samples import samples

SIDE = 256
USABLE = 15.0  # dB at the highest rate; noise has less
OVERHEAD = 0.02  # of the rate that is estimated, and …
HEADERS = 128  # … bytes: what the file may be larger by
LOST = 0.1  # dB that the decoder may be below the estimate


def verify(path: Path) -> dict[str, Any]:
    """Points of the bundled photograph at both ends of the rates: what the networks promise with entropy networks in
    floats and in integers, and what the codec's files give. That the integers stay within their bounds is checked as
    they are loaded. Raises an `EngineError` that names the file and says what is wrong with it.
    """
    content = stored.read(path)
    model = model_of(content)
    for name, tensor in model.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise CorruptStream(f"its weights are not all finite: {name}", path=path)
    image = _photograph()
    found = {}
    for kind, quantised in (("floats", False), ("integers", True)):
        model.quantise(quantised)
        ends = _estimates(model, image)
        _check(path, kind, ends)
        found[kind] = [{"bpp": point.bpp, "psnr": point.psnr} for point in ends]
    found["files"] = _files(path, image)
    for promised, given in zip(found["integers"], found["files"], strict=True):
        room = promised["bpp"] * (1 + OVERHEAD) + 8 * HEADERS / SIDE**2
        if given["bpp"] > room or given["psnr"] < promised["psnr"] - LOST:
            raise CorruptStream(
                f"its files do not keep what the networks promise: {given['bpp']:.4f} bpp {given['psnr']:.2f} dB "
                f"where {promised['bpp']:.4f} bpp {promised['psnr']:.2f} dB were expected",
                path=path,
            )
    return found


def _photograph() -> Image:
    pixels = rgb(io.read(samples()[0].path).image)
    top, left = ((extent - SIDE) // 2 for extent in pixels.shape[:2])
    return Image(np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE]))


@torch.no_grad()
def _estimates(model: HyperpriorModel, image: Image) -> list[Point]:
    picture = to_tensor([image.pixels])
    return [estimate(model, picture, rate) for rate in (0.0, model.rate.points - 1.0)]


def _check(path: Path, kind: str, ends: list[Point]) -> None:
    low, high = ends
    if not all(math.isfinite(value) for point in ends for value in point):
        raise CorruptStream(f"a photograph gives values that are not finite ({kind})", path=path)
    if not (low.bpp < high.bpp and low.psnr < high.psnr and high.psnr > USABLE):
        raise CorruptStream(
            f"it is of no use on a photograph ({kind}): {low.bpp:.3f} bpp {low.psnr:.1f} dB at its lowest rate, "
            f"{high.bpp:.3f} bpp {high.psnr:.1f} dB at its highest",
            path=path,
        )


def _files(path: Path, image: Image) -> list[dict[str, float]]:
    """What the codec makes of the picture with these weights, from its lowest and its highest quality."""
    codec, ctx = registry.codec(ARCHITECTURE), Ctx()
    quality = codec.info.rate_param
    assert quality is not None
    points = []
    with stored.encoding_with(path):
        for value in (quality.lo, quality.hi):
            data = codec.encode(image, {quality.name: value}, ctx).data
            psnr = scores(image, codec.decode(data, ctx), ["psnr"], ctx)["psnr"]
            points.append({"bpp": 8 * len(data) / SIDE**2, "psnr": psnr})
    return points
