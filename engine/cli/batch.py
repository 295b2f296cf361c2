"""Compress every picture of a folder with every codec at every target, and tabulate what came of it.

DIR gets results.csv, results.json and rd.svg. Whatever stops the work, --resume goes on without doing anything twice.
What goes wrong with a picture or a codec is a row that says so. The work runs on every core of this machine, or on
the Dask cluster that --scheduler names.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine import memory
from engine.batch.flow import Progress
from engine.batch.job import KINDS, QUALITY, Goal, Job
from engine.batch.results import Results
from engine.batch.run import run_batch
from engine.batch.timeleft import spoken
from engine.cli.console import Answer, Console, table
from engine.cli.measure import metric_list, number
from engine.cli.rd import codec_settings
from engine.errors import UsageError
from engine.metrics import metric

FAILURE, UNREACHABLE = 1, 3
_HELP = {
    "bpp": "at most so many bits per pixel",
    "bytes": "at most so many bytes",
    "psnr": "at least so many dB",
    QUALITY: "values of each codec's rate setting",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="searched with all its folders")
    parser.add_argument("--out", required=True, metavar="DIR", type=Path, help="a new folder, for the results")
    parser.add_argument("--codecs", required=True, metavar="A,B", help="ratescope codecs and presets list them")
    goals = parser.add_mutually_exclusive_group(required=True)
    for kind in KINDS:
        goals.add_argument(f"--{kind}", metavar="A,B", help=_HELP[kind])
    parser.add_argument("--set", action="append", default=[], metavar="CODEC:NAME=VALUE", help="a setting of one codec")
    parser.add_argument("--metrics", default="psnr,ms_ssim", metavar="A,B", help="default psnr,ms_ssim")
    parser.add_argument("--resume", action="store_true", help="go on with what was begun in DIR")
    parser.add_argument("--save-encoded", action="store_true", help="keep the files, in the folder's own tree")
    parser.add_argument("--save-decoded", action="store_true", help="keep the decoded pictures as PNG")
    parser.add_argument("--passports", action="store_true", help="have a fresh process decode each file (see passport)")
    words = "a painted mask for all pictures, or a folder of them (PNG) under the pictures' names (docs/roi.md)"
    parser.add_argument("--roi", metavar="MASK", type=Path, help=words)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, metavar="N", help="processes at work (default: one a core)")
    where.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="a Dask scheduler, whose workers do the work")
    parser.add_argument("--progress-json", action="store_true", help="progress as lines of JSON, on stderr")


def run(args: argparse.Namespace, console: Console) -> Answer:
    if args.workers is not None and args.workers < 1:
        raise UsageError("--workers is a whole number from 1")
    if args.scheduler is not None and not re.fullmatch(r"(tcp|tls|ws|wss|ucx)://.+:[0-9]+", args.scheduler):
        raise UsageError(f"--scheduler {args.scheduler}: write an address such as tcp://host:8786")
    job = job_of(args)
    with _stopped_politely():
        results = run_batch(
            job,
            resume=args.resume,
            workers=args.workers,
            scheduler=args.scheduler,
            on_progress=_json_lines if args.progress_json else _words(console),
            tell=console.note,
        )
    code = FAILURE if results.failed else UNREACHABLE if results.unreachable else 0
    return Answer(results.document, _text(results), code)


def job_of(args: argparse.Namespace) -> Job:
    """The job that the options describe; `UsageError` for what makes no sense."""
    return Job(
        args.folder,
        args.out,
        codec_settings(args.codecs, args.set),
        _goals(args),
        tuple(dict.fromkeys(("psnr", *metric_list(args.metrics)))),
        args.save_encoded,
        args.save_decoded,
        args.passports,
        args.roi,
    )


def _goals(args: argparse.Namespace) -> tuple[Goal, ...]:
    kind = next(kind for kind in KINDS if getattr(args, kind) is not None)
    text = getattr(args, kind)
    try:
        values = {float(part) for part in text.split(",")}
    except ValueError as error:
        raise UsageError(
            f"--{kind} {text}: write numbers such as {'0.25,0.5,1' if kind == 'bpp' else '30,40'}"
        ) from error
    if not all(math.isfinite(value) and (value > 0 or kind == QUALITY) for value in values):
        raise UsageError(f"--{kind} {text}: targets are above 0")
    return tuple(Goal(kind, value) for value in sorted(values))


@contextlib.contextmanager
def _stopped_politely() -> Iterator[None]:
    """A request to end is taken as Ctrl-C is: the workers are ended too, and the records closed."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _words(console: Console) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        left = "" if progress.left_s is None else f", {spoken(progress.left_s)} left"
        failed = f", {progress.failed} failed" if progress.failed else ""
        name = f", {progress.row['image']}" if progress.row else ""
        share = 100 * progress.done / progress.total
        console.progress(f"{share:.0f} %, {progress.done} of {progress.total} rows{failed}{left}{name}")

    return tell


def _json_lines(progress: Progress) -> None:
    """One line for each row; when the reader has gone, the work goes on without it."""
    try:
        print(json.dumps(vars(progress)), file=sys.stderr, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _set_line(codec: str, goal: dict[str, Any], kind: str) -> str:
    """What all pictures take with a codec at a goal, and the worst of them."""
    disk, vram = (memory.size_text(goal[name]) for name in ("disk_bytes", "vram_bytes"))
    worst = ", ".join(f"{each['image']} {each['db']:.2f} dB" for each in goal["worst"][:3])
    told = f"; worst: {worst}" if worst else ""
    told += "".join(f"; {metric(each).info.label} {number(each, score)}" for each, score in goal["scores"].items())
    return f"{codec} {goal[kind]:g}: {goal['maps']} pictures, {disk} on disk, {vram} in VRAM{told}"


def _text(results: Results) -> str:
    """Means by codec and target, what went wrong, and where the files are."""
    metrics = results.metrics
    kind = results.job.goals[0].column
    head = ["codec", kind.replace("_", " "), "bpp", *(metric(name).info.label for name in metrics)]
    rows = [head]
    for codec, entry in results.document["codecs"].items():
        for point in entry["points"]:
            scores = [number(name, point[name]) if point.get(name) is not None else "" for name in metrics]
            rows.append([codec, f"{point[kind]:g}", f"{point['bpp']:.4f}", *scores])
    lines = [table(rows, right=range(1, len(head)))] if len(rows) > 1 else []
    lines += [""] if lines else []
    lines += [_set_line(codec, goal, kind) for codec, goals in results.document["set"].items() for goal in goals]
    wrong = [row for row in results.rows if row["error"]]
    for row in wrong[:10]:
        lines.append(f"{row['image']}: {row['codec'] + ': ' if row['codec'] else ''}{row['error']}")
    if len(wrong) > 10:
        lines.append(f"… and {len(wrong) - 10} more rows with errors, see results.csv")
    done = len(results.rows) - len(wrong)
    counts = f"{results.document['pictures']} pictures, {done} rows done"
    counts += f", {results.unreachable} out of reach" if results.unreachable else ""
    counts += f", {results.failed} failed" if results.failed else ""
    return "\n".join([*lines, f"{counts}: {results.document['files']['table']}"])
