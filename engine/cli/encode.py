"""Compress a picture with one codec, at a quality, a rate, a size or a PSNR.

Without any of the four the codec's default quality is used. A rate or size is never exceeded and a PSNR never
missed: if no setting does it, nothing is written and the exit code is 3; --nearest writes the nearest point,
still with exit code 3. `ratescope codecs ID` lists the settings for --set.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine import memory
from engine.cli.console import Answer, Console
from engine.cli.decode import shape
from engine.cli.measure import number
from engine.cli.pictures import (
    add_fix,
    add_in_out,
    add_kind,
    add_roi,
    add_store,
    fixes_of,
    full_ctx,
    kind_of,
    read_picture,
    refuse_same,
    told_store,
    usable,
    with_roi,
)
from engine.codec import CodecInfo
from engine.errors import EngineError, TargetUnreachable, UsageError
from engine.files import atomic_write
from engine.formats import suffix_of
from engine.image import Image
from engine.jobs import cores
from engine.passport import Passport, Verdict
from engine.passport.task import PassportTask, coded_symbols
from engine.store import Recorder
from engine.tasks import Solved, SolveTask
from engine.trial import RateResult, Target, TargetKind, Trial, db_metrics
from engine.workers import TaskCtx

FAILURE, UNREACHED = 1, 3


def configure(parser: argparse.ArgumentParser) -> None:
    add_in_out(parser)
    add_fix(parser)
    add_kind(parser)
    add_roi(parser)
    parser.add_argument("--codec", required=True, metavar="ID", help="ratescope codecs and presets list them")
    goal = parser.add_mutually_exclusive_group()
    goal.add_argument("--quality", metavar="Q", help="the value of the codec's rate setting")
    goal.add_argument("--bpp", type=float, metavar="X", help="at most X bits per pixel")
    goal.add_argument("--bytes", type=int, metavar="N", help="at most N bytes")
    goal.add_argument("--psnr", type=float, metavar="DB", help="at least this PSNR (floats: log2-PSNR) in dB")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one of the codec's settings")
    parser.add_argument(
        "--passport", action="store_true", help="have a fresh process decode the file, and fail if that is broken"
    )
    parser.add_argument(
        "--nearest", action="store_true", help="write the nearest point where the target is out of reach"
    )
    add_store(parser)
    parser.add_argument(
        "--device",
        default="auto",
        choices=("auto", "cpu", "cuda", "mps"),
        help="for learned codecs; others use the CPU",
    )


def run(args: argparse.Namespace, console: Console) -> Answer:
    refuse_same(args.source, args.target)
    if args.roi is not None:
        refuse_same(args.roi, args.target)
    codec = usable(args.codec)
    settings = chosen_settings(codec.info, args.set, args.quality)
    target = chosen_target(args)
    image = read_picture(args.source, console, full_ctx(), fixes_of(args), kind_of(args))
    image = with_roi(image, args.roi, full_ctx())
    memory.require(memory.encode_estimate(codec.info, image), f"encoding {args.source}")
    with told_store(args.store, console) as store:
        known = tuple(store.trials(image.digest, codec.info.id, codec.version()))
        record = Recorder(store, console.note)
        task = SolveTask(image, codec.info.id, settings, db_metrics(image), known, store.blobs.folder, target)
        try:
            solved = task.run(TaskCtx(threads=cores(), emit=record))
        except EngineError as error:
            raise error.at(args.source) from error
        record(solved.result.best, solved.data)
    for note in solved.notes:
        console.note(note)
    if not solved.result.reached and not args.nearest:
        hint = "nothing was written; --nearest writes the nearest point"
        raise TargetUnreachable(solved.result.message, path=args.source, hint=hint)
    if solved.result.message:
        console.note(solved.result.message)
    atomic_write(args.target, solved.data)
    _tell_suffix(args.target, solved.data, codec.info, console)
    document = {
        "input": str(args.source),
        "output": str(args.target),
        "codec": codec.info.id,
        "version": codec.version(),
        "notes": list(solved.notes),
        **_point(solved.result.best),
        **_size(solved.decoded),
    }
    if (symbols := coded_symbols(solved.result.best.stats)) is not None:
        document["symbols"] = symbols
    if target is not None:
        document |= _search(solved.result, target)
    passport = _passport(solved, args.target) if args.passport else None
    if passport is not None:
        document["passport"] = passport.to_json()
    return Answer(document, _text(args.target, solved.result.best, passport), _code(solved.result, passport))


def _passport(solved: Solved, path: Path) -> Passport:
    """What a fresh process makes of the file that was written."""
    best = solved.result.best
    task = PassportTask(best.key.codec, solved.data, solved.decoded, coded_symbols(best.stats), path)
    return task.run(TaskCtx(threads=cores()))


def _code(result: RateResult, passport: Passport | None) -> int:
    if passport is not None and passport.verdict is Verdict.BROKEN:
        return FAILURE
    return 0 if result.reached else UNREACHED


def _tell_suffix(path: Path, data: bytes, info: CodecInfo, console: Console) -> None:
    """Light in a format of others is in our container, whatever the name that was given says."""
    suffix = suffix_of(data, info)
    if info.family == "texture":
        if suffix != path.suffix.lower():
            console.note(f"{path}: is a {suffix[1:].upper()} file, whose suffix is {suffix}")
    elif suffix != info.extension and path.suffix.lower() == info.extension:
        console.note(f"{path}: holds {info.label} within a container that only Ratescope reads; {suffix} is its suffix")


def chosen_settings(info: CodecInfo, pairs: list[str], quality: str | None) -> dict[str, Any]:
    """Settings from --set and --quality, checked; `UsageError` names the one that is wrong."""
    out: dict[str, Any] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise UsageError(f"--set {pair}: write NAME=VALUE")
        out[name] = info.param(name).coerce(value)
    if quality is not None:
        knob = info.rate_param
        if knob is None:
            raise UsageError(f"{info.id} has no quality to set: it codes at one rate")
        out[knob.name] = knob.coerce(quality)
    return out


def chosen_target(args: argparse.Namespace) -> Target | None:
    for kind in TargetKind:
        value = getattr(args, str(kind))
        if value is not None:
            if not value > 0:
                raise UsageError(f"--{kind} {value}: the target must be above 0")
            return Target(kind, float(value))
    return None


def _search(result: RateResult, target: Target) -> dict[str, Any]:
    return {
        "target": {str(target.kind): target.value},
        "reached": result.reached,
        "encodes": result.encodes,
        "probes": [_point(probe) for probe in sorted(result.probes, key=lambda probe: probe.bpp)],
    }


def _text(path: Path, trial: Trial, passport: Passport | None) -> str:
    assert trial.db is not None
    words = [f"{trial.size} bytes", f"{trial.bpp:.4f} bpp", number("psnr", trial.db)]
    for metric_id, score in trial.scores.items():
        place = metric_id.rpartition("_")[2]
        if place in ("inside", "outside"):
            words.append(f"{number(metric_id, score)} {place}")
    if "format" in trial.stats:
        words.append(f"{trial.stats['format']}, {trial.vram_bpp:.4f} bpp in video memory")
    settings = ", ".join(f"{name}={value}" for name, value in trial.settings.items())
    text = f"{path}: {', '.join(words)} ({settings})"
    return f"{text}\n{passport.words}" if passport is not None else text


def _size(decoded: Image) -> dict[str, Any]:
    return {name: value for name, value in shape(decoded).items() if name in ("width", "height", "pixels")}


def _point(trial: Trial) -> dict[str, Any]:
    return {
        "settings": trial.settings,
        "bytes": trial.size,
        **trial.rates,
        **trial.scores,
        "encode_s": trial.encode_s,
        "decode_s": trial.decode_s,
    }
