"""The weights of learned codecs: those that come with the program, and your own.

  models list             every set of weights
  models show ID          the card of one: what it is made of, learnt from, worth
  models export RUN       weights from a run of 'ratescope train', or from a decay within it
  models import FILE…     checkpoints of CompressAI, as codecs
  models ranges ID        what pictures it knows, to warn of others
  models verify ID        check digest, shapes and a picture

ID is the name that 'list' shows, or a .safetensors file with its card beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.cli import checkpoints, ranges
from engine.cli.console import Answer, Console, table
from engine.cli.pictures import add_store
from engine.cli.train import count
from engine.errors import EngineError, UsageError
from engine.files import make_folder
from engine.learned import needs, zoo
from engine.learned.card import PUBLISHED, attribution_path, card_path, load_card, write_card
from engine.memory import size_text
from engine.metrics import metric, metric_ids

VERBS = {
    "list": "every set of weights",
    "show": "a card",
    "export": "weights from a run",
    "import": "checkpoints as codecs",
    "ranges": "what pictures they know",
    "verify": "check weights",
}


def configure(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="|".join(VERBS))
    parsers = {name: verbs.add_parser(name, help=text) for name, text in VERBS.items()}
    for name in ("show", "verify"):
        parsers[name].add_argument("id", metavar="ID")
    export = parsers["export"]
    export.add_argument("run", metavar="RUN", type=Path, help="folder of a run, or of a decay within it")
    export.add_argument("--out", metavar="F.safetensors", type=Path, help="default: among the user's own weights")
    export.add_argument("--note", default="", metavar="TEXT", help="a remark for the card")
    export.add_argument(
        "--attribution", action="append", default=[], type=Path, metavar="FILE",
        help="whose pictures were learnt from: a text, or a JSON manifest; may be given several times",
    )  # fmt: skip
    export.add_argument(
        "--measure", type=Path, metavar="FOLDER", help="code these pictures and put the result in the card"
    )
    export.add_argument("--workers", type=count, metavar="N", help="processes that measure (default: one a core)")
    add_store(export)
    checkpoints.configure(parsers["import"])
    ranges.configure(parsers["ranges"])
    for each in parsers.values():
        each.add_argument("--json", action="store_true", help="print one JSON document on stdout")


def run(args: argparse.Namespace, console: Console) -> Answer:
    if args.verb in (None, "list"):
        return _list()
    if args.verb == "show":
        return _show(zoo.find(args.id))
    needs.require("this")
    if args.verb == "import":
        return checkpoints.run_import(args, console)
    if args.verb == "ranges":
        return ranges.run_ranges(args, console)
    return _export(args, console) if args.verb == "export" else _verify(zoo.find(args.id))


# --- list and show --------------------------------------------------------------------------------


def _list() -> Answer:
    rows = [_row(model) for model in zoo.models()]
    folder = str(zoo.user_folder())
    head = ["id", "size", "steps", "BD-rate", "from", "note"]
    body = [_cells(row) for row in rows]
    text = table([head, *body], right=(1, 2, 3)) if rows else "there are no weights"
    return Answer({"models": rows, "folder": folder}, f"{text}\n\nyour own weights lie in {folder}")


def _row(model: zoo.Model) -> dict[str, Any]:
    """What a list says of one; weights whose card is at fault are listed with the problem."""
    try:
        card, problem = load_card(model.path), ""
    except EngineError as error:
        card, problem = {}, str(error)
    return {
        "id": model.id,
        "file": str(model.path),
        "bundled": model.bundled,
        "architecture": card.get("architecture"),
        "digest": card.get("digest"),
        "bytes": card.get("bytes"),
        "parameters": card.get("parameters"),
        "steps": _part(card, "training").get("steps"),
        "bd_rate": bd_rates(card),
        "note": card.get("note", ""),
        "problem": problem,
    }


def bd_rates(card: dict[str, Any]) -> dict[str, float]:
    """Measured BD-rates by anchor, in per cent; none if nobody measured."""
    rates = _part(_part(_part(card, "measured"), "pictures"), "bd_rate")
    return {anchor: entry["bd_rate"] for anchor, entry in rates.items() if entry["bd_rate"] is not None}


def _part(card: dict[str, Any], name: str) -> dict[str, Any]:
    part = card.get(name)
    return part if isinstance(part, dict) else {}


def _cells(row: dict[str, Any]) -> list[str]:
    size = "" if row["bytes"] is None else size_text(row["bytes"])
    steps = "" if row["steps"] is None else str(row["steps"])
    anchor, value = next(iter(row["bd_rate"].items()), ("", 0.0))
    against = f"{value:+.1f} % ({anchor})" if anchor else "not measured"
    return [row["id"], size, steps, against, "the program" if row["bundled"] else "you", row["problem"] or row["note"]]


def _show(model: zoo.Model) -> Answer:
    card = load_card(model.path)
    document = {"id": model.id, "file": str(model.path), "bundled": model.bundled, **card}
    listed = attribution_path(model.path)
    document["attribution_file"] = str(listed) if listed.exists() else None
    return Answer(document, card_text(document))


def card_text(card: dict[str, Any]) -> str:
    """A card for people."""
    training, data = _part(card, "training"), _part(card, "data")
    machine = _part(training, "machine")
    minutes = f"{training.get('seconds', 0) / 60:.1f} minutes" + (
        " with a decay" if training.get("decay_minutes") else ""
    )
    rows = [
        ("weights", f"{card['id']} ({card['file']})"),
        ("architecture", f"{card['architecture']}, {card.get('parameters', 0) / 1e6:.2f} million parameters"),
        ("licence", str(card.get("licence", "not stated"))),
        ("digest", str(card.get("digest"))),
        ("note", card.get("note", "")),
        ("made by", "; ".join(card.get("commands", []))),
        ("training", f"{training['steps']} steps, {minutes}, {training.get('skipped', 0)} skipped" if training else ""),
        ("machine", ", ".join(str(machine[name]) for name in ("processor", "device", "torch") if machine.get(name))),
        ("data", f"{data['training']} pictures of '{data['folder']}', {data['held_back']} held back" if data else ""),
        ("attribution", card.get("attribution_file") or ""),
    ]
    text = table([row for row in rows if row[1]])
    text += _worth(card)
    held_back = _part(_part(card, "measured"), "held_back")
    if held_back:
        points = [("bpp", "PSNR"), *((f"{p['bpp']:.4f}", f"{p['psnr']:.2f} dB") for p in held_back["curve"])]
        text += "\n\non pictures held back (estimated rates):\n" + table(points, right=(0, 1))
    return text


def _worth(card: dict[str, Any]) -> str:
    """The measured curve and BD-rates for people; "" if nobody measured."""
    measured = _part(_part(card, "measured"), "pictures")
    if not measured:
        return ""
    head = f"\n\non {measured['pictures']} pictures of '{measured['folder']}'"
    if _part(measured, "parent"):
        return f"{head} (file bytes), beside the codec whose symbols it has\n{_beside_parent(card, measured)}"
    score, label = ("psnr", "PSNR") if "psnr" in measured["curve"][0] else ("log2_psnr", "log2-PSNR")
    points = [("bpp", label), *((f"{p['bpp']:.4f}", f"{p[score]:.2f} dB") for p in measured["curve"])]
    against = ", ".join(f"{value:+.1f} % against {anchor}" for anchor, value in bd_rates(card).items())
    return f"{head} (file bytes): BD-rate {against or 'not comparable'}\n{table(points, right=(0, 1))}"


def _beside_parent(card: dict[str, Any], measured: dict[str, Any]) -> str:
    """A table of all scores by rate, of a codec that makes texture up and of its parent."""
    ((parent, theirs),) = measured["parent"].items()
    shown = [name for name in metric_ids() if name in measured["curve"][0]]
    rows = [("codec", "bpp", *(metric(name).info.label for name in shown))]
    for pair in zip(theirs, measured["curve"], strict=True):
        for codec, point in zip((parent, card["architecture"]), pair, strict=True):
            rows.append((codec, f"{point['bpp']:.4f}", *(f"{point[name]:.4f}" for name in shown)))
    return table(rows, right=range(1, len(rows[0])))


# --- export and verify ----------------------------------------------------------------------------


def _export(args: argparse.Namespace, console: Console) -> Answer:
    from engine.learned.attribution import attribution_text
    from engine.learned.export import export_run
    from engine.learned.train import trained_on

    architecture, folder, steps, decayed = trained_on(args.run)
    path = args.out or zoo.user_folder() / f"{architecture}-{steps}{zoo.SUFFIX}"
    if path.suffix != zoo.SUFFIX:
        raise UsageError(f"weights are safetensors; let the name end in {zoo.SUFFIX}", path=path)
    zoo.check_id(path.stem)
    if args.attribution and folder is None:
        raise UsageError(f"{args.run}: this run does not say what folder it learnt from; resume it for a step first")
    if args.measure is not None and not args.measure.is_dir():
        raise EngineError("is not a folder", path=args.measure)
    text = attribution_text(args.attribution, folder) if args.attribution and folder else ""
    if not text:
        console.note("the card says nothing of whose pictures these are: --attribution names a list")
    if not decayed:
        console.note(f"{args.run} is no finished decay: weights are better after one (--decay-minutes)")
    make_folder(path.parent)
    card = export_run(args.run, path, note=args.note, attribution=text)
    if args.measure is not None:
        from engine.cli.worth import measure

        worth = measure(path, args.measure, console, args.store, args.workers)
        card["measured"]["pictures"] = worth
        write_card(path, card)
    document = {"file": str(path), "card_file": str(card_path(path)), **card}
    return Answer(document, f"{path}: {size_text(card['bytes'])}, digest {card['digest'][:12]}{_worth(card)}")


def _verify(model: zoo.Model) -> Answer:
    if load_card(model.path)["architecture"] in PUBLISHED:
        return checkpoints.verify(model)
    from engine.learned.verify import verify

    found = verify(model.path)
    card = load_card(model.path)
    document = {"id": model.id, "file": str(model.path), "digest": card["digest"], "points": found}
    ends = " to ".join(f"{point['bpp']:.3f} bpp {point['psnr']:.2f} dB" for point in found["files"])
    return Answer(document, f"{model.id}: whole and working; a photograph takes {ends}")
