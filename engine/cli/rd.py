"""Measure rate-distortion curves: every codec over every picture, at several settings or rates.

INPUTS are pictures, or folders, which are searched with all their folders. Every encode is kept in the store:
a sweep that was interrupted goes on where it stopped, and a new metric re-encodes nothing. With --points a codec's
settings lie evenly between those that give 0.1 and 2 bits per pixel on the first picture.
"""

from __future__ import annotations

import argparse
import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine import io
from engine.chart import FORMATS, render
from engine.cli.console import Answer, Console, table
from engine.cli.encode import chosen_settings
from engine.cli.measure import metric_list, number
from engine.cli.pictures import add_store, refuse_same, told_store, usable
from engine.cli.span import useful_values
from engine.codec import Settings
from engine.curves import Curve, find, parse_curves, published, read_curves
from engine.errors import EngineError, UsageError
from engine.experiment import Experiment, ExperimentResult
from engine.export import csv_text, curve_rows, json_text
from engine.files import atomic_write
from engine.image import Meaning
from engine.metric import MetricInfo
from engine.metrics import metric
from engine.report import rd_chart, rd_document
from engine.store import RunStore
from engine.trial import Target, TargetKind

FAILURE = 1
_DEFAULT_METRICS = {
    Meaning.COLOUR: "psnr,ms_ssim",
    Meaning.LIGHT: "log2_psnr",
    Meaning.DIRECTION: "angle_mean,psnr",
    Meaning.MASK: "mask_worst,psnr",
}
FILES = ("json", "csv", *FORMATS)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="INPUTS", type=Path, help="pictures and folders")
    parser.add_argument("--codecs", required=True, metavar="A,B", help="ratescope codecs and presets list them")
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument("--points", type=int, default=8, metavar="N", help="settings from 0.1 to 2 bpp (default 8)")
    steps.add_argument("--bpp", metavar="A,B,C", help="rates that every codec is brought to on every picture")
    parser.add_argument("--set", action="append", default=[], metavar="CODEC:NAME=VALUE", help="a setting of one codec")
    parser.add_argument("--metrics", metavar="A,B", help="default psnr,ms_ssim; of floats log2_psnr")
    parser.add_argument("--out", action="append", default=[], type=Path, metavar="F", help="F." + ", F.".join(FILES))
    parser.add_argument("--workers", type=int, metavar="N", help="processes at work (default: one a core)")
    add_store(parser)
    chart = parser.add_argument_group("charts")
    chart.add_argument("--chart-metric", metavar="M", help="what is drawn (default: the first of --metrics)")
    chart.add_argument(
        "--under", action="append", default=[], metavar="C", help="a published curve, or a file of curves"
    )
    chart.add_argument("--linear", action="store_true", help="a linear rate axis")
    chart.add_argument("--theme", choices=("light", "dark"), default="light")
    chart.add_argument("--title", default="")


def run(args: argparse.Namespace, console: Console) -> Answer:
    metrics = metric_list(args.metrics or _default_metrics(find_pictures(args.inputs).values()))
    if args.points < 1 or (args.workers is not None and args.workers < 1):
        raise UsageError("--points and --workers are whole numbers from 1")
    drawn = metric(args.chart_metric or metrics[0]).info
    if drawn.id not in metrics:
        raise UsageError(f"--chart-metric {drawn.id} is not among --metrics")
    references = [curve for name in args.under for curve in _references(name)]
    codecs = codec_settings(args.codecs, args.set)
    pictures = find_pictures(args.inputs)
    _check_outputs(args.out, pictures.values())
    targets = None if args.bpp is None else _targets(args.bpp)
    with told_store(args.store, console) as store:
        plan = targets or _ladders(pictures, codecs, args, store)
        experiment = Experiment(pictures, codecs, plan, tuple(metrics))
        result = experiment.run(store, workers=args.workers, on_progress=_progress(console))
    failed = _say_what_is_missing(pictures, result, console)
    document = rd_document(experiment, result)
    if not any(entry["points"] for entry in document["codecs"].values()):
        raise EngineError("nothing was measured: no picture went through all codecs")
    _write_outputs(args, document, references, drawn)
    return Answer(document, _text(document, metrics), FAILURE if failed else 0)


def _ladders(
    pictures: Mapping[str, Path], codecs: Mapping[str, Settings], args: argparse.Namespace, store: RunStore
) -> dict[str, int | tuple[Any, ...]]:
    """Settings for --points: useful ones for the first picture that can be read, the same for all of them."""
    for path in pictures.values():
        with contextlib.suppress(EngineError):  # the sweep itself says which pictures cannot be read
            return useful_values(path, codecs, args.points, store, args.workers)
    return dict.fromkeys(codecs, args.points)


def _default_metrics(paths: Iterable[Path]) -> str:
    for path in paths:
        with contextlib.suppress(EngineError):  # the sweep itself says which pictures cannot be read
            return _DEFAULT_METRICS[io.read(path).image.meaning]
    return "psnr"


def _progress(console: Console) -> Callable[[float, str], None]:
    return lambda fraction, name: console.progress(f"{100 * fraction:.0f} %, {name}")


def _say_what_is_missing(pictures: Mapping[str, Path], result: ExperimentResult, console: Console) -> bool:
    """Whether anything failed; a rate that is out of reach is no failure, the point is left out."""
    for name, notes in result.notes.items():
        for note in notes:
            console.note(f"{pictures[name]}: {note}")
    missed = Counter((each.codec, each.target) for each in result.failures if each.target is not None)
    for (codec, target), count in missed.items():
        console.note(f"{codec}: {target:g} bpp is out of reach on {count} of {len(pictures)} pictures and left out")
    failed = [each for each in result.failures if each.target is None]
    for each in failed:
        console.error(f"{each.codec}: {each.message}" if each.codec else each.message)
    return bool(failed)


def _write_outputs(
    args: argparse.Namespace, document: dict[str, Any], references: Sequence[Curve], drawn: MetricInfo
) -> None:
    note = f"Mean over {document['inputs']} pictures" if document["inputs"] > 1 else ""
    style = {"log_rate": not args.linear, "theme": args.theme, "title": args.title, "note": note}
    for path in args.out:
        form = path.suffix[1:].lower()
        if form in FORMATS:
            atomic_write(path, render(rd_chart(parse_curves(document), drawn, references, **style), form))
        else:
            text = json_text(document) if form == "json" else csv_text(curve_rows(document["codecs"]))
            atomic_write(path, text.encode(errors="backslashreplace"))


def _targets(text: str) -> tuple[Target, ...]:
    try:
        rates = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"--bpp {text}: write rates such as 0.1,0.2,0.5") from error
    if not all(0 < rate < math.inf for rate in rates):
        raise UsageError(f"--bpp {text}: rates are above 0")
    return tuple(Target(TargetKind.BPP, rate) for rate in sorted(set(rates)))


def find_pictures(inputs: Sequence[Path]) -> dict[str, Path]:
    """Every picture in `inputs` by a name that tells them apart; `EngineError` for a folder without any."""
    known = set(io.suffixes())
    found: dict[str, Path] = {}
    for path in inputs:
        files = [path]
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix.lower() in known and file.is_file())
            if not files:
                raise EngineError("holds no picture", path=path)
        for file in files:
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            found[str(file) if name in found else name] = file
    return found


def codec_settings(names: str, pairs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Codec id -> its settings, from "a,b" and CODEC:NAME=VALUE; `UsageError` for what makes no sense."""
    given: dict[str, list[str]] = {name.strip(): [] for name in names.split(",") if name.strip()}
    if not given:
        raise UsageError("--codecs names no codec")
    for pair in pairs:
        name, colon, setting = pair.partition(":")
        if not colon or name not in given:
            raise UsageError(f"--set {pair}: write CODEC:NAME=VALUE, for one of {', '.join(given)}")
        given[name].append(setting)
    return {name: chosen_settings(usable(name).info, settings, None) for name, settings in given.items()}


def _check_outputs(outputs: Sequence[Path], inputs: Iterable[Path]) -> None:
    for path in outputs:
        if path.suffix[1:].lower() not in FILES:
            raise UsageError(f"--out {path}: the name must end in .{', .'.join(FILES)}")
    for source in inputs:
        for path in outputs:
            refuse_same(source, path)


def _references(name: str) -> list[Curve]:
    return read_curves(name) if name.endswith(".json") else [find(published(), name)]


def _text(document: dict[str, Any], metrics: Sequence[str]) -> str:
    head = ["codec", "bpp", *(metric(name).info.label for name in metrics), "encode", "decode"]
    rows = [head]
    for codec, entry in document["codecs"].items():
        for point in entry["points"]:
            scores = [number(name, point[name]) if point.get(name) is not None else "" for name in metrics]
            times = [_seconds(point[name], point["busy"]) for name in ("encode_s", "decode_s")]
            rows.append([codec, f"{point['bpp']:.4f}", *scores, *times])
    return table(rows, right=range(1, len(head)))


def _seconds(value: float | None, busy: bool) -> str:
    if value is None:
        return ""
    return ("~" if busy else "") + (f"{value:.2f} s" if value >= 1 else f"{1000 * value:.0f} ms")
