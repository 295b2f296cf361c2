"""Decompress a file to PNG, OpenEXR, Radiance or KTX2, as the output's suffix says.

The codec is told by the file's content, not by its name.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

from engine import io
from engine.channels import with_channels
from engine.cli.console import Answer, Console
from engine.cli.pictures import (
    add_in_out,
    add_kind,
    decode_file,
    full_ctx,
    kind_of,
    refuse_same,
    require_suffix,
)
from engine.errors import EngineError
from engine.image import Image, Meaning


def configure(parser: argparse.ArgumentParser) -> None:
    add_in_out(parser)
    parser.add_argument("--codec", metavar="ID", help="use this codec's decoder, whatever the content looks like")
    words = "put back channels that lie one under the other, as directions and masks are coded (see docs/bakes.md)"
    add_kind(parser)
    parser.add_argument("--planes", type=int, choices=(2, 3, 4), help=words)
    parser.add_argument(
        "--first",
        type=_share,
        metavar="SHARE",
        help="decode the beginning of the file alone, 0.1 or 10%% of its bytes: a coarser picture (wavelet)",
    )


def _share(text: str) -> float:
    share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    if not 0 < share <= 1:
        raise ValueError(text)
    return share


def run(args: argparse.Namespace, console: Console) -> Answer:
    require_suffix(args.target, io.WRITABLE, "a decoded picture")
    refuse_same(args.source, args.target)
    begun = time.perf_counter()
    source = decode_file(args.source, args.codec, full_ctx(), first=args.first)
    if args.planes is not None:
        source = replace(source, image=_in_channels(source.image, args))
    data = kind_of(args)
    if data in (Meaning.DIRECTION, Meaning.MASK):
        source = replace(source, image=replace(source.image, data=data))
    seconds = time.perf_counter() - begun
    notes = io.write(args.target, source.image)
    for note in notes:
        console.note(note)
    document = {
        "input": str(args.source),
        "output": str(args.target),
        "codec": source.codec,
        **shape(source.image),
        "decode_s": seconds,
        "notes": list(notes),
    }
    size = f"{source.image.width}×{source.image.height}"
    return Answer(document, f"{args.target}: {size}, decoded by {source.codec}")


def _in_channels(image: Image, args: argparse.Namespace) -> Image:
    try:
        return with_channels(image, args.planes)
    except EngineError as error:
        raise error.at(args.source) from error


def shape(image: Image) -> dict[str, Any]:
    """What a picture is, for JSON; "pixels" is the digest that only equal pictures share."""
    return {
        "width": image.width,
        "height": image.height,
        "channels": image.channels,
        "bits": image.bits,
        "color": str(image.color),
        "alpha": str(image.alpha),
        "pixels": image.digest,
    }
