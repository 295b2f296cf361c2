"""Show what lies between two pictures, for the latent of the variational autoencoder and for pixels.

OUT.png is a strip from A to B: decoded blends of the two latents above, plain blends of the pixels below. With --draw
and no pictures, it is a strip of draws from the prior: what the model believes before it has seen anything.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from engine import io
from engine.cli.console import Answer, Console
from engine.cli.pictures import full_ctx, read_picture, refuse_same, require_suffix, usable
from engine.cli.train import count
from engine.color import SRGB
from engine.errors import UsageError
from engine.image import Image
from engine.interpolate import CODEC, SIDE, BetweenTask, DrawTask, fitted

_MOST = 64
_GAP = 4  # pixels between the pictures of a strip


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="PICTURE", type=Path, help="A and B")
    parser.add_argument("--out", metavar="OUT.png", type=Path, required=True)
    parser.add_argument("--steps", type=count, default=5, metavar="N", help="pictures, both ends with them (default 5)")
    parser.add_argument("--quality", type=_quality, default=50.0, metavar="Q", help="0 to 100, the rate (default 50)")
    parser.add_argument("--draw", type=count, metavar="N", help="so many draws from the prior, in place of A and B")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the first draw (default 0)")


def run(args: argparse.Namespace, console: Console) -> Answer:
    require_suffix(args.out, (".png",), "a strip")
    if len(args.files) != (0 if args.draw else 2):
        raise UsageError("name two pictures, or --draw and none")
    if not 1 <= (args.draw or args.steps) <= _MOST or (not args.draw and args.steps < 2):
        raise UsageError(f"a strip has 2 to {_MOST} pictures between two others, or up to {_MOST} draws")
    usable(CODEC)
    rows, document = _drawn(args) if args.draw else _between(args, console)
    strip = _stacked([_stacked(row, axis=1) for row in rows], axis=0)
    io.write_png(args.out, Image(strip, SRGB))
    document |= {"out": str(args.out), "quality": args.quality, "width": strip.shape[1], "height": strip.shape[0]}
    return Answer(document, f"{args.out}: {strip.shape[1]}×{strip.shape[0]}")


def _between(args: argparse.Namespace, console: Console) -> tuple[list[list[np.ndarray]], dict[str, Any]]:
    """Both rows of the strip."""
    ctx = full_ctx()
    images = []
    for path in args.files:
        refuse_same(path, args.out)
        images.append(read_picture(path, console, ctx))
    first, second = fitted(images[0], images[1])
    shares = tuple(float(share) for share in np.linspace(0, 1, args.steps))
    found = BetweenTask(first, second, shares, args.quality).run(ctx)
    document = {"files": [str(path) for path in args.files], "shares": list(shares)}
    return [[each.latents for each in found], [each.pixels for each in found]], document


def _drawn(args: argparse.Namespace) -> tuple[list[list[np.ndarray]], dict[str, Any]]:
    seeds = [args.seed + number for number in range(args.draw)]
    ctx = full_ctx()
    return [[DrawTask(seed, SIDE // 2, args.quality).run(ctx) for seed in seeds]], {"seeds": seeds}


def _stacked(pictures: list[np.ndarray], axis: int) -> np.ndarray:
    """One beside or below the other, with gaps of white."""
    shape = list(pictures[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, 255, np.uint8)
    parts = [part for picture in pictures for part in (gap, picture)][1:]
    return np.ascontiguousarray(np.concatenate(parts, axis))


def _quality(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"'{text}' is not from 0 to 100")
    return value
