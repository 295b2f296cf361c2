"""Whether weights are whole and work: digest, shapes, and a picture through the networks and through the codec."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import io, registry
from engine.charts import filled
from engine.codec import Ctx
from engine.color import LINEAR_SRGB
from engine.errors import CorruptStream
from engine.image import Image
from engine.learned import stored
from engine.learned.data import rgb, to_tensor
from engine.learned.evaluate import Point, PointOf, estimate, estimate_light
from engine.learned.export import model_of
from engine.learned.fixed import RATE_STEPS, rate_of
from engine.learned.light_data import with_counts
from engine.learned.recipe import FILTERS, LIGHT, LightRecipe
from engine.learned.stored import Stored
from engine.learned.subject import coded_patches
from engine.metrics import scores
from engine.samples import samples
from engine.stops import covered, middle_of, stops_of

SIDE = 256
USABLE = 15.0  # dB at the highest rate; noise has less
OVERHEAD = 0.02  # of the rate that is estimated, and …
HEADERS = 128  # … bytes: what the file may be larger by
LOST = 0.1  # dB that the decoder may be below the estimate


def verify(path: Path) -> dict[str, Any]:
    """Points of a bundled picture at both ends of the rates: what the networks promise with entropy networks in
    floats and in integers, and what the codec's files give. That the integers stay within their bounds is checked as
    they are loaded. Raises an `EngineError` that names the file and says what is wrong with it.
    """
    content = stored.read(path)
    if content.architecture == FILTERS:
        return _verify_filters(path)
    model = model_of(content)
    for name, tensor in model.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise CorruptStream(f"its weights are not all finite: {name}", path=path)
    subject = _of_light(content) if content.architecture == LIGHT else _of_photographs()
    qualities = _qualities(content.architecture)
    rates = [rate_of(quality, model.rate.points) / RATE_STEPS for quality in qualities]
    found = {}
    for kind, quantised in (("floats", False), ("integers", True)):
        model.quantise(quantised)
        ends = [subject.estimate(model, subject.picture, rate) for rate in rates]
        _check(path, kind, ends)
        found[kind] = [{"bpp": point.bpp, "psnr": point.psnr} for point in ends]
    found["files"] = _files(path, content.architecture, subject)
    for promised, given in zip(found["integers"], found["files"], strict=True):
        room = promised["bpp"] * (1 + OVERHEAD) + 8 * HEADERS / SIDE**2
        if given["bpp"] > room or given["psnr"] < promised["psnr"] - LOST:
            raise CorruptStream(
                f"its files do not keep what the networks promise: {given['bpp']:.4f} bpp {given['psnr']:.2f} dB "
                f"where {promised['bpp']:.4f} bpp {promised['psnr']:.2f} dB were expected",
                path=path,
            )
    return found


def _verify_filters(path: Path) -> dict[str, Any]:
    """What the codec's files give: there are no networks that could promise anything."""
    files = _files(path, FILTERS, _Subject(_light_image(), torch.empty(0), estimate, "log2_psnr"))
    _check(path, "files", [Point(each["bpp"], 0.0, each["psnr"], 0.0) for each in files])
    return {"files": files}


@dataclass(frozen=True)
class _Subject:
    """What to look at: as an image, and as the networks take it. estimate: a point of the latter. metric: of the
    former, in dB."""

    image: Image
    picture: Tensor
    estimate: PointOf
    metric: str


def _of_photographs() -> _Subject:
    image = Image(_middle(rgb(io.read(samples()[0].path).image)))
    return _Subject(image, to_tensor([image.pixels]), estimate, "psnr")


def _of_light(content: Stored) -> _Subject:
    """The bundled lightmap's middle, its gutters filled, so that all of it counts."""
    image = _light_image()
    stops, counts = stops_of(image.pixels), covered(image)
    centred = torch.from_numpy(stops - np.float32(middle_of(stops, counts)))
    patch = coded_patches(with_counts(centred, torch.from_numpy(counts), SIDE).permute(2, 0, 1)[None])
    return _Subject(image, patch, partial(estimate_light, recipe=LightRecipe()), "log2_psnr")


def _light_image() -> Image:
    lightmap = next(sample for sample in samples() if sample.name == "room_lightmap")
    return Image(_middle(filled(io.read(lightmap.path).image).colour_pixels), LINEAR_SRGB)


def _middle(pixels: np.ndarray) -> np.ndarray:
    top, left = ((extent - SIDE) // 2 for extent in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE])


def _check(path: Path, kind: str, ends: list[Point]) -> None:
    low, high = ends
    if not all(math.isfinite(value) for point in ends for value in point):
        raise CorruptStream(f"a picture gives values that are not finite ({kind})", path=path)
    if not (low.bpp < high.bpp and low.psnr < high.psnr and high.psnr > USABLE):
        raise CorruptStream(
            f"it is of no use on a picture ({kind}): {low.bpp:.3f} bpp {low.psnr:.1f} dB at its lowest rate, "
            f"{high.bpp:.3f} bpp {high.psnr:.1f} dB at its highest",
            path=path,
        )


def _qualities(architecture: str) -> tuple[float, float]:
    """The lowest and the highest that the codec has."""
    param = registry.codec(architecture).info.rate_param
    assert param is not None and param.lo is not None and param.hi is not None
    return param.lo, param.hi


def _files(path: Path, architecture: str, subject: _Subject) -> list[dict[str, float]]:
    """What the codec makes of the picture with these weights, from its lowest and its highest quality."""
    codec, ctx = registry.codec(architecture), Ctx()
    points = []
    with stored.encoding_with(path):
        for quality in _qualities(architecture):
            data = codec.encode(subject.image, {"quality": quality}, ctx).data
            psnr = scores(subject.image, codec.decode(data, ctx), [subject.metric], ctx)[subject.metric]
            points.append({"bpp": 8 * len(data) / SIDE**2, "psnr": psnr})
    return points
