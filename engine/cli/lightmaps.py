"""Compare codecs on a folder of lightmaps: what each needs for equal quality, map by map, gutters left out.

Every codec is brought to 42 … 58 dB of log2-PSNR on every map. Figures are geometric means of the maps' BD-rates over
that range against each anchor, and against the better of the two on each map; a codec of one rate is held against the
anchors at its own quality. What was measured before is taken from the store: more codecs or maps cost only themselves.
`ratescope codecs` and `ratescope presets` list what --codecs takes.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import registry
from engine.chart import FORMATS, Chart, Series, render
from engine.cli.console import Answer, Console, markdown, table
from engine.cli.pictures import add_store, refuse_same, told_store
from engine.cli.rd import codec_settings, find_pictures
from engine.codec import Ctx
from engine.errors import EngineError, UsageError
from engine.export import csv_text, json_text
from engine.files import atomic_write
from engine.lightmaps.compare import (
    AT,
    RANGE,
    Against,
    Maps,
    against,
    at_one_rate,
    better,
    geometric_mean,
    mean_curve,
    nearest,
)
from engine.lightmaps.measure import Measured, measure, time_map
from engine.palette import look

ANCHORS = ("jxl-log", "jpeg2000-log")
CODECS = (
    "lightmap-ae", "lightmap-multiscale", "wavelet", "wavelet-max", "wavelet-keep", *ANCHORS, "jxl-log-fill",
    "jxl-float", "avif-log", "exr-dwab", "exr-dwaa", "astc-zstd", "bc6h-zstd", "rgbm-zstd", "unity-desktop-normal",
    "dldr-zstd", "rgbe-zstd",
)  # fmt: skip
FILES = ("json", "csv", *FORMATS)
_FAILURE = 1
_CHART_DB = tuple(float(quality) for quality in range(int(RANGE[0]), int(RANGE[1]) + 1, 2))
_MINUS = "\N{MINUS SIGN}"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="INPUTS", type=Path, help="lightmaps and folders")
    parser.add_argument("--codecs", metavar="A,B", help="the rows (default: every way to code light that can run here)")
    parser.add_argument("--set", action="append", default=[], metavar="CODEC:NAME=VALUE", help="a setting of one codec")
    parser.add_argument("--out", action="append", default=[], type=Path, metavar="F", help="F." + ", F.".join(FILES))
    parser.add_argument("--times", type=int, default=0, metavar="N", help="time the codecs on N of the maps, in turns")
    parser.add_argument("--per-map", action="store_true", help="print every map's own figures too")
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    parser.add_argument("--workers", type=int, metavar="N", help="processes at work (default: one a core)")
    add_store(parser)


def run(args: argparse.Namespace, console: Console) -> Answer:
    if args.times < 0 or (args.workers is not None and args.workers < 1):
        raise UsageError("--workers is a whole number from 1, --times one from 0")
    names = _usable() if args.codecs is None else [each.strip() for each in args.codecs.split(",") if each.strip()]
    codecs = codec_settings(",".join(dict.fromkeys([*names, *ANCHORS])), args.set)
    maps = find_pictures(args.inputs)
    _check_outputs(args.out, maps)
    with told_store(args.store, console) as store:
        measured = measure(
            maps, codecs, ANCHORS, store, workers=args.workers,
            on_progress=lambda share, name: console.progress(f"{100 * share:.0f} %, {name}"),
        )  # fmt: skip
    for failure in measured.failures:
        console.error(f"{failure.codec}: {failure.message}" if failure.codec else failure.message)
    if not measured.rows[ANCHORS[0]]:
        raise EngineError("nothing was measured: no lightmap went through the anchors")
    document = _document(measured, _times(args.times, maps, measured.rows, console))
    for path in args.out:
        _write(path, document, measured.rows)
    return Answer(document, _text(document, args), _FAILURE if measured.failures else 0)


def _usable() -> list[str]:
    """Those of `CODECS` that are here and can run."""
    found = []
    for name in CODECS:
        with contextlib.suppress(UsageError):
            if registry.codec(name).available() is None:
                found.append(name)
    return found


def _check_outputs(outputs: list[Path], maps: Mapping[str, Path]) -> None:
    for path in outputs:
        if path.suffix[1:].lower() not in FILES:
            raise UsageError(f"--out {path}: the name must end in .{', .'.join(FILES)}")
        for source in maps.values():
            refuse_same(source, path)


def _times(count: int, maps: Mapping[str, Path], rows: Mapping[str, Maps], console: Console) -> dict[str, Any]:
    """Of every row the geometric means of its times over the first anchor's, over some of the maps."""
    names = [name for name in maps if name in rows[ANCHORS[0]]]
    chosen = names[:: max(1, len(names) // count)][:count] if count else []
    ratios: dict[str, list[tuple[float, float]]] = {row: [] for row in rows}
    for number, name in enumerate(chosen):
        console.progress(f"times: {number + 1} of {len(chosen)}, {name}")
        seconds = time_map(maps[name], rows, name, Ctx(threads=1))
        if ANCHORS[0] not in seconds:
            continue
        own = seconds[ANCHORS[0]]
        for row, (encode, decode) in seconds.items():
            ratios[row].append((encode / own[0], decode / own[1]))
    return {
        row: {
            "encode": geometric_mean(e for e, _ in taken),
            "decode": geometric_mean(d for _, d in taken),
            "maps": len(taken),
        }
        for row, taken in ratios.items()
        if taken
    }


def _document(measured: Measured, times: Mapping[str, Any]) -> dict[str, Any]:
    rows = measured.rows
    first, second = (rows[each] for each in ANCHORS)
    best, is_second = better(first, second)
    anchors: dict[str, Maps] = {ANCHORS[0]: first, ANCHORS[1]: second, "better": best}
    return {
        "maps": len(first),
        "range": list(RANGE),
        "at": AT,
        "anchors": list(ANCHORS),
        "second_is_better": sorted(name for name, wins in is_second.items() if wins),
        "codecs": {row: _row(row, maps, anchors, times.get(row)) for row, maps in rows.items()},
        "points": {row: {name: list(points) for name, points in maps.items()} for row, maps in rows.items()},
        "notes": {name: list(notes) for name, notes in measured.notes.items()},
        "failures": [vars(failure) for failure in measured.failures],
        "environment": measured.environment,
    }


def _row(row: str, maps: Maps, anchors: Mapping[str, Maps], times: Any) -> dict[str, Any]:
    info = registry.codec(row).info
    one_rate = info.rate_param is None
    typical = [point for points in maps.values() if (point := nearest(points)) is not None]
    return {
        "label": info.label,
        "one_rate": one_rate,
        "against": {name: _told(against(anchor, maps, one_rate=one_rate)) for name, anchor in anchors.items()},
        **{metric: _told_score(at_one_rate(anchors[ANCHORS[0]], maps, metric)) for metric in ("banding", "seam")},
        "vram_bpp": geometric_mean(point["vram_bpp"] for point in typical),
        "times": times,
    }


def _told(found: Against) -> dict[str, Any]:
    return {
        "percent": found.percent,
        "maps": len(found.ratios),
        "whole": found.whole,
        "per_map": {name: 100 * (ratio - 1) for name, ratio in found.ratios.items()},
        "refused": dict(found.refused),
    }


def _told_score(found: tuple[float, float, int] | None) -> dict[str, Any] | None:
    return None if found is None else {"mean": found[0], "anchor": found[1], "maps": found[2]}


def _write(path: Path, document: Mapping[str, Any], rows: Mapping[str, Maps]) -> None:
    form = path.suffix[1:].lower()
    if form in FORMATS:
        atomic_write(path, render(_chart(document, rows), form))
        return
    text = json_text(document) if form == "json" else csv_text(_csv_rows(document))
    atomic_write(path, text.encode(errors="backslashreplace"))


def _csv_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each codec and map: the differences in percent of rate, or why there is none."""
    rows = []
    for codec, entry in document["codecs"].items():
        for name in document["points"][codec]:
            row: dict[str, Any] = {"codec": codec, "map": name}
            for anchor, told in entry["against"].items():
                row[anchor] = told["per_map"].get(name, "")
                row["refused"] = row.get("refused") or told["refused"].get(name, "")
            rows.append(row)
    return rows


def _chart(document: Mapping[str, Any], rows: Mapping[str, Maps]) -> Chart:
    anchor = rows[ANCHORS[0]]
    series = []
    for place, (row, maps) in enumerate(rows.items()):
        if not document["codecs"][row]["one_rate"] and (points := mean_curve(anchor, maps, _CHART_DB)):
            series.append(Series(document["codecs"][row]["label"], points, look(place)))
    note = (
        f"Geometric mean rates over {document['maps']} lightmaps, relative to {ANCHORS[0]} on the maps that both reach"
    )
    return Chart(series, "log2-PSNR (dB), covered texels", note=note)


def _text(document: Mapping[str, Any], args: argparse.Namespace) -> str:
    lay = markdown if args.markdown else table
    figures = ("maps", "banding (mstops)", "seam (mstops)", "encode", "decode", "VRAM bpp")
    head = ["codec", *(f"against {each}" for each in (*ANCHORS, "the better")), *figures]
    order = sorted(document["codecs"].items(), key=lambda item: _rank(item[1]))
    body = [[row, *_cells(entry)] for row, entry in order]
    lines = [lay([head, *body], range(1, len(head))), ""]
    lines.append(
        f"{document['maps']} maps, {RANGE[0]:g} to {RANGE[1]:g} dB of log2-PSNR; {ANCHORS[1]} is the better anchor on "
        f"{len(document['second_is_better'])}"
    )
    for row, entry in order:
        for name, why in entry["against"]["better"]["refused"].items():
            lines.append(f"{row}, {name}: left out: {why}")
    if args.per_map:
        lines += ["", _per_map(document, lay, [row for row, _ in order])]
    return "\n".join(lines)


def _rank(entry: Mapping[str, Any]) -> tuple[bool, float]:
    percent = entry["against"]["better"]["percent"]
    return entry["one_rate"], float("inf") if percent is None else percent


def _cells(entry: Mapping[str, Any]) -> list[str]:
    mark = " *" if entry["one_rate"] else ""
    found = [entry["against"][name] for name in (*ANCHORS, "better")]
    counted = f"{found[-1]['maps']}" + ("" if entry["one_rate"] else f" ({found[-1]['whole']} whole)")
    times = entry["times"] or {"encode": None, "decode": None}
    return [
        *(_percent(each["percent"]) + mark for each in found),
        counted,
        *(_score(entry[name]) for name in ("banding", "seam")),
        *(_number(times[name], 2) for name in ("encode", "decode")),
        _number(entry["vram_bpp"], 2),
    ]


def _score(told: Mapping[str, Any] | None) -> str:
    """Thousandths of a stop, and the first anchor's on the same maps."""
    return "" if told is None else f"{1000 * told['mean']:.3g} / {1000 * told['anchor']:.3g}"


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{value:+.1f} %".replace("-", _MINUS)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _per_map(document: Mapping[str, Any], lay: Any, rows: list[str]) -> str:
    names = list(document["points"][ANCHORS[0]])
    found = {row: document["codecs"][row]["against"]["better"]["per_map"] for row in rows}
    body = [[name, *(_percent(found[row].get(name)) for row in rows)] for name in names]
    return str(lay([["map, against the better", *rows], *body], range(1, len(rows) + 1)))
