"""Whether weights are whole and work: their digest, their shapes, and a photograph through both forms of the model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine import io
from engine.errors import CorruptStream
from engine.learned.data import central_patches, rgb
from engine.learned.evaluate import Point, estimate
from engine.learned.export import load_model
from engine.learned.model import HyperpriorModel
from engine.samples import samples

SIDE = 256
SAME = 0.5 / 255  # how far the decoder's picture may be from the encoder's
USABLE = 15.0  # dB at the highest rate; noise has less


@torch.no_grad()
def verify(path: Path) -> dict[str, Any]:
    """Points of the bundled photograph at both ends of the rates, with entropy networks in floats and in the integers'
    arithmetic. Raises an `EngineError` that names the file and says what is wrong with it.
    """
    model = load_model(path)
    for name, tensor in model.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise CorruptStream(f"its weights are not all finite: {name}", path=path)
    picture = central_patches([rgb(io.read(samples()[0].path).image)], 1, SIDE)
    found = {}
    for kind, quantised in (("floats", False), ("integers", True)):
        model.quantise(quantised)
        ends = [estimate(model, picture, rate) for rate in (0.0, model.rate.points - 1.0)]
        _check(path, kind, ends)
        if _apart(model, picture) > SAME:
            raise CorruptStream(f"what it decodes is not what it encoded ({kind})", path=path)
        found[kind] = [point._asdict() for point in ends]
    return found


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


def _apart(model: HyperpriorModel, picture: Tensor) -> float:
    """How far, at the middle rate, the picture from the whole numbers alone is from the encoder's own."""
    rates = torch.full((1,), (model.rate.points - 1) / 2, device=picture.device)
    coded = model(picture, rates)
    return float((model.decode(coded.hyper, coded.residuals, rates) - coded.picture).abs().max())
