"""Store what a codec makes of maps under their own names in another folder, where a game engine takes it.

INPUTS are maps, or folders, which are searched with all their folders. --as says what is stored: the decoded map in the
original's format (same) or in another, or the codec's own file (encoded). Originals are never written over, nor is a
file that no write-back wrote. write-back.json in the folder says what became of each.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine import memory
from engine.cli.console import Answer, Console, table
from engine.cli.encode import chosen_settings, chosen_target
from engine.cli.measure import number
from engine.cli.pictures import add_fix, add_kind, fixes_of, kind_of, usable
from engine.cli.rd import find_pictures
from engine.errors import UsageError
from engine.image import Meaning
from engine.light_sets.names import bake_of
from engine.light_sets.write_back import FORMS, REPORT, SAME, Coding, MapFile, Order, write_back
from engine.metrics import metric_ids

FAILURE, UNREACHABLE = 1, 3


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="INPUTS", type=Path, help="maps and folders")
    parser.add_argument("--out", required=True, metavar="DIR", type=Path, help="a folder without originals")
    words = "for all maps (ID), or for those of a kind (direction=bc7,mask=bc7,bc6h)"
    parser.add_argument("--codec", required=True, metavar="[KIND=]ID,…", help=words)
    parser.add_argument("--as", dest="form", choices=FORMS, default=SAME, help="what is stored (default: same)")
    parser.add_argument("--bake", action="store_true", help="with each map the others of its bake")
    goal = parser.add_mutually_exclusive_group()
    goal.add_argument("--bpp", type=float, metavar="X", help="at most X bits per pixel")
    goal.add_argument("--bytes", type=int, metavar="N", help="at most N bytes for each map")
    goal.add_argument("--psnr", type=float, metavar="DB", help="at least this PSNR (floats: log2-PSNR) in dB")
    parser.add_argument("--set", action="append", default=[], metavar="CODEC:NAME=VALUE", help="a setting of one codec")
    parser.add_argument("--nearest", action="store_true", help="write the nearest where the target is out of reach")
    add_fix(parser)
    add_kind(parser)
    parser.add_argument("--workers", type=int, metavar="N", help="processes at work (default: one a core)")


def run(args: argparse.Namespace, console: Console) -> Answer:
    if args.workers is not None and args.workers < 1:
        raise UsageError("--workers is a whole number from 1")
    order = Order(args.out, _codings(args), args.form, args.nearest)
    maps = [MapFile(path, name, fixes_of(args), kind_of(args)) for name, path in _inputs(args).items()]
    report = write_back(
        maps,
        order,
        workers=args.workers,
        on_progress=lambda share, name: console.progress(f"{100 * share:.0f} %, {name}"),
    )
    for row in report["rows"]:
        for note in row.get("notes", ()):
            console.note(f"{row['file']}: {note}")
    wrong = [row for row in report["rows"] if row["error"]]
    missed = any(row.get("reached") is False for row in report["rows"])
    code = FAILURE if any("reached" not in row for row in wrong) else UNREACHABLE if missed else 0
    return Answer(report, _text(report, args.out), code)


def _inputs(args: argparse.Namespace) -> dict[str, Path]:
    found = find_pictures(args.inputs)
    if args.bake:
        for name, path in list(found.items()):
            bake = bake_of(path.absolute())
            for each in bake.maps if bake is not None else ():
                if each.path not in {other.absolute() for other in found.values()}:
                    found[Path(name).with_name(each.path.name).as_posix()] = each.path
    return found


def _codings(args: argparse.Namespace) -> dict[Meaning, tuple[Coding, ...]]:
    chosen: dict[Meaning, list[str]] = {meaning: [] for meaning in Meaning}
    general: list[str] = []
    for part in filter(None, (part.strip() for part in args.codec.split(","))):
        kind, sign, codec = part.rpartition("=")
        if not sign:
            general.append(codec)
        elif kind in set(Meaning):
            chosen[Meaning(kind)].append(codec)
        else:
            raise UsageError(f"--codec {part}: kinds are {', '.join(Meaning)}")
    target = chosen_target(args)
    return {
        meaning: tuple(Coding(codec, _settings(codec, args.set), target) for codec in (*first, *general))
        for meaning, first in chosen.items()
    }


def _settings(codec: str, pairs: list[str]) -> dict[str, Any]:
    info = usable(codec).info
    own = [pair.removeprefix(f"{codec}:") for pair in pairs if pair.startswith(f"{codec}:")]
    if any(":" not in pair for pair in pairs):
        raise UsageError(f"--set {next(pair for pair in pairs if ':' not in pair)}: write CODEC:NAME=VALUE")
    return chosen_settings(info, own, None)


def _text(report: dict[str, Any], folder: Path) -> str:
    head = ["map", "kind", "codec", "written", "size", "was", "VRAM", "quality"]
    rows = [head]
    for row in report["rows"]:
        if row["error"]:
            continue
        sizes = [memory.size_text(row[name]) for name in ("bytes", "original_bytes", "vram_bytes")]
        scores = [number(name, row[name]) for name in metric_ids() if row.get(name) is not None]
        rows.append([row["file"], row["kind"], row["codec"], row["written"], *sizes, ", ".join(scores)])
    lines = [table(rows, right=(4, 5, 6))] if len(rows) > 1 else []
    lines += [row["error"] for row in report["rows"] if row["error"]]  # each names its file
    whole = [memory.size_text(report[name]) for name in ("bytes", "original_bytes", "vram_bytes")]
    lines.append(f"{report['maps']} maps, {whole[0]} on disk (were {whole[1]}), {whole[2]} in VRAM: {folder / REPORT}")
    return "\n".join(lines)
