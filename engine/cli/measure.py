"""Compare two pictures, by numbers and by a map of where they differ. TEST may be any codec's file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from engine import io
from engine.cli.console import Answer, Console, table
from engine.cli.pictures import (
    add_fix,
    add_kind,
    add_roi,
    fixes_of,
    format_of,
    full_ctx,
    kind_of,
    read_picture,
    refuse_same,
    require_suffix,
    with_roi,
)
from engine.display import heat
from engine.errors import UsageError
from engine.image import Image, Meaning
from engine.metrics import error_map, metric, refusal, scores
from engine.trial import db_metrics

DEFAULT_METRICS = {
    Meaning.COLOUR: "psnr,ssim,ms_ssim,flip",
    Meaning.LIGHT: "log2_psnr,hdr_flip",
    Meaning.DIRECTION: "angle_mean,angle_p99,directionality,rebalance,psnr",
    Meaning.MASK: "mask_worst,mask_r,mask_g,mask_b,mask_a,psnr",
}
DEFAULT_MAPS = {
    Meaning.COLOUR: "flip",
    Meaning.LIGHT: "hdr_flip",
    Meaning.DIRECTION: "angle_mean",
    Meaning.MASK: "mask_worst",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", metavar="REF", type=Path)
    parser.add_argument("test", metavar="TEST", type=Path)
    default = "; ".join(f"{meaning}: {ids}" for meaning, ids in DEFAULT_METRICS.items())
    parser.add_argument("--metrics", metavar="A,B", help=f"default for {default}")
    parser.add_argument("--heatmap", metavar="OUT.png", type=Path, help="write the error map as a picture")
    parser.add_argument("--heatmap-metric", metavar="M", help="whose map (default flip; of floats hdr_flip)")
    add_fix(parser)
    add_kind(parser)
    add_roi(parser)


def run(args: argparse.Namespace, console: Console) -> Answer:
    ids = metric_list(args.metrics) if args.metrics is not None else []
    if args.heatmap is not None:
        _check_heatmap(args)
    ctx = full_ctx()
    ref = read_picture(args.reference, console, ctx, fixes_of(args), kind_of(args))
    test = _read_test(args.test, ref, console)
    identical = ref.digest == test.digest
    ref = with_roi(ref, args.roi, ctx)
    if args.metrics is None:
        usual = [*metric_list(DEFAULT_METRICS[ref.meaning]), *db_metrics(ref)]
        ids = [each for each in dict.fromkeys(usual) if metric(each).info.channels <= ref.channels]
    args.heatmap_metric = args.heatmap_metric or DEFAULT_MAPS[ref.meaning]
    values = scores(ref, test, ids, ctx)
    for name in ids:
        why = refusal(metric(name).info, ref)
        if why is not None:
            console.note(why)
    document: dict[str, Any] = {
        "reference": str(args.reference),
        "test": str(args.test),
        "identical": identical,
        **values,
    }
    text = table([(metric(name).info.label, number(name, value)) for name, value in values.items()], right=(1,))
    if args.heatmap is not None:
        lo, hi = _write_heatmap(args, ref, test)
        document["heatmap"] = {"file": str(args.heatmap), "metric": args.heatmap_metric, "lo": lo, "hi": hi}
        text += f"\n{args.heatmap}: {metric(args.heatmap_metric).info.map_label}, black {lo:g} to pale yellow {hi:g}"
    return Answer(document, text)


def _read_test(path: Path, ref: Image, console: Console) -> Image:
    """The tested picture: as a map of the reference's kind, unless it holds that map's channels as planes, in grey."""
    if ref.data is None or format_of(path, io.read_bytes(path)).ours or io.read(path).image.is_gray:
        return read_picture(path, console, full_ctx())
    return read_picture(path, console, full_ctx(), meaning=ref.data)


def metric_list(text: str) -> list[str]:
    """Metric ids from "a,b"; `UsageError` for one that is unknown."""
    ids = [name.strip() for name in text.split(",") if name.strip()]
    if not ids:
        raise UsageError("--metrics names no metric")
    return [metric(name).info.id for name in ids]


def number(metric_id: str, value: float) -> str:
    """A score as its metric is read: 34.51 dB, 0.9874."""
    info = metric(metric_id).info
    space = " " if info.unit not in ("", "°") else ""
    return f"{value:.{info.digits}f}{space}{info.unit}"


def _check_heatmap(args: argparse.Namespace) -> None:
    require_suffix(args.heatmap, (".png",), "a heat map")
    refuse_same(args.reference, args.heatmap)
    refuse_same(args.test, args.heatmap)
    if args.heatmap_metric is not None and not metric(args.heatmap_metric).info.has_map:
        raise UsageError(f"--heatmap-metric {args.heatmap_metric}: this metric has no map")


def _write_heatmap(args: argparse.Namespace, ref: Image, test: Image) -> tuple[float, float]:
    errors = error_map(ref, test, args.heatmap_metric, full_ctx())
    # Without a range of its own the map reaches to its 99.9th percentile: a few outliers must not darken the rest.
    lo, hi = metric(args.heatmap_metric).info.map_range or (0.0, float(np.percentile(errors, 99.9)))
    io.write_png(args.heatmap, Image(heat(errors, lo, hi)))
    return lo, hi
