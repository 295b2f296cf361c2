"""Decode files in fresh processes, and say whether what comes of it is bit-exact, close, or broken.

Each file is decoded twice, by a process of its own each time: with one thread, and with as many as there are cores.
What both make of it is compared, and with --against also with what came of it elsewhere: a decoded picture, or what
`passport --json` or `encode --json` printed. The exit code is 1 if any file is broken.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine import io, memory
from engine.cli.console import Answer, Console
from engine.cli.pictures import codec_of, full_ctx, read_picture, usable
from engine.errors import CorruptStream, EngineError, UsageError
from engine.jobs import cores
from engine.passport import Passport, Verdict, surroundings
from engine.passport.compare import Claim, Record, judge, judge_record
from engine.passport.fresh import Fresh, decode_fresh
from engine.store import machine

FAILURE = 1
_RANK = list(Verdict)  # from good to bad
_MAX_DOCUMENT = 64 * 2**20

Judge = Callable[[Fresh], Passport]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="any codec's files")
    words = "a decoded picture, or the JSON of 'passport' or 'encode', from another machine or version"
    parser.add_argument("--against", metavar="FILE", type=Path, help=words)
    parser.add_argument("--codec", metavar="ID", help="use this codec's decoder, whatever the content looks like")
    bound = "the largest difference that is close still, in code values, of light in stops (default 1; 1/512)"
    parser.add_argument("--within", metavar="X", type=float, help=bound)


def run(args: argparse.Namespace, console: Console) -> Answer:
    if args.within is not None and not args.within >= 0:
        raise UsageError(f"--within {args.within}: write a number from 0")
    against = _against(args, console) if args.against is not None else None
    entries = []
    for number, path in enumerate(args.files):
        console.progress(f"{number} of {len(args.files)} files, {path}")
        entries.append(_entry(path, args, against))
    counts = {str(verdict): sum(entry["verdict"] == verdict for entry in entries) for verdict in Verdict}
    document = {"files": entries, **counts, "made_with": surroundings(), "machine": machine()}
    return Answer(document, _text(entries), FAILURE if counts[Verdict.BROKEN] else 0)


def _entry(path: Path, args: argparse.Namespace, against: Callable[[Path, bytes], Judge] | None) -> dict[str, Any]:
    data = io.read_bytes(path)
    codec = ""
    fresh: tuple[Fresh, ...] = ()
    try:
        codec = args.codec or codec_of(data)
        usable(codec)
        counts = (1, max(2, cores()))
        judges = [against(path, data)] if against is not None else []
        fresh = tuple(decode_fresh(path, codec, threads, full_ctx(), room=memory.limit()) for threads in counts)
        passport = _worst(_judged(fresh, judges, args.within))
    except CorruptStream as error:
        passport = Passport(Verdict.BROKEN, error.plain, made_with=surroundings())
    except EngineError as error:
        raise error.at(path) from error
    image = next((each.image for each in fresh if each.image is not None), None)
    return {
        "file": str(path),
        "codec": codec,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        **passport.to_json(),
        "symbols": next((each.symbols for each in fresh if each.symbols), None),
        "pixels": image.digest if image is not None else None,
        "threads": [each.threads for each in fresh],
        "words": passport.words,
    }


def _judged(fresh: tuple[Fresh, ...], judges: list[Judge], within: float | None) -> Iterator[Passport]:
    """What each process says beside the first one, and beside what comes from elsewhere."""
    first, *others = fresh
    if first.image is None:
        yield Passport(Verdict.BROKEN, first.error, threads=(0, first.threads), made_with=surroundings())
        return
    here = Claim(first.image, first.symbols, first.threads)
    for each in others:
        yield judge(here, each, within)
    for beside in judges:
        yield from map(beside, fresh)


def _worst(passports: Iterator[Passport]) -> Passport:
    return max(passports, key=lambda passport: (_RANK.index(passport.verdict), passport.difference))


def _against(args: argparse.Namespace, console: Console) -> Callable[[Path, bytes], Judge]:
    """What --against names, as what judges a file."""
    start = io.read_bytes(args.against)
    if start.lstrip()[:1] == b"{":
        records = _records(args.against, start)
        return lambda path, data: _recorded(records, path, data, args.against)
    if len(args.files) > 1:
        raise UsageError(
            "is one picture, but several files are named", path=args.against, hint="passport --json notes all"
        )
    claim = Claim(read_picture(args.against, console, full_ctx()))
    return lambda _path, _data: lambda fresh: judge(claim, fresh, args.within)


def _records(path: Path, text: bytes) -> dict[str, dict[str, Any]]:
    """What a document of ours notes of files, by their names without folders."""
    try:
        document = json.loads(text) if len(text) <= _MAX_DOCUMENT else None
    except ValueError as error:
        raise CorruptStream(f"is no JSON: {error}", path=path) from error
    entries = document.get("files", [document]) if isinstance(document, dict) else []
    found = {}
    for entry in entries if isinstance(entries, list) else []:
        name = entry.get("file", entry.get("output")) if isinstance(entry, dict) else None
        if isinstance(name, str) and isinstance(entry.get("pixels"), str):
            found[Path(name).name] = entry
    if not found:
        raise CorruptStream("notes no file: write it by 'ratescope passport --json' or 'encode --json'", path=path)
    return found


def _recorded(records: dict[str, dict[str, Any]], path: Path, data: bytes, source: Path) -> Judge:
    entry = records.get(path.name)
    if entry is None:
        raise UsageError(f"{source} notes nothing of a file of this name", path=path)
    symbols, digest = entry.get("symbols"), entry.get("sha256")
    if digest not in (None, hashlib.sha256(data).hexdigest()):
        raise CorruptStream(f"its bytes are others than those that {source.name} notes")
    record = Record(entry["pixels"], symbols if isinstance(symbols, str) else None)
    return lambda fresh: judge_record(record, fresh)


def _text(entries: list[dict[str, Any]]) -> str:
    return "\n".join(f"{entry['file']}: {entry['words']}" for entry in entries)
