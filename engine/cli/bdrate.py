"""Compare rate-distortion curves by their Bjøntegaard delta: how much more rate for equal quality.

CURVES is what `ratescope rd --json` printed, CompressAI results, or a collection of published curves.
Where a file holds the points of each picture, the figure is the geometric mean of the pictures' own
BD-rates; pooled curves are compared as they are, which the output says.
"""

from __future__ import annotations

import argparse
import contextlib
import math
from dataclasses import dataclass
from typing import Any

from engine.bd import METHODS, BdResult, BdSet, NotComparable, Point, bd_quality, bd_rate, bd_set
from engine.cli.console import Answer, Console, markdown, table
from engine.curves import Curve, find, pairs, published, read_curves
from engine.errors import UsageError
from engine.metrics import metric


@dataclass(frozen=True)
class Row:
    """One curve against the anchor. quality: the mean BD-quality over the rates in common, None without any."""

    rate: BdSet | BdResult | NotComparable
    quality: float | None


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("curves", nargs="+", metavar="CURVES", help="JSON files; 'published' is the bundled collection")
    parser.add_argument("--anchor", required=True, metavar="ID", help="the curve that the others are compared to")
    parser.add_argument("--metric", default="psnr", help="the metric that is held equal (default psnr)")
    parser.add_argument("--method", default="pchip", choices=METHODS, help="interpolation (default pchip)")
    parser.add_argument("--range", metavar="LO,HI", help="count only this range of quality")
    parser.add_argument("--per-image", action="store_true", help="print every picture's own figure too")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")


def run(args: argparse.Namespace, console: Console) -> Answer:
    curves = [curve for path in args.curves for curve in (published() if path == "published" else read_curves(path))]
    anchor = find(curves, args.anchor)
    info = metric(args.metric).info
    within = _range(args.range)
    rows: dict[str, Row] = {}
    for curve in curves:
        if curve is not anchor:
            rows[_unused(curve.name, rows)] = _compare(anchor, curve, args, within, info.higher_is_better)
    if not rows:
        raise UsageError(f"there is no curve beside the anchor '{args.anchor}'")
    _complain(rows, console)
    document = {
        "anchor": args.anchor,
        "metric": args.metric,
        "method": args.method,
        "range": within,
        "codecs": {name: _document(row) for name, row in rows.items()},
    }
    return Answer(document, _text(args, rows, info.unit))


def _complain(rows: dict[str, Row], console: Console) -> None:
    """Say what could not be compared; that nothing could is an error."""
    failed = {name: row.rate for name, row in rows.items() if isinstance(row.rate, NotComparable)}
    if len(failed) == len(rows):
        name, error = next(iter(failed.items()))
        raise NotComparable(f"{name}: {error}")
    for name, error in failed.items():
        console.note(f"{name}: {error}")
    for name, row in rows.items():
        for image, why in (row.rate.refused if isinstance(row.rate, BdSet) else {}).items():
            console.note(f"{name}, {image}: left out: {why}")


def _range(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        lo, hi = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--range {text}: write two numbers, such as 28,40") from error
    if not lo < hi:
        raise UsageError(f"--range {text}: the first number must be the smaller one")
    return lo, hi


def _unused(name: str, taken: dict[str, Row]) -> str:
    count = sum(1 for other in taken if other == name or other.startswith(f"{name} #"))
    return f"{name} #{count + 1}" if count else name


def _compare(
    anchor: Curve, test: Curve, args: argparse.Namespace, within: tuple[float, float] | None, higher: bool
) -> Row:
    shared = [image for image in anchor.per_image if image in test.per_image]
    both = {
        image: (pairs(anchor.per_image[image], args.metric), pairs(test.per_image[image], args.metric))
        for image in shared
    } or {"pooled": (anchor.pairs(args.metric), test.pairs(args.metric))}
    quality = _mean_quality(list(both.values()), args.method, higher)
    try:
        if not test.has(args.metric):
            raise NotComparable(f"the curve has no {args.metric}")
        if shared:
            return Row(bd_set(both, method=args.method, within=within, higher_is_better=higher), quality)
        return Row(bd_rate(*both["pooled"], method=args.method, within=within, higher_is_better=higher), quality)
    except NotComparable as error:
        return Row(error, quality)


def _mean_quality(both: list[tuple[list[Point], list[Point]]], method: str, higher: bool) -> float | None:
    values = []
    for a, t in both:
        with contextlib.suppress(NotComparable):
            values.append(bd_quality(a, t, method=method, higher_is_better=higher).value)
    return sum(values) / len(values) if values else None


def _document(row: Row) -> dict[str, Any]:
    if isinstance(row.rate, NotComparable):
        return {"bd_rate": None, "bd_quality": row.quality, "error": str(row.rate)}
    if isinstance(row.rate, BdResult):
        return {"pooled": True, **_one(row.rate), "bd_quality": row.quality}
    return {
        "pooled": False,
        "bd_rate": row.rate.value,
        "bd_quality": row.quality,
        "lo": row.rate.lo,
        "hi": row.rate.hi,
        "images": {image: _one(result) for image, result in row.rate.per_image.items()},
        "refused": dict(row.rate.refused),
    }


def _one(result: BdResult) -> dict[str, Any]:
    return {
        "bd_rate": result.value,
        "lo": result.lo,
        "hi": result.hi,
        "anchor_points": result.anchor_points,
        "test_points": result.test_points,
        "dropped": result.dropped,
        "share": result.share,
    }


def _text(args: argparse.Namespace, rows: dict[str, Row], unit: str) -> str:
    unit = unit or args.metric
    head = ["codec", f"BD-rate against {args.anchor}", f"BD-quality ({unit})", f"range ({unit})", "pictures", "points"]
    body: list[list[str]] = []
    for name, row in sorted(rows.items(), key=lambda item: _value(item[1])):
        quality = "" if row.quality is None else _signed(row.quality, 2)
        body.append([name, *_cells(row.rate, quality)])
        if args.per_image and isinstance(row.rate, BdSet):
            body += [[f"  {image}", *_cells(result, "")] for image, result in row.rate.per_image.items()]
    right = (1, 2, 3, 4, 5)
    if args.markdown:
        return markdown([head, *body], right)
    over = f"within {args.range} of" if args.range else "over"
    return f"{args.metric}, {args.method}, {over} what both curves cover\n\n" + table([head, *body], right)


def _value(row: Row) -> float:
    """For the order of the table: best first, what could not be compared last."""
    return math.inf if isinstance(row.rate, NotComparable) else row.rate.value


def _cells(rate: BdSet | BdResult | NotComparable, quality: str) -> list[str]:
    if isinstance(rate, NotComparable):
        return ["none", quality, "", "", ""]
    first = [f"{_signed(rate.value, 1)} %", quality, f"{rate.lo:.4g}–{rate.hi:.4g}"]
    if isinstance(rate, BdResult):
        return [*first, "pooled", f"{rate.anchor_points}/{rate.test_points}"]
    counted, results = len(rate.per_image), list(rate.per_image.values())
    pictures = f"{counted} of {counted + len(rate.refused)}" if rate.refused else f"{counted}"
    fewest = f"{min(result.anchor_points for result in results)}/{min(result.test_points for result in results)}"
    return [*first, pictures, f"≥ {fewest}"]


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")
