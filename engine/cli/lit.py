"""Show a lightmap as a game will: filtered, on a surface, in a tone; flat, or on a mesh with a second UV set.

With two files the left part of OUT is the first and the right part the second; the error of what is seen is told.
Either may be any picture of light or any codec's file.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np

from engine import io
from engine.cli.console import Answer, Console
from engine.cli.measure import number
from engine.cli.pictures import add_fix, fixes_of, full_ctx, read_picture, refuse_same, require_suffix
from engine.color import SRGB
from engine.display import heat
from engine.errors import UsageError
from engine.film import auto_exposure
from engine.image import Image
from engine.lit.albedo import Albedo, albedo_of
from engine.lit.camera import Camera
from engine.lit.flat import LightSource, LitFilm, developed
from engine.lit.look import ALBEDOS, DENSITIES, FILTERS, MIPS, Lit
from engine.lit.measure import LitError, counted, error
from engine.lit.mesh import read_mesh, room_path
from engine.lit.scene import Seen
from engine.metrics import error_map
from engine.tone import CURVES, EXPOSURE_LIMIT, Tone

ROOM = "room"
_MAX_SIDE = 8192
_SHOWN = ("split", "first", "second", "error")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="a lightmap, and one to compare with it")
    parser.add_argument("--out", metavar="OUT.png", type=Path, required=True)
    parser.add_argument("--show", choices=_SHOWN, default="split", help="of two files (default: both, split)")
    parser.add_argument("--split", type=_share, default=0.5, metavar="X", help="where, 0 left to 1 right (default 0.5)")
    parser.add_argument("--mesh", metavar="FILE", help=f"a .glb, .gltf or .obj; '{ROOM}' is the bundled one")
    parser.add_argument("--filter", choices=FILTERS, default="bilinear")
    parser.add_argument("--mips", choices=MIPS, default="auto", metavar="M", help="off, auto or a level (default auto)")
    densities = ", ".join(f"{each:g}" for each in DENSITIES)
    parser.add_argument("--density", type=float, default=1.0, metavar="N", help=f"pixels a texel, flat: {densities}")
    parser.add_argument(
        "--albedo", default="mesh", metavar="A", help="mesh (default), white, grey, checker, or a picture"
    )
    parser.add_argument("--exposure", type=_stops, metavar="STOPS", help="default: as the window chooses it")
    parser.add_argument("--curve", choices=list(CURVES), default="clip")
    parser.add_argument("--size", type=_size, default=(1600, 1000), metavar="WxH", help="of the view of a mesh")
    for name, text in (("yaw", "degrees around"), ("pitch", "degrees above the horizon"), ("zoom", "times as near")):
        parser.add_argument(f"--{name}", type=_finite, metavar="X", help=f"of the camera: {text}")
    add_fix(parser)


def run(args: argparse.Namespace, console: Console) -> Answer:
    require_suffix(args.out, (".png",), "a view")
    if len(args.files) > 2:
        raise UsageError("at most two files are compared")
    ctx = full_ctx()
    images = []
    for path in args.files:
        refuse_same(path, args.out)
        images.append(read_picture(path, console, ctx, fixes_of(args) if path is args.files[0] else ()))
    if len({(image.width, image.height) for image in images}) > 1:
        raise UsageError("the two maps differ in size")
    look, albedo = _look(args, console)
    exposure = auto_exposure(images[0]) if args.exposure is None else args.exposure
    tone = Tone(exposure=exposure, curve=args.curve)
    sources = [LightSource(image) for image in images]
    views, counts = _drawn(args, sources, look, albedo, tone)
    document: dict[str, Any] = {
        "files": [str(path) for path in args.files],
        "out": str(args.out),
        "width": counts.shape[1],
        "height": counts.shape[0],
        "covered": int(counts.sum()),
        "exposure": exposure,
    }
    found = None
    if len(views) == 2:
        ref, img = (counted(view, counts) for view in views)
        found = error(ref, img, error_map(ref, img, "flip", ctx), counts)
        document |= {"psnr": found.psnr, "flip": found.flip}
    io.write_png(args.out, Image(_picture(args, views, found), SRGB))
    text = f"{args.out}: {counts.shape[1]}×{counts.shape[0]}"
    if found is not None and math.isfinite(found.flip):
        text += f"\nlit PSNR  {number('psnr', found.psnr)}\nlit FLIP  {number('flip', found.flip)}"
    return Answer(document, text)


def _look(args: argparse.Namespace, console: Console) -> tuple[Lit, Albedo]:
    known = args.albedo in ALBEDOS and args.albedo != "image"
    picture = None if known else read_picture(Path(args.albedo), console, full_ctx())
    look = Lit(args.filter, args.mips, args.density, args.albedo if known else "image")
    return look, albedo_of(look, picture)


def _drawn(
    args: argparse.Namespace, sources: list[LightSource], look: Lit, albedo: Albedo, tone: Tone
) -> tuple[list[np.ndarray], np.ndarray]:
    """H×W×3 u8 of each source, and H×W bool: the pixels that count."""
    if args.mesh is None:
        films = [LitFilm(source, look, albedo) for source in sources]
        return [film.develop(tone) for film in films], films[0].counts()
    mesh = read_mesh(room_path() if args.mesh == ROOM else Path(args.mesh))
    camera = Camera.seeing(mesh, args.size[0] / args.size[1])
    yaw = args.yaw - camera.yaw if args.yaw is not None else 0.0
    pitch = args.pitch - camera.pitch if args.pitch is not None else 0.0
    if args.zoom is not None and args.zoom <= 0:
        raise UsageError("--zoom is above 0")
    camera = camera.orbited(yaw, pitch).zoomed(args.zoom or 1.0)
    seen = Seen(mesh, camera, *args.size)
    return [developed(seen.light(source.texture, look, albedo), tone) for source in sources], seen.covered


def _picture(args: argparse.Namespace, views: list[np.ndarray], found: LitError | None) -> np.ndarray:
    if found is None or args.show == "first":
        return views[0]
    if args.show == "error":
        return heat(found.map, 0.0, max(found.top, 1e-3))
    if args.show == "second":
        return views[1]
    out = views[0].copy()
    column = round(args.split * out.shape[1])
    out[:, column:] = views[1][:, column:]
    return out


def _share(text: str) -> float:
    value = _finite(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not from 0 to 1")
    return value


def _stops(text: str) -> float:
    value = _finite(text)
    if abs(value) > EXPOSURE_LIMIT:
        raise argparse.ArgumentTypeError(f"'{text}' is more than {EXPOSURE_LIMIT:g} stops")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number")
    return value


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().replace("×", "x").partition("x")
    if not (width.isdigit() and height.isdigit()) or not all(1 <= int(side) <= _MAX_SIDE for side in (width, height)):
        raise argparse.ArgumentTypeError(f"'{text}' is not a size such as 1600x1000, at most {_MAX_SIDE} a side")
    return int(width), int(height)
