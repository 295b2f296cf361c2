"""Fit a set of pictures into a budget: every picture gets the codec, settings and resolution that it needs most.

INPUTS are pictures, or folders, which are searched with all their folders. Every codec is tried on every picture, at
several settings and resolutions; what is then chosen together has the least error that fits. The error of a picture is
that of PSNR, of light that of log2-PSNR, over all texels that count, enlarged to its own size.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine import memory, registry
from engine.budget.carry import IMPORT_LIST, carry_tasks, write_list
from engine.budget.measure import Format
from engine.budget.nearby import nearby
from engine.budget.plan import DISK, VRAM, Plan, solve
from engine.budget.survey import OwnHands, Survey, Wish, without_masks
from engine.cli.console import Answer, Console, table
from engine.cli.pictures import add_store, full_ctx, refuse_same, told_store
from engine.cli.rd import codec_settings, find_pictures
from engine.errors import EngineError, UsageError
from engine.export import csv_text, json_text
from engine.files import atomic_write
from engine.jobs import Scheduler
from engine.store import Recorder, RunStore

FILES = (".json", ".csv")
CODECS = {DISK: ("wavelet", "jxl", "jpeg2000"), VRAM: ("bc6h", "bc7", "astc")}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="INPUTS", type=Path, help="pictures and folders")
    parser.add_argument("--fit", required=True, metavar="SIZE", help="bytes for all of them: 64M, 1.5G, 800000")
    parser.add_argument("--count", choices=(DISK, VRAM), default=DISK, help="bytes of files (default), or in memory")
    default = "; ".join(f"{kind}: {','.join(ids)}" for kind, ids in CODECS.items())
    parser.add_argument("--codecs", metavar="A,B", help=f"default for {default}")
    parser.add_argument("--set", action="append", default=[], metavar="CODEC:NAME=VALUE", help="a setting of one codec")
    parser.add_argument(
        "--points", type=int, default=6, metavar="N", help="settings along each codec's rates (default 6)"
    )
    parser.add_argument(
        "--refine", type=int, default=3, metavar="N", help="rounds of settings between those of the plan (default 3)"
    )
    parser.add_argument("--scales", default="1,2,4", metavar="A,B", help="what sides may be divided by (default 1,2,4)")
    parser.add_argument("--out", action="append", default=[], type=Path, metavar="F", help="the plan: F.json, F.csv")
    parser.add_argument("--apply", metavar="DIR", type=Path, help="write the files, and import.csv beside them")
    parser.add_argument("--workers", type=int, metavar="N", help="processes at work (default: one a core)")
    add_store(parser)


def run(args: argparse.Namespace, console: Console) -> Answer:
    if args.points < 1 or args.refine < 0 or (args.workers is not None and args.workers < 1):
        raise UsageError("--points and --workers are whole numbers from 1, --refine from 0")
    pictures = without_masks(find_pictures(args.inputs))
    _check_outputs(args.out, pictures)
    with told_store(args.store, console) as store:
        plan, survey = _planned(args, pictures, store, console)
        document = {**plan.document(survey.missing), "encodes": survey.encodes}
        if args.apply is not None:
            tasks = carry_tasks(plan, pictures, args.apply, store.blobs.folder)
            document["written"] = [task.run(full_ctx()) for task in tasks]
            write_list(document["written"], args.apply / IMPORT_LIST)
    for path in args.out:
        text = json_text(document) if path.suffix.lower() == ".json" else csv_text(document["plan"]["rows"])
        atomic_write(path, text.encode(errors="backslashreplace"))
    return Answer(document, _text(plan, document))


def _planned(
    args: argparse.Namespace, pictures: dict[str, Path], store: RunStore, console: Console
) -> tuple[Plan, Survey]:
    """The plan from every format tried on every picture, and from what lies near the plans on the way."""
    budget = _size(args.fit)
    names = args.codecs or ",".join(_usable(args.count))
    formats = tuple(Format(codec, tuple(own.items())) for codec, own in codec_settings(names, args.set).items())
    wish = Wish(formats, args.points, _scales(args.scales))

    def tell() -> None:
        console.progress(f"{100 * survey.done:.0f} %, {survey.encodes} encodes")

    survey = Survey(pictures, wish, store, Recorder(store, console.note), tell)
    with Scheduler(args.workers) as scheduler:
        hands = OwnHands(scheduler)
        survey.begin(hands)
        hands.serve(lambda: survey.finished or bool(survey.failed))
        for reason in survey.failed.values():
            raise EngineError(reason)
        plan = solve(survey.facts, survey.options, budget, args.count)
        for _ in range(args.refine):
            survey.refine(hands, nearby(plan, survey.options))
            hands.serve(lambda: survey.finished)
            plan = solve(survey.facts, survey.options, budget, args.count)
    for text in survey.missing:
        console.note(text)
    return plan, survey


def _usable(count: str) -> list[str]:
    found = [
        codec for codec in CODECS[count] if codec in registry.codec_ids() and registry.codec(codec).available() is None
    ]
    if not found:
        raise UsageError(f"none of {', '.join(CODECS[count])} can run here: name codecs with --codecs")
    return found


def _scales(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) >= 1 for part in parts):
        raise UsageError(f"--scales {text}: write whole numbers from 1, such as 1,2,4")
    return tuple(sorted({int(part) for part in parts}))


def _size(text: str) -> int:
    if "%" in text:
        raise UsageError(f"--fit {text}: write a size, such as 64M")
    try:
        return memory.parse(text)
    except UsageError as error:
        raise UsageError(f"--fit {text}: write a size, such as 64M") from error


def _check_outputs(outputs: list[Path], pictures: dict[str, Path]) -> None:
    for path in outputs:
        if path.suffix.lower() not in FILES:
            raise UsageError(f"--out {path}: the name must end in {' or '.join(FILES)}")
        for source in pictures.values():
            refuse_same(source, path)


def _text(plan: Plan, document: dict[str, Any]) -> str:
    head = ["file", "codec", "settings", "size", "disk", "vram", "dB"]
    rows = [head, *(_row(row) for row in document["plan"]["rows"])]
    size = memory.size_text
    lines = [table(rows, right=range(3, len(head))), ""]
    where = "on disk" if plan.count == DISK else "in memory"
    before = size(document["before"][f"{plan.count}_bytes"])
    lines.append(f"{size(plan.spent)} of {size(plan.budget)} {where}, {before} before")
    single = document["best_single"]
    if single is None:
        lines.append("no single preset for all pictures fits")
    else:
        preset = " ".join((single["codec"], _short(single["settings"]), _scale(single["scale"])))
        less = 100 * (plan.less_error or 0.0)
        lines.append(f"{less:.0f} % less error than the best single preset that fits: {preset}")
    return "\n".join(lines)


def _row(row: dict[str, Any]) -> list[str]:
    vram = memory.size_text(row["vram_bytes"])
    scale = _scale(row["scale"])
    return [
        row["file"],
        row["codec"],
        _short(row["settings"]),
        scale,
        memory.size_text(row["disk_bytes"]),
        vram,
        f"{row['db']:.2f}",
    ]


def _scale(scale: int) -> str:
    return "full" if scale == 1 else f"1/{scale}"


def _short(settings: dict[str, Any]) -> str:
    return " ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in settings.items()
    )
