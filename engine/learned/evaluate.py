"""What a model is worth: rate–distortion points from its likelihoods, with rounded latents and 8-bit pictures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from engine import io
from engine.errors import EngineError
from engine.learned.data import SUFFIXES, rgb, to_tensor
from engine.learned.export import load_model
from engine.learned.light_loss import UNITS, light_cost, squared_light_error
from engine.learned.loss import Cost, rate_distortion
from engine.learned.model import GRANULE, LatentModel
from engine.learned.recipe import LightRecipe
from engine.metrics.coded_psnr import PEAK_STOPS


class Point(NamedTuple):
    """bpp: bits per pixel of the picture as it was, padding included; of these hyper_bpp for the hyper-latent. psnr:
    dB over RGB after rounding to 8 bits. cost: what training minimises."""

    bpp: float
    hyper_bpp: float
    psnr: float
    cost: float


PointOf = Callable[[LatentModel, Tensor, float], Point]


@torch.no_grad()
def estimate(model: LatentModel, picture: Tensor, rate: float, cost: Cost = rate_distortion) -> Point:
    """One point of a picture, 1×3×H×W in 0…1 of any size, padded by repeating its border."""
    height, width = picture.shape[-2:]
    padding = (0, -width % GRANULE, 0, -height % GRANULE)
    rates = torch.full((1,), rate, device=picture.device)
    coded = model(F.pad(picture, padding, mode="replicate"), rates)
    decoded = coded.picture[..., :height, :width]
    error = (to_8_bits(decoded) - to_8_bits(picture)).square().mean().clamp_min(1e-10)
    coded = coded._replace(picture=decoded)
    return Point(
        bpp=float(coded.bits) / (height * width),
        hyper_bpp=float(coded.hyper_bits) / (height * width),
        psnr=float(10 * torch.log10(255**2 / error)),
        cost=float(cost(coded, picture, model.lambda_of(rates))),
    )


@torch.no_grad()
def estimate_light(model: LatentModel, patch: Tensor, rate: float, recipe: LightRecipe) -> Point:
    """One point of a lightmap, 1×4×H×W (codes and what counts), padded by texels that do not count. psnr: log2-PSNR."""
    height, width = patch.shape[-2:]
    padding = (0, -width % GRANULE, 0, -height % GRANULE)
    rates = torch.full((1,), rate, device=patch.device)
    coded = model(F.pad(patch[:, :3], padding, mode="replicate"), rates)
    coded = coded._replace(picture=coded.picture[..., :height, :width])
    share = patch[:, 3].mean().clamp_min(1e-9)
    error = (squared_light_error(coded.picture, patch) / share).clamp_min(1e-10) / UNITS**2
    return Point(
        bpp=float(coded.bits) / (height * width),
        hyper_bpp=float(coded.hyper_bits) / (height * width),
        psnr=float(10 * torch.log10(PEAK_STOPS**2 / error)),
        cost=float(light_cost(coded, patch, model.lambda_of(rates), recipe)),
    )


def to_8_bits(picture: Tensor) -> Tensor:
    """0…1 → whole numbers 0…255."""
    return torch.round(picture.clamp(0, 1) * 255)


def mean_curve(
    model: LatentModel, pictures: Sequence[Tensor], rates: Sequence[float], point: PointOf = estimate
) -> list[Point]:
    """The mean over pictures (1×C×H×W each) at every rate."""
    curve = []
    for rate in rates:
        points = [point(model, picture, rate) for picture in pictures]
        curve.append(Point(*(sum(values) / len(points) for values in zip(*points, strict=True))))
    return curve


def evaluate_folder(model: LatentModel, folder: Path, rates: Sequence[float]) -> dict[str, list[Point]]:
    """Each picture's points, by file name. Raises an `EngineError` that names a file that cannot be read."""
    if not folder.is_dir():
        raise EngineError("is not a folder", path=folder)
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise EngineError("holds no pictures to measure on", path=folder)
    curves = {}
    for path in paths:
        picture = to_tensor([rgb(io.read(path).image)])
        curves[path.name] = [estimate(model, picture, rate) for rate in rates]
        print(path.name, *(f"{point.bpp:.3f}/{point.psnr:.2f}" for point in curves[path.name]), file=sys.stderr)
    return curves


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.learned.evaluate", description=__doc__)
    parser.add_argument("model", type=Path, help="exported weights (.safetensors, its card beside it)")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--points", type=int, default=6)
    parser.add_argument("--out", type=Path, help="JSON of every picture's points")
    parser.add_argument("--quantised", action="store_true", help="entropy networks in the arithmetic of integers")
    parser.add_argument("--bf16", action="store_true", help="networks in half the bits")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        model = load_model(options.model)
        model.quantise(options.quantised)
        rates = torch.linspace(0, model.rate.points - 1, options.points).tolist()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bf16):
            curves = evaluate_folder(model, options.folder, rates)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    if options.out:
        named = {name: [point._asdict() for point in points] for name, points in curves.items()}
        options.out.write_text(json.dumps(named, indent=1), encoding="utf-8")
    for row in zip(*curves.values(), strict=True):
        bpp, hyper, psnr, cost = (sum(values) / len(row) for values in zip(*row, strict=True))
        print(f"{bpp:.4f} bpp ({hyper:.4f} hyper)  {psnr:.3f} dB  cost {cost:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
